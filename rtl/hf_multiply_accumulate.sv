// Integer multiply-accumulate of several inputs for several neurons.
//
// Purpose     The arithmetic of a digital layer.
// Equation    sum_n <- (first ? 0 : sum_n) + sum_i w_ni x_i
// Parameters  Neurons      neurons, >= 1
//             Inputs       inputs added in a cycle, >= 1
//             InputWidth   bits of a signed input, >= 2
//             WeightWidth  1: bipolar (1 = +1, 0 = -1), 2: trit {nonzero, positive}, 8: signed integer
//             SumWidth     bits of a sum, >= InputWidth
// Latency     1 cycle after valid_i
// Throughput  Neurons x Inputs products a cycle
// Overflow    none where SumWidth holds every partial sum; the plan proves it
`default_nettype none

module hf_multiply_accumulate #(
    parameter int Neurons = 2,
    parameter int Inputs = 2,
    parameter int InputWidth = 9,
    parameter int WeightWidth = 1,
    parameter int SumWidth = 14
) (
    input  wire logic                                   clk_i,
    input  wire logic                                   valid_i,
    input  wire logic                                   first_i,
    input  wire logic [Inputs*InputWidth-1:0]           x_i,     // signed, input i at i * InputWidth
    input  wire logic [Neurons*Inputs*WeightWidth-1:0]  w_i,     // weight (n, i) at (n * Inputs + i) * WeightWidth
    output logic      [Neurons*SumWidth-1:0]            sums_o   // signed, neuron n at n * SumWidth
);
  if (Neurons < 1) begin : gen_error_neurons
    hf_error_multiply_accumulate_neurons_must_be_at_least_1 error ();
  end
  if (Inputs < 1) begin : gen_error_inputs
    hf_error_multiply_accumulate_inputs_must_be_at_least_1 error ();
  end
  if (WeightWidth != 1 && WeightWidth != 2 && WeightWidth != 8) begin : gen_error_weight
    hf_error_multiply_accumulate_weight_width_must_be_1_2_or_8 error ();
  end
  if (SumWidth < InputWidth || InputWidth < 2) begin : gen_error_sum
    hf_error_multiply_accumulate_sum_or_input_width_too_small error ();
  end

  // Sum of neuron n after this step.
  function automatic logic signed [SumWidth-1:0] dot(input int n);
    logic [Inputs*WeightWidth-1:0] w;
    logic signed [SumWidth-1:0] value;
    w = w_i[n*Inputs*WeightWidth+:Inputs*WeightWidth];
    dot = first_i ? '0 : sums_o[n*SumWidth+:SumWidth];
    for (int i = 0; i < Inputs; i++) begin
      value = SumWidth'($signed(x_i[i*InputWidth+:InputWidth]));
      if (WeightWidth == 1) begin
        dot = w[i*WeightWidth] ? dot + value : dot - value;
      end else if (WeightWidth == 2) begin
        if (w[i*WeightWidth+WeightWidth-1]) dot = w[i*WeightWidth] ? dot + value : dot - value;
      end else begin
        dot = dot + value * SumWidth'($signed(w[i*WeightWidth+:WeightWidth]));
      end
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      for (int n = 0; n < Neurons; n++) sums_o[n*SumWidth+:SumWidth] <= dot(n);
    end
  end
endmodule

`default_nettype wire
