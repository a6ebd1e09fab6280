// Sums of columns on arrays read by ADCs.
//
// Purpose     Every array gives a code for the partial sum of each column; codes become integer values, which are added
//             over the splits (the quantised baselines of input-splitting; batmann, section III). hf_layer_adc thresholds the
//             sums of a layer, hf_keys_adc compares keys with them.
// Equation    V_j = sum over blocks k, phases p of sign_p 2^shift_p value(code_jkp)
// Inputs      Encoding 0: inputs of both signs in one read: two word lines an input, or +-V
//             Encoding 1: two phases: inputs of +1 are driven first, those of -1 then, and their values subtracted
//             Encoding 2: unipolar: +1 is driven, -1 is not; thresholds bear the offset
//             Integers are read bit by bit: bit p is driven where it is 1 and counts 2^p, the highest -2^p
// Schedule    for tile group, column of the ADC (a step); block group, phase: one read of LaneTiles x LaneBlocks arrays,
//             ConversionCycles cycles each. A step gives the sums of LaneTiles x Adcs neurons: lane t * Adcs + j those of tile
//             tile_group * LaneTiles + t, neuron column * Adcs + j of its own
// Parameters  Inputs                 length of the vector, >= 1
//             InputKind              0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers of InputWidth bits
//             InputWidth             bits of a signed integer input, >= 2
//             Encoding               see Inputs; 0 with integers
//             WeightTrits            0: bipolar, 1: trits
//             SingleColumn           cells of a weight, see hf_array_adc
//             Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Adcs                   ADCs of an array
//             ColumnsPerAdc          neurons that share an ADC, >= 1
//             LaneBlocks, LaneTiles  arrays read at once along inputs and along neurons
//             ConversionCycles       cycles of a read, >= 1
//             CodeBits, LevelWidth   bits of a code and of its levels
//             Uniform                1: value = 2 code - (2^CodeBits - 1); 0: table Name_values.mem, line = code
//             ValueWidth             bits of a signed value
//             SumWidth               bits of V; holds every partial V; the plan proves it
//             SpareLines             word lines (or pairs) of an array beyond its inputs; the arrays of a block leave out the same
//             SpareAdcs              ADCs of an array beyond Adcs, each with the columns of ColumnsPerAdc neurons
//             Programmable, SetCycles, ResetCycles  see hf_array_adc
//             Name                   prefix of the memory images: Name_bX_tY.mem, Name_levels.mem; what is left out of arrays with
//                                    spares: Name_spare_lines.mem, one word, SpareLines places for each block;
//                                    Name_spare_columns.mem, one word, SpareAdcs places for each array, b * Tiles + t
// Latency     (reads of a step) * ConversionCycles + 2 cycles from accept to the first sums_valid_o
// Throughput  a step in (reads of a step) * ConversionCycles cycles; vectors follow each other without a gap. Everything
//             stands still while enable_i is low
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_sums_adc #(
    parameter int Inputs = 8,
    parameter int InputKind = 0,
    parameter int InputWidth = 2,
    parameter int Encoding = 0,
    parameter bit WeightTrits = 1'b0,
    parameter bit SingleColumn = 1'b0,
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
    localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles,
    localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1,
    localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1,
    localparam int ArrayAdcs = Adcs + SpareAdcs,
    localparam int LineWidth = BlockInputs + SpareLines > 1 ? $clog2(BlockInputs + SpareLines) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int Columns = (WeightTrits ? 2 : 1) * ArrayAdcs * ColumnsPerAdc,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                      clk_i,
    input  wire logic                      rst_ni,
    input  wire logic                      enable_i,   // low: nothing moves
    // Input vector
    input  wire logic                      in_valid_i,
    output logic                           in_ready_o,
    input  wire logic [InputBits-1:0]      in_data_i,
    output logic                           reading_o,  // word lines are driven, will be after the coming edge, or codes wait
    // Control
    input  wire logic                      stop_i,     // with step_o: no further step of this vector
    output logic                           step_o,     // a step's last read ends with this cycle
    // The coming sums, one cycle ahead
    output logic                           next_valid_o,
    output logic      [ColumnWidth-1:0]    next_column_o,
    output logic      [TileGroupWidth-1:0] next_tile_group_o,
    // Sums of a step, lane p at p * SumWidth; they stand until enable_i is high
    output logic                           sums_valid_o,
    output logic                           sums_last_o,
    output logic      [ColumnWidth-1:0]    column_o,
    output logic      [TileGroupWidth-1:0] tile_group_o,
    output logic      [LaneTiles*Adcs*SumWidth-1:0] sums_o,
    // Codes of array (b, t) at ((b * Tiles + t) * Adcs) * CodeBits; those of the read that has just ended are new. To find faults with
    output logic                           codes_valid_o,
    output logic      [Blocks*Tiles*Adcs*CodeBits-1:0] codes_o,
    // Program, while no read is going on; see hf_array_adc
    input  wire logic [2:0]                program_i,
    input  wire logic [LineWidth-1:0]      program_line_i,
    input  wire logic [TileWidth-1:0]      program_tile_i,
    input  wire logic [Blocks*Columns-1:0] program_mask_i,
    input  wire logic [CellWidth-1:0]      program_cell_i,
    input  wire logic [7:0]                program_trim_i,
    input  wire logic                      isolate_i,
    input  wire logic                      scan_bypass_i,
    output logic      [Blocks-1:0]         program_verify_o,
    output logic                           supply_ready_o,
    output logic                           array_busy_o
);
  localparam int Phases = InputKind == 2 ? InputWidth : Encoding == 1 ? 2 : 1;
  localparam int BlockGroups = (Blocks + LaneBlocks - 1) / LaneBlocks;
  localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1;
  localparam int PhaseWidth = Phases > 1 ? $clog2(Phases) : 1;

  if (LargeBlocks < 1 || LargeBlocks > Blocks
      || LargeBlocks * BlockInputs + (Blocks - LargeBlocks) * (BlockInputs - 1) != Inputs) begin : gen_error_blocks
    hf_error_sums_adc_blocks_do_not_make_up_the_inputs error ();
  end
  if (LaneBlocks > Blocks || LaneTiles > Tiles) begin : gen_error_lanes
    hf_error_sums_adc_more_lanes_than_arrays error ();
  end
  if (ConversionCycles < 1 || CodeBits < 1 || CodeBits > 12) begin : gen_error_conversion
    hf_error_sums_adc_conversion_out_of_range error ();
  end
  if (InputKind < 0 || InputKind > 2 || Encoding < 0 || Encoding > 2
      || (InputKind == 1 && Encoding == 2) || (InputKind == 2 && Encoding != 0)) begin : gen_error_kind
    hf_error_sums_adc_kind_or_encoding_out_of_range error ();
  end
  if (WeightTrits && SingleColumn) begin : gen_error_single
    hf_error_sums_adc_a_single_column_holds_no_zero error ();
  end
  if (SumWidth < ValueWidth || SumWidth < InputWidth) begin : gen_error_sum
    hf_error_sums_adc_sum_width_too_small error ();
  end
  if (SpareLines < 0 || SpareAdcs < 0) begin : gen_error_spares
    hf_error_sums_adc_spares_must_not_be_negative error ();
  end

  // ---------------------------------------------------------------- control: the steps move together
  logic x_valid_q;         // a vector drives the word lines
  logic add_q;             // a read has just ended
  logic accept, settled, neuron_last, last;
  logic cycle_last, phase_last, block_group_last, column_last, tile_group_last;
  logic [(ConversionCycles > 1 ? $clog2(ConversionCycles) : 1)-1:0] cycle;
  logic [PhaseWidth-1:0] phase;
  logic [BlockGroupWidth-1:0] block_group;
  logic [ColumnWidth-1:0] column;
  logic [TileGroupWidth-1:0] tile_group;

  assign settled = enable_i && x_valid_q && cycle_last;
  assign neuron_last = phase_last && block_group_last;
  assign last = cycle_last && neuron_last && ((column_last && tile_group_last) || stop_i);
  assign step_o = settled && neuron_last;
  assign in_ready_o = enable_i && (!x_valid_q || last);
  assign accept = in_valid_i && in_ready_o;
  // The last read's codes stand in the ADCs until they are added.
  assign reading_o = accept || x_valid_q || add_q;

  hf_counter #(.Steps(ConversionCycles)) i_cycle (
      .clk_i, .clear_i(accept), .step_i(enable_i && x_valid_q), .count_o(cycle), .last_o(cycle_last));
  hf_counter #(.Steps(Phases)) i_phase (
      .clk_i, .clear_i(accept), .step_i(settled), .count_o(phase), .last_o(phase_last));
  hf_counter #(.Steps(BlockGroups)) i_block_group (
      .clk_i, .clear_i(accept), .step_i(settled && phase_last), .count_o(block_group), .last_o(block_group_last));
  hf_counter #(.Steps(ColumnsPerAdc)) i_column (
      .clk_i, .clear_i(accept), .step_i(settled && neuron_last), .count_o(column), .last_o(column_last));
  hf_counter #(.Steps(TileGroups)) i_tile_group (
      .clk_i, .clear_i(accept), .step_i(settled && neuron_last && column_last), .count_o(tile_group),
      .last_o(tile_group_last));

  // Read, add, commit.
  logic commit_q, add;
  logic first_q, neuron_last_q, vector_last_q, commit_last_q;
  logic [PhaseWidth-1:0] phase_q;
  logic [BlockGroupWidth-1:0] block_group_q;
  logic [ColumnWidth-1:0] column_q, commit_column_q;
  logic [TileGroupWidth-1:0] tile_group_q, commit_tile_group_q;
  assign add = enable_i && add_q;
  assign next_valid_o = add;
  assign codes_valid_o = add;
  assign next_column_o = column_q;
  assign next_tile_group_o = tile_group_q;
  assign sums_valid_o = commit_q;
  assign sums_last_o = commit_last_q;
  assign column_o = commit_column_q;
  assign tile_group_o = commit_tile_group_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      x_valid_q <= 1'b0;
      add_q <= 1'b0;
      commit_q <= 1'b0;
    end else if (enable_i) begin
      x_valid_q <= accept || (x_valid_q && !last);
      add_q <= settled;
      commit_q <= add_q && neuron_last_q;
    end
    if (settled) begin
      first_q <= phase == '0 && block_group == '0;
      neuron_last_q <= neuron_last;
      vector_last_q <= last;
      phase_q <= phase;
      block_group_q <= block_group;
      column_q <= column;
      tile_group_q <= tile_group;
    end
    if (add) begin
      commit_last_q <= vector_last_q;
      commit_column_q <= column_q;
      commit_tile_group_q <= tile_group_q;
    end
  end

  // ---------------------------------------------------------------- word lines
  logic [InputBits-1:0] x_q;
  logic [Inputs-1:0] drive, positive;
  always_ff @(posedge clk_i) begin
    if (accept) x_q <= in_data_i;
  end

  if (InputKind == 2) begin : gen_bits
    for (genvar i = 0; i < Inputs; i++) begin : gen_input
      logic [InputWidth-1:0] value;
      assign value = x_q[i*InputWidth+:InputWidth];
      assign drive[i] = value[phase];
    end
    assign positive = '1;
  end else begin : gen_signs
    logic [Inputs-1:0] nonzero, sign;
    assign sign = x_q[Inputs-1:0];
    assign nonzero = InputKind == 1 ? x_q[InputBits-1-:Inputs] : {Inputs{1'b1}};
    if (Encoding == 0) begin : gen_both
      assign drive = nonzero;
      assign positive = sign;
    end else if (Encoding == 1) begin : gen_phases
      assign drive = nonzero & (phase == '0 ? sign : ~sign);
      assign positive = '1;
    end else begin : gen_unipolar
      assign drive = sign;
      assign positive = '1;
      logic unused;
      assign unused = ^nonzero;
    end
  end

  // The inputs on the word lines of every block's arrays, spares among them.
  localparam int ArrayInputs = Inputs + Blocks * SpareLines;
  logic [ArrayInputs-1:0] array_drive, array_positive;
  if (SpareLines < 1) begin : gen_no_spare_lines
    assign array_drive = drive;
    assign array_positive = positive;
  end else begin : gen_spare_lines
    localparam int Bits = Blocks * SpareLines * $clog2(BlockInputs + SpareLines);
    logic [Bits-1:0] left_out;
    hf_rom #(
        .Width(Bits),
        .InitFile(Name == "" ? "" : {Name, "spare_lines.mem"})
    ) i_left_out (
        .clk_i, .read_i(1'b1), .addr_i(1'b0), .data_o(left_out));
    hf_spare_lines #(
        .Blocks(Blocks), .LargeBlocks(LargeBlocks), .BlockLines(BlockInputs), .Spares(SpareLines)
    ) i_drive (
        .lines_i(drive), .left_out_i(left_out), .lines_o(array_drive));
    hf_spare_lines #(
        .Blocks(Blocks), .LargeBlocks(LargeBlocks), .BlockLines(BlockInputs), .Spares(SpareLines)
    ) i_positive (
        .lines_i(positive), .left_out_i(left_out), .lines_o(array_positive));
  end

  // ---------------------------------------------------------------- arrays
  logic [Blocks*Tiles*ArrayAdcs*CodeBits-1:0] array_codes;
  hf_bank_adc #(
      .Blocks(Blocks),
      .LargeBlocks(LargeBlocks),
      .BlockInputs(BlockInputs + SpareLines),
      .Tiles(Tiles),
      .Adcs(ArrayAdcs),
      .ColumnsPerAdc(ColumnsPerAdc),
      .LaneBlocks(LaneBlocks),
      .LaneTiles(LaneTiles),
      .CodeBits(CodeBits),
      .LevelWidth(LevelWidth),
      .WeightTrits(WeightTrits),
      .SingleColumn(SingleColumn),
      .Programmable(Programmable),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .InitPrefix(Name)
  ) i_bank (
      .clk_i,
      .drive_i(array_drive),
      .positive_i(array_positive),
      .sample_i(settled),
      .block_group_i(block_group),
      .tile_group_i(tile_group),
      .column_i(column),
      .code_o(array_codes),
      .program_i,
      .program_line_i,
      .program_tile_i,
      .program_mask_i,
      .program_cell_i,
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o,
      .supply_ready_o,
      .array_busy_o
  );

  if (SpareAdcs < 1) begin : gen_no_spare_columns
    assign codes_o = array_codes;
  end else begin : gen_spare_columns
    localparam int Bits = Blocks * Tiles * SpareAdcs * $clog2(ArrayAdcs);
    logic [Bits-1:0] left_out;
    hf_rom #(
        .Width(Bits),
        .InitFile(Name == "" ? "" : {Name, "spare_columns.mem"})
    ) i_left_out (
        .clk_i, .read_i(1'b1), .addr_i(1'b0), .data_o(left_out));
    hf_spare_columns #(
        .Arrays(Blocks * Tiles), .Columns(Adcs), .Spares(SpareAdcs), .Width(CodeBits)
    ) i_columns (
        .data_i(array_codes), .left_out_i(left_out), .data_o(codes_o));
  end

  // ---------------------------------------------------------------- values and their sums
  for (genvar t = 0; t < LaneTiles; t++) begin : gen_lane_tile
    for (genvar j = 0; j < Adcs; j++) begin : gen_adc
      logic [LaneBlocks*SumWidth-1:0] parts;
      for (genvar b = 0; b < LaneBlocks; b++) begin : gen_block
        logic [CodeBits-1:0] code;
        logic exists;
        hf_read_select #(
            .BlockGroups(BlockGroups), .TileGroups(TileGroups), .LaneBlocks(LaneBlocks), .LaneTiles(LaneTiles),
            .Blocks(Blocks), .Tiles(Tiles), .Adcs(Adcs), .Width(CodeBits), .Block(b), .Tile(t), .Adc(j)
        ) i_select (
            .codes_i(codes_o), .block_group_i(block_group_q), .tile_group_i(tile_group_q), .code_o(code),
            .exists_o(exists));
        logic signed [ValueWidth-1:0] value;
        logic signed [SumWidth-1:0] weighted;
        hf_code_value #(
            .CodeBits(CodeBits), .ValueWidth(ValueWidth), .Uniform(Uniform),
            .InitFile(Name == "" ? "" : {Name, "values.mem"})
        ) i_value (
            .code_i(code), .value_o(value));
        logic signed [SumWidth-1:0] wide;
        assign wide = SumWidth'(value);
        if (InputKind == 2) begin : gen_weighted
          assign weighted = 32'(phase_q) == Phases - 1 ? -(wide <<< phase_q) : wide <<< phase_q;
        end else begin : gen_signed
          assign weighted = Encoding == 1 && phase_q != '0 ? -wide : wide;
        end
        assign parts[b*SumWidth+:SumWidth] = exists ? weighted : '0;
      end
      hf_accumulator #(
          .Lanes(LaneBlocks),
          .LaneWidth(SumWidth),
          .SumWidth(SumWidth)
      ) i_accumulator (
          .clk_i,
          .valid_i(add),
          .first_i(first_q),
          .lanes_i(parts),
          .sum_o(sums_o[(t*Adcs+j)*SumWidth+:SumWidth])
      );
    end
  end
  logic unused;
  assign unused = ^cycle;
endmodule

`default_nettype wire
