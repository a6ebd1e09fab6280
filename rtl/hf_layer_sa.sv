// Layer on arrays with 1-bit sense amplifiers.
//
// Purpose     Splits a layer's inputs into blocks that each fit an array; every array votes (input-splitting, section
//             III-A). No sum leaves an array. hf_layer_votes makes outputs of the votes.
// Equation    v_jk = (sum over block k of w_ji x_i >= T_jk)
// Schedule    for reference, column of the amplifier, tile group, block group: one read of LaneTiles x LaneBlocks
//             arrays, ReadCycles cycles each; Reads of them make a vector.
// Parameters  Inputs, Neurons        sizes of the layer, >= 1
//             InputTrits, WeightTrits, OutputTrits  0: bipolar, 1: trits; an OutputTrits layer reads twice
//             Unipolar               1: inputs of +1 drive, those of -1 do not (figure 2a); thresholds bear the offset; with
//                                    bipolar inputs only
//             Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Amplifiers             amplifiers of an array: ceil(ceil(Neurons / Tiles) / ColumnsPerAmplifier)
//             ColumnsPerAmplifier    neurons that share an amplifier, >= 1
//             LaneBlocks, LaneTiles  arrays sensed at once along inputs and along neurons
//             SpareLines             pairs of word lines of an array beyond its inputs; the arrays of a block leave out the same
//             SpareAmplifiers        amplifiers of an array beyond Amplifiers, each with the columns of ColumnsPerAmplifier neurons
//             ReadCycles             cycles of a read: word lines settle, amplifiers latch in the last one, >= 1
//             ThresholdWidth         bits of a column's threshold
//             Programmable, SetCycles, ResetCycles  see hf_array_sa
//             Name                   prefix of the memory images: Name_bX_tY.mem, Name_bX_tY_ref.mem; what is left out of arrays with
//                                    spares: Name_spare_lines.mem, one word, SpareLines places for each block;
//                                    Name_spare_columns.mem, one word, SpareAmplifiers places for each array, b * Tiles + t
// Latency     Reads * ReadCycles + 1 cycles from the accepting cycle to out_valid_o
// Throughput  one vector in Reads * ReadCycles cycles; reading and offering votes overlap
// Overflow    none
`default_nettype none

module hf_layer_sa #(
    parameter int Inputs = 8,
    parameter int Neurons = 4,
    parameter bit InputTrits = 1'b0,
    parameter bit WeightTrits = 1'b0,
    parameter bit OutputTrits = 1'b0,
    parameter bit Unipolar = 1'b0,
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
    parameter int SpareLines = 0,
    parameter int SpareAmplifiers = 0,
    parameter int ReadCycles = 1,
    parameter int ThresholdWidth = 5,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter Name = "",
    localparam int InputBits = Inputs * (InputTrits ? 2 : 1),
    localparam int References = OutputTrits ? 2 : 1,
    localparam int TileNeurons = Amplifiers * ColumnsPerAmplifier,
    localparam int ArrayAmplifiers = Amplifiers + SpareAmplifiers,
    localparam int Cells = (WeightTrits ? 2 : 1) * ArrayAmplifiers * ColumnsPerAmplifier,
    localparam int SplitWidth = Blocks > 1 ? $clog2(Blocks) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int LineWidth = $clog2(2 * (BlockInputs + SpareLines)),
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Input vector: {[nonzero plane,] positive plane}
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [InputBits-1:0]   in_data_i,
    // Votes of all arrays: {[low,] high}, each block k at k * Neurons
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [References*Blocks*Neurons-1:0] out_data_o,
    // Program a word line, see hf_array_access; tied to 0 where Programmable is 0
    input  wire logic                   hold_i,          // no vector is taken
    output logic                        reading_o,       // the arrays are read, will be after the coming edge, or their votes wait
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
  localparam int BlockGroups = (Blocks + LaneBlocks - 1) / LaneBlocks;
  localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles;
  localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1;
  localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1;
  localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1;

  if (LargeBlocks < 1 || LargeBlocks > Blocks
      || LargeBlocks * BlockInputs + (Blocks - LargeBlocks) * (BlockInputs - 1) != Inputs) begin : gen_error_blocks
    hf_error_layer_sa_blocks_do_not_make_up_the_inputs error ();
  end
  if (Tiles * TileNeurons < Neurons) begin : gen_error_tiles
    hf_error_layer_sa_tiles_do_not_hold_the_neurons error ();
  end
  if (LaneBlocks > Blocks || LaneTiles > Tiles) begin : gen_error_lanes
    hf_error_layer_sa_more_lanes_than_arrays error ();
  end
  if (Unipolar && InputTrits) begin : gen_error_unipolar
    hf_error_layer_sa_unipolar_inputs_have_two_values error ();
  end
  if (ReadCycles < 1) begin : gen_error_read
    hf_error_layer_sa_read_cycles_must_be_at_least_1 error ();
  end
  if (SpareLines < 0 || SpareAmplifiers < 0) begin : gen_error_spares
    hf_error_layer_sa_spares_must_not_be_negative error ();
  end

  // ---------------------------------------------------------------- control: two stages move together
  logic enable;            // no stage moves while a finished vector waits
  logic x_valid_q;         // a vector drives the word lines
  logic votes_valid_q;     // all votes of a vector are in
  logic accept, settled, last;
  logic cycle_last, block_group_last, tile_group_last, column_last, reference_last;
  logic [BlockGroupWidth-1:0] block_group;
  logic [TileGroupWidth-1:0] tile_group;
  logic [ColumnWidth-1:0] column;
  logic reference;

  assign enable = !(votes_valid_q && !out_ready_i);
  assign settled = enable && x_valid_q && cycle_last;
  assign last = cycle_last && block_group_last && tile_group_last && column_last && reference_last;
  assign in_ready_o = enable && (!x_valid_q || last) && !hold_i;
  // The last read's votes stand in the amplifiers' latches until they are taken.
  assign reading_o = accept || x_valid_q || votes_valid_q;
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = votes_valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      x_valid_q <= 1'b0;
      votes_valid_q <= 1'b0;
    end else if (enable) begin
      x_valid_q <= accept || (x_valid_q && !last);
      votes_valid_q <= x_valid_q && last;
    end
  end

  logic [(ReadCycles > 1 ? $clog2(ReadCycles) : 1)-1:0] cycle;
  hf_counter #(.Steps(ReadCycles)) i_cycle (
      .clk_i, .clear_i(accept), .step_i(enable && x_valid_q), .count_o(cycle), .last_o(cycle_last));
  hf_counter #(.Steps(BlockGroups)) i_block_group (
      .clk_i, .clear_i(accept), .step_i(settled), .count_o(block_group), .last_o(block_group_last));
  hf_counter #(.Steps(TileGroups)) i_tile_group (
      .clk_i, .clear_i(accept), .step_i(settled && block_group_last), .count_o(tile_group),
      .last_o(tile_group_last));
  hf_counter #(.Steps(ColumnsPerAmplifier)) i_column (
      .clk_i, .clear_i(accept), .step_i(settled && block_group_last && tile_group_last), .count_o(column),
      .last_o(column_last));
  hf_counter #(.Steps(References)) i_reference (
      .clk_i, .clear_i(accept), .step_i(settled && block_group_last && tile_group_last && column_last),
      .count_o(reference), .last_o(reference_last));
  logic [References*Blocks*Padded-1:0] votes;
  // Of use only in layers that take several reads.
  logic unused;
  assign unused = ^{cycle, votes};

  // ---------------------------------------------------------------- inputs
  logic [InputBits-1:0] x_q;
  logic [Inputs-1:0] drive, positive;
  if (Unipolar) begin : gen_unipolar_inputs
    assign drive = x_q[Inputs-1:0];
    assign positive = '1;
  end else if (InputTrits) begin : gen_trit_inputs
    assign drive = x_q[InputBits-1-:Inputs];
    assign positive = x_q[Inputs-1:0];
  end else begin : gen_bipolar_inputs
    assign drive = '1;
    assign positive = x_q[Inputs-1:0];
  end

  always_ff @(posedge clk_i) begin
    if (accept) x_q <= in_data_i;
  end

  // ---------------------------------------------------------------- arrays
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

  // Latched votes of every array, and which of them belong to the read that has just been latched.
  logic [Blocks*Tiles*Amplifiers-1:0] latched;
  logic [Blocks*Tiles*ArrayAmplifiers-1:0] array_votes;
  logic settled_q;
  logic [BlockGroupWidth-1:0] block_group_q;
  logic [TileGroupWidth-1:0] tile_group_q;
  logic [ColumnWidth-1:0] column_q;
  logic reference_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) settled_q <= 1'b0;
    else if (enable) settled_q <= settled;
    if (settled) begin
      block_group_q <= block_group;
      tile_group_q <= tile_group;
      column_q <= column;
      reference_q <= reference;
    end
  end

  hf_bank_sa #(
      .Blocks(Blocks),
      .LargeBlocks(LargeBlocks),
      .BlockInputs(BlockInputs + SpareLines),
      .Tiles(Tiles),
      .Amplifiers(ArrayAmplifiers),
      .ColumnsPerAmplifier(ColumnsPerAmplifier),
      .LaneBlocks(LaneBlocks),
      .LaneTiles(LaneTiles),
      .ThresholdWidth(ThresholdWidth),
      .References(References),
      .WeightTrits(WeightTrits),
      .Programmable(Programmable),
      .SetCycles(SetCycles),
      .ResetCycles(ResetCycles),
      .InitPrefix(Name)
  ) i_bank (
      .clk_i,
      .drive_i(array_drive),
      .positive_i(array_positive),
      .sense_i(settled),
      .block_group_i(block_group),
      .tile_group_i(tile_group),
      .column_i(column),
      .reference_i(reference),
      .vote_o(array_votes),
      .program_i,
      .program_block_i(program_split_i),
      .program_tile_i,
      .program_line_i,
      .program_mask_i,
      .program_cell_i,
      .program_trim_i,
      .isolate_i,
      .scan_bypass_i,
      .program_verify_o,
      .supply_ready_o,
      .array_busy_o
  );

  if (SpareAmplifiers < 1) begin : gen_no_spare_columns
    assign latched = array_votes;
  end else begin : gen_spare_columns
    localparam int Bits = Blocks * Tiles * SpareAmplifiers * $clog2(ArrayAmplifiers);
    logic [Bits-1:0] left_out;
    hf_rom #(
        .Width(Bits),
        .InitFile(Name == "" ? "" : {Name, "spare_columns.mem"})
    ) i_left_out (
        .clk_i, .read_i(1'b1), .addr_i(1'b0), .data_o(left_out));
    hf_spare_columns #(.Arrays(Blocks * Tiles), .Columns(Amplifiers), .Spares(SpareAmplifiers)) i_columns (
        .data_i(array_votes), .left_out_i(left_out), .data_o(latched));
  end

  // ---------------------------------------------------------------- votes
  // A vector's votes come in read by read, and are kept in the cycle after. Those of its last read are taken from the latches
  // by then, and nothing has to keep them: no flip-flop stays of bits of kept_q that are not read.
  localparam int Padded = Tiles * TileNeurons;  // neurons of all tiles of a block
  logic [References*Blocks*Padded-1:0] kept_q;

  always_ff @(posedge clk_i) begin
    if (settled_q) begin
      for (int k = 0; k < References; k++) begin
        for (int b = 0; b < Blocks; b++) begin
          for (int t = 0; t < Tiles; t++) begin
            for (int c = 0; c < ColumnsPerAmplifier; c++) begin
              if (32'(reference_q) == k && 32'(column_q) == c && 32'(block_group_q) == b / LaneBlocks
                  && 32'(tile_group_q) == t / LaneTiles) begin
                kept_q[(k*Blocks+b)*Padded+t*TileNeurons+c*Amplifiers+:Amplifiers] <=
                    latched[(b*Tiles+t)*Amplifiers+:Amplifiers];
              end
            end
          end
        end
      end
    end
  end

  // Loops, not a piece of wiring each: a simulator would join the pieces one by one in every cycle.
  always_comb begin
    votes = kept_q;
    for (int b = (BlockGroups - 1) * LaneBlocks; b < Blocks; b++) begin
      for (int t = (TileGroups - 1) * LaneTiles; t < Tiles; t++) begin
        votes[((References-1)*Blocks+b)*Padded+(t+1)*TileNeurons-Amplifiers+:Amplifiers] =
            latched[(b*Tiles+t)*Amplifiers+:Amplifiers];
      end
    end
  end
  if (Padded == Neurons) begin : gen_votes
    assign out_data_o = votes;
  end else begin : gen_neurons
    always_comb begin
      out_data_o = '0;
      for (int k = 0; k < References * Blocks; k++) begin
        out_data_o[k*Neurons+:Neurons] = votes[k*Padded+:Neurons];
      end
    end
  end
endmodule

`default_nettype wire
