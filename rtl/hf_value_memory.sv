// Value memory and class scores of a few-shot memory.
//
// Purpose     Keeps a label and a valid bit for every key, adds the sharpened similarities of a query up by class, and finds
//             the best class (batmann, algorithm 1, line 8).
// Equation    S_c = sum over valid slots s with label c of (Absolute ? |dot_s| : dot_s), n_c their number
//             class = first maximum of S_c (Mean = 0) or of S_c / n_c (Mean = 1) over classes with n_c > 0
// Parameters  Slots, Classes  >= 1
//             DotWidth        bits of a dot product, whose magnitude is at most 2^(DotWidth-1) - 1
//             Absolute        1: absolute value, 0: plain
//             Mean            0: sum, 1: mean; the comparison is exact: S_a n_b > S_b n_a
//             SumWidth        bits of S_c, > DotWidth - 1; the plan proves that it holds Slots similarities
// Latency     dots come slot by slot from 0 on, one a cycle at most; ranked_o is high Classes + 2 cycles after dot_last_i, with
//             class_o and the sums; both stay until clear_i
//             a label read: label_o is that of read_slot_i in the cycle before, while no dots come
// Throughput  one dot or write a cycle
// Overflow    none where SumWidth is as stated
// Reset       clears the valid bits; labels and keys survive, and so can be restored by writes
`default_nettype none

module hf_value_memory #(
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter int DotWidth = 6,
    parameter bit Absolute = 1'b1,
    parameter bit Mean = 1'b0,
    parameter int SumWidth = 8,
    localparam int SlotWidth = Slots > 0 ? $clog2(Slots + 1) : 1,
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                        clk_i,
    input  wire logic                        rst_ni,
    // Entries
    input  wire logic                        erase_i,   // all slots become invalid
    input  wire logic                        write_i,
    input  wire logic [SlotWidth-1:0]        slot_i,    // < Slots, or nothing is written
    input  wire logic                        valid_i,
    input  wire logic [ClassWidth-1:0]       label_i,
    input  wire logic [SlotWidth-1:0]        read_slot_i,
    output logic                             valid_o,   // of read_slot_i, in the same cycle; 0 behind the last slot
    output logic      [ClassWidth-1:0]       label_o,
    output logic      [SlotWidth-1:0]        count_o,   // valid slots
    // Similarities
    input  wire logic                        clear_i,   // a new query: sums and counts become 0
    input  wire logic                        dot_valid_i,
    input  wire logic                        dot_last_i,
    input  wire logic signed [DotWidth-1:0]  dot_i,
    // Class scores
    output logic                             ranked_o,
    output logic      [ClassWidth-1:0]       class_o,
    output logic      [Classes*SumWidth-1:0] sums_o,
    output logic      [Classes*SlotWidth-1:0] counts_o
);
  localparam int AddrWidth = Slots > 1 ? $clog2(Slots) : 1;

  if (Slots < 1 || Classes < 1) begin : gen_error_sizes
    hf_error_value_memory_slots_and_classes_must_be_at_least_1 error ();
  end
  if (SumWidth < DotWidth) begin : gen_error_sum
    hf_error_value_memory_sum_width_below_dot_width error ();
  end

  // ---------------------------------------------------------------- entries
  logic [Slots-1:0] valid_q;
  logic [ClassWidth-1:0] labels_q[0:Slots-1];
  logic [SlotWidth-1:0] count_q;
  logic [SlotWidth-1:0] scan_q;  // slot of the coming dot
  logic [SlotWidth-1:0] at;
  logic write, was_valid;

  assign write = write_i && 32'(slot_i) < Slots;
  assign was_valid = valid_q[AddrWidth'(slot_i)];
  assign count_o = count_q;
  assign at = dot_valid_i ? scan_q : read_slot_i;
  assign valid_o = 32'(at) < Slots && valid_q[AddrWidth'(at)];

  always_ff @(posedge clk_i) begin
    if (!rst_ni || erase_i) begin
      valid_q <= '0;
      count_q <= '0;
    end else if (write) begin
      valid_q[AddrWidth'(slot_i)] <= valid_i;
      count_q <= count_q + SlotWidth'(valid_i && !was_valid) - SlotWidth'(!valid_i && was_valid);
    end
    if (write) labels_q[AddrWidth'(slot_i)] <= label_i;
    label_o <= labels_q[AddrWidth'(at)];
  end

  // ---------------------------------------------------------------- similarities
  logic add_q, last_q;
  logic signed [DotWidth-1:0] dot_q;
  logic signed [SumWidth-1:0] wide, sharp;
  logic [Classes*SumWidth-1:0] sums_q;
  logic [Classes*SlotWidth-1:0] counts_q;
  assign wide = SumWidth'(dot_q);
  assign sharp = Absolute && wide < 0 ? -wide : wide;
  assign sums_o = sums_q;
  assign counts_o = counts_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      add_q <= 1'b0;
      last_q <= 1'b0;
    end else begin
      add_q <= dot_valid_i && valid_o;
      last_q <= dot_valid_i && dot_last_i;
    end
    dot_q <= dot_i;
    if (clear_i) scan_q <= '0;
    else if (dot_valid_i && 32'(scan_q) < Slots) scan_q <= scan_q + 1'b1;
    if (clear_i) begin
      sums_q <= '0;
      counts_q <= '0;
    end else if (add_q) begin
      sums_q[32'(label_o)*SumWidth+:SumWidth] <= sums_q[32'(label_o)*SumWidth+:SumWidth] + sharp;
      counts_q[32'(label_o)*SlotWidth+:SlotWidth] <= counts_q[32'(label_o)*SlotWidth+:SlotWidth] + 1'b1;
    end
  end

  // ---------------------------------------------------------------- argmax
  logic rank_q, rank_last, ranked_q, found_q, better;
  logic [ClassWidth-1:0] index, class_q;
  logic signed [SumWidth-1:0] sum, best_q;
  logic [SlotWidth-1:0] number, best_number_q;

  hf_counter #(.Steps(Classes)) i_index (
      .clk_i, .clear_i(last_q), .step_i(rank_q), .count_o(index), .last_o(rank_last));
  assign sum = sums_q[32'(index)*SumWidth+:SumWidth];
  assign number = counts_q[32'(index)*SlotWidth+:SlotWidth];
  if (Mean) begin : gen_mean
    localparam int Wide = SumWidth + SlotWidth + 1;
    assign better = Wide'(sum) * $signed(Wide'(best_number_q)) > Wide'(best_q) * $signed(Wide'(number));
  end else begin : gen_sum
    assign better = sum > best_q;
  end
  assign ranked_o = ranked_q;
  assign class_o = class_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      rank_q <= 1'b0;
      ranked_q <= 1'b0;
    end else begin
      rank_q <= last_q || (rank_q && !rank_last);
      ranked_q <= rank_q && rank_last;
    end
    if (last_q) begin
      found_q <= 1'b0;
    end else if (rank_q && number != '0 && (!found_q || better)) begin
      found_q <= 1'b1;
      class_q <= index;
      best_q <= sum;
      best_number_q <= number;
    end
  end
  logic unused;
  assign unused = ^{best_number_q, number};
endmodule

`default_nettype wire
