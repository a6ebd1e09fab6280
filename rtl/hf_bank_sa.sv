// All arrays of a layer with 1-bit sense amplifiers.
//
// Purpose     The grid: an hf_array_sa for every block and tile, and the selection of those that a read senses. This
//             is what is synthesized. array/hf_bank_sa.sv is a behavioral model of the whole grid with the same ports.
// Equation    array (b, t) latches its votes where sense_i is set, block_group_i = b / LaneBlocks and
//             tile_group_i = t / LaneTiles
// Parameters  Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Amplifiers, ColumnsPerAmplifier, ThresholdWidth, References, WeightTrits  see hf_array_sa
//             Programmable, SetCycles, ResetCycles  see hf_array_sa
//             LaneBlocks, LaneTiles  arrays sensed at once along inputs and along neurons
//             InitPrefix             prefix of the memory images, see hf_array_sa
// Latency     1 cycle after sense_i: the amplifiers latch
// Throughput  one read of LaneBlocks x LaneTiles arrays a cycle
// Overflow    none
`default_nettype none

module hf_bank_sa #(
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int ThresholdWidth = 5,
    parameter int References = 1,
    parameter bit WeightTrits = 1'b0,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    localparam int Inputs = Blocks * (BlockInputs - 1) + LargeBlocks,
    localparam int BlockGroups = (Blocks + LaneBlocks - 1) / LaneBlocks,
    localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles,
    localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1,
    localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1,
    localparam int LineWidth = $clog2(2 * BlockInputs),
    localparam int BlockWidth = Blocks > 1 ? $clog2(Blocks) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int Columns = (WeightTrits ? 2 : 1) * Amplifiers * ColumnsPerAmplifier,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                       clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]          drive_i,      // the input drives one of its word lines
    input  wire logic [Inputs-1:0]          positive_i,   // which one
    // Read
    input  wire logic                       sense_i,      // the amplifiers of the group latch at the end of this cycle
    input  wire logic [BlockGroupWidth-1:0] block_group_i,
    input  wire logic [TileGroupWidth-1:0]  tile_group_i,
    input  wire logic [ColumnWidth-1:0]     column_i,     // neuron of each amplifier
    input  wire logic                       reference_i,  // 0: high threshold, 1: low threshold
    // Votes of array (b, t) at (b * Tiles + t) * Amplifiers
    output logic      [Blocks*Tiles*Amplifiers-1:0] vote_o,
    // Program one array; see hf_array_sa
    input  wire logic [2:0]                 program_i,
    input  wire logic [BlockWidth-1:0]      program_block_i,
    input  wire logic [TileWidth-1:0]       program_tile_i,
    input  wire logic [LineWidth-1:0]       program_line_i,   // a block with fewer inputs ignores its last two
    input  wire logic [Columns-1:0]         program_mask_i,
    input  wire logic [CellWidth-1:0]       program_cell_i,
    input  wire logic [7:0]                 program_trim_i,
    input  wire logic                       isolate_i,
    input  wire logic                       scan_bypass_i,
    output logic                            program_verify_o,
    output logic                            supply_ready_o,
    output logic                            array_busy_o
);
  logic [Blocks*Tiles-1:0] verify;
  assign program_verify_o = |verify;
  logic [Blocks*Tiles-1:0] ready, busy;
  assign supply_ready_o = &ready;
  assign array_busy_o = |busy;
  for (genvar b = 0; b < Blocks; b++) begin : gen_block
    localparam int Size = b < LargeBlocks ? BlockInputs : BlockInputs - 1;
    localparam int Start = b < LargeBlocks ? b * BlockInputs
                                           : LargeBlocks * BlockInputs + (b - LargeBlocks) * (BlockInputs - 1);
    localparam int SizeWidth = $clog2(2 * Size);
    logic chosen;  // the word line, in this block
    assign chosen = program_block_i == BlockWidth'(b) && 32'(program_line_i) < 2 * Size;
    for (genvar t = 0; t < Tiles; t++) begin : gen_tile
      hf_array_sa #(
          .Inputs(Size),
          .Amplifiers(Amplifiers),
          .ColumnsPerAmplifier(ColumnsPerAmplifier),
          .ThresholdWidth(ThresholdWidth),
          .References(References),
          .WeightTrits(WeightTrits),
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
          .sense_i(sense_i && block_group_i == BlockGroupWidth'(b / LaneBlocks)
                           && tile_group_i == TileGroupWidth'(t / LaneTiles)),
          .column_i,
          .reference_i,
          .vote_o(vote_o[(b*Tiles+t)*Amplifiers+:Amplifiers]),
          .program_i(chosen && program_tile_i == TileWidth'(t) ? program_i : 3'd0),
          .program_line_i(SizeWidth'(program_line_i)),
          .program_mask_i,
          .program_cell_i,
          .program_trim_i,
          .isolate_i,
          .scan_bypass_i,
          .program_verify_o(verify[b*Tiles+t]),
          .supply_ready_o(ready[b*Tiles+t]),
          .array_busy_o(busy[b*Tiles+t])
      );
    end
  end
endmodule

`default_nettype wire
