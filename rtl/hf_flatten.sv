// Map to vector.
//
// Purpose     Collects the positions of a map to the one vector that a fully connected layer takes.
// Equation    out[c * Positions + p] = channel c of position p
// Parameters  Channels   channels of a position, >= 1
//             Positions  positions of the map, >= 1
//             Trits      0: bits, 1: trit planes {nonzero, positive}
// Latency     1 cycle from the last position
// Throughput  one position a cycle, and one cycle between maps
// Overflow    none
`default_nettype none

module hf_flatten #(
    parameter int Channels = 2,
    parameter int Positions = 4,
    parameter bit Trits = 1'b0,
    localparam int Bits = Channels * (Trits ? 2 : 1)
) (
    input  wire logic                       clk_i,
    input  wire logic                       rst_ni,
    // Positions
    input  wire logic                       in_valid_i,
    output logic                            in_ready_o,
    input  wire logic [Bits-1:0]            in_data_i,
    // Vector
    output logic                            out_valid_o,
    input  wire logic                       out_ready_i,
    output logic      [Positions*Bits-1:0]  out_data_o
);
  localparam int PositionWidth = Positions > 1 ? $clog2(Positions) : 1;

  if (Channels < 1 || Positions < 1) begin : gen_error
    hf_error_flatten_channels_and_positions_must_be_at_least_1 error ();
  end

  logic full_q, accept, last;
  logic [PositionWidth-1:0] position;

  assign in_ready_o = !full_q;
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = full_q;

  hf_counter #(.Steps(Positions)) i_position (
      .clk_i, .clear_i(!rst_ni), .step_i(accept), .count_o(position), .last_o(last));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) full_q <= 1'b0;
    else full_q <= full_q ? !out_ready_i : accept && last;
  end

  // Every bit goes to its place as it comes, so that nothing wide moves while the vector waits. Places are constants once the
  // loops are unrolled: each bit is a flip-flop with the enable of its position, without a shifter.
  logic [Positions*Bits-1:0] vector_q;
  always_ff @(posedge clk_i) begin
    if (accept) begin
      for (int p = 0; p < Positions; p++) begin
        if (position == PositionWidth'(p)) begin
          for (int c = 0; c < Bits; c++) vector_q[c*Positions+p] <= in_data_i[c];
        end
      end
    end
  end
  assign out_data_o = vector_q;
endmodule

`default_nettype wire
