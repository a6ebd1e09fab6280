// Ternary detect behind precharge sense amplifiers.
//
// Purpose     Turns the two outputs of each PCSA into a trit at the end of the sense window.
// Equation    nonzero = Q xor Qb, positive = Q and not Qb   (ternary-pcsa, section III)
// Parameters  Width  amplifiers, >= 1
// Latency     1 cycle after latch_i
// Throughput  one set of amplifiers a cycle
// Overflow    none
`default_nettype none

module hf_ternary_detect #(
    parameter int Width = 8
) (
    input  wire logic             clk_i,
    // Sense amplifiers
    input  wire logic             latch_i,     // last cycle of the window
    input  wire logic [Width-1:0] q_i,         // Q of each amplifier, 1 while precharged
    input  wire logic [Width-1:0] qb_i,        // Qb of each amplifier, 1 while precharged
    // Trits
    output logic      [Width-1:0] nonzero_o,   // the pair has resolved
    output logic      [Width-1:0] positive_o   // it has resolved to +1; implies nonzero
);
  if (Width < 1) begin : gen_error
    hf_error_ternary_detect_width_must_be_at_least_1 error ();
  end

  always_ff @(posedge clk_i) begin
    if (latch_i) begin
      nonzero_o  <= q_i ^ qb_i;
      positive_o <= q_i & ~qb_i;
    end
  end
endmodule

`default_nettype wire
