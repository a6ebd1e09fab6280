// Check of hf_gxnor_popcount, for several slices.
//
// Reference   As many blocks of one slice; hf_gxnor_popcount_check, or the two checks of wide blocks, show what one does.
// Proof       1 cycle from any state
`default_nettype none

module hf_gxnor_popcount_slices_check #(
    parameter int Slices = 2,
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                       clk_i,
    input  wire logic                       valid_i,
    input  wire logic [Slices*Width-1:0] x_nonzero_i,
    input  wire logic [Slices*Width-1:0] x_positive_i,
    input  wire logic [Slices*Width-1:0] w_nonzero_i,
    input  wire logic [Slices*Width-1:0] w_positive_i,
    output logic                            fail_o
);
  logic [Slices*SumWidth-1:0] sums;
  hf_gxnor_popcount #(.Slices(Slices), .Width(Width), .SumWidth(SumWidth)) dut (
      .clk_i, .valid_i, .x_nonzero_i, .x_positive_i, .w_nonzero_i, .w_positive_i, .sum_o(sums));

  // A block of one slice shows the same in the cycle after; in others the sums are held.
  logic [Slices*SumWidth-1:0] one, held_q;
  logic valid_q;
  for (genvar k = 0; k < Slices; k++) begin : gen_slice
    hf_gxnor_popcount #(.Width(Width), .SumWidth(SumWidth)) i_one (
        .clk_i, .valid_i,
        .x_nonzero_i(x_nonzero_i[k*Width+:Width]),
        .x_positive_i(x_positive_i[k*Width+:Width]),
        .w_nonzero_i(w_nonzero_i[k*Width+:Width]),
        .w_positive_i(w_positive_i[k*Width+:Width]),
        .sum_o(one[k*SumWidth+:SumWidth]));
  end
  always_ff @(posedge clk_i) begin
    valid_q <= valid_i;
    held_q <= sums;
  end
  assign fail_o = sums != (valid_q ? one : held_q);
endmodule

`default_nettype wire
