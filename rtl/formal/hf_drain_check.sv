// Check of hf_drain.
//
// Reference   The load is kept whole; in the k-th cycle after it the output shows lane k - 1, until all have left.
// Assumes     The promise of load_i, up to the first time that it is broken.
// Proof       induction; the block's shifting register is tied to the reference's whole one
`default_nettype none

module hf_drain_check #(
    parameter int Lanes = 2,
    parameter int Width = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic                   load_i,
    input  wire logic                   last_i,
    input  wire logic [Lanes*Width-1:0] data_i,
    output logic                        fail_o
);
  localparam int LaneWidth = Lanes > 1 ? $clog2(Lanes) : 1;
  logic valid, ends, last;
  logic [Width-1:0] value;
  hf_drain #(.Lanes(Lanes), .Width(Width)) dut (
      .clk_i, .rst_ni, .load_i, .last_i, .data_i, .valid_o(valid), .value_o(value), .end_o(ends), .last_o(last));

  logic live_q;        // a reset has been seen
  logic promise_q;     // was kept since
  logic [31:0] left_q; // values that have not left
  logic last_q;
  logic [Lanes*Width-1:0] data_q, rest;
  initial live_q = 1'b0;
  assign rest = data_q >> ((Lanes - left_q) * Width);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      promise_q <= 1'b1;
      left_q <= 0;
    end else begin
      promise_q <= promise_q && !(load_i && left_q > 1);
      if (load_i) left_q <= Lanes;
      else if (left_q != 0) left_q <= left_q - 1;
    end
    if (load_i) begin
      data_q <= data_i;
      last_q <= last_i;
    end
  end

  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [LaneWidth-1:0] \dut.lane ;
  (* hierconn *) wire [Lanes*Width-1:0] \dut.data_q ;
  (* hierconn *) wire \dut.last_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  assign tied = left_q <= Lanes && (left_q == 0
      || (32'(\dut.lane ) == Lanes - left_q && \dut.data_q == rest && \dut.last_q == last_q));

  assign fail_o = live_q && promise_q && (!tied || valid != (left_q != 0) || ends != (left_q == 1)
      || last != (left_q == 1 && last_q) || (left_q != 0 && value != rest[Width-1:0]));
endmodule

`default_nettype wire
