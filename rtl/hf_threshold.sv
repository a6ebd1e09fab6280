// Threshold units: the folded batch norm and activation of a layer's neurons.
//
// Purpose     Compares sums with integer thresholds.
// Equation    bipolar: positive = (sum >= high), nonzero = 1
//             ternary: +1 iff sum >= high, -1 iff sum < low (low <= high), else 0
//             A negative batch-norm gain is not seen here: the plan flips the neuron's weights and thresholds.
//             Both planes are 0 while valid_i is low: sums on their way toggle nothing behind the comparators.
// Parameters  Neurons   neurons compared in one cycle, >= 1
//             SumWidth  bits of a sum and of a threshold, >= 2; thresholds outside the sums' range are constants
//             Ternary   0: bipolar, 1: ternary
// Latency     0 cycles (combinational)
// Throughput  one set of neurons a cycle
// Overflow    none
`default_nettype none

module hf_threshold #(
    parameter int Neurons = 1,
    parameter int SumWidth = 12,
    parameter bit Ternary = 1'b0,
    // Bits of one neuron's word.
    localparam int WordWidth = SumWidth * (Ternary ? 2 : 1)
) (
    input  wire logic                         valid_i,
    input  wire logic [Neurons*SumWidth-1:0]  sums_i,        // signed
    input  wire logic [Neurons*WordWidth-1:0] thresholds_i,  // {[low,] high}, signed
    output logic      [Neurons-1:0]           nonzero_o,
    output logic      [Neurons-1:0]           positive_o
);
  if (Neurons < 1) begin : gen_error_neurons
    hf_error_threshold_neurons_must_be_at_least_1 error ();
  end
  if (SumWidth < 2) begin : gen_error_sum
    hf_error_threshold_sum_width_must_be_at_least_2 error ();
  end

  logic signed [SumWidth-1:0] sum, high, low;  // of the neuron at hand
  always_comb begin
    sum = '0;
    high = '0;
    low = '0;
    nonzero_o = '0;
    positive_o = '0;
    if (valid_i) begin
      for (int n = 0; n < Neurons; n++) begin
        sum = sums_i[n*SumWidth+:SumWidth];
        high = thresholds_i[n*WordWidth+:SumWidth];
        low = thresholds_i[n*WordWidth+WordWidth-SumWidth+:SumWidth];
        nonzero_o[n] = !Ternary || sum >= high || sum < low;
        positive_o[n] = sum >= high;
      end
    end
  end
endmodule

`default_nettype wire
