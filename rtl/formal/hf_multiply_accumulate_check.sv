// Check of hf_multiply_accumulate.
//
// Reference   Per neuron, weights decoded to signed numbers, products added, 1 cycle after valid_i; held else.
// Proof       1 cycle from any state
`default_nettype none

module hf_multiply_accumulate_check #(
    parameter int Neurons = 2,
    parameter int Inputs = 2,
    parameter int InputWidth = 9,
    parameter int WeightWidth = 1,
    parameter int SumWidth = 14
) (
    input  wire logic                                  clk_i,
    input  wire logic                                  valid_i,
    input  wire logic                                  first_i,
    input  wire logic [Inputs*InputWidth-1:0]          x_i,
    input  wire logic [Neurons*Inputs*WeightWidth-1:0] w_i,
    output logic                                       fail_o
);
  logic [Neurons*SumWidth-1:0] sums, want_q;
  hf_multiply_accumulate #(
      .Neurons(Neurons), .Inputs(Inputs), .InputWidth(InputWidth), .WeightWidth(WeightWidth), .SumWidth(SumWidth)
  ) dut (.clk_i, .valid_i, .first_i, .x_i, .w_i, .sums_o(sums));

  for (genvar n = 0; n < Neurons; n++) begin : gen_neuron
    logic signed [SumWidth-1:0] want, x, w, product;
    logic [7:0] code;
    logic [SumWidth-1:0] sum;
    logic [Inputs*WeightWidth-1:0] weights;
    assign sum = sums[n*SumWidth+:SumWidth];
    assign weights = w_i[n*Inputs*WeightWidth+:Inputs*WeightWidth];
    always_comb begin
      want = first_i ? '0 : sum;
      for (int i = 0; i < Inputs; i++) begin
        x = SumWidth'($signed(x_i[i*InputWidth+:InputWidth]));
        code = 8'(weights[i*WeightWidth+:WeightWidth]);
        if (WeightWidth == 8) begin
          w = SumWidth'($signed(code));
          product = x * w;
        end else begin
          // -1, 0 or +1 times x
          product = (code & 8'd1) != '0 ? x : -x;
          if (WeightWidth == 2 && code < 8'd2) product = '0;
        end
        want = want + product;
      end
    end
    always_ff @(posedge clk_i) want_q[n*SumWidth+:SumWidth] <= valid_i ? want : sum;
  end
  assign fail_o = sums != want_q;
endmodule

`default_nettype wire
