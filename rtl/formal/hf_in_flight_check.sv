// Check of hf_in_flight.
//
// Reference   The count after one cycle: one more for an image that entered, one less for one that left, 0 after a reset.
// Assumes     The pipeline's promise: an image leaves only after it entered, and no more than Most are inside.
// Proof       1 cycle from any state
`default_nettype none

module hf_in_flight_check #(
    parameter int Most = 8,
    localparam int Width = $clog2(Most + 1)
) (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic enter_i,
    input  wire logic leave_i,
    output logic      fail_o
);
  logic [Width-1:0] count;
  logic busy;
  hf_in_flight #(.Most(Most)) dut (.clk_i, .rst_ni, .enter_i, .leave_i, .count_o(count), .busy_o(busy));

  logic reset_q, enter_q, leave_q;
  logic [31:0] count_q;
  always_ff @(posedge clk_i) begin
    reset_q <= !rst_ni;
    enter_q <= enter_i;
    leave_q <= leave_i;
    count_q <= 32'(count);
  end

  logic kept;  // the pipeline kept its promise
  logic [31:0] want;
  assign kept = reset_q || ((count_q != 0 || !leave_q || enter_q) && (count_q < Most || !enter_q || leave_q));
  always_comb begin
    want = count_q;
    if (reset_q) want = 0;
    else if (enter_q && !leave_q) want = count_q + 1;
    else if (leave_q && !enter_q) want = count_q - 1;
  end
  assign fail_o = (kept && 32'(count) != want) || busy != (count != 0);
endmodule

`default_nettype wire
