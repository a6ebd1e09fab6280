// Check of hf_xnor_popcount, for several slices.
//
// Reference   As many blocks of one slice; hf_xnor_popcount_check, or the two checks of wide blocks, show what one does.
// Proof       1 cycle from any state
`default_nettype none

module hf_xnor_popcount_slices_check #(
    parameter int Slices = 2,
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                       clk_i,
    input  wire logic                       valid_i,
    input  wire logic [Slices*Width-1:0] use_i,
    input  wire logic [Slices*SumWidth-1:0] used_i,
    input  wire logic [Slices*Width-1:0] x_i,
    input  wire logic [Slices*Width-1:0] w_i,
    output logic                            fail_o
);
  logic [Slices*SumWidth-1:0] sums;
  hf_xnor_popcount #(.Slices(Slices), .Width(Width), .SumWidth(SumWidth)) dut (
      .clk_i, .valid_i, .use_i, .used_i, .x_i, .w_i, .sum_o(sums));

  // A block of one slice shows the same in the cycle after; in others the sums are held.
  logic [Slices*SumWidth-1:0] one, held_q;
  logic valid_q;
  for (genvar k = 0; k < Slices; k++) begin : gen_slice
    hf_xnor_popcount #(.Width(Width), .SumWidth(SumWidth)) i_one (
        .clk_i, .valid_i,
        .use_i(use_i[k*Width+:Width]),
        .used_i(used_i[k*SumWidth+:SumWidth]),
        .x_i(x_i[k*Width+:Width]),
        .w_i(w_i[k*Width+:Width]),
        .sum_o(one[k*SumWidth+:SumWidth]));
  end
  always_ff @(posedge clk_i) begin
    valid_q <= valid_i;
    held_q <= sums;
  end
  assign fail_o = sums != (valid_q ? one : held_q);
endmodule

`default_nettype wire
