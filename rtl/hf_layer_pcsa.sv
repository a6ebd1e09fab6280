// Layer on 2T2R arrays read by precharge sense amplifiers.
//
// Purpose     Multiplies a vector of bipolar values, trits or integers with weights in PCSA arrays. A word line holds one neuron's
//             slice; slices lie in ColumnTiles arrays side by side, neurons in RowTiles arrays below each other.
// Equation    s_j = sum_i w_ji x_i, then hf_threshold (Outputs 0 and 1) or s_j itself (Output 2)
// Schedule    for row group, row, column group, column of the amplifier: one read of LaneRows x LaneColumns arrays.
//             An array's read takes precharge + window + Planes cycles (hf_sums_pcsa); Reads of them make a vector.
// Parameters  Inputs, Neurons        sizes of the layer, >= 1
//             InputTrits, WeightTrits  0: bipolar, 1: trits
//             Planes                 1; bits of a signed integer input where inputs are integers, see hf_sums_pcsa
//             Output                 0: bipolar, 1: trits, 2: sums
//             ColumnTiles, RowTiles  arrays along inputs and along neurons
//             Rows                   word lines used in an array: ceil(Neurons / RowTiles)
//             Amplifiers             amplifiers of an array: ceil(ceil(Inputs / ColumnTiles) / ColumnsPerAmplifier)
//             ColumnsPerAmplifier    columns that share an amplifier, >= 1
//             LaneColumns, LaneRows  arrays sensed at once along inputs and along neurons
//             SpareLines, SpareAmplifiers  word lines and amplifiers of an array beyond these, see hf_sums_pcsa
//             SumWidth               bits of a sum and a threshold; holds +-(Inputs * largest input + 1)
//             SignCycles, ZeroCycles, Programmable, SetCycles, ResetCycles  cell model, see hf_array_pcsa
//             Name                   prefix of the memory images: Name_rX_cY.mem, Name_threshold.mem
// Latency     Reads * (precharge + window + Planes) + 3 cycles from the accepting cycle to out_valid_o
// Throughput  one vector in latency + 1 cycles
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_layer_pcsa #(
    parameter int Inputs = 8,
    parameter int Neurons = 4,
    parameter bit InputTrits = 1'b0,
    parameter bit WeightTrits = 1'b0,
    parameter int Planes = 1,
    parameter int Output = 0,
    parameter int ColumnTiles = 1,
    parameter int RowTiles = 1,
    parameter int Rows = 4,
    parameter int Amplifiers = 8,
    parameter int ColumnsPerAmplifier = 1,
    parameter int LaneColumns = 1,
    parameter int LaneRows = 1,
    parameter int SpareLines = 0,
    parameter int SpareAmplifiers = 0,
    parameter int SumWidth = 6,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter int CountWidth = 12,
    parameter Name = "",
    localparam int InputBits = Inputs * (InputTrits ? 2 : Planes),
    localparam int OutputBits = Neurons * (Output == 2 ? SumWidth : Output == 1 ? 2 : 1),
    localparam int LaneWidth = $clog2(Amplifiers + 1) + 1,
    localparam int Cells = 2 * (Amplifiers + SpareAmplifiers) * ColumnsPerAmplifier,
    localparam int SplitWidth = ColumnTiles > 1 ? $clog2(ColumnTiles) : 1,
    localparam int TileWidth = RowTiles > 1 ? $clog2(RowTiles) : 1,
    localparam int LineWidth = Rows + SpareLines > 1 ? $clog2(Rows + SpareLines) : 1,
    localparam int CellWidth = $clog2(Cells)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Trim registers
    input  wire logic [CountWidth-1:0]  precharge_cycles_i,
    input  wire logic [CountWidth-1:0]  window_cycles_i,
    // Input vector: {[nonzero plane,] positive plane}, or input i at i * Planes
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [InputBits-1:0]   in_data_i,
    // Output vector: bipolar plane, {nonzero plane, positive plane}, or sums with neuron j at j*SumWidth
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutputBits-1:0]  out_data_o,
    // Partial sums of the arrays that were just read, for the test bench; 0 while lanes_valid_o is low
    output logic                        lanes_valid_o,
    output logic      [LaneRows*LaneColumns*LaneWidth-1:0] lanes_o,
    // Program a word line, see hf_array_access; tied to 0 where Programmable is 0
    input  wire logic                   hold_i,          // no vector is taken
    output logic                        reading_o,       // the arrays are read, or will be after the coming edge
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
  localparam int RowGroups = (RowTiles + LaneRows - 1) / LaneRows;
  localparam int Thresholds = Output == 1 ? 2 : 1;
  localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1;
  localparam int RowGroupWidth = RowGroups > 1 ? $clog2(RowGroups) : 1;

  if (RowTiles * Rows < Neurons) begin : gen_error_rows
    hf_error_layer_pcsa_row_tiles_do_not_hold_the_neurons error ();
  end

  // ---------------------------------------------------------------- control
  localparam logic [1:0] Idle = 2'd0;
  localparam logic [1:0] Read = 2'd1;   // reads are going on, or their sums are on their way
  localparam logic [1:0] Done = 2'd2;

  logic [1:0] state_q, state_d;
  logic accept;
  logic busy, captured;
  logic next, commit, commit_last;
  logic [RowWidth-1:0] next_row, commit_row;
  logic [RowGroupWidth-1:0] next_row_group, commit_row_group;
  logic [LaneRows*SumWidth-1:0] sums;

  assign accept = in_valid_i && in_ready_o;
  assign in_ready_o = state_q == Idle && !hold_i;
  assign reading_o = accept || busy;
  assign out_valid_o = state_q == Done;

  always_comb begin
    state_d = state_q;
    case (state_q)
      Idle: if (accept) state_d = Read;
      Read: if (commit && commit_last) state_d = Done;
      Done: if (out_ready_i) state_d = Idle;
      default: state_d = Idle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= Idle;
    else state_q <= state_d;
  end

  // ---------------------------------------------------------------- sums
  // The array that is programmed: its lane, its row group, its bit lines among those of all column tiles.
  logic [ColumnTiles-1:0] verify;
  logic [LaneRows-1:0] program_lanes;
  logic [RowGroupWidth-1:0] program_row_group;
  logic [ColumnTiles*Cells-1:0] program_mask;
  always_comb begin
    program_lanes = '0;
    program_row_group = '0;
    for (int r = 0; r < RowTiles; r++) begin
      if (program_tile_i == TileWidth'(r)) begin
        program_lanes[r%LaneRows] = 1'b1;
        program_row_group = RowGroupWidth'(r / LaneRows);
      end
    end
  end
  for (genvar c = 0; c < ColumnTiles; c++) begin : gen_program_mask
    assign program_mask[c*Cells+:Cells] = program_split_i == SplitWidth'(c) ? program_mask_i : '0;
  end
  assign program_verify_o = verify[program_split_i];
  hf_sums_pcsa #(
      .Inputs(Inputs),
      .InputTrits(InputTrits),
      .WeightTrits(WeightTrits),
      .Planes(Planes),
      .ColumnTiles(ColumnTiles),
      .RowTiles(RowTiles),
      .Rows(Rows),
      .Amplifiers(Amplifiers),
      .ColumnsPerAmplifier(ColumnsPerAmplifier),
      .LaneColumns(LaneColumns),
      .LaneRows(LaneRows),
      .SpareLines(SpareLines),
      .SpareAmplifiers(SpareAmplifiers),
      .SumWidth(SumWidth),
      .SignCycles(SignCycles),
      .ZeroCycles(ZeroCycles),
      .Programmable(Programmable),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .CountWidth(CountWidth),
      .Name(Name)
  ) i_sums (
      .clk_i,
      .rst_ni,
      .precharge_cycles_i,
      .window_cycles_i,
      .start_i(accept),
      .x_i(in_data_i),
      .stop_i(1'b0),
      .go_i(1'b0),
      .busy_o(busy),
      .captured_o(captured),
      .next_valid_o(next),
      .next_row_o(next_row),
      .next_row_group_o(next_row_group),
      .sums_valid_o(commit),
      .sums_last_o(commit_last),
      .row_o(commit_row),
      .row_group_o(commit_row_group),
      .sums_o(sums),
      .lanes_valid_o,
      .lanes_o,
      .program_i,
      .program_lanes_i(program_lanes),
      .program_row_group_i(program_row_group),
      .program_row_i(program_line_i),
      .program_mask_i(program_mask),
      .program_cell_i,
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o(verify),
      .supply_ready_o,
      .array_busy_o
  );
  logic unused_sums;
  assign unused_sums = ^{captured, next, next_row, next_row_group};

  // ---------------------------------------------------------------- outputs
  // Word of a neuron: {[nonzero,] positive}, or its sum.
  localparam int WordWidth = Output == 2 ? SumWidth : Thresholds;
  logic [LaneRows*WordWidth-1:0] words;

  if (Output == 2) begin : gen_sums
    assign words = sums;
  end else begin : gen_threshold
    localparam int Depth = RowGroups * Rows;
    localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1;
    logic [LaneRows*Thresholds*SumWidth-1:0] thresholds;
    logic [LaneRows-1:0] nonzero, positive;
    hf_rom #(
        .Depth(Depth),
        .Width(LaneRows * Thresholds * SumWidth),
        .InitFile(Name == "" ? "" : {Name, "threshold.mem"})
    ) i_thresholds (
        .clk_i,
        .read_i(next),
        .addr_i(AddrWidth'(32'(next_row_group) * Rows + 32'(next_row))),
        .data_o(thresholds)
    );
    hf_threshold #(
        .Neurons(LaneRows),
        .SumWidth(SumWidth),
        .Ternary(Output == 1)
    ) i_threshold (
        .valid_i(commit),
        .sums_i(sums),
        .thresholds_i(thresholds),
        .nonzero_o(nonzero),
        .positive_o(positive)
    );
    for (genvar p = 0; p < LaneRows; p++) begin : gen_word
      assign words[p*WordWidth] = positive[p];
      if (Output == 1) begin : gen_nonzero
        assign words[p*WordWidth+WordWidth-1] = nonzero[p];
      end
    end
    if (Output == 0) begin : gen_unused
      logic unused;
      assign unused = ^nonzero;
    end
  end

  // Row tile r holds neurons r * Rows and up; its lane row is r % LaneRows.
  for (genvar r = 0; r < RowTiles; r++) begin : gen_tile_outputs
    localparam int Lane = r % LaneRows;
    localparam int First = r * Rows;
    localparam int Count = First + Rows > Neurons ? Neurons - First : Rows;
    logic take;
    assign take = commit && commit_row_group == RowGroupWidth'(r / LaneRows) && 32'(commit_row) < Count;
    if (Output == 1) begin : gen_planes
      logic [Count-1:0] nonzero_q, positive_q;
      always_ff @(posedge clk_i) begin
        if (take) begin
          nonzero_q[32'(commit_row)] <= words[Lane*WordWidth+WordWidth-1];
          positive_q[32'(commit_row)] <= words[Lane*WordWidth];
        end
      end
      assign out_data_o[First+:Count] = positive_q;
      assign out_data_o[Neurons+First+:Count] = nonzero_q;
    end else begin : gen_words
      logic [Count*WordWidth-1:0] y_q;
      always_ff @(posedge clk_i) begin
        if (take) y_q[32'(commit_row)*WordWidth+:WordWidth] <= words[Lane*WordWidth+:WordWidth];
      end
      assign out_data_o[First*WordWidth+:Count*WordWidth] = y_q;
    end
  end
endmodule

`default_nettype wire
