// Images in flight.
//
// Purpose     Counts images between the input and the output of the pipeline.
// Equation    count <- count + enter - leave
// Parameters  Most  images that the pipeline can hold, >= 1
// Latency     1 cycle
// Throughput  one image in and one out a cycle
// Overflow    none where Most is as stated
`default_nettype none

module hf_in_flight #(
    parameter int Most = 8,
    localparam int Width = Most > 1 ? $clog2(Most + 1) : 1
) (
    input  wire logic clk_i,
    input  wire logic rst_ni,
    input  wire logic enter_i,  // an image's first vector has been taken from the input
    input  wire logic leave_i,  // a result's last beat has been taken
    output logic [Width-1:0] count_o,
    output logic      busy_o
);
  if (Most < 1) begin : gen_error
    hf_error_in_flight_most_must_be_at_least_1 error ();
  end

  logic [Width-1:0] count_q;
  assign count_o = count_q;
  assign busy_o = count_q != '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) count_q <= '0;
    else count_q <= count_q + Width'(enter_i) - Width'(leave_i);
  end
endmodule

`default_nettype wire
