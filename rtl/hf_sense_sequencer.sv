// Sense sequencer of precharge sense amplifiers.
//
// Purpose     Times one read: precharge, sense window, capture. The window is a number of clock cycles from a register,
//             because silicon needs trimming. A read that has begun is never stalled: a longer window would turn
//             zeros into signs.
// Equation    cycles of a read = precharge_cycles_i + window_cycles_i + 1
// Parameters  CountWidth  bits of the cycle counts, >= 2
// Latency     precharge starts 1 cycle after start_i; latch_o is high in the window's last cycle, capture_o in the
//             cycle after it; both counts are sampled when a read starts; a count of 0 is taken as 1
// Throughput  reads follow each other without a gap while more_i is high in the capture cycle
// Overflow    none
`default_nettype none

module hf_sense_sequencer #(
    parameter int CountWidth = 12
) (
    input  wire logic                  clk_i,
    input  wire logic                  rst_ni,
    // Trim registers
    input  wire logic [CountWidth-1:0] precharge_cycles_i,
    input  wire logic [CountWidth-1:0] window_cycles_i,
    // Control
    input  wire logic                  start_i,   // idle only: begin a read
    input  wire logic                  more_i,    // in the capture cycle: begin another
    // Array
    output logic                       sense_o,   // SEN: high during the window
    output logic                       latch_o,   // last cycle of the window
    output logic                       capture_o  // the trits stand in their registers
);
  if (CountWidth < 2) begin : gen_error
    hf_error_sense_sequencer_count_width_must_be_at_least_2 error ();
  end

  localparam logic [1:0] Idle = 2'd0;
  localparam logic [1:0] Precharge = 2'd1;
  localparam logic [1:0] Sense = 2'd2;
  localparam logic [1:0] Capture = 2'd3;

  logic [1:0] state_q, state_d;
  logic [CountWidth-1:0] left_q, left_d;      // cycles of this phase after the current one
  logic [CountWidth-1:0] window_q, window_d;  // window of this read, less one
  logic begin_read;
  logic sense_q;  // a register of its own: SEN goes to an array, where a glitch of a decoder would start a sense

  assign begin_read = (state_q == Idle && start_i) || (state_q == Capture && more_i);

  always_comb begin
    state_d = state_q;
    left_d = left_q;
    window_d = window_q;
    if (begin_read) begin
      state_d = Precharge;
      left_d = precharge_cycles_i == '0 ? '0 : precharge_cycles_i - 1'b1;
      window_d = window_cycles_i == '0 ? '0 : window_cycles_i - 1'b1;
    end else if (state_q == Capture) begin
      state_d = Idle;
    end else if (state_q != Idle) begin
      if (left_q != '0) begin
        left_d = left_q - 1'b1;
      end else if (state_q == Precharge) begin
        state_d = Sense;
        left_d = window_q;
      end else begin
        state_d = Capture;
      end
    end
  end

  // Before the first edge of a clock that starts late the register may hold anything.
  assign sense_o = rst_ni && sense_q;
  assign latch_o = state_q == Sense && left_q == '0;
  assign capture_o = state_q == Capture;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      left_q <= '0;
      window_q <= '0;
      sense_q <= 1'b0;
    end else begin
      state_q <= state_d;
      left_q <= left_d;
      window_q <= window_d;
      sense_q <= state_d == Sense;
    end
  end
endmodule

`default_nettype wire
