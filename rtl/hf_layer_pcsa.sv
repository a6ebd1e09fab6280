// Layer on 2T2R arrays read by precharge sense amplifiers.
//
// Purpose     Multiplies a vector of bipolar values or trits with weights in PCSA arrays. A word line holds one neuron's
//             slice; slices lie in ColumnTiles arrays side by side, neurons in RowTiles arrays below each other.
// Equation    s_j = sum_i w_ji x_i, then hf_threshold (Outputs 0 and 1) or s_j itself (Output 2)
// Schedule    for row group, row, column group, column of the amplifier: one read of LaneRows x LaneColumns arrays.
//             An array's read takes precharge + window + 1 cycles (hf_sense_sequencer); Reads of them make a vector.
// Parameters  Inputs, Neurons        sizes of the layer, >= 1
//             InputTrits, WeightTrits  0: bipolar, 1: trits
//             Output                 0: bipolar, 1: trits, 2: sums
//             ColumnTiles, RowTiles  arrays along inputs and along neurons
//             Rows                   word lines used in an array: ceil(Neurons / RowTiles)
//             Amplifiers             amplifiers of an array: ceil(ceil(Inputs / ColumnTiles) / ColumnsPerAmplifier)
//             ColumnsPerAmplifier    columns that share an amplifier, >= 1
//             LaneColumns, LaneRows  arrays sensed at once along inputs and along neurons
//             SumWidth               bits of a sum and a threshold; holds +-(Inputs + 1)
//             SignCycles, ZeroCycles cell model, see hf_array_pcsa
//             Name                   prefix of the memory images: Name_rX_cY.mem, Name_threshold.mem
// Latency     Reads * (precharge + window + 1) + 3 cycles from the accepting cycle to out_valid_o
// Throughput  one vector in latency + 1 cycles
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_layer_pcsa #(
    parameter int Inputs = 8,
    parameter int Neurons = 4,
    parameter bit InputTrits = 1'b0,
    parameter bit WeightTrits = 1'b0,
    parameter int Output = 0,
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
    parameter int CountWidth = 12,
    parameter Name = "",
    localparam int InputBits = Inputs * (InputTrits ? 2 : 1),
    localparam int OutputBits = Neurons * (Output == 2 ? SumWidth : Output == 1 ? 2 : 1)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Trim registers
    input  wire logic [CountWidth-1:0]  precharge_cycles_i,
    input  wire logic [CountWidth-1:0]  window_cycles_i,
    // Input vector: {[nonzero plane,] positive plane}
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [InputBits-1:0]   in_data_i,
    // Output vector: bipolar plane, {nonzero plane, positive plane}, or sums with neuron j at j*SumWidth
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutputBits-1:0]  out_data_o,
    // Partial sums of the arrays that were just read, for the test bench; 0 while lanes_valid_o is low
    output logic                        lanes_valid_o,
    output logic      [LaneRows*LaneColumns*LaneWidth-1:0] lanes_o
);
  localparam int Slice = Amplifiers * ColumnsPerAmplifier;
  localparam int ColumnGroups = (ColumnTiles + LaneColumns - 1) / LaneColumns;
  localparam int RowGroups = (RowTiles + LaneRows - 1) / LaneRows;
  localparam int Padded = ColumnGroups * LaneColumns * Slice;
  localparam int LaneWidth = $clog2(Amplifiers + 1) + 1;
  localparam int Thresholds = Output == 1 ? 2 : 1;
  localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1;
  localparam int ColumnGroupWidth = ColumnGroups > 1 ? $clog2(ColumnGroups) : 1;
  localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1;
  localparam int RowGroupWidth = RowGroups > 1 ? $clog2(RowGroups) : 1;

  if (ColumnTiles * Slice < Inputs) begin : gen_error_columns
    hf_error_layer_pcsa_column_tiles_do_not_hold_the_inputs error ();
  end
  if (RowTiles * Rows < Neurons) begin : gen_error_rows
    hf_error_layer_pcsa_row_tiles_do_not_hold_the_neurons error ();
  end
  if (LaneColumns > ColumnTiles || LaneRows > RowTiles) begin : gen_error_lanes
    hf_error_layer_pcsa_more_lanes_than_arrays error ();
  end
  if (SumWidth < $clog2(Inputs + 2) + 1 || SumWidth < LaneWidth) begin : gen_error_sum
    hf_error_layer_pcsa_sum_width_too_small error ();
  end

  // ---------------------------------------------------------------- control
  localparam logic [1:0] Idle = 2'd0;
  localparam logic [1:0] Read = 2'd1;   // reads are going on, or their sums are on their way
  localparam logic [1:0] Done = 2'd2;

  logic [1:0] state_q, state_d;
  logic accept, sense, latch, capture;
  logic [ColumnWidth-1:0] column;
  logic [ColumnGroupWidth-1:0] column_group;
  logic [RowWidth-1:0] row;
  logic [RowGroupWidth-1:0] row_group;
  logic column_last, column_group_last, row_last, row_group_last, neuron_last, vector_last;
  logic commit_q;       // sums of LaneRows neurons are complete
  logic commit_last_q;  // they are the vector's last

  assign accept = in_valid_i && in_ready_o;
  assign in_ready_o = state_q == Idle;
  assign out_valid_o = state_q == Done;
  assign neuron_last = column_last && column_group_last;
  assign vector_last = neuron_last && row_last && row_group_last;

  always_comb begin
    state_d = state_q;
    case (state_q)
      Idle: if (accept) state_d = Read;
      Read: if (commit_q && commit_last_q) state_d = Done;
      Done: if (out_ready_i) state_d = Idle;
      default: state_d = Idle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) state_q <= Idle;
    else state_q <= state_d;
  end

  hf_sense_sequencer #(
      .CountWidth(CountWidth)
  ) i_sequencer (
      .clk_i,
      .rst_ni,
      .precharge_cycles_i,
      .window_cycles_i,
      .start_i(accept),
      .more_i (!vector_last),
      .sense_o(sense),
      .latch_o(latch),
      .capture_o(capture)
  );

  // Digits of the schedule, innermost first; they step when a read has been captured.
  hf_counter #(.Steps(ColumnsPerAmplifier)) i_column (
      .clk_i, .clear_i(accept), .step_i(capture), .count_o(column), .last_o(column_last));
  hf_counter #(.Steps(ColumnGroups)) i_column_group (
      .clk_i, .clear_i(accept), .step_i(capture && column_last), .count_o(column_group), .last_o(column_group_last));
  hf_counter #(.Steps(Rows)) i_row (
      .clk_i, .clear_i(accept), .step_i(capture && neuron_last), .count_o(row), .last_o(row_last));
  hf_counter #(.Steps(RowGroups)) i_row_group (
      .clk_i, .clear_i(accept), .step_i(capture && neuron_last && row_last), .count_o(row_group),
      .last_o(row_group_last));

  // ---------------------------------------------------------------- inputs
  logic [InputBits-1:0] x_q;
  logic [Padded-1:0] x_positive;
  logic [Padded-1:0] x_use;      // 0 in the padding behind the last input
  assign x_positive = Padded'(x_q[Inputs-1:0]);
  assign x_use = Padded'({Inputs{1'b1}});

  always_ff @(posedge clk_i) begin
    if (accept) x_q <= in_data_i;
  end

  // ---------------------------------------------------------------- lanes and their arrays
  // Lane (p, l) reads arrays (row group * LaneRows + p, column group * LaneColumns + l) in turn.
  logic [LaneRows*LaneColumns*Amplifiers-1:0] q, qb;
  hf_bank_pcsa #(
      .ColumnTiles(ColumnTiles),
      .RowTiles(RowTiles),
      .Rows(Rows),
      .Amplifiers(Amplifiers),
      .ColumnsPerAmplifier(ColumnsPerAmplifier),
      .LaneColumns(LaneColumns),
      .LaneRows(LaneRows),
      .SignCycles(SignCycles),
      .ZeroCycles(ZeroCycles),
      .InitPrefix(Name)
  ) i_bank (
      .clk_i,
      .sense_i(sense),
      .row_group_i(row_group),
      .column_group_i(column_group),
      .row_i(row),
      .column_i(column),
      .q_o(q),
      .qb_o(qb)
  );

  // What all lanes of a column take. Input i of slice k meets amplifier i % Amplifiers at column i / Amplifiers.
  logic [LaneColumns*Amplifiers-1:0] lanes_use, lanes_nonzero, lanes_positive;
  logic [LaneColumns*LaneWidth-1:0] used;
  for (genvar l = 0; l < LaneColumns; l++) begin : gen_lane_column
    hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
               .Width(Amplifiers)) i_use (
        .data_i(x_use), .slice_i(column_group), .part_i(column), .data_o(lanes_use[l*Amplifiers+:Amplifiers]));
    hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
               .Width(Amplifiers)) i_positive (
        .data_i(x_positive), .slice_i(column_group), .part_i(column),
        .data_o(lanes_positive[l*Amplifiers+:Amplifiers]));
    if (InputTrits) begin : gen_nonzero
      hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
                 .Width(Amplifiers)) i_nonzero (
          .data_i(Padded'(x_q[InputBits-1-:Inputs])), .slice_i(column_group), .part_i(column),
          .data_o(lanes_nonzero[l*Amplifiers+:Amplifiers]));
    end else begin : gen_all_nonzero
      assign lanes_nonzero[l*Amplifiers+:Amplifiers] = lanes_use[l*Amplifiers+:Amplifiers];
    end
    int start;  // first input of this lane's part
    assign start = ((32'(column_group) * LaneColumns + l) * ColumnsPerAmplifier + 32'(column)) * Amplifiers;
    assign used[l*LaneWidth+:LaneWidth] = start >= Inputs ? '0
        : start + Amplifiers > Inputs ? LaneWidth'(Inputs - start) : LaneWidth'(Amplifiers);
  end

  logic summed_q, first_q;
  logic [LaneRows*SumWidth-1:0] sums;
  for (genvar p = 0; p < LaneRows; p++) begin : gen_lane_row
    localparam int RowBits = LaneColumns * Amplifiers;
    logic [RowBits-1:0] w_nonzero, w_positive;
    logic [LaneColumns*LaneWidth-1:0] row_lanes;

    hf_ternary_detect #(
        .Width(RowBits)
    ) i_detect (
        .clk_i,
        .latch_i(latch),
        .q_i(q[p*RowBits+:RowBits]),
        .qb_i(qb[p*RowBits+:RowBits]),
        .nonzero_o(w_nonzero),
        .positive_o(w_positive)
    );

    for (genvar l = 0; l < LaneColumns; l++) begin : gen_lane
      if (InputTrits || WeightTrits) begin : gen_trit
        hf_gxnor_popcount #(.Width(Amplifiers), .SumWidth(LaneWidth)) i_popcount (
            .clk_i,
            .valid_i(capture),
            .x_nonzero_i(lanes_nonzero[l*Amplifiers+:Amplifiers]),
            .x_positive_i(lanes_positive[l*Amplifiers+:Amplifiers]),
            .w_nonzero_i(WeightTrits ? w_nonzero[l*Amplifiers+:Amplifiers] : {Amplifiers{1'b1}}),
            .w_positive_i(w_positive[l*Amplifiers+:Amplifiers]),
            .sum_o(row_lanes[l*LaneWidth+:LaneWidth]));
      end else begin : gen_bipolar
        hf_xnor_popcount #(.Width(Amplifiers), .SumWidth(LaneWidth)) i_popcount (
            .clk_i,
            .valid_i(capture),
            .use_i(lanes_use[l*Amplifiers+:Amplifiers]),
            .used_i(used[l*LaneWidth+:LaneWidth]),
            .x_i(lanes_positive[l*Amplifiers+:Amplifiers]),
            .w_i(w_positive[l*Amplifiers+:Amplifiers]),
            .sum_o(row_lanes[l*LaneWidth+:LaneWidth]));
      end
    end
    // Silent while there is nothing to show, so that simulators need not move these bits in every cycle.
    assign lanes_o[p*LaneColumns*LaneWidth+:LaneColumns*LaneWidth] = summed_q ? row_lanes : '0;

    hf_accumulator #(
        .Lanes(LaneColumns),
        .LaneWidth(LaneWidth),
        .SumWidth(SumWidth)
    ) i_accumulator (
        .clk_i,
        .valid_i(summed_q),
        .first_i(first_q),
        .lanes_i(row_lanes),
        .sum_o  (sums[p*SumWidth+:SumWidth])
    );
    logic unused_nonzero;
    assign unused_nonzero = ^w_nonzero;
  end
  // Of use with trits or without.
  logic unused_lanes;
  assign unused_lanes = ^{lanes_use, lanes_nonzero, used};

  // ---------------------------------------------------------------- sums
  logic neuron_last_q, vector_last_q;
  logic neuron_first_q;  // the next read begins a neuron
  logic [RowWidth-1:0] row_q, commit_row_q;
  logic [RowGroupWidth-1:0] row_group_q, commit_row_group_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      summed_q <= 1'b0;
      commit_q <= 1'b0;
    end else begin
      summed_q <= capture;
      commit_q <= summed_q && neuron_last_q;
    end
    if (accept) neuron_first_q <= 1'b1;
    else if (capture) neuron_first_q <= neuron_last;
    if (capture) begin
      first_q <= neuron_first_q;
      neuron_last_q <= neuron_last;
      vector_last_q <= vector_last;
      row_q <= row;
      row_group_q <= row_group;
    end
    if (summed_q) begin
      commit_last_q <= vector_last_q;
      commit_row_q <= row_q;
      commit_row_group_q <= row_group_q;
    end
  end
  assign lanes_valid_o = summed_q;

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
        .read_i(summed_q),
        .addr_i(AddrWidth'(32'(row_group_q) * Rows + 32'(row_q))),
        .data_o(thresholds)
    );
    hf_threshold #(
        .Neurons(LaneRows),
        .SumWidth(SumWidth),
        .Ternary(Output == 1)
    ) i_threshold (
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
    assign take = commit_q && commit_row_group_q == RowGroupWidth'(r / LaneRows) && 32'(commit_row_q) < Count;
    if (Output == 1) begin : gen_planes
      logic [Count-1:0] nonzero_q, positive_q;
      always_ff @(posedge clk_i) begin
        if (take) begin
          nonzero_q[32'(commit_row_q)] <= words[Lane*WordWidth+WordWidth-1];
          positive_q[32'(commit_row_q)] <= words[Lane*WordWidth];
        end
      end
      assign out_data_o[First+:Count] = positive_q;
      assign out_data_o[Neurons+First+:Count] = nonzero_q;
    end else begin : gen_words
      logic [Count*WordWidth-1:0] y_q;
      always_ff @(posedge clk_i) begin
        if (take) y_q[32'(commit_row_q)*WordWidth+:WordWidth] <= words[Lane*WordWidth+:WordWidth];
      end
      assign out_data_o[First*WordWidth+:Count*WordWidth] = y_q;
    end
  end
endmodule

`default_nettype wire
