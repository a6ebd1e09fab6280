// Commands beside the images.
//
// Purpose     Keeps the command that came with an image's first beat until the image's features have gone through the
//             network.
// Equation    first in, first out
// Parameters  Width  bits of a command, >= 1
//             Depth  images that may be on their way, >= 1
// Latency     a command stands at the output 1 cycle after enter_i at the earliest
// Throughput  one command in and one out a cycle
// Overflow    none while no more than Depth images are on their way
`default_nettype none

module hf_commands #(
    parameter int Width = 18,
    parameter int Depth = 4
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             first_i,    // first beat of an image: command_i belongs to it
    input  wire logic [Width-1:0] command_i,
    input  wire logic             enter_i,    // the image goes on its way
    input  wire logic             leave_i,    // the command at the output has been taken
    output logic      [Width-1:0] command_o
);
  localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1;

  if (Width < 1 || Depth < 1) begin : gen_error
    hf_error_commands_width_and_depth_must_be_at_least_1 error ();
  end

  logic [Width-1:0] command_q;
  logic [Width-1:0] queue_q[0:Depth-1];
  logic [AddrWidth-1:0] enter, leave;
  logic enter_last, leave_last;

  hf_counter #(.Steps(Depth)) i_enter (
      .clk_i, .clear_i(!rst_ni), .step_i(enter_i), .count_o(enter), .last_o(enter_last));
  hf_counter #(.Steps(Depth)) i_leave (
      .clk_i, .clear_i(!rst_ni), .step_i(leave_i), .count_o(leave), .last_o(leave_last));
  assign command_o = queue_q[leave];

  always_ff @(posedge clk_i) begin
    if (first_i) command_q <= command_i;
    if (enter_i) queue_q[enter] <= command_q;
  end
  logic unused;
  assign unused = ^{enter_last, leave_last};
endmodule

`default_nettype wire
