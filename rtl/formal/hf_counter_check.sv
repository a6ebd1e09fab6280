// Check of hf_counter.
//
// Reference   The digit after the current one; a clear wins over a step. A digit in range never leaves it.
// Proof       1 cycle from any state
`default_nettype none

module hf_counter_check #(
    parameter int Steps = 1,
    localparam int Width = Steps > 1 ? $clog2(Steps) : 1
) (
    input  wire logic clk_i,
    input  wire logic clear_i,
    input  wire logic step_i,
    output logic      fail_o
);
  logic [Width-1:0] count;
  logic last;
  hf_counter #(.Steps(Steps)) dut (.clk_i, .clear_i, .step_i, .count_o(count), .last_o(last));

  logic clear_q, step_q, in_range_q;
  logic [Width-1:0] count_q;
  always_ff @(posedge clk_i) begin
    clear_q <= clear_i;
    step_q <= step_i;
    count_q <= count;
    in_range_q <= 32'(count) < Steps;
  end

  logic [31:0] want;
  always_comb begin
    if (clear_q) want = 0;
    else if (!step_q) want = 32'(count_q);
    else want = 32'(count_q) + 1 == Steps ? 0 : 32'(count_q) + 1;
  end
  // From a digit out of range, which power-up may bring, only a clear has to lead back.
  assign fail_o = ((in_range_q || clear_q) && 32'(count) != want) || last != (32'(count) == Steps - 1);
endmodule

`default_nettype wire
