// Sums of word lines on 2T2R arrays read by precharge sense amplifiers.
//
// Purpose     Multiplies a vector of bipolar values or trits with the weights of PCSA arrays, word line by word line. A word
//             line holds one neuron's slice; slices lie in ColumnTiles arrays side by side, neurons in RowTiles arrays
//             below each other. hf_layer_pcsa thresholds the sums of a layer, hf_keys_pcsa compares keys with them.
// Equation    s_j = sum_i w_ji x_i
// Integers    Bit p of every input, lowest first, meets the trits that a read has captured: a lane whose bit is 0 adds 0. What
//             they give counts 2^p, that of the highest bit -2^p.
// Schedule    for row group, row (a step); column group, column of the amplifier: one read of LaneRows x LaneColumns arrays.
//             A read takes precharge + window + Planes cycles (hf_sense_sequencer). A step gives the sums of LaneRows neurons:
//             lane p those of row tile row_group * LaneRows + p.
// Parameters  Inputs                 length of the vector, >= 1
//             InputTrits, WeightTrits  0: bipolar, 1: trits
//             Planes                 1; bits of a signed integer input, >= 2, where inputs are integers (and InputTrits is 0)
//             ColumnTiles, RowTiles  arrays along inputs and along neurons
//             Rows                   word lines used in an array
//             Amplifiers             amplifiers of an array: ceil(ceil(Inputs / ColumnTiles) / ColumnsPerAmplifier)
//             ColumnsPerAmplifier    columns that share an amplifier, >= 1
//             LaneColumns, LaneRows  arrays sensed at once along inputs and along neurons
//             SpareLines             word lines of an array beyond Rows; arrays that are sensed at once leave out the same ones
//             SpareAmplifiers        amplifiers of an array beyond Amplifiers, each with ColumnsPerAmplifier columns
//             SumWidth               bits of a sum; holds +-(Inputs * largest input + 1)
//             Paced                  1: a step but the first begins when go_i is high; 0: at once
//             SignCycles, ZeroCycles, Programmable, SetCycles, ResetCycles  cell model, see hf_array_pcsa
//             Name                   prefix of the memory images: Name_rX_cY.mem; what is left out of arrays with spares:
//                                    Name_spare_lines.mem, one word, SpareLines places for each row group and column group;
//                                    Name_spare_columns.mem, one word, SpareAmplifiers places for each of their lanes
// Latency     (reads of a step) * (precharge + window + Planes) + 2 cycles from start_i to the first sums_valid_o; unpaced
//             steps follow each other every (reads of a step) * (precharge + window + Planes) cycles
// Throughput  a vector at a time: start_i only while busy_o is low
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_sums_pcsa #(
    parameter int Inputs = 8,
    parameter bit InputTrits = 1'b0,
    parameter bit WeightTrits = 1'b0,
    parameter int Planes = 1,
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
    parameter bit Paced = 1'b0,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter int CountWidth = 12,
    parameter Name = "",
    localparam int PlaneWidth = Planes > 1 ? $clog2(Planes) : 1,
    localparam int InputBits = Inputs * (InputTrits ? 2 : Planes),
    localparam int Slice = Amplifiers * ColumnsPerAmplifier,
    localparam int ArrayLines = Rows + SpareLines,
    localparam int ArrayAmplifiers = Amplifiers + SpareAmplifiers,
    localparam int ArraySlice = ArrayAmplifiers * ColumnsPerAmplifier,
    localparam int ColumnGroups = (ColumnTiles + LaneColumns - 1) / LaneColumns,
    localparam int RowGroups = (RowTiles + LaneRows - 1) / LaneRows,
    localparam int LaneWidth = $clog2(Amplifiers + 1) + 1,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1,
    localparam int ColumnGroupWidth = ColumnGroups > 1 ? $clog2(ColumnGroups) : 1,
    localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1,
    localparam int RowGroupWidth = RowGroups > 1 ? $clog2(RowGroups) : 1,
    localparam int LineWidth = ArrayLines > 1 ? $clog2(ArrayLines) : 1,
    localparam int CellWidth = $clog2(2 * ArraySlice)
) (
    input  wire logic                     clk_i,
    input  wire logic                     rst_ni,
    // Trim registers
    input  wire logic [CountWidth-1:0]    precharge_cycles_i,
    input  wire logic [CountWidth-1:0]    window_cycles_i,
    // Control
    input  wire logic                     start_i,   // begin with x_i, which is stored
    input  wire logic [InputBits-1:0]     x_i,       // {[nonzero plane,] positive plane}, or input i at i * Planes
    input  wire logic                     stop_i,    // sampled when the last read of a step is captured: no further step
    input  wire logic                     go_i,      // see Paced
    output logic                          busy_o,    // reads are going on, or their sums are on their way
    output logic                          captured_o,  // a step's last read has been captured
    // The coming sums: rows of theirs, one cycle ahead
    output logic                          next_valid_o,
    output logic      [RowWidth-1:0]      next_row_o,
    output logic      [RowGroupWidth-1:0] next_row_group_o,
    // Sums of a step, lane p at p * SumWidth
    output logic                          sums_valid_o,
    output logic                          sums_last_o,
    output logic      [RowWidth-1:0]      row_o,
    output logic      [RowGroupWidth-1:0] row_group_o,
    output logic      [LaneRows*SumWidth-1:0] sums_o,
    // Partial sums of the arrays that were just read, plane by plane, for the test bench; 0 while lanes_valid_o is low
    output logic                          lanes_valid_o,
    output logic      [LaneRows*LaneColumns*LaneWidth-1:0] lanes_o,
    // Program, while no read is going on; see hf_array_pcsa
    input  wire logic [2:0]               program_i,
    input  wire logic [LaneRows-1:0]      program_lanes_i,      // row tiles of the group
    input  wire logic [RowGroupWidth-1:0] program_row_group_i,
    input  wire logic [LineWidth-1:0]     program_row_i,
    input  wire logic [ColumnTiles*2*ArraySlice-1:0] program_mask_i,
    input  wire logic [CellWidth-1:0]     program_cell_i,
    input  wire logic [7:0]               program_trim_i,
    input  wire logic                     isolate_i,
    input  wire logic                     scan_bypass_i,
    output logic      [ColumnTiles-1:0]   program_verify_o,
    output logic                          supply_ready_o,
    output logic                          array_busy_o
);
  localparam int Padded = ColumnGroups * LaneColumns * Slice;

  if (ColumnTiles * Slice < Inputs) begin : gen_error_columns
    hf_error_sums_pcsa_column_tiles_do_not_hold_the_inputs error ();
  end
  if (LaneColumns > ColumnTiles || LaneRows > RowTiles) begin : gen_error_lanes
    hf_error_sums_pcsa_more_lanes_than_arrays error ();
  end
  if (SumWidth < $clog2(Inputs + 2) + 1 || SumWidth < LaneWidth) begin : gen_error_sum
    hf_error_sums_pcsa_sum_width_too_small error ();
  end
  if (Planes < 1 || (Planes > 1 && InputTrits)) begin : gen_error_planes
    hf_error_sums_pcsa_planes_must_be_at_least_1_and_1_with_trits error ();
  end
  if (SpareLines < 0 || SpareAmplifiers < 0) begin : gen_error_spares
    hf_error_sums_pcsa_spares_must_not_be_negative error ();
  end

  // ---------------------------------------------------------------- control
  logic busy_q;
  logic waits_q;  // the next step waits for go_i
  logic accept, begin_read, sense, latch, capture;
  logic count;          // captured trits meet a plane of inputs
  logic [PlaneWidth-1:0] plane;  // this one; 0 until trits are captured
  logic ended;          // the highest: the read is done with
  logic [ColumnWidth-1:0] column;
  logic [ColumnGroupWidth-1:0] column_group;
  logic [RowWidth-1:0] row;
  logic [RowGroupWidth-1:0] row_group;
  logic column_last, column_group_last, row_last, row_group_last, neuron_last, vector_last;
  logic commit_q;       // sums of LaneRows neurons are complete
  logic commit_last_q;  // they are the vector's last

  assign accept = start_i && !busy_q;
  assign busy_o = busy_q;
  assign neuron_last = column_last && column_group_last;
  assign vector_last = neuron_last && ((row_last && row_group_last) || stop_i);
  assign captured_o = ended && neuron_last;
  assign begin_read = accept || (waits_q && go_i)
      || (Planes > 1 && ended && (Paced ? !neuron_last : !vector_last));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      busy_q <= 1'b0;
      waits_q <= 1'b0;
    end else begin
      if (accept) busy_q <= 1'b1;
      else if (commit_q && commit_last_q) busy_q <= 1'b0;
      if (Paced && ended && neuron_last && !vector_last) waits_q <= 1'b1;
      else if (go_i) waits_q <= 1'b0;
    end
  end

  hf_sense_sequencer #(
      .CountWidth(CountWidth)
  ) i_sequencer (
      .clk_i,
      .rst_ni,
      .precharge_cycles_i,
      .window_cycles_i,
      .start_i(begin_read),
      .more_i (Planes == 1 && (Paced ? !neuron_last : !vector_last)),
      .sense_o(sense),
      .latch_o(latch),
      .capture_o(capture)
  );

  if (Planes == 1) begin : gen_one_plane
    assign count = capture;
    assign plane = '0;
    assign ended = capture;
  end else begin : gen_planes
    logic [PlaneWidth-1:0] plane_q;
    always_ff @(posedge clk_i) begin
      if (!rst_ni) plane_q <= '0;
      else if (count) plane_q <= ended ? '0 : plane_q + 1'b1;
    end
    assign plane = plane_q;
    assign count = capture || plane_q != '0;
    assign ended = plane_q == PlaneWidth'(Planes - 1);
  end

  // Digits of the schedule, innermost first; they step when a read is done with.
  hf_counter #(.Steps(ColumnsPerAmplifier)) i_column (
      .clk_i, .clear_i(accept), .step_i(ended), .count_o(column), .last_o(column_last));
  hf_counter #(.Steps(ColumnGroups)) i_column_group (
      .clk_i, .clear_i(accept), .step_i(ended && column_last), .count_o(column_group), .last_o(column_group_last));
  hf_counter #(.Steps(Rows)) i_row (
      .clk_i, .clear_i(accept), .step_i(ended && neuron_last), .count_o(row), .last_o(row_last));
  hf_counter #(.Steps(RowGroups)) i_row_group (
      .clk_i, .clear_i(accept), .step_i(ended && neuron_last && row_last), .count_o(row_group),
      .last_o(row_group_last));

  // ---------------------------------------------------------------- inputs
  localparam bit Gated = InputTrits || Planes > 1;  // some inputs may add 0
  logic [InputBits-1:0] x_q;     // plane by plane
  logic [Inputs-1:0] nonzero;
  logic [Padded-1:0] x_positive, x_nonzero;
  logic [Padded-1:0] x_use;      // 0 in the padding behind the last input
  assign x_positive = Padded'(x_q[Inputs-1:0]);
  assign nonzero = InputTrits ? x_q[InputBits-1-:Inputs] : x_q[Inputs-1:0];
  assign x_nonzero = Padded'(nonzero);
  assign x_use = Padded'({Inputs{1'b1}});

  if (Planes == 1) begin : gen_vector
    always_ff @(posedge clk_i) begin
      if (accept) x_q <= x_i;
    end
  end else begin : gen_rotate
    // The plane at hand is the lowest; after a read all are where they were.
    logic [InputBits-1:0] planes;
    for (genvar i = 0; i < Inputs; i++) begin : gen_input
      for (genvar p = 0; p < Planes; p++) begin : gen_plane
        assign planes[p*Inputs+i] = x_i[i*Planes+p];
      end
    end
    always_ff @(posedge clk_i) begin
      if (accept) x_q <= planes;
      else if (count) x_q <= {x_q[Inputs-1:0], x_q[InputBits-1:Inputs]};
    end
  end

  // ---------------------------------------------------------------- lanes and their arrays
  // Lane (p, l) reads arrays (row group * LaneRows + p, column group * LaneColumns + l) in turn.
  logic [LaneRows*LaneColumns*Amplifiers-1:0] q, qb;
  logic [LaneRows*LaneColumns*ArrayAmplifiers-1:0] array_q, array_qb;
  logic [LineWidth-1:0] line;
  hf_bank_pcsa #(
      .ColumnTiles(ColumnTiles),
      .RowTiles(RowTiles),
      .Rows(ArrayLines),
      .Amplifiers(ArrayAmplifiers),
      .ColumnsPerAmplifier(ColumnsPerAmplifier),
      .LaneColumns(LaneColumns),
      .LaneRows(LaneRows),
      .SignCycles(SignCycles),
      .ZeroCycles(ZeroCycles),
      .Programmable(Programmable),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .InitPrefix(Name)
  ) i_bank (
      .clk_i,
      .sense_i(sense),
      .row_group_i(Programmable && !busy_q ? program_row_group_i : row_group),
      .column_group_i(column_group),
      .row_i(Programmable && !busy_q ? program_row_i : line),
      .column_i(column),
      .q_o(array_q),
      .qb_o(array_qb),
      .program_i,
      .program_lanes_i,
      .program_mask_i,
      .program_cell_i,
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o,
      .supply_ready_o,
      .array_busy_o
  );

  // ---------------------------------------------------------------- spares
  localparam int Groups = RowGroups * ColumnGroups;
  if (SpareLines < 1) begin : gen_no_spare_lines
    assign line = row;
  end else begin : gen_spare_lines
    localparam int Bits = SpareLines * LineWidth;
    logic [Groups*Bits-1:0] left_out;
    hf_rom #(
        .Width(Groups * Bits),
        .InitFile(Name == "" ? "" : {Name, "spare_lines.mem"})
    ) i_left_out (
        .clk_i, .read_i(1'b1), .addr_i(1'b0), .data_o(left_out));
    hf_spare_address #(.Lines(Rows), .Spares(SpareLines)) i_address (
        .line_i(row), .left_out_i(Bits'(left_out >> ((32'(row_group) * ColumnGroups + 32'(column_group)) * Bits))),
        .line_o(line));
  end
  if (SpareAmplifiers < 1) begin : gen_no_spare_columns
    assign q = array_q;
    assign qb = array_qb;
  end else begin : gen_spare_columns
    localparam int Bits = LaneRows * LaneColumns * SpareAmplifiers * $clog2(ArrayAmplifiers);
    logic [Groups*Bits-1:0] left_out;
    logic [Bits-1:0] of_group;
    assign of_group = Bits'(left_out >> ((32'(row_group) * ColumnGroups + 32'(column_group)) * Bits));
    hf_rom #(
        .Width(Groups * Bits),
        .InitFile(Name == "" ? "" : {Name, "spare_columns.mem"})
    ) i_left_out (
        .clk_i, .read_i(1'b1), .addr_i(1'b0), .data_o(left_out));
    hf_spare_columns #(.Arrays(LaneRows * LaneColumns), .Columns(Amplifiers), .Spares(SpareAmplifiers)) i_q (
        .data_i(array_q), .left_out_i(of_group), .data_o(q));
    hf_spare_columns #(.Arrays(LaneRows * LaneColumns), .Columns(Amplifiers), .Spares(SpareAmplifiers)) i_qb (
        .data_i(array_qb), .left_out_i(of_group), .data_o(qb));
  end

  // What all lanes of a column take. Input i of slice k meets amplifier i % Amplifiers at column i / Amplifiers.
  logic [LaneColumns*Amplifiers-1:0] lanes_use, lanes_nonzero, lanes_positive;
  logic [LaneColumns*LaneWidth-1:0] used;
  if (ColumnGroups * ColumnsPerAmplifier == 1) begin : gen_whole
    // The lanes take the vector as it lies.
    assign lanes_use = x_use;
    assign lanes_positive = x_positive;
    assign lanes_nonzero = Gated ? x_nonzero : x_use;
    for (genvar l = 0; l < LaneColumns; l++) begin : gen_used
      localparam int Start = l * Amplifiers;  // first input of this lane
      assign used[l*LaneWidth+:LaneWidth] = Start >= Inputs ? '0
          : Start + Amplifiers > Inputs ? LaneWidth'(Inputs - Start) : LaneWidth'(Amplifiers);
    end
  end else begin : gen_parts
    for (genvar l = 0; l < LaneColumns; l++) begin : gen_lane_column
      hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
                 .Width(Amplifiers)) i_use (
          .data_i(x_use), .slice_i(column_group), .part_i(column), .data_o(lanes_use[l*Amplifiers+:Amplifiers]));
      hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
                 .Width(Amplifiers)) i_positive (
          .data_i(x_positive), .slice_i(column_group), .part_i(column),
          .data_o(lanes_positive[l*Amplifiers+:Amplifiers]));
      if (Gated) begin : gen_nonzero
        hf_slice #(.Slices(ColumnGroups), .Stride(LaneColumns), .Offset(l), .Parts(ColumnsPerAmplifier),
                   .Width(Amplifiers)) i_nonzero (
            .data_i(x_nonzero), .slice_i(column_group), .part_i(column),
            .data_o(lanes_nonzero[l*Amplifiers+:Amplifiers]));
      end else begin : gen_all_nonzero
        assign lanes_nonzero[l*Amplifiers+:Amplifiers] = lanes_use[l*Amplifiers+:Amplifiers];
      end
      int start;  // first input of this lane's part
      assign start = ((32'(column_group) * LaneColumns + l) * ColumnsPerAmplifier + 32'(column)) * Amplifiers;
      assign used[l*LaneWidth+:LaneWidth] = start >= Inputs ? '0
          : start + Amplifiers > Inputs ? LaneWidth'(Inputs - start) : LaneWidth'(Amplifiers);
    end
  end

  logic summed_q, first_q;
  // What an accumulator takes of a lane: a plane's weight shifts and, for the highest, negates it. Sums are right modulo
  // 2^SumWidth, so it needs no more bits.
  localparam int Weighted = LaneWidth + Planes - 1 < SumWidth ? LaneWidth + Planes - 1 : SumWidth;
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

    if (Gated || WeightTrits) begin : gen_trit
      hf_gxnor_popcount #(.Slices(LaneColumns), .Width(Amplifiers), .SumWidth(LaneWidth)) i_popcount (
          .clk_i,
          .valid_i(count),
          .x_nonzero_i(lanes_nonzero),
          .x_positive_i(lanes_positive),
          .w_nonzero_i(WeightTrits ? w_nonzero : {RowBits{1'b1}}),
          .w_positive_i(w_positive),
          .sum_o(row_lanes));
    end else begin : gen_bipolar
      hf_xnor_popcount #(.Slices(LaneColumns), .Width(Amplifiers), .SumWidth(LaneWidth)) i_popcount (
          .clk_i,
          .valid_i(count),
          .use_i(lanes_use),
          .used_i(used),
          .x_i(lanes_positive),
          .w_i(w_positive),
          .sum_o(row_lanes));
    end
    // Silent while there is nothing to show, so that simulators need not move these bits in every cycle.
    assign lanes_o[p*LaneColumns*LaneWidth+:LaneColumns*LaneWidth] = summed_q ? row_lanes : '0;

    logic [LaneColumns*Weighted-1:0] weighted;
    if (Planes == 1) begin : gen_unweighted
      assign weighted = row_lanes;
    end else begin : gen_weighted
      logic [PlaneWidth-1:0] weight_q;  // plane of row_lanes
      always_ff @(posedge clk_i) begin
        if (count) weight_q <= plane;
      end
      for (genvar l = 0; l < LaneColumns; l++) begin : gen_lane
        logic signed [Weighted-1:0] lane;
        assign lane = Weighted'($signed(row_lanes[l*LaneWidth+:LaneWidth])) <<< weight_q;
        assign weighted[l*Weighted+:Weighted] = weight_q == PlaneWidth'(Planes - 1) ? -lane : lane;
      end
    end
    hf_accumulator #(
        .Lanes(LaneColumns),
        .LaneWidth(Weighted),
        .SumWidth(SumWidth)
    ) i_accumulator (
        .clk_i,
        .valid_i(summed_q),
        .first_i(first_q),
        .lanes_i(weighted),
        .sum_o  (sums_o[p*SumWidth+:SumWidth])
    );
    logic unused_nonzero;
    assign unused_nonzero = ^w_nonzero;
  end
  // Of use with trits or without.
  logic unused_lanes;
  assign unused_lanes = ^{lanes_use, lanes_nonzero, x_nonzero, used};

  // ---------------------------------------------------------------- sums
  logic ended_q;
  logic neuron_last_q, vector_last_q;
  logic neuron_first_q;  // the next read begins a neuron
  logic [RowWidth-1:0] row_q, commit_row_q;
  logic [RowGroupWidth-1:0] row_group_q, commit_row_group_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      summed_q <= 1'b0;
      ended_q <= 1'b0;
      commit_q <= 1'b0;
    end else begin
      summed_q <= count;
      ended_q <= ended;
      commit_q <= ended_q && neuron_last_q;
    end
    if (accept) neuron_first_q <= 1'b1;
    else if (ended) neuron_first_q <= neuron_last;
    if (count) first_q <= neuron_first_q && plane == '0;
    if (ended) begin
      neuron_last_q <= neuron_last;
      vector_last_q <= vector_last;
      row_q <= row;
      row_group_q <= row_group;
    end
    if (ended_q) begin
      commit_last_q <= vector_last_q;
      commit_row_q <= row_q;
      commit_row_group_q <= row_group_q;
    end
  end
  assign lanes_valid_o = summed_q;
  assign next_valid_o = ended_q;
  assign next_row_o = row_q;
  assign next_row_group_o = row_group_q;
  assign sums_valid_o = commit_q;
  assign sums_last_o = commit_last_q;
  assign row_o = commit_row_q;
  assign row_group_o = commit_row_group_q;
  logic unused_program;
  assign unused_program = ^{program_row_group_i, program_row_i, go_i};
endmodule

`default_nettype wire
