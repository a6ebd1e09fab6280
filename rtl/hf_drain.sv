// Drain of a key memory: similarities of a step leave one by one.
//
// Purpose     Takes the sums of all lanes at once and gives them lane by lane, from lane 0 on.
// Equation    value_o in the k-th cycle after load_i (1, 2, ...) = lane k - 1 of data_i
// Parameters  Lanes  values that are taken at once, >= 1
//             Width  bits of a value, >= 1
// Latency     1 cycle to the first value
// Throughput  one value a cycle; load_i only while valid_o is low or end_o is high
// Overflow    none
`default_nettype none

module hf_drain #(
    parameter int Lanes = 2,
    parameter int Width = 6
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    input  wire logic                   load_i,
    input  wire logic                   last_i,   // with load_i: these are the last
    input  wire logic [Lanes*Width-1:0] data_i,   // lane p at p * Width
    output logic                        valid_o,
    output logic      [Width-1:0]       value_o,
    output logic                        end_o,    // the load's last value
    output logic                        last_o    // the last value of the last load
);
  if (Lanes < 1 || Width < 1) begin : gen_error
    hf_error_drain_lanes_and_width_must_be_at_least_1 error ();
  end

  logic valid_q, last_q, lane_last;
  logic [Lanes*Width-1:0] data_q;
  logic [(Lanes > 1 ? $clog2(Lanes) : 1)-1:0] lane;

  hf_counter #(.Steps(Lanes)) i_lane (
      .clk_i, .clear_i(load_i), .step_i(valid_q), .count_o(lane), .last_o(lane_last));
  assign valid_o = valid_q;
  assign value_o = data_q[Width-1:0];
  assign end_o = valid_q && lane_last;
  assign last_o = end_o && last_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= load_i || (valid_q && !lane_last);
    if (load_i) begin
      data_q <= data_i;
      last_q <= last_i;
    end else begin
      data_q <= data_q >> Width;
    end
  end
  logic unused;
  assign unused = ^lane;
endmodule

`default_nettype wire
