// Check of hf_gxnor_popcount, first half of its proof by composition.
//
// Reference   n - 2 m, where m counts the lanes whose product is -1 and n those whose product is not 0, 1 cycle after
//             valid_i; held else. hf_popcount_lanes_check shows that n - 2 m is the dot product.
// Proof       1 cycle from any state
// Order       Lanes are counted from the last to the first, as Yosys lays out $countones; a sum has no order, but
//             the same one lets the prover see at once that both are equal.
`default_nettype none

module hf_gxnor_popcount_counts_check #(
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

  logic [SumWidth-1:0] minus, nonzero;
  always_comb begin
    minus = '0;
    nonzero = '0;
    for (int i = Width - 1; i >= 0; i--) begin
      minus = minus + SumWidth'(x_nonzero[i] && w_nonzero[i] && x_positive[i] != w_positive[i]);
      nonzero = nonzero + SumWidth'(x_nonzero[i] && w_nonzero[i]);
    end
  end

  logic [SumWidth-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= valid_i ? nonzero - (minus << 1) : sum;
  assign fail_o = sum != want_q;
endmodule

`default_nettype wire
