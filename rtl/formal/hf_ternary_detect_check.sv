// Check of hf_ternary_detect.
//
// Reference   The truth table of a precharge sense amplifier (ternary-pcsa, section III), 1 cycle after latch_i; held
//             else.
// Proof       1 cycle from any state
`default_nettype none

module hf_ternary_detect_check #(
    parameter int Width = 8
) (
    input  wire logic             clk_i,
    input  wire logic             latch_i,
    input  wire logic [Width-1:0] q_i,
    input  wire logic [Width-1:0] qb_i,
    output logic                  fail_o
);
  logic [Width-1:0] nonzero, positive;
  hf_ternary_detect #(.Width(Width)) dut (
      .clk_i, .latch_i, .q_i, .qb_i, .nonzero_o(nonzero), .positive_o(positive));

  logic [Width-1:0] want_nonzero, want_positive;
  always_comb begin
    for (int i = 0; i < Width; i++) begin
      case ({q_i[i], qb_i[i]})
        2'b11: {want_nonzero[i], want_positive[i]} = 2'b00;  // unresolved: 0
        2'b10: {want_nonzero[i], want_positive[i]} = 2'b11;  // +1
        2'b01: {want_nonzero[i], want_positive[i]} = 2'b10;  // -1
        default: {want_nonzero[i], want_positive[i]} = 2'b00;  // cannot happen; must still be a trit
      endcase
    end
  end

  logic [2*Width-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= latch_i ? {want_nonzero, want_positive} : {nonzero, positive};
  assign fail_o = {nonzero, positive} != want_q;
endmodule

`default_nettype wire
