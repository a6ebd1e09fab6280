// Code of the array that a lane has just read.
//
// Purpose     Lane (Block, Tile) reads array (block group * LaneBlocks + Block, tile group * LaneTiles + Tile) in turn.
// Equation    code_o = code of ADC Adc of that array; exists_o = there is such an array
// Parameters  Blocks, Tiles          arrays along inputs and along neurons; codes of (b, t) at ((b * Tiles + t) * Adcs) * Width
//             LaneBlocks, LaneTiles  arrays read at once
//             BlockGroups, TileGroups  ceil(Blocks / LaneBlocks), ceil(Tiles / LaneTiles)
//             Adcs, Width            ADCs of an array, bits of a code, >= 1
//             Block, Tile, Adc       this lane
// Latency     0 cycles (combinational)
// Throughput  -
// Overflow    none
`default_nettype none

module hf_read_select #(
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
    output logic      [Width-1:0]                   code_o,
    output logic                                    exists_o
);
  if (Block >= LaneBlocks || Tile >= LaneTiles || Adc >= Adcs || Block >= Blocks || Tile >= Tiles) begin : gen_error
    hf_error_read_select_lane_out_of_range error ();
  end

  always_comb begin
    code_o = '0;
    exists_o = 1'b0;
    for (int g = 0; g < BlockGroups; g++) begin
      for (int h = 0; h < TileGroups; h++) begin
        if (block_group_i == BlockGroupWidth'(g) && tile_group_i == TileGroupWidth'(h)
            && g * LaneBlocks + Block < Blocks && h * LaneTiles + Tile < Tiles) begin
          code_o = codes_i[(((g*LaneBlocks+Block)*Tiles+h*LaneTiles+Tile)*Adcs+Adc)*Width+:Width];
          exists_o = 1'b1;
        end
      end
    end
  end
  // What the other lanes take.
  logic unused;
  assign unused = ^{codes_i, block_group_i, tile_group_i};
endmodule

`default_nettype wire
