// Check of hf_spare_lines.
//
// Reference   Word lines from the lowest on, block by block: one that is left out is 0, every other takes the next input.
// Assumed     left_out_i ascends within each block
// Proof       combinational
`default_nettype none

module hf_spare_lines_check #(
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockLines = 8,
    parameter int Spares = 1,
    localparam int Lines = Blocks * (BlockLines - 1) + LargeBlocks,
    localparam int PlaceWidth = $clog2(BlockLines + Spares)
) (
    input  wire logic [Lines-1:0]                    lines_i,
    input  wire logic [Blocks*Spares*PlaceWidth-1:0] left_out_i,
    output logic                                     fail_o
);
  logic [Lines+Blocks*Spares-1:0] lines, want;
  hf_spare_lines #(.Blocks(Blocks), .LargeBlocks(LargeBlocks), .BlockLines(BlockLines), .Spares(Spares)) dut (
      .lines_i, .left_out_i, .lines_o(lines));

  logic ascends, in_use;
  logic [BlockLines-1:0] rest;
  logic [PlaceWidth-1:0] place;
  int size, at;
  always_comb begin
    ascends = 1'b1;
    in_use = 1'b0;
    place = '0;
    size = 0;
    rest = '0;
    want = '0;
    at = 0;
    for (int b = 0; b < Blocks; b++) begin
      size = b < LargeBlocks ? BlockLines : BlockLines - 1;
      rest = BlockLines'(lines_i >> (b < LargeBlocks ? b * BlockLines : LargeBlocks + b * (BlockLines - 1)));
      for (int s = 0; s < Spares; s++) begin
        place = left_out_i[(b*Spares+s)*PlaceWidth+:PlaceWidth];
        if (32'(place) >= size + Spares) ascends = 1'b0;
        if (s > 0 && place <= left_out_i[(b*Spares+(s>0?s-1:0))*PlaceWidth+:PlaceWidth]) ascends = 1'b0;
      end
      for (int l = 0; l < BlockLines + Spares; l++) begin
        if (l < size + Spares) begin
          in_use = 1'b1;
          for (int s = 0; s < Spares; s++) begin
            if (32'(left_out_i[(b*Spares+s)*PlaceWidth+:PlaceWidth]) == l) in_use = 1'b0;
          end
          if (in_use) begin
            want[at] = 1'(rest);
            rest = rest >> 1;
          end
          at = at + 1;
        end
      end
    end
  end
  assign fail_o = ascends && lines != want;
endmodule

`default_nettype wire
