// Columns of arrays without the ones that are left out.
//
// Purpose     An array with spare columns leaves as many out: faulty ones, else its last. What is read from the others moves
//             together, each by Spares places at most (redundancy by shifting), so that what follows sees a good array. A column
//             here is an amplifier or ADC with all bit lines that share it.
// Equation    column j of array a in data_o = the j-th (from 0) of its columns in data_i that is not in left_out_i
// Parameters  Arrays   arrays side by side, >= 1
//             Columns  columns in use of an array, >= 1
//             Spares   columns beyond them, >= 1
//             Width    bits of a column, >= 1
// Ports       left_out_i  Spares places of each array, ascending, no two alike, the first lowest
// Latency     0 cycles (combinational): Spares multiplexers of two inputs in a row
// Throughput  -
// Overflow    none
`default_nettype none

module hf_spare_columns #(
    parameter int Arrays = 1,
    parameter int Columns = 4,
    parameter int Spares = 1,
    parameter int Width = 1,
    localparam int All = Columns + Spares,
    localparam int PlaceWidth = $clog2(All)
) (
    input  wire logic [Arrays*All*Width-1:0]         data_i,
    input  wire logic [Arrays*Spares*PlaceWidth-1:0] left_out_i,
    output logic      [Arrays*Columns*Width-1:0]     data_o
);
  if (Arrays < 1 || Columns < 1 || Spares < 1 || Width < 1) begin : gen_error_sizes
    hf_error_spare_columns_arrays_columns_spares_and_width_must_be_at_least_1 error ();
  end

  // A function, so that simulators evaluate it when an input changes and at no other time, and a loop over the arrays, not a piece
  // of wiring each, which a simulator would join one by one in every cycle.
  function automatic logic [Arrays*Columns*Width-1:0] without(
      input logic [Arrays*All*Width-1:0] data, input logic [Arrays*Spares*PlaceWidth-1:0] places);
    logic [All*Width-1:0] rest;
    logic [All*Width-1:0] below;
    for (int a = 0; a < Arrays; a++) begin
      rest = data[a*All*Width+:All*Width];
      // The highest place first, so that the others stand.
      for (int s = Spares - 1; s >= 0; s--) begin
        below = ~({All * Width{1'b1}} << (32'(places[(a*Spares+s)*PlaceWidth+:PlaceWidth]) * Width));
        rest = (rest & below) | ((rest >> Width) & ~below);
      end
      without[a*Columns*Width+:Columns*Width] = (Columns * Width)'(rest);
    end
  endfunction
  assign data_o = without(data_i, left_out_i);
endmodule

`default_nettype wire
