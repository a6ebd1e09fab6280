// Check of hf_flatten.
//
// Reference   One bit of one position, whichever the solver picks, is kept as it comes. The vector shows it, in its place,
//             from the cycle after on. Every map gives one vector.
// Handshake   A vector stays, unchanged, until it is taken, and no position is taken meanwhile.
// Proof       induction, for every bit of the map at once
`default_nettype none

module hf_flatten_check #(
    parameter int Channels = 2,
    parameter int Positions = 4,
    parameter bit Trits = 1'b0,
    localparam int Planes = Trits ? 2 : 1,
    localparam int Bits = Channels * Planes
) (
    input  wire logic            clk_i,
    input  wire logic            rst_ni,
    input  wire logic            in_valid_i,
    input  wire logic [Bits-1:0] in_data_i,
    input  wire logic            out_ready_i,
    output logic                 fail_o
);
  localparam int PositionWidth = Positions > 1 ? $clog2(Positions) : 1;
  localparam int ChannelWidth = Channels > 1 ? $clog2(Channels) : 1;
  localparam int BitWidth = Bits > 1 ? $clog2(Bits) : 1;
  logic in_ready, out_valid;
  logic [Positions*Bits-1:0] out_data;
  hf_flatten #(.Channels(Channels), .Positions(Positions), .Trits(Trits)) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data));

  // The bit that is followed: any one, but always the same.
  logic at_plane_q;
  logic [ChannelWidth-1:0] at_channel_q;
  logic [PositionWidth-1:0] at_position_q;
  logic [BitWidth-1:0] at_bit;  // in a position
  logic live_q, full_q, bit_q, kept_q;
  logic [PositionWidth-1:0] position_q;
  initial live_q = 1'b0;
  assign at_bit = BitWidth'(32'(at_plane_q) * Channels + 32'(at_channel_q));

  always_ff @(posedge clk_i) begin
    at_plane_q <= at_plane_q;
    at_channel_q <= at_channel_q;
    at_position_q <= at_position_q;
    if (!rst_ni) begin
      live_q <= 1'b1;
      full_q <= 1'b0;
      position_q <= '0;
      kept_q <= 1'b0;
    end else if (full_q) begin
      if (out_ready_i) begin
        full_q <= 1'b0;
        kept_q <= 1'b0;
      end
    end else if (in_valid_i) begin
      full_q <= 32'(position_q) == Positions - 1;
      position_q <= 32'(position_q) == Positions - 1 ? '0 : position_q + 1'b1;
      if (position_q == at_position_q) begin
        bit_q <= 1'(in_data_i >> at_bit);
        kept_q <= 1'b1;
      end
    end
  end

  // verilator lint_off UNDRIVEN
  // The block's own counter, by name: Yosys joins this wire to it when it flattens; a linter sees no driver.
  (* hierconn *) wire [PositionWidth-1:0] \dut.position ;
  // verilator lint_on UNDRIVEN
  logic followed, tied, got;
  assign followed = 32'(at_plane_q) < Planes && 32'(at_channel_q) < Channels && 32'(at_position_q) < Positions;
  assign tied = \dut.position == position_q && 32'(position_q) < Positions && (!full_q || position_q == '0)
      && (!followed || kept_q == (full_q || position_q > at_position_q));
  assign got = 1'(out_data >> (32'(at_bit) * Positions + 32'(at_position_q)));

  assign fail_o = live_q && (in_ready != !full_q || out_valid != full_q || !tied
      || (followed && kept_q && got != bit_q));
endmodule

`default_nettype wire
