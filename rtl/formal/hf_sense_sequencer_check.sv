// Check of hf_sense_sequencer.
//
// Reference   A read counts its cycles upwards from 1. With precharge p and window w, as they stood when it began and
//             at least 1: cycles 1 to p precharge, p + 1 to p + w sense, p + w is the window's last, p + w + 1
//             captures. Nothing is sensed under reset, also before a clock edge has seen it.
// Proof       induction; the internal state, which counts downwards, is tied to the reference's
`default_nettype none

module hf_sense_sequencer_check #(
    parameter int CountWidth = 12
) (
    input  wire logic                  clk_i,
    input  wire logic                  rst_ni,
    input  wire logic [CountWidth-1:0] precharge_cycles_i,
    input  wire logic [CountWidth-1:0] window_cycles_i,
    input  wire logic                  start_i,
    input  wire logic                  more_i,
    output logic                       fail_o
);
  localparam int TimeWidth = CountWidth + 2;  // holds p + w + 1
  logic sense, latch, capture;
  hf_sense_sequencer #(.CountWidth(CountWidth)) dut (
      .clk_i, .rst_ni, .precharge_cycles_i, .window_cycles_i, .start_i, .more_i, .sense_o(sense), .latch_o(latch),
      .capture_o(capture));

  logic live_q;  // a reset has been seen
  logic reading_q;
  logic [TimeWidth-1:0] cycle_q, precharge_q, window_q;
  logic last;
  initial live_q = 1'b0;
  assign last = cycle_q == precharge_q + window_q + 1'b1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      reading_q <= 1'b0;
    end else if (reading_q ? last && more_i : start_i) begin
      reading_q <= 1'b1;
      cycle_q <= TimeWidth'(1);
      precharge_q <= precharge_cycles_i == '0 ? TimeWidth'(1) : TimeWidth'(precharge_cycles_i);
      window_q <= window_cycles_i == '0 ? TimeWidth'(1) : TimeWidth'(window_cycles_i);
    end else begin
      if (last) reading_q <= 1'b0;
      cycle_q <= cycle_q + 1'b1;
    end
  end

  logic want_sense;
  assign want_sense = rst_ni && reading_q && cycle_q > precharge_q && cycle_q <= precharge_q + window_q;

  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [1:0] \dut.state_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.left_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.window_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  always_comb begin
    tied = \dut.state_q == 2'd0;
    if (reading_q) begin
      tied = TimeWidth'(\dut.window_q ) + 1'b1 == window_q && precharge_q != '0 && cycle_q != '0
          && precharge_q <= TimeWidth'(2 ** CountWidth - 1) && cycle_q <= precharge_q + window_q + 1'b1;
      if (cycle_q <= precharge_q) begin
        tied = tied && \dut.state_q == 2'd1 && TimeWidth'(\dut.left_q ) == precharge_q - cycle_q;
      end else if (!last) begin
        tied = tied && \dut.state_q == 2'd2 && TimeWidth'(\dut.left_q ) == precharge_q + window_q - cycle_q;
      end else begin
        tied = tied && \dut.state_q == 2'd3;
      end
    end
  end

  assign fail_o = (!rst_ni && sense) || live_q && (!tied || sense != want_sense
      || latch != (reading_q && cycle_q == precharge_q + window_q) || capture != (reading_q && last));
endmodule

`default_nettype wire
