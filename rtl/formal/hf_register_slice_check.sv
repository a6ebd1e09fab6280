// Check of hf_register_slice.
//
// Reference   A queue of two vectors: every vector that is taken is given, once, in order.
// Handshake   in_ready_o while there is room, out_valid_o while there is a vector; it stays, unchanged, until it is taken.
// Proof       induction; the register behind the output's is tied to the queue's
`default_nettype none

module hf_register_slice_check #(
    parameter int Width = 8
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             in_valid_i,
    input  wire logic [Width-1:0] in_data_i,
    input  wire logic             out_ready_i,
    output logic                  fail_o
);
  logic in_ready, out_valid;
  logic [Width-1:0] out_data;
  hf_register_slice #(.Width(Width)) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data));

  logic live_q, put, get;
  logic [1:0] count_q;
  logic [Width-1:0] queue_q[0:1];
  initial live_q = 1'b0;
  assign put = in_valid_i && count_q < 2'd2;
  assign get = out_ready_i && count_q > 2'd0;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      count_q <= 2'd0;
    end else begin
      count_q <= count_q + 2'(put) - 2'(get);
      if (get) queue_q[0] <= queue_q[1];
      if (put && count_q == 2'(get)) queue_q[0] <= in_data_i;
      if (put && count_q != 2'(get)) queue_q[1] <= in_data_i;
    end
  end

  // verilator lint_off UNDRIVEN
  // The block's own register, by name: Yosys joins this wire to it when it flattens; a linter sees no driver.
  (* hierconn *) wire [Width-1:0] \dut.second_q ;
  // verilator lint_on UNDRIVEN

  assign fail_o = live_q && (count_q > 2'd2 || in_ready != (count_q < 2'd2) || out_valid != (count_q > 2'd0)
      || (count_q > 2'd0 && out_data != queue_q[0]) || (count_q == 2'd2 && \dut.second_q != queue_q[1]));
endmodule

`default_nettype wire
