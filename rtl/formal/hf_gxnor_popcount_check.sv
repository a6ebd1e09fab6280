// Check of hf_gxnor_popcount.
//
// Reference   The dot product, lane by lane: a lane adds w x for trits w and x, 1 cycle after valid_i; held else.
// Proof       1 cycle from any state; wide blocks by hf_gxnor_popcount_counts_check and hf_popcount_lanes_check
// Ports       lane i at 4 i: operands of a lane stand together, the variable order that keeps BDDs small
`default_nettype none

module hf_gxnor_popcount_check #(
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic               clk_i,
    input  wire logic               valid_i,
    input  wire logic [4*Width-1:0] lanes_i,
    output logic                    fail_o
);
  logic [Width-1:0] x_nonzero, x_positive, w_nonzero, w_positive;
  for (genvar i = 0; i < Width; i++) begin : gen_lane
    assign {x_nonzero[i], x_positive[i], w_nonzero[i], w_positive[i]} = lanes_i[4*i+:4];
  end

  logic [SumWidth-1:0] sum;
  hf_gxnor_popcount #(.Width(Width), .SumWidth(SumWidth)) dut (
      .clk_i, .valid_i, .x_nonzero_i(x_nonzero), .x_positive_i(x_positive), .w_nonzero_i(w_nonzero),
      .w_positive_i(w_positive), .sum_o(sum));

  logic [SumWidth-1:0] want;
  always_comb begin
    want = '0;
    for (int i = 0; i < Width; i++) begin
      if (!x_nonzero[i] || !w_nonzero[i]) want = want;
      else if (x_positive[i] == w_positive[i]) want = want + SumWidth'(1);
      else want = want - SumWidth'(1);
    end
  end

  logic [SumWidth-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= valid_i ? want : sum;
  assign fail_o = sum != want_q;
endmodule

`default_nettype wire
