// All arrays of a layer read by column ADCs.
//
// Purpose     The grid: an hf_array_adc for every block and tile, and the selection of those that a read converts. This
//             is what is synthesized. array/hf_bank_adc.sv is a behavioral model of the whole grid with the same ports.
// Equation    array (b, t) gives its codes where sample_i is set, block_group_i = b / LaneBlocks and
//             tile_group_i = t / LaneTiles
// Parameters  Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Adcs, ColumnsPerAdc, CodeBits, LevelWidth, WeightTrits, SingleColumn  see hf_array_adc
//             Programmable, SetCycles, ResetCycles  see hf_array_adc
//             LaneBlocks, LaneTiles  arrays sensed at once along inputs and along neurons
//             InitPrefix             prefix of the memory images, see hf_array_adc
// Latency     1 cycle after sample_i
// Throughput  one read of LaneBlocks x LaneTiles arrays a cycle
// Overflow    none
`default_nettype none

module hf_bank_adc #(
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int CodeBits = 4,
    parameter int LevelWidth = 5,
    parameter bit WeightTrits = 1'b0,
    parameter bit SingleColumn = 1'b0,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    localparam int Inputs = Blocks * (BlockInputs - 1) + LargeBlocks,
    localparam int BlockGroups = (Blocks + LaneBlocks - 1) / LaneBlocks,
    localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles,
    localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1,
    localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1,
    localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1,
    localparam int LineWidth = BlockInputs > 1 ? $clog2(BlockInputs) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int Columns = (WeightTrits ? 2 : 1) * Adcs * ColumnsPerAdc,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                       clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]          drive_i,      // the input drives one of its word lines
    input  wire logic [Inputs-1:0]          positive_i,   // which one
    // Read
    input  wire logic                       sample_i,     // conversions of the group end with this cycle
    input  wire logic [BlockGroupWidth-1:0] block_group_i,
    input  wire logic [TileGroupWidth-1:0]  tile_group_i,
    input  wire logic [ColumnWidth-1:0]     column_i,     // neuron of each ADC
    // Codes of array (b, t) at (b * Tiles + t) * Adcs * CodeBits
    output logic      [Blocks*Tiles*Adcs*CodeBits-1:0] code_o,
    // Program; see hf_array_adc. All blocks of a tile are written side by side
    input  wire logic [2:0]                 program_i,
    input  wire logic [LineWidth-1:0]       program_line_i,   // a block with fewer inputs ignores its last one
    input  wire logic [TileWidth-1:0]       program_tile_i,
    input  wire logic [Blocks*Columns-1:0]  program_mask_i,   // block b at b * Columns
    input  wire logic [CellWidth-1:0]       program_cell_i,
    input  wire logic [7:0]                 program_trim_i,
    input  wire logic                       isolate_i,
    input  wire logic                       scan_bypass_i,
    output logic      [Blocks-1:0]          program_verify_o,
    output logic                            supply_ready_o,
    output logic                            array_busy_o
);
  logic [Blocks*Tiles-1:0] ready, busy;
  assign supply_ready_o = &ready;
  assign array_busy_o = |busy;
  for (genvar b = 0; b < Blocks; b++) begin : gen_block
    localparam int Size = b < LargeBlocks ? BlockInputs : BlockInputs - 1;
    localparam int Start = b < LargeBlocks ? b * BlockInputs
                                           : LargeBlocks * BlockInputs + (b - LargeBlocks) * (BlockInputs - 1);
    localparam int SizeWidth = Size > 1 ? $clog2(Size) : 1;
    logic [Tiles-1:0] verify;
    logic exists;  // the word line, in this block
    assign exists = 32'(program_line_i) < Size;
    assign program_verify_o[b] = |verify;
    for (genvar t = 0; t < Tiles; t++) begin : gen_tile
      hf_array_adc #(
          .Inputs(Size),
          .Adcs(Adcs),
          .ColumnsPerAdc(ColumnsPerAdc),
          .CodeBits(CodeBits),
          .LevelWidth(LevelWidth),
          .WeightTrits(WeightTrits),
          .SingleColumn(SingleColumn),
          .Programmable(Programmable),
          .SetCycles(SetCycles),
          .ResetCycles(ResetCycles),
          .InitPrefix(InitPrefix),
          .Block(b),
          .Tile(t)
      ) i_array (
          .clk_i,
          .drive_i(drive_i[Start+:Size]),
          .positive_i(positive_i[Start+:Size]),
          .sample_i(sample_i && block_group_i == BlockGroupWidth'(b / LaneBlocks)
                           && tile_group_i == TileGroupWidth'(t / LaneTiles)),
          .column_i,
          .code_o(code_o[(b*Tiles+t)*Adcs*CodeBits+:Adcs*CodeBits]),
          .program_i(exists && program_tile_i == TileWidth'(t) ? program_i : 3'd0),
          .program_line_i(SizeWidth'(program_line_i)),
          .program_mask_i(program_mask_i[b*Columns+:Columns]),
          .program_cell_i,
          .program_trim_i,
          .isolate_i,
          .scan_bypass_i,
          .program_verify_o(verify[t]),
          .supply_ready_o(ready[b*Tiles+t]),
          .array_busy_o(busy[b*Tiles+t])
      );
    end
  end
endmodule

`default_nettype wire
