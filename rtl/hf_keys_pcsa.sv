// Key memory on 2T2R arrays read by precharge sense amplifiers: a key is a word line.
//
// Purpose     Stores bipolar keys at run time and compares a query with those that are stored (batmann, section III).
// Equation    dot_o = sum_i key_i query_i, slot by slot from 0 on
// Slots       slot s lies in step s / LaneRows, lane s % LaneRows; a step is Rows * (row group) + row. LaneRows is a power of
//             two that divides RowTiles, so that every step has all its lanes
// Query       query_i: reads the steps that hold slots below used_i, >= 1; dots follow in the order of their slots, those at
//             used_i and above included, up to the end of the step
// Write       write_i: programs slot_i with x_i and verifies every cell (hf_program), cells without a feature stay as they are
// Parameters  Features               values of a key, >= 1
//             Slots                  keys, >= 1
//             ColumnTiles .. ZeroCycles, CountWidth, Name  see hf_sums_pcsa
//             SumWidth               bits of a dot product
//             SetCycles, ResetCycles cycles after which a cell of the model has switched
//             PulseSet, PulseReset, VerifyCycles, Attempts  cycles and attempts of hf_program, 1 to 4095; a verify takes 2 or more
// Latency     R = ceil(ColumnTiles / LaneColumns) * ColumnsPerAmplifier * (precharge + window + 1) cycles a step; S steps:
//             the last dot comes S R + LaneRows + 2 cycles after query_i where LaneRows <= 3 reads of a step, else
//             S (R + LaneRows + 2), since a step then waits for the dots of the one before
//             done_o comes n (PulseReset + PulseSet + 2 Slice VerifyCycles + 4) cycles after write_i, n attempts
// Throughput  one query or write at a time
// Overflow    none where SumWidth holds +-(Features + 1)
`default_nettype none

module hf_keys_pcsa #(
    parameter int Features = 8,
    parameter int Slots = 4,
    parameter int ColumnTiles = 1,
    parameter int RowTiles = 1,
    parameter int Rows = 4,
    parameter int Amplifiers = 8,
    parameter int ColumnsPerAmplifier = 1,
    parameter int LaneColumns = 1,
    parameter int LaneRows = 1,
    parameter int SumWidth = 6,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter int PulseSet = 2,
    parameter int PulseReset = 2,
    parameter int VerifyCycles = 2,
    parameter int Attempts = 3,
    parameter int CountWidth = 12,
    parameter Name = "",
    localparam int SlotWidth = Slots > 0 ? $clog2(Slots + 1) : 1,
    localparam int SplitWidth = ColumnTiles > 1 ? $clog2(ColumnTiles) : 1,
    localparam int TileWidth = RowTiles > 1 ? $clog2(RowTiles) : 1,
    localparam int LineWidth = Rows > 1 ? $clog2(Rows) : 1,
    localparam int Cells = 2 * Amplifiers * ColumnsPerAmplifier,
    localparam int CellWidth = $clog2(Cells)
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Trim registers
    input  wire logic [CountWidth-1:0]   precharge_cycles_i,
    input  wire logic [CountWidth-1:0]   window_cycles_i,
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
  localparam int Slice = Amplifiers * ColumnsPerAmplifier;
  localparam int ColumnGroups = (ColumnTiles + LaneColumns - 1) / LaneColumns;
  localparam int RowGroups = (RowTiles + LaneRows - 1) / LaneRows;
  localparam int LaneWidth = $clog2(Amplifiers + 1) + 1;
  localparam int RowGroupWidth = RowGroups > 1 ? $clog2(RowGroups) : 1;
  // Reads of a step take 3 cycles each at least, whatever the registers hold.
  localparam bit Paced = LaneRows > 3 * ColumnGroups * ColumnsPerAmplifier;

  if (RowTiles * Rows < Slots) begin : gen_error_slots
    hf_error_keys_pcsa_row_tiles_do_not_hold_the_slots error ();
  end
  if (RowTiles % LaneRows != 0 || 2 ** $clog2(LaneRows) != LaneRows) begin : gen_error_lanes
    hf_error_keys_pcsa_lane_rows_must_be_a_power_of_two_that_divides_row_tiles error ();
  end

  if (PulseSet < 1 || PulseReset < 1 || VerifyCycles < 2 || Attempts < 1
      || PulseSet > 4095 || PulseReset > 4095 || VerifyCycles > 4095 || Attempts > 4095) begin : gen_error_program
    hf_error_keys_pcsa_pulses_and_attempts_are_1_to_4095_and_a_verify_takes_2_or_more error ();
  end

  // ---------------------------------------------------------------- query
  logic sums_valid, sums_last, captured, step_last, drained, busy;
  logic [LaneRows*SumWidth-1:0] sums;
  logic [SlotWidth:0] scanned_q;    // slots of the steps before the one that is read

  // This step reaches the last slot in use.
  assign step_last = 32'(scanned_q) + LaneRows >= 32'(used_i);

  always_ff @(posedge clk_i) begin
    if (query_i) scanned_q <= '0;
    else if (captured) scanned_q <= scanned_q + (SlotWidth + 1)'(LaneRows);
  end

  hf_drain #(
      .Lanes(LaneRows),
      .Width(SumWidth)
  ) i_drain (
      .clk_i,
      .rst_ni,
      .load_i(sums_valid),
      .last_i(sums_last),
      .data_i(sums),
      .valid_o(dot_valid_o),
      .value_o(dot_o),
      .end_o(drained),
      .last_o(dot_last_o)
  );

  // ---------------------------------------------------------------- write
  // Digits of the slot.
  localparam int StepWidth = SlotWidth - $clog2(LaneRows) > 0 ? SlotWidth - $clog2(LaneRows) : 1;
  logic [StepWidth-1:0] step;
  logic [LaneRows-1:0] lanes;
  logic [RowGroupWidth-1:0] row_group;
  logic [LineWidth-1:0] row;
  assign step = StepWidth'(slot_i >> $clog2(LaneRows));
  always_comb begin
    row_group = '0;
    row = LineWidth'(step);
    for (int g = 1; g < RowGroups; g++) begin
      if (32'(step) >= g * Rows) begin
        row_group = RowGroupWidth'(g);
        row = LineWidth'(32'(step) - g * Rows);
      end
    end
  end
  for (genvar p = 0; p < LaneRows; p++) begin : gen_lane
    assign lanes[p] = (slot_i & SlotWidth'(LaneRows - 1)) == SlotWidth'(p);
  end

  // Cells {BLb, BL} of each column tile: +1 is LRS/HRS, -1 HRS/LRS.
  logic [ColumnTiles*2*Slice-1:0] target, used, mask;
  for (genvar t = 0; t < ColumnTiles; t++) begin : gen_tile
    for (genvar c = 0; c < Slice; c++) begin : gen_column
      if (t * Slice + c < Features) begin : gen_feature
        assign target[t*2*Slice+c] = x_i[t*Slice+c];
        assign target[t*2*Slice+Slice+c] = ~x_i[t*Slice+c];
        assign used[t*2*Slice+c] = 1'b1;
        assign used[t*2*Slice+Slice+c] = 1'b1;
      end else begin : gen_none
        assign target[t*2*Slice+c] = 1'b0;
        assign target[t*2*Slice+Slice+c] = 1'b0;
        assign used[t*2*Slice+c] = 1'b0;
        assign used[t*2*Slice+Slice+c] = 1'b0;
      end
    end
  end

  logic [2:0] operation;
  logic [CellWidth-1:0] cell_at;
  logic [ColumnTiles-1:0] verify;
  logic program_busy, lost;
  logic [ColumnTiles*2*Slice-1:0] wrong;
  logic [11:0] attempt;
  hf_program #(
      .Arrays(ColumnTiles),
      .Cells(2 * Slice),
      .CountWidth(12)
  ) i_program (
      .clk_i,
      .rst_ni,
      .start_i(write_i),
      // RESET, SET, verify.
      .phases_i(4'b1110),
      .form_cycles_i(12'd1),
      .reset_cycles_i(12'(PulseReset)),
      .set_cycles_i(12'(PulseSet)),
      .verify_cycles_i(12'(VerifyCycles)),
      .attempts_i(12'(Attempts)),
      .last_cell_i(CellWidth'(2 * Slice - 1)),
      .target_i(target),
      .use_i(used),
      .busy_o(program_busy),
      .done_o,
      .failed_o,
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
  logic [LaneRows-1:0] bus_lanes;
  logic [RowGroupWidth-1:0] bus_row_group;
  logic [ColumnTiles*Cells-1:0] bus_mask;
  assign bus = program_i != 3'd0;
  always_comb begin
    bus_lanes = '0;
    bus_row_group = '0;
    for (int r = 0; r < RowTiles; r++) begin
      if (program_tile_i == TileWidth'(r)) begin
        bus_lanes[r%LaneRows] = 1'b1;
        bus_row_group = RowGroupWidth'(r / LaneRows);
      end
    end
  end
  for (genvar t = 0; t < ColumnTiles; t++) begin : gen_bus_mask
    assign bus_mask[t*Cells+:Cells] = program_split_i == SplitWidth'(t) ? program_mask_i : '0;
  end
  assign program_verify_o = verify[program_split_i];

  // ---------------------------------------------------------------- arrays
  logic next_valid, lanes_valid;
  logic [LineWidth-1:0] next_row, sums_row;
  logic [RowGroupWidth-1:0] next_row_group, sums_row_group;
  logic [LaneRows*LaneColumns*LaneWidth-1:0] partial;
  hf_sums_pcsa #(
      .Inputs(Features),
      .ColumnTiles(ColumnTiles),
      .RowTiles(RowTiles),
      .Rows(Rows),
      .Amplifiers(Amplifiers),
      .ColumnsPerAmplifier(ColumnsPerAmplifier),
      .LaneColumns(LaneColumns),
      .LaneRows(LaneRows),
      .SumWidth(SumWidth),
      .Paced(Paced),
      .SignCycles(SignCycles),
      .ZeroCycles(ZeroCycles),
      .Programmable(1'b1),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .CountWidth(CountWidth),
      .Name(Name)
  ) i_sums (
      .clk_i,
      .rst_ni,
      .precharge_cycles_i,
      .window_cycles_i,
      .start_i(query_i),
      .x_i,
      .stop_i(step_last),
      .go_i(drained),
      .busy_o(busy),
      .captured_o(captured),
      .next_valid_o(next_valid),
      .next_row_o(next_row),
      .next_row_group_o(next_row_group),
      .sums_valid_o(sums_valid),
      .sums_last_o(sums_last),
      .row_o(sums_row),
      .row_group_o(sums_row_group),
      .sums_o(sums),
      .lanes_valid_o(lanes_valid),
      .lanes_o(partial),
      .program_i(bus ? program_i : operation),
      .program_lanes_i(bus ? bus_lanes : lanes),
      .program_row_group_i(bus ? bus_row_group : row_group),
      .program_row_i(bus ? program_line_i : row),
      .program_mask_i(bus ? bus_mask : mask),
      .program_cell_i(bus ? program_cell_i : cell_at),
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o(verify),
      .supply_ready_o,
      .array_busy_o
  );
  logic unused;
  assign unused = ^{busy, program_busy, wrong, attempt, lost, next_valid, next_row, next_row_group, sums_row, sums_row_group, lanes_valid, partial};
endmodule

`default_nettype wire
