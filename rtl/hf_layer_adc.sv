// Layer on arrays whose columns are read by ADCs.
//
// Purpose     Every array gives a code for the partial sum of each column; codes become integer values, which are added
//             over the splits (the quantised baselines of input-splitting; batmann, section III).
// Equation    V_j = sum over blocks k, phases p of sign_p 2^shift_p value(code_jkp), then hf_threshold (Output 0 and 1) or
//             V_j itself (Output 2)
// Inputs      Encoding 0: inputs of both signs in one read: two word lines an input, or +-V
//             Encoding 1: two phases: inputs of +1 are driven first, those of -1 then, and their values subtracted
//             Encoding 2: unipolar: +1 is driven, -1 is not; thresholds bear the offset
//             Integers are read bit by bit: bit p is driven where it is 1 and counts 2^p, the highest -2^p
// Schedule    for tile group, column of the ADC, block group, phase: one read of LaneTiles x LaneBlocks arrays,
//             ConversionCycles cycles each; Reads of them make a vector.
// Parameters  Inputs, Neurons        sizes of the layer, >= 1
//             InputKind              0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers of InputWidth bits
//             InputWidth             bits of a signed integer input, >= 2
//             Encoding               see Inputs; 0 with integers
//             WeightTrits            0: bipolar, 1: trits
//             SingleColumn           cells of a weight, see hf_array_adc
//             Output                 0: bipolar, 1: trits, 2: sums of values
//             Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Adcs                   ADCs of an array: ceil(ceil(Neurons / Tiles) / ColumnsPerAdc)
//             ColumnsPerAdc          neurons that share an ADC, >= 1
//             LaneBlocks, LaneTiles  arrays read at once along inputs and along neurons
//             ConversionCycles       cycles of a read, >= 1
//             CodeBits, LevelWidth   bits of a code and of its levels
//             Uniform                1: value = 2 code - (2^CodeBits - 1); 0: table Name_values.mem, line = code
//             ValueWidth             bits of a signed value
//             SumWidth               bits of V and a threshold; holds every partial V and threshold; the plan proves it
//             SpareLines, SpareAdcs  word lines and ADCs of an array beyond these, see hf_sums_adc
//             Programmable, SetCycles, ResetCycles  see hf_array_adc; a double column then has both cells of a weight
//             Name                   prefix of the memory images: Name_bX_tY.mem, Name_levels.mem, Name_threshold.mem with line
//                                    tile group * ColumnsPerAdc + column, lane t * Adcs + j
// Latency     Reads * ConversionCycles + 3 cycles from the accepting cycle to out_valid_o
// Throughput  one vector in Reads * ConversionCycles cycles; all steps stand still while a result waits
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_layer_adc #(
    parameter int Inputs = 8,
    parameter int Neurons = 4,
    parameter int InputKind = 0,
    parameter int InputWidth = 2,
    parameter int Encoding = 0,
    parameter bit WeightTrits = 1'b0,
    parameter bit SingleColumn = 1'b0,
    parameter int Output = 0,
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int SpareLines = 0,
    parameter int SpareAdcs = 0,
    parameter int ConversionCycles = 1,
    parameter int CodeBits = 4,
    parameter int LevelWidth = 5,
    parameter bit Uniform = 1'b1,
    parameter int ValueWidth = 5,
    parameter int SumWidth = 8,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter Name = "",
    localparam int InputBits = Inputs * (InputKind == 2 ? InputWidth : InputKind == 1 ? 2 : 1),
    localparam int OutputBits = Neurons * (Output == 2 ? SumWidth : Output == 1 ? 2 : 1),
    localparam int TileNeurons = Adcs * ColumnsPerAdc,
    localparam bit BothCells = WeightTrits || (Programmable && !SingleColumn),
    localparam int Cells = (BothCells ? 2 : 1) * (Adcs + SpareAdcs) * ColumnsPerAdc,
    localparam int SplitWidth = Blocks > 1 ? $clog2(Blocks) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int LineWidth = BlockInputs + SpareLines > 1 ? $clog2(BlockInputs + SpareLines) : 1,
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Input vector
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [InputBits-1:0]   in_data_i,
    // Output vector: bipolar plane, {nonzero plane, positive plane}, or sums with neuron j at j * SumWidth
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutputBits-1:0]  out_data_o,
    // Codes of the arrays, see hf_sums_adc
    output logic                        codes_valid_o,
    output logic      [Blocks*Tiles*Adcs*CodeBits-1:0] codes_o,
    // Program a word line, see hf_array_access; tied to 0 where Programmable is 0
    input  wire logic                   hold_i,          // no vector is taken
    output logic                        reading_o,       // the arrays are read, will be after the coming edge, or their codes wait
    input  wire logic [2:0]             program_i,
    input  wire logic [SplitWidth-1:0]  program_split_i,
    input  wire logic [TileWidth-1:0]   program_tile_i,
    input  wire logic [LineWidth-1:0]   program_line_i,
    input  wire logic [Cells-1:0]       program_mask_i,
    input  wire logic [CellWidth-1:0]   program_cell_i,
    input  wire logic [7:0]             program_trim_i,
    input  wire logic                   isolate_i,
    input  wire logic                   scan_bypass_i,
    output logic                        program_verify_o,
    output logic                        supply_ready_o,
    output logic                        array_busy_o
);
  localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles;
  localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1;
  localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1;
  localparam int Lanes = LaneTiles * Adcs;
  localparam int Thresholds = Output == 1 ? 2 : 1;

  if (Tiles * TileNeurons < Neurons) begin : gen_error_tiles
    hf_error_layer_adc_tiles_do_not_hold_the_neurons error ();
  end
  if (Output < 0 || Output > 2) begin : gen_error_output
    hf_error_layer_adc_output_out_of_range error ();
  end

  // ---------------------------------------------------------------- sums: all steps move together
  logic enable;     // no step moves while a finished vector waits
  logic y_valid_q;  // a vector waits at the output
  logic step, next, commit_valid, commit, commit_last;
  logic [ColumnWidth-1:0] next_column, commit_column;
  logic [TileGroupWidth-1:0] next_tile_group, commit_tile_group;
  logic [Lanes*SumWidth-1:0] sums;
  logic sums_ready;

  // The array that is programmed: its columns among those of all blocks.
  logic [Blocks-1:0] verify;
  logic [Blocks*Cells-1:0] program_mask;
  for (genvar b = 0; b < Blocks; b++) begin : gen_program_mask
    assign program_mask[b*Cells+:Cells] = program_split_i == SplitWidth'(b) ? program_mask_i : '0;
  end
  assign program_verify_o = verify[program_split_i];

  assign enable = !(y_valid_q && !out_ready_i);
  assign commit = enable && commit_valid;
  assign out_valid_o = y_valid_q;
  assign in_ready_o = sums_ready && !hold_i;
  always_ff @(posedge clk_i) begin
    if (!rst_ni) y_valid_q <= 1'b0;
    else if (enable) y_valid_q <= commit_valid && commit_last;
  end

  hf_sums_adc #(
      .Inputs(Inputs),
      .InputKind(InputKind),
      .InputWidth(InputWidth),
      .Encoding(Encoding),
      .WeightTrits(BothCells),
      .SingleColumn(SingleColumn),
      .Blocks(Blocks),
      .LargeBlocks(LargeBlocks),
      .BlockInputs(BlockInputs),
      .Tiles(Tiles),
      .Adcs(Adcs),
      .ColumnsPerAdc(ColumnsPerAdc),
      .LaneBlocks(LaneBlocks),
      .LaneTiles(LaneTiles),
      .SpareLines(SpareLines),
      .SpareAdcs(SpareAdcs),
      .ConversionCycles(ConversionCycles),
      .CodeBits(CodeBits),
      .LevelWidth(LevelWidth),
      .Uniform(Uniform),
      .ValueWidth(ValueWidth),
      .SumWidth(SumWidth),
      .Programmable(Programmable),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .Name(Name)
  ) i_sums (
      .clk_i,
      .rst_ni,
      .enable_i(enable),
      .in_valid_i(in_valid_i && !hold_i),
      .in_ready_o(sums_ready),
      .in_data_i,
      .reading_o,
      .stop_i(1'b0),
      .step_o(step),
      .next_valid_o(next),
      .next_column_o(next_column),
      .next_tile_group_o(next_tile_group),
      .sums_valid_o(commit_valid),
      .sums_last_o(commit_last),
      .column_o(commit_column),
      .tile_group_o(commit_tile_group),
      .sums_o(sums),
      .codes_valid_o,
      .codes_o,
      .program_i,
      .program_line_i,
      .program_tile_i,
      .program_mask_i(program_mask),
      .program_cell_i,
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o(verify),
      .supply_ready_o,
      .array_busy_o
  );

  // ---------------------------------------------------------------- outputs
  localparam int WordWidth = Output == 2 ? SumWidth : Thresholds;
  logic [Lanes*WordWidth-1:0] words;

  if (Output == 2) begin : gen_sums
    assign words = sums;
  end else begin : gen_threshold
    localparam int Depth = TileGroups * ColumnsPerAdc;
    localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1;
    logic [Lanes*Thresholds*SumWidth-1:0] thresholds;
    logic [Lanes-1:0] nonzero, high;
    hf_rom #(
        .Depth(Depth),
        .Width(Lanes * Thresholds * SumWidth),
        .InitFile(Name == "" ? "" : {Name, "threshold.mem"})
    ) i_thresholds (
        .clk_i,
        .read_i(next),
        .addr_i(AddrWidth'(32'(next_tile_group) * ColumnsPerAdc + 32'(next_column))),
        .data_o(thresholds)
    );
    hf_threshold #(
        .Neurons(Lanes),
        .SumWidth(SumWidth),
        .Ternary(Output == 1)
    ) i_threshold (
        .valid_i(commit),
        .sums_i(sums),
        .thresholds_i(thresholds),
        .nonzero_o(nonzero),
        .positive_o(high)
    );
    for (genvar p = 0; p < Lanes; p++) begin : gen_word
      assign words[p*WordWidth] = high[p];
      if (Output == 1) begin : gen_nonzero
        assign words[p*WordWidth+WordWidth-1] = nonzero[p];
      end
    end
    logic unused_nonzero;
    assign unused_nonzero = ^nonzero;
  end

  // ADC j of tile t at column c serves neuron First + j.
  for (genvar t = 0; t < Tiles; t++) begin : gen_tile
    for (genvar c = 0; c < ColumnsPerAdc; c++) begin : gen_column
      localparam int First = t * TileNeurons + c * Adcs;
      localparam int Count = First >= Neurons ? 0 : First + Adcs > Neurons ? Neurons - First : Adcs;
      localparam int Lane = t % LaneTiles * Adcs;
      if (Count > 0) begin : gen_neurons
        logic [Count*WordWidth-1:0] y_q;
        always_ff @(posedge clk_i) begin
          if (commit && commit_tile_group == TileGroupWidth'(t / LaneTiles)
              && commit_column == ColumnWidth'(c)) begin
            y_q <= words[Lane*WordWidth+:Count*WordWidth];
          end
        end
        if (Output == 1) begin : gen_planes
          for (genvar n = 0; n < Count; n++) begin : gen_neuron
            assign out_data_o[First+n] = y_q[n*WordWidth];
            assign out_data_o[Neurons+First+n] = y_q[n*WordWidth+WordWidth-1];
          end
        end else begin : gen_words
          assign out_data_o[First*WordWidth+:Count*WordWidth] = y_q;
        end
      end
    end
  end
  logic unused;
  assign unused = ^{step, words, next, next_column, next_tile_group, commit_tile_group, commit_column};
endmodule

`default_nettype wire
