// Check of hf_xnor_popcount, first half of its proof by composition.
//
// Reference   used_i - 2 m, where m counts the lanes in use whose operands differ, 1 cycle after valid_i; held else.
//             hf_popcount_lanes_check shows that this is the dot product where used_i is the number of lanes in use.
// Proof       1 cycle from any state
// Order       as in hf_gxnor_popcount_counts_check
`default_nettype none

module hf_xnor_popcount_counts_check #(
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                clk_i,
    input  wire logic                valid_i,
    input  wire logic [3*Width-1:0]  lanes_i,
    input  wire logic [SumWidth-1:0] used_i,
    output logic                     fail_o
);
  logic [Width-1:0] in_use, x, w;
  for (genvar i = 0; i < Width; i++) begin : gen_lane
    assign {in_use[i], x[i], w[i]} = lanes_i[3*i+:3];
  end

  logic [SumWidth-1:0] sum;
  hf_xnor_popcount #(.Width(Width), .SumWidth(SumWidth)) dut (
      .clk_i, .valid_i, .use_i(in_use), .used_i, .x_i(x), .w_i(w), .sum_o(sum));

  logic [SumWidth-1:0] minus;
  always_comb begin
    minus = '0;
    for (int i = Width - 1; i >= 0; i--) minus = minus + SumWidth'(in_use[i] && x[i] != w[i]);
  end

  logic [SumWidth-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= valid_i ? used_i - (minus << 1) : sum;
  assign fail_o = sum != want_q;
endmodule

`default_nettype wire
