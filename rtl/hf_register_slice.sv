// Register slice.
//
// Purpose     Two registers between two stages, so that no path of ready runs through.
// Equation    out = in, in order
// Parameters  Width  bits of a vector, >= 1
// Latency     1 cycle
// Throughput  one vector a cycle
// Overflow    none
`default_nettype none

module hf_register_slice #(
    parameter int Width = 8
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    // Input
    input  wire logic             in_valid_i,
    output logic                  in_ready_o,
    input  wire logic [Width-1:0] in_data_i,
    // Output
    output logic                  out_valid_o,
    input  wire logic             out_ready_i,
    output logic      [Width-1:0] out_data_o
);
  if (Width < 1) begin : gen_error
    hf_error_register_slice_width_must_be_at_least_1 error ();
  end

  // The first waits at the output, the second behind it.
  logic first_valid_q, second_valid_q;
  logic [Width-1:0] first_q, second_q;
  logic accept, give;

  assign in_ready_o = !second_valid_q;
  assign out_valid_o = first_valid_q;
  assign out_data_o = first_q;
  assign accept = in_valid_i && in_ready_o;
  assign give = first_valid_q && out_ready_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      first_valid_q <= 1'b0;
      second_valid_q <= 1'b0;
    end else begin
      first_valid_q <= accept || second_valid_q || (first_valid_q && !give);
      second_valid_q <= first_valid_q && !give && (accept || second_valid_q);
    end
    if (give || !first_valid_q) first_q <= second_valid_q ? second_q : in_data_i;
    if (accept) second_q <= in_data_i;
  end
endmodule

`default_nettype wire
