// Key memory on arrays whose columns are read by ADCs: a key is a column, or a pair of them.
//
// Purpose     Stores bipolar keys at run time and compares a query with those that are stored (batmann, section III, figure 1b
//             and c).
// Equation    dot_o = sum over splits of the values of the columns' codes (hf_sums_adc), slot by slot from 0 on
// Slots       slot s lies in step s / Lanes, lane s % Lanes, Lanes = LaneTiles * Adcs; a step is ColumnsPerAdc * (tile group) +
//             column. Adcs and LaneTiles are powers of two, and LaneTiles divides Tiles
// Query       query_i: reads the steps that hold slots below used_i, >= 1; dots follow in the order of their slots, those at
//             used_i and above included, up to the end of the step
// Write       write_i: programs slot_i with x_i, word line by word line, all splits side by side; the other columns are half
//             selected. Double column: +1 is LRS/HRS, -1 HRS/LRS; single column: +1 is LRS, -1 HRS. Every cell is verified
//             (hf_program); failed_o where any could not be written
// Parameters  Features               values of a key, >= 1
//             Slots                  keys, >= 1
//             Encoding, SingleColumn, Blocks .. ValueWidth, Name  see hf_sums_adc
//             SumWidth               bits of a dot product
//             SetCycles, ResetCycles cycles after which a cell of the model has switched
//             PulseSet, PulseReset, VerifyCycles, Attempts  cycles and attempts of hf_program, 1 to 4095; a verify takes 2 or more
// Latency     R = ceil(Blocks / LaneBlocks) * phases * ConversionCycles cycles a step; S steps: the last dot comes
//             R + 2 + (S - 1) max(R, Lanes) + Lanes cycles after query_i
//             done_o comes BlockInputs (PulseReset + PulseSet + Cells VerifyCycles + 5) - 1 cycles after write_i, Cells = 2, or 1
//             in a single column; every further attempt at a word line adds its part without 1
// Throughput  one query or write at a time
// Overflow    none where SumWidth holds every partial sum of values
`default_nettype none

module hf_keys_adc #(
    parameter int Features = 8,
    parameter int Slots = 4,
    parameter int Encoding = 0,
    parameter bit SingleColumn = 1'b0,
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int ConversionCycles = 1,
    parameter int CodeBits = 4,
    parameter int LevelWidth = 5,
    parameter bit Uniform = 1'b1,
    parameter int ValueWidth = 5,
    parameter int SumWidth = 8,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter int PulseSet = 2,
    parameter int PulseReset = 2,
    parameter int VerifyCycles = 2,
    parameter int Attempts = 3,
    parameter Name = "",
    localparam int SlotWidth = Slots > 0 ? $clog2(Slots + 1) : 1,
    localparam int SplitWidth = Blocks > 1 ? $clog2(Blocks) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int LineWidth = BlockInputs > 1 ? $clog2(BlockInputs) : 1,
    localparam int Cells = Adcs * ColumnsPerAdc * (SingleColumn ? 1 : 2),
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Query or key; stable from query_i or write_i on until it is done
    input  wire logic [Features-1:0]     x_i,
    // Query
    input  wire logic                    query_i,
    input  wire logic [SlotWidth-1:0]    used_i,
    output logic                         dot_valid_o,
    output logic                         dot_last_o,
    output logic signed [SumWidth-1:0]   dot_o,
    // Write
    input  wire logic                    write_i,
    input  wire logic [SlotWidth-1:0]    slot_i,
    output logic                         done_o,
    output logic                         failed_o,
    // Program a word line over the bus while nothing else goes on, see hf_array_access; tied to 0 where there is no access
    input  wire logic [2:0]              program_i,
    input  wire logic [SplitWidth-1:0]   program_split_i,
    input  wire logic [TileWidth-1:0]    program_tile_i,
    input  wire logic [LineWidth-1:0]    program_line_i,
    input  wire logic [Cells-1:0]        program_mask_i,
    input  wire logic [CellWidth-1:0]    program_cell_i,
    input  wire logic [7:0]              program_trim_i,
    input  wire logic                    isolate_i,
    input  wire logic                    scan_bypass_i,
    output logic                         program_verify_o,
    output logic                         supply_ready_o,
    output logic                         array_busy_o
);
  localparam int Lanes = LaneTiles * Adcs;
  localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles;
  localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1;
  localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1;
  localparam int NeuronWidth = Adcs * ColumnsPerAdc > 1 ? $clog2(Adcs * ColumnsPerAdc) : 1;
  localparam int Neurons = Adcs * ColumnsPerAdc;
  localparam int KeyCells = SingleColumn ? 1 : 2;  // of a feature

  if (Tiles * Adcs * ColumnsPerAdc < Slots) begin : gen_error_slots
    hf_error_keys_adc_tiles_do_not_hold_the_slots error ();
  end
  if (Tiles % LaneTiles != 0 || 2 ** $clog2(Lanes) != Lanes) begin : gen_error_lanes
    hf_error_keys_adc_lanes_must_be_a_power_of_two_that_divides_the_tiles error ();
  end

  if (PulseSet < 1 || PulseReset < 1 || VerifyCycles < 2 || Attempts < 1
      || PulseSet > 4095 || PulseReset > 4095 || VerifyCycles > 4095 || Attempts > 4095) begin : gen_error_program
    hf_error_keys_adc_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more error ();
  end

  // ---------------------------------------------------------------- query
  logic enable, sums_ready, step, sums_valid, sums_last;
  logic [Lanes*SumWidth-1:0] sums;
  logic [SlotWidth:0] scanned_q;    // slots of the steps before the one that is read
  logic drained, stop;

  // This step reaches the last slot in use.
  assign stop = 32'(scanned_q) + Lanes >= 32'(used_i);
  always_ff @(posedge clk_i) begin
    if (query_i) scanned_q <= '0;
    else if (step) scanned_q <= scanned_q + (SlotWidth + 1)'(Lanes);
  end

  // Sums of a step wait for the last of those before.
  assign enable = !(sums_valid && dot_valid_o && !drained);
  hf_drain #(
      .Lanes(Lanes),
      .Width(SumWidth)
  ) i_drain (
      .clk_i,
      .rst_ni,
      .load_i(sums_valid && enable),
      .last_i(sums_last),
      .data_i(sums),
      .valid_o(dot_valid_o),
      .value_o(dot_o),
      .end_o(drained),
      .last_o(dot_last_o)
  );

  // ---------------------------------------------------------------- write: word line by word line
  localparam int StepWidth = SlotWidth - $clog2(Lanes) > 0 ? SlotWidth - $clog2(Lanes) : 1;
  logic [StepWidth-1:0] slot_step;
  logic [TileGroupWidth-1:0] slot_group;
  logic [ColumnWidth-1:0] slot_column;
  logic [TileWidth-1:0] tile;
  logic [NeuronWidth-1:0] neuron;
  assign slot_step = StepWidth'(slot_i >> $clog2(Lanes));
  always_comb begin
    slot_group = '0;
    slot_column = ColumnWidth'(slot_step);
    for (int g = 1; g < TileGroups; g++) begin
      if (32'(slot_step) >= g * ColumnsPerAdc) begin
        slot_group = TileGroupWidth'(g);
        slot_column = ColumnWidth'(32'(slot_step) - g * ColumnsPerAdc);
      end
    end
  end
  assign tile = TileWidth'(32'(slot_group) * LaneTiles + (32'(slot_i) & (Lanes - 1)) / Adcs);
  assign neuron = NeuronWidth'(32'(slot_column) * Adcs + (32'(slot_i) & (Adcs - 1)));

  logic start_q, line_done, line_failed, failed_q, line_last;
  logic [LineWidth-1:0] line;
  hf_counter #(.Steps(BlockInputs)) i_line (
      .clk_i, .clear_i(!rst_ni || write_i), .step_i(line_done), .count_o(line), .last_o(line_last));
  assign done_o = line_done && line_last;
  assign failed_o = failed_q || line_failed;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) start_q <= 1'b0;
    else start_q <= line_done && !line_last;
    if (write_i) failed_q <= 1'b0;
    else if (line_done && line_failed) failed_q <= 1'b1;
  end

  // Cells {negative, positive} of each split's word line.
  logic [Blocks*KeyCells-1:0] target, used, mask;
  logic [Blocks*Cells-1:0] wide_mask;  // on the columns of the arrays
  for (genvar b = 0; b < Blocks; b++) begin : gen_block
    localparam int Size = b < LargeBlocks ? BlockInputs : BlockInputs - 1;
    localparam int Start = b < LargeBlocks ? b * BlockInputs
                                           : LargeBlocks * BlockInputs + (b - LargeBlocks) * (BlockInputs - 1);
    logic [BlockInputs-1:0] x;
    logic value, exists;
    assign x = BlockInputs'(x_i[Start+:Size]);
    assign value = x[line];
    assign exists = 32'(line) < Size;
    assign target[b*KeyCells] = value;
    assign used[b*KeyCells+:KeyCells] = {KeyCells{exists}};
    assign wide_mask[b*Cells+:Neurons] = Neurons'(mask[b*KeyCells]) << neuron;
    if (!SingleColumn) begin : gen_double
      assign target[b*KeyCells+KeyCells-1] = !value;
      assign wide_mask[b*Cells+Cells-1-:Neurons] = Neurons'(mask[b*KeyCells+KeyCells-1]) << neuron;
    end
  end

  logic [2:0] operation;
  logic cell_at, program_busy, lost;
  logic [Blocks*KeyCells-1:0] wrong;
  logic [11:0] attempt;
  logic [Blocks-1:0] verify;
  hf_program #(
      .Arrays(Blocks),
      .Cells(KeyCells),
      .CountWidth(12)
  ) i_program (
      .clk_i,
      .rst_ni,
      .start_i(write_i || start_q),
      // RESET, SET, verify.
      .phases_i(4'b1110),
      .form_cycles_i(12'd1),
      .reset_cycles_i(12'(PulseReset)),
      .set_cycles_i(12'(PulseSet)),
      .verify_cycles_i(12'(VerifyCycles)),
      .attempts_i(12'(Attempts)),
      .last_cell_i(1'(KeyCells - 1)),
      .target_i(target),
      .use_i(used),
      .busy_o(program_busy),
      .done_o(line_done),
      .failed_o(line_failed),
      .wrong_o(wrong),
      .attempt_o(attempt),
      .lost_o(lost),
      .program_o(operation),
      .mask_o(mask),
      .cell_o(cell_at),
      .verify_i(verify),
      .wait_i(array_busy_o),
      .supply_i(supply_ready_o)
  );

  // ---------------------------------------------------------------- programming over the bus
  logic bus;
  logic [Blocks*Cells-1:0] bus_mask;
  assign bus = program_i != 3'd0;
  for (genvar b = 0; b < Blocks; b++) begin : gen_bus_mask
    assign bus_mask[b*Cells+:Cells] = program_split_i == SplitWidth'(b) ? program_mask_i : '0;
  end
  assign program_verify_o = verify[program_split_i];

  // ---------------------------------------------------------------- arrays
  logic next_valid, reading;
  logic [ColumnWidth-1:0] next_column, sums_column;
  logic [TileGroupWidth-1:0] next_tile_group, sums_tile_group;
  logic codes_valid;
  logic [Blocks*Tiles*Adcs*CodeBits-1:0] codes;
  logic unused_codes;
  assign unused_codes = ^{codes_valid, codes};
  hf_sums_adc #(
      .Inputs(Features),
      .Encoding(Encoding),
      // Both cells of a weight are written, so that both are there.
      .WeightTrits(!SingleColumn),
      .SingleColumn(SingleColumn),
      .Blocks(Blocks),
      .LargeBlocks(LargeBlocks),
      .BlockInputs(BlockInputs),
      .Tiles(Tiles),
      .Adcs(Adcs),
      .ColumnsPerAdc(ColumnsPerAdc),
      .LaneBlocks(LaneBlocks),
      .LaneTiles(LaneTiles),
      .ConversionCycles(ConversionCycles),
      .CodeBits(CodeBits),
      .LevelWidth(LevelWidth),
      .Uniform(Uniform),
      .ValueWidth(ValueWidth),
      .SumWidth(SumWidth),
      .Programmable(1'b1),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .Name(Name)
  ) i_sums (
      .clk_i,
      .rst_ni,
      .enable_i(enable),
      .in_valid_i(query_i),
      .in_ready_o(sums_ready),
      .in_data_i(x_i),
      .reading_o(reading),
      .stop_i(stop),
      .step_o(step),
      .next_valid_o(next_valid),
      .next_column_o(next_column),
      .next_tile_group_o(next_tile_group),
      .sums_valid_o(sums_valid),
      .sums_last_o(sums_last),
      .column_o(sums_column),
      .tile_group_o(sums_tile_group),
      .sums_o(sums),
      .codes_valid_o(codes_valid),
      .codes_o(codes),
      .program_i(bus ? program_i : operation),
      .program_line_i(bus ? program_line_i : line),
      .program_tile_i(bus ? program_tile_i : tile),
      .program_mask_i(bus ? bus_mask : wide_mask),
      .program_cell_i(bus ? program_cell_i : CellWidth'(32'(neuron) + (cell_at ? Neurons : 0))),
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o(verify),
      .supply_ready_o,
      .array_busy_o
  );
  logic unused;
  assign unused = ^{sums_ready, program_busy, wrong, attempt, lost, reading, next_valid, next_column, next_tile_group, sums_column,
                    sums_tile_group};
endmodule

`default_nettype wire
