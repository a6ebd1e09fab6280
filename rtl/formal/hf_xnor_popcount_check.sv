// Check of hf_xnor_popcount.
//
// Reference   The dot product over the lanes in use, lane by lane, where used_i says how many they are, 1 cycle after
//             valid_i; held else.
// Proof       1 cycle from any state; wide blocks by hf_xnor_popcount_counts_check and hf_popcount_lanes_check
// Ports       lane i at 3 i: operands of a lane stand together, the variable order that keeps BDDs small
`default_nettype none

module hf_xnor_popcount_check #(
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

  logic [SumWidth-1:0] want;
  logic [SumWidth-1:0] used;
  always_comb begin
    want = '0;
    used = '0;
    for (int i = 0; i < Width; i++) begin
      if (in_use[i]) begin
        used = used + SumWidth'(1);
        want = x[i] == w[i] ? want + SumWidth'(1) : want - SumWidth'(1);
      end
    end
  end

  logic [SumWidth-1:0] want_q;
  logic assumed_q;
  always_ff @(posedge clk_i) begin
    assumed_q <= used_i == used;
    want_q <= valid_i ? want : sum;
  end
  assign fail_o = assumed_q && sum != want_q;
endmodule

`default_nettype wire
