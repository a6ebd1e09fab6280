// Check of hf_read_select.
//
// Reference   The array's place is reckoned from the groups; its code is cut out of all codes by a shift.
// Assumed     block_group_i < BlockGroups, tile_group_i < TileGroups
// Proof       combinational
`default_nettype none

module hf_read_select_check #(
    parameter int Blocks = 1,
    parameter int Tiles = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int BlockGroups = 1,
    parameter int TileGroups = 1,
    parameter int Adcs = 1,
    parameter int Width = 4,
    parameter int Block = 0,
    parameter int Tile = 0,
    parameter int Adc = 0,
    localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1,
    localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1
) (
    input  wire logic [Blocks*Tiles*Adcs*Width-1:0] codes_i,
    input  wire logic [BlockGroupWidth-1:0]         block_group_i,
    input  wire logic [TileGroupWidth-1:0]          tile_group_i,
    output logic                                    fail_o
);
  logic [Width-1:0] code;
  logic exists;
  hf_read_select #(
      .Blocks(Blocks), .Tiles(Tiles), .LaneBlocks(LaneBlocks), .LaneTiles(LaneTiles), .BlockGroups(BlockGroups),
      .TileGroups(TileGroups), .Adcs(Adcs), .Width(Width), .Block(Block), .Tile(Tile), .Adc(Adc)
  ) dut (.codes_i, .block_group_i, .tile_group_i, .code_o(code), .exists_o(exists));

  logic [31:0] block, tile, position;
  logic assumed, want_exists;
  assign assumed = 32'(block_group_i) < BlockGroups && 32'(tile_group_i) < TileGroups;
  assign block = 32'(block_group_i) * LaneBlocks + Block;
  assign tile = 32'(tile_group_i) * LaneTiles + Tile;
  assign want_exists = block < Blocks && tile < Tiles;
  assign position = ((block * Tiles + tile) * Adcs + Adc) * Width;
  assign fail_o = assumed && (exists != want_exists || (want_exists && code != Width'(codes_i >> position)));
endmodule

`default_nettype wire
