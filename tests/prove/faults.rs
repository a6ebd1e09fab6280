//! Faults that are planted in blocks, one at a time; a proof has to find each.

/// A fault in a block: file, what stands there, what stands there instead.
pub struct Fault {
    pub block: &'static str,
    pub instance: &'static str,
    pub from: &'static str,
    pub to: &'static str,
}

pub const FAULTS: &[Fault] = &[
    // Off by one.
    Fault { block: "hf_threshold", instance: "", from: "sum >= high", to: "sum > high" },
    Fault { block: "hf_threshold", instance: ".Ternary(1)", from: "sum < low", to: "sum <= low" },
    Fault { block: "hf_counter", instance: ".Steps(6)", from: "Steps - 1", to: "Steps - 2" },
    Fault {
        block: "hf_sense_sequencer",
        instance: "",
        from: "'0 : window_cycles_i - 1'b1",
        to: "'0 : window_cycles_i",
    },
    // A pulse of a register that no clock edge has reset.
    Fault { block: "hf_program", instance: "", from: "rst_ni ? program_q : OpNone", to: "program_q" },
    Fault { block: "hf_sense_sequencer", instance: "", from: "rst_ni && sense_q", to: "sense_q" },
    // A cycle late, a cycle early, or changed when it should be held.
    Fault {
        block: "hf_ternary_detect",
        instance: "",
        from: "if (latch_i) begin",
        to: "late <= latch_i; if (late) begin",
    },
    Fault { block: "hf_class_scores", instance: "", from: "if (last) state_d = Drain", to: "if (last) state_d = Done" },
    Fault { block: "hf_class_scores", instance: "", from: "Drain: state_d = Done", to: "Drain: state_d = Idle" },
    Fault { block: "hf_xnor_popcount", instance: "", from: "if (valid_i) begin", to: "if (1'b1) begin" },
    Fault { block: "hf_accumulator", instance: "", from: "if (valid_i) sum_o", to: "if (valid_i && !first_i) sum_o" },
    // A carry or a sign lost.
    Fault { block: "hf_vote_aggregate", instance: ".Blocks(3)", from: "(b & (sum ^ a))", to: "(b & sum & a)" },
    Fault { block: "hf_accumulator", instance: "", from: "SumWidth'($signed(", to: "SumWidth'($unsigned(" },
    // A slice that takes its neighbour's lanes.
    Fault { block: "hf_xnor_popcount", instance: ".Slices(3)", from: "w_i[k*Width+:Width]", to: "w_i[0+:Width]" },
    Fault { block: "hf_gxnor_popcount", instance: "", from: "<< 1", to: "<< 0" },
    Fault {
        block: "hf_gxnor_popcount",
        instance: ".Width(40), .SumWidth(7)",
        from: "x_positive_i[k*Width+:Width] ^ w_positive_i",
        to: "x_positive_i[k*Width+:Width] ^ ~w_positive_i",
    },
    Fault { block: "hf_multiply_accumulate", instance: "", from: "first_i ? '0 :", to: "!first_i ? '0 :" },
    Fault {
        block: "hf_multiply_accumulate",
        instance: ".WeightWidth(2)",
        from: "if (w[i*WeightWidth+WeightWidth-1])",
        to: "if (1'b1)",
    },
    // Ties the other way.
    Fault { block: "hf_vote_aggregate", instance: "", from: "(Blocks + 1) / 2", to: "Blocks / 2 + 1" },
    Fault { block: "hf_class_scores", instance: "", from: "score > best_score_q", to: "score >= best_score_q" },
    // The wrong slice.
    Fault {
        block: "hf_slice",
        instance: ".Slices(2), .Stride(2), .Offset(1)",
        from: "(s*Stride+Offset)",
        to: "(s+Offset*Slices)",
    },
    // A place that is left out and read all the same, the places of a neighbour, the highest place last, a block's neighbour.
    Fault { block: "hf_spare_address", instance: ".Spares(2)", from: "behind >= places", to: "behind > places" },
    Fault { block: "hf_spare_address", instance: ".Spares(2)", from: "places[s*OutWidth", to: "places[0*OutWidth" },
    Fault {
        block: "hf_spare_columns",
        instance: ".Arrays(2)",
        from: "places[(a*Spares+s)*PlaceWidth",
        to: "places[s*PlaceWidth",
    },
    Fault {
        block: "hf_spare_columns",
        instance: ".Spares(2), .Width(3)",
        from: "s = Spares - 1; s >= 0; s--",
        to: "s = 0; s < Spares; s++",
    },
    Fault { block: "hf_spare_lines", instance: "", from: "(rest & ~below) << 1", to: "rest << 1" },
    Fault {
        block: "hf_spare_lines",
        instance: ".Blocks(3), .LargeBlocks(1), .BlockLines(4)",
        from: "LargeBlocks + b * (BlockLines - 1)",
        to: "b * (BlockLines - 1)",
    },
    // Handshakes: a beat lost, an image kept that should be dropped, a full image overwritten.
    Fault { block: "hf_stream_out", instance: "", from: "else if (tvalid_o && tready_i)", to: "else if (tvalid_o)" },
    Fault { block: "hf_stream_out", instance: "", from: "tlast_o = beat_last", to: "tlast_o = tready_i && beat_last" },
    Fault { block: "hf_stream_in", instance: ".StreamBits(16)", from: "!rst_ni || early", to: "!rst_ni" },
    Fault { block: "hf_stream_in", instance: "", from: "(Vectors > 1 && out_ready_i)", to: "out_ready_i" },
    // A broken image that is not completed, one that is completed by too few vectors, each vector a start.
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "if (Vectors > 1 &&", to: "if (Vectors > 3 &&" },
    Fault {
        block: "hf_stream_in",
        instance: ".Vectors(3)",
        from: "!(fill_q && take && taken_last)",
        to: "!(fill_q && take)",
    },
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "take && taken == '0", to: "take" },
    Fault { block: "hf_stream_in", instance: "", from: "Gain * number + Offset", to: "Gain * number - Offset + 1" },
    // Registers: a count of 0 stored, an error lost when it comes with the clear, an answer taken back.
    Fault { block: "hf_registers", instance: "", from: "&& wdata_i != '0", to: "" },
    Fault {
        block: "hf_registers",
        instance: "",
        from: "if (frame_error_i) frame_error_q <= 1'b1;\n      else if (write",
        to: "if (frame_error_i) frame_error_q <= 1'b1;\n      if (write",
    },
    Fault { block: "hf_registers", instance: "", from: "end else if (rready_i) begin", to: "end else begin" },
    // An access of others that is theirs no more, and one that never was.
    Fault {
        block: "hf_registers",
        instance: "",
        from: "araddr_i >= Extension && !ext_rerror_i ? Okay",
        to: "!ext_rerror_i ? Okay",
    },
    Fault {
        block: "hf_registers",
        instance: "",
        from: "write && (&wstrb_i) && awaddr_i >= Ext",
        to: "write && awaddr_i >= Ext",
    },
    // Each vector the first of an image.
    Fault { block: "hf_stream_in", instance: ".Vectors(3)", from: "beat == '0 && vector == '0", to: "beat == '0" },
    // The command of the image that follows.
    Fault { block: "hf_commands", instance: "", from: "<= command_q", to: "<= command_i" },
    // Cells pulsed again that were good, cells verified that are not in use.
    Fault { block: "hf_program", instance: "", from: "pending_q <= wrong_q", to: "pending_q <= use_i" },
    Fault { block: "hf_program", instance: "", from: "<= use_i[a*Cells+32'(cell_q)]", to: "<= 1'b1" },
    Fault { block: "hf_program", instance: "", from: "attempt_q != attempts_i", to: "attempt_q < attempts_i - 1" },
    // A SET without its verify, cells behind the last one verified.
    Fault {
        block: "hf_program",
        instance: "",
        from: "after_set = phases_i[3] ? Verify",
        to: "after_set = phases_i[1] ? Verify",
    },
    Fault { block: "hf_program", instance: "", from: "cell_q == last_cell_i", to: "cell_q == CellWidth'(Cells - 1)" },
    // A command for an array that there is not, a read that looks for DATA, a count that does not fit, a WORD that stays.
    Fault { block: "hf_array_access", instance: "", from: "tile_q < tiles &&", to: "tile_q <= tiles &&" },
    Fault { block: "hf_array_access", instance: "", from: "read_q ? '0 : data_q", to: "data_q" },
    Fault { block: "hf_array_access", instance: "", from: "!count_fits || wdata_i == 32'd1", to: "!count_fits" },
    Fault {
        block: "hf_array_access",
        instance: ".Cells(40), .Sizes(64'h0028_0004_0001_0001)",
        from: "== Words - 1 ? '0",
        to: "== 0 ? '0",
    },
    Fault { block: "hf_array_access", instance: "", from: "if (used_i || !usable", to: "if (!usable" },
    // A command without a supply, a pulse before the last one is over, a supply that is lost unseen, or that fails what is done.
    Fault { block: "hf_array_access", instance: "", from: "&supply_ready_i && array_busy_i", to: "array_busy_i" },
    Fault {
        block: "hf_array_access",
        instance: ".Banks(2)",
        from: "wait_i(array_busy_i[bank_q])",
        to: "wait_i(array_busy_i[0])",
    },
    Fault {
        block: "hf_array_access",
        instance: "",
        from: "reading_i && supply_ready_i",
        to: "used_i && supply_ready_i",
    },
    Fault { block: "hf_program", instance: "", from: "if (!wait_i) begin", to: "begin" },
    Fault {
        block: "hf_program",
        instance: "",
        from: "!supply_i && !done_o) begin",
        to: "!supply_i && state_q == Set) begin",
    },
    Fault { block: "hf_program", instance: "", from: "attempts_i && !lost_q", to: "attempts_i" },
    // Invalid slots that count, the last of equal classes, a mean of another class's keys, a slot counted twice.
    Fault { block: "hf_value_memory", instance: "", from: "dot_valid_i && valid_o", to: "dot_valid_i" },
    Fault { block: "hf_value_memory", instance: "", from: "sum > best_q", to: "sum >= best_q" },
    Fault {
        block: "hf_value_memory",
        instance: ".Mean(1)",
        from: "* $signed(Wide'(number))",
        to: "* $signed(Wide'(best_number_q))",
    },
    Fault { block: "hf_value_memory", instance: "", from: "valid_i && !was_valid", to: "valid_i" },
    // Full is a next slot as well; a label with bits that it has not.
    Fault { block: "hf_memory_registers", instance: "", from: "wdata_i > Slots", to: "wdata_i >= Slots" },
    Fault { block: "hf_memory_registers", instance: "", from: "&& wdata_i[30:16] == '0", to: "" },
    // A slot that is valid while it is written, the last slot never compared.
    Fault { block: "hf_few_shot", instance: "", from: "own ? stored", to: "own ? learn || stored" },
    Fault { block: "hf_few_shot", instance: "", from: "stored && slot >= used_q", to: "stored && slot > used_q" },
    Fault { block: "hf_rom", instance: ".Depth(5), .InitFile(\"w.mem\")", from: "if (read_i) data_o", to: "data_o" },
    Fault { block: "hf_input_table", instance: ".Width(8), .InitFile(\"w.mem\")", from: "$signed(", to: "$unsigned(" },
    // A vector lost, one given twice.
    Fault { block: "hf_register_slice", instance: "", from: "second_valid_q ? second_q : in_data_i", to: "in_data_i" },
    Fault { block: "hf_register_slice", instance: "", from: "!give && (accept ||", to: "(accept ||" },
    Fault { block: "hf_code_value", instance: "", from: "{1'b1, {CodeBits", to: "{1'b0, {CodeBits" },
    Fault {
        block: "hf_code_value",
        instance: ".ValueWidth(8), .Uniform(0), .InitFile(\"w.mem\")",
        from: "words[code_i]",
        to: "words[~code_i]",
    },
    // An array that there is not.
    Fault {
        block: "hf_read_select",
        instance: ".Blocks(3), .Tiles(3), .LaneBlocks(2), .LaneTiles(2), .BlockGroups(2), .TileGroups(2), .Block(1)",
        from: "g * LaneBlocks + Block < Blocks",
        to: "g * LaneBlocks < Blocks",
    },
    // Planes for channels, a map before it is whole.
    Fault { block: "hf_flatten", instance: ".Trits(1)", from: "vector_q[c*Positions+p]", to: "vector_q[p*Bits+c]" },
    Fault { block: "hf_flatten", instance: "", from: "accept && last", to: "accept" },
    // A window that begins with what the last one left, trits of the wrong order, a result overwritten.
    Fault { block: "hf_pool", instance: "", from: "row_phase_q == '0 ? '0", to: "!row_phase_q && !window_q ? '0" },
    Fault { block: "hf_pool", instance: ".Planes(2), .Trits(1)", from: "] | in_data_i", to: "] & in_data_i" },
    Fault { block: "hf_pool", instance: "", from: "!valid_q || out_ready_i;", to: "1'b1;" },
    // Another column's rows, a row of windows too early, padding one column late.
    Fault { block: "hf_window", instance: ".PadLeft(1)", from: "lines[column_next];", to: "lines[column];" },
    Fault {
        block: "hf_window",
        instance: ".StrideRows(2)",
        from: "(row_next) < KernelRows",
        to: "(row_next) + 1 < KernelRows",
    },
    Fault {
        block: "hf_window",
        instance: ".PadLeft(1)",
        from: "(column_next) + 1 > PadLeft",
        to: "(column_next) > PadLeft",
    },
];
