// Check of hf_commands.
//
// Reference   One image, whichever the solver picks as it enters, and the number of images before it. Once they have left,
//             the output shows the command of the last first beat before the image entered, until it leaves. Then another
//             image is followed.
// Assumes     The pipeline's promise, up to the first time that it is broken: an image enters after its first beat and leaves
//             after it entered, and no more than Depth images are on their way.
// Proof       induction, for every image at once; the followed command's place in the queue is tied to the images before it
`default_nettype none

module hf_commands_check #(
    parameter int Width = 18,
    parameter int Depth = 4
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             first_i,
    input  wire logic [Width-1:0] command_i,
    input  wire logic             enter_i,
    input  wire logic             leave_i,
    input  wire logic             pick_i,  // follow the image that enters
    output logic                  fail_o
);
  localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1;
  logic [Width-1:0] command;
  hf_commands #(.Width(Width), .Depth(Depth)) dut (
      .clk_i, .rst_ni, .first_i, .command_i, .enter_i, .leave_i, .command_o(command));

  logic live_q;    // a reset has been seen
  logic promise_q; // was kept since
  logic came_q;    // a first beat has come since
  logic followed_q;
  logic [31:0] count_q, before_q;  // images on their way, and those before the followed one
  logic [Width-1:0] latest_q, want_q;
  logic kept;
  initial live_q = 1'b0;
  assign kept = promise_q && (came_q || !enter_i) && (count_q != 0 || !leave_i)
      && (count_q < Depth || leave_i || !enter_i);

  always_ff @(posedge clk_i) begin
    if (first_i) latest_q <= command_i;
    if (!rst_ni) begin
      live_q <= 1'b1;
      promise_q <= 1'b1;
      came_q <= 1'b0;
      followed_q <= 1'b0;
      count_q <= 0;
    end else begin
      promise_q <= kept;
      if (first_i) came_q <= 1'b1;
      count_q <= count_q + 32'(enter_i) - 32'(leave_i);
      if (followed_q) begin
        if (leave_i && before_q == 0) followed_q <= 1'b0;
        before_q <= before_q - 32'(leave_i);
      end else if (enter_i && pick_i) begin
        followed_q <= 1'b1;
        before_q <= count_q - 32'(leave_i);
        want_q <= latest_q;
      end
    end
  end

  // verilator lint_off UNDRIVEN
  // The block's own registers and queue, by name: Yosys joins these to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [Width-1:0] \dut.command_q ;
  (* hierconn *) wire [AddrWidth-1:0] \dut.enter ;
  (* hierconn *) wire [AddrWidth-1:0] \dut.leave ;
  logic [Width-1:0] \dut.queue_q [0:Depth-1];
  // verilator lint_on UNDRIVEN
  function automatic logic [31:0] place(input logic [31:0] behind);  // in the queue, this many behind the output
    place = 32'(\dut.leave ) + behind;
    if (place >= Depth) place = place - Depth;
  endfunction
  logic tied;
  logic [AddrWidth-1:0] at;
  assign at = AddrWidth'(place(before_q));
  assign tied = 32'(\dut.leave ) < Depth && count_q <= Depth && 32'(\dut.enter ) == place(count_q == Depth ? 0 : count_q)
      && (!came_q || \dut.command_q == latest_q)
      && (!followed_q || (before_q < count_q && \dut.queue_q [at] == want_q));

  assign fail_o = live_q && promise_q && (!tied || (followed_q && before_q == 0 && command != want_q));
endmodule

`default_nettype wire
