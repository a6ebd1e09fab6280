// Inputs on the word lines of arrays, past the ones that are left out.
//
// Purpose     Arrays with spare word lines leave as many out: faulty ones, else the last. Inputs move up over them, each by
//             Spares places at most (redundancy by shifting); word lines that are left out get 0. A word line here is that of an
//             input, or its pair; the arrays of a block have the same.
// Equation    the j-th (from 0) bit of a block in lines_o that is not in left_out_i = bit j of the block in lines_i; others are 0
// Parameters  Blocks  splits; LargeBlocks of BlockLines word lines in use come first, the rest have one less, >= 1
//             Spares  word lines of a block beyond them, >= 1
// Ports       left_out_i  Spares places of each block, ascending, no two alike, the first lowest
// Latency     0 cycles (combinational): Spares multiplexers of two inputs in a row
// Throughput  -
// Overflow    none
`default_nettype none

module hf_spare_lines #(
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockLines = 8,
    parameter int Spares = 1,
    localparam int Lines = Blocks * (BlockLines - 1) + LargeBlocks,
    localparam int All = BlockLines + Spares,
    localparam int PlaceWidth = $clog2(All)
) (
    input  wire logic [Lines-1:0]                    lines_i,
    input  wire logic [Blocks*Spares*PlaceWidth-1:0] left_out_i,
    output logic      [Lines+Blocks*Spares-1:0]      lines_o
);
  if (Spares < 1) begin : gen_error_spares
    hf_error_spare_lines_spares_must_be_at_least_1 error ();
  end
  if (LargeBlocks < 1 || LargeBlocks > Blocks || BlockLines < 1 || (LargeBlocks < Blocks && BlockLines < 2))
  begin : gen_error_blocks
    hf_error_spare_lines_blocks_must_have_1_line_or_more_and_some_be_large error ();
  end

  // A smaller block is read with one bit more and written with one bit more, which the next block overwrites. A function, so that
  // simulators evaluate it when an input changes and at no other time.
  function automatic logic [Lines+Blocks*Spares:0] past(
      input logic [Lines:0] lines, input logic [Blocks*Spares*PlaceWidth-1:0] places);
    logic [All-1:0] rest;
    logic [All-1:0] below;
    int first;
    past = '0;
    for (int b = 0; b < Blocks; b++) begin
      first = b < LargeBlocks ? b * BlockLines : LargeBlocks + b * (BlockLines - 1);
      rest = All'(lines[first+:BlockLines]);
      // The lowest place first: it has its place among all, as have those behind it then.
      for (int s = 0; s < Spares; s++) begin
        below = ~({All{1'b1}} << places[(b*Spares+s)*PlaceWidth+:PlaceWidth]);
        rest = (rest & below) | ((rest & ~below) << 1);
      end
      past[first+b*Spares+:All] = rest;
    end
  endfunction
  logic [Lines+Blocks*Spares:0] moved;
  assign moved = past({1'b0, lines_i}, left_out_i);
  assign lines_o = moved[Lines+Blocks*Spares-1:0];
  logic unused;
  assign unused = moved[Lines+Blocks*Spares];
endmodule

`default_nettype wire
