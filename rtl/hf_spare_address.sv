// Word line behind the ones that are left out.
//
// Purpose     An array with spare word lines leaves as many out: faulty ones, else its last. The schedule goes on to count the
//             word lines that hold neurons; this gives the place of each in the array.
// Equation    line_o = the line_i-th (from 0) of the Lines + Spares word lines that are not in left_out_i
// Parameters  Lines   word lines in use, >= 1
//             Spares  word lines beyond them, >= 1
// Ports       left_out_i  ascending, no two alike, the first lowest
// Latency     0 cycles (combinational)
// Throughput  -
// Overflow    none
`default_nettype none

module hf_spare_address #(
    parameter int Lines = 4,
    parameter int Spares = 1,
    localparam int InWidth = Lines > 1 ? $clog2(Lines) : 1,
    localparam int OutWidth = $clog2(Lines + Spares)
) (
    input  wire logic [InWidth-1:0]         line_i,
    input  wire logic [Spares*OutWidth-1:0] left_out_i,
    output logic      [OutWidth-1:0]        line_o
);
  if (Lines < 1 || Spares < 1) begin : gen_error_sizes
    hf_error_spare_address_lines_and_spares_must_be_at_least_1 error ();
  end

  // Every word line that is left out at or below moves the rest by one.
  function automatic logic [OutWidth-1:0] behind(
      input logic [InWidth-1:0] line, input logic [Spares*OutWidth-1:0] places);
    behind = OutWidth'(line);
    for (int s = 0; s < Spares; s++) begin
      if (behind >= places[s*OutWidth+:OutWidth]) behind = behind + 1'b1;
    end
  endfunction
  assign line_o = behind(line_i, left_out_i);
endmodule

`default_nettype wire
