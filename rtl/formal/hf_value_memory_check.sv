// Check of hf_value_memory.
//
// Entries     The valid bits of all slots are kept, and the label of one slot, whichever the solver picks. valid_o and
//             label_o show them, for a slot that is read and for the slot of a dot. A write that makes an invalid slot valid
//             adds 1 to count_o, the opposite takes 1.
// Sums        Of one class, whichever the solver picks: each dot whose slot is valid and, as label_o shows it, of this class
//             is added. That label_o shows the slot's label is checked above, for every slot.
// Class       The equation, class by class from 0 on: a class with keys that is the first, or whose sum (mean) is greater than
//             the best one's, is the best from then on. Fractions are totally ordered, so that is the first maximum.
// Assumes     Up to the first time that it is broken: a query begins with clear_i, without a dot in its cycle; neither dots
//             nor clear_i come between dot_last_i and ranked_o
// Proof       induction, for every slot and class at once; the block's registers are tied to the reference's
`default_nettype none

module hf_value_memory_check #(
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter int DotWidth = 6,
    parameter bit Absolute = 1'b1,
    parameter bit Mean = 1'b0,
    parameter int SumWidth = 8,
    localparam int SlotWidth = $clog2(Slots + 1),
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                       clk_i,
    input  wire logic                       rst_ni,
    input  wire logic                       erase_i,
    input  wire logic                       write_i,
    input  wire logic [SlotWidth-1:0]       slot_i,
    input  wire logic                       valid_i,
    input  wire logic [ClassWidth-1:0]      label_i,
    input  wire logic [SlotWidth-1:0]       read_slot_i,
    input  wire logic                       clear_i,
    input  wire logic                       dot_valid_i,
    input  wire logic                       dot_last_i,
    input  wire logic signed [DotWidth-1:0] dot_i,
    output logic                            fail_o
);
  localparam int AddrWidth = Slots > 1 ? $clog2(Slots) : 1;
  logic valid, ranked;
  logic [ClassWidth-1:0] label, best;
  logic [SlotWidth-1:0] count;
  logic [Classes*SumWidth-1:0] sums;
  logic [Classes*SlotWidth-1:0] counts;
  hf_value_memory #(
      .Slots(Slots), .Classes(Classes), .DotWidth(DotWidth), .Absolute(Absolute), .Mean(Mean), .SumWidth(SumWidth)
  ) dut (
      .clk_i, .rst_ni, .erase_i, .write_i, .slot_i, .valid_i, .label_i, .read_slot_i, .valid_o(valid), .label_o(label),
      .count_o(count), .clear_i, .dot_valid_i, .dot_last_i, .dot_i, .ranked_o(ranked), .class_o(best), .sums_o(sums),
      .counts_o(counts));

  // verilator lint_off UNDRIVEN
  // The block's own registers and memory, by name: Yosys joins these to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [Slots-1:0] \dut.valid_q ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.scan_q ;
  (* hierconn *) wire \dut.add_q ;
  (* hierconn *) wire \dut.last_q ;
  (* hierconn *) wire signed [DotWidth-1:0] \dut.dot_q ;
  (* hierconn *) wire \dut.rank_q ;
  (* hierconn *) wire [ClassWidth-1:0] \dut.index ;
  (* hierconn *) wire \dut.found_q ;
  (* hierconn *) wire signed [SumWidth-1:0] \dut.sum ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.number ;
  (* hierconn *) wire signed [SumWidth-1:0] \dut.best_q ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.best_number_q ;
  logic [ClassWidth-1:0] \dut.labels_q [0:Slots-1];
  // verilator lint_on UNDRIVEN

  // What is followed: any slot and any class, but always the same.
  logic [SlotWidth-1:0] at_slot_q;
  logic [ClassWidth-1:0] at_class_q;
  logic live_q;     // a reset has been seen
  logic promise_q;  // what is assumed was kept since
  logic query_q;    // a query has begun since
  initial live_q = 1'b0;
  always_ff @(posedge clk_i) begin
    at_slot_q <= at_slot_q;
    at_class_q <= at_class_q;
    if (!rst_ni) live_q <= 1'b1;
  end

  // ---------------------------------------------------------------- entries
  logic [Slots-1:0] valid_q;
  logic [SlotWidth-1:0] count_q, scan_q, shown;
  logic [ClassWidth-1:0] label_q, shown_label_q;
  logic known_q, shown_q;      // the followed slot has been written; it was shown in the cycle before
  logic write, was, is_valid;  // of the written slot; of the shown one
  assign write = write_i && 32'(slot_i) < Slots;
  assign was = 1'(valid_q >> slot_i);
  assign shown = dot_valid_i ? scan_q : read_slot_i;
  assign is_valid = 32'(shown) < Slots && 1'(valid_q >> shown);

  always_ff @(posedge clk_i) begin
    if (!rst_ni || erase_i) begin
      valid_q <= '0;
      count_q <= '0;
    end else if (write) begin
      for (int s = 0; s < Slots; s++) begin
        if (32'(slot_i) == s) valid_q[s] <= valid_i;
      end
      if (valid_i && !was) count_q <= count_q + 1'b1;
      if (!valid_i && was) count_q <= count_q - 1'b1;
    end
    // Labels survive a reset, but the first.
    if (write && slot_i == at_slot_q) label_q <= label_i;
    known_q <= live_q && (known_q || (write && slot_i == at_slot_q));
    shown_q <= live_q && known_q && shown == at_slot_q && (!dot_valid_i || (promise_q && query_q));
    shown_label_q <= label_q;
  end

  // ---------------------------------------------------------------- sums
  logic add_q;
  logic signed [DotWidth-1:0] dot_q;
  logic signed [SumWidth-1:0] sharp;
  logic signed [SumWidth-1:0] sum_q, sum;
  logic [SlotWidth-1:0] number_q, number;
  logic [31:0] since_q;  // cycles since dot_last_i, up to ranked_o; else 0
  logic kept;
  localparam int Ranked = Classes + 2;
  assign sharp = Absolute && dot_q < 0 ? '0 - SumWidth'(dot_q) : SumWidth'(dot_q);
  assign kept = promise_q && !(clear_i && dot_valid_i) && !((clear_i || dot_valid_i) && since_q != 0 && since_q != Ranked);

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      promise_q <= 1'b1;
      query_q <= 1'b0;
      add_q <= 1'b0;
      since_q <= 0;
    end else begin
      promise_q <= kept;
      add_q <= dot_valid_i && is_valid;
      if (dot_valid_i && dot_last_i) since_q <= 1;
      else since_q <= since_q == 0 || since_q == Ranked ? 0 : since_q + 1;
      if (clear_i) query_q <= 1'b1;
    end
    dot_q <= dot_i;
    if (clear_i) begin
      scan_q <= '0;
      sum_q <= '0;
      number_q <= '0;
    end else begin
      if (dot_valid_i && 32'(scan_q) < Slots) scan_q <= scan_q + 1'b1;
      if (add_q && label == at_class_q) begin
        sum_q <= sum_q + sharp;
        number_q <= number_q + 1'b1;
      end
    end
  end
  assign sum = SumWidth'(sums >> (32'(at_class_q) * SumWidth));
  assign number = SlotWidth'(counts >> (32'(at_class_q) * SlotWidth));

  // ---------------------------------------------------------------- class
  logic ranks, found_q, better;
  logic [ClassWidth-1:0] class_q, index;
  logic signed [SumWidth-1:0] sum_here, sum_best;
  logic [SlotWidth-1:0] number_here, number_best;
  assign ranks = since_q >= 2 && since_q < Ranked;
  assign index = ClassWidth'(since_q - 2);
  assign sum_here = SumWidth'(sums >> (32'(index) * SumWidth));
  assign number_here = SlotWidth'(counts >> (32'(index) * SlotWidth));
  assign sum_best = SumWidth'(sums >> (32'(class_q) * SumWidth));
  assign number_best = SlotWidth'(counts >> (32'(class_q) * SlotWidth));
  if (Mean) begin : gen_mean
    // Of the block's own operands, which are tied to those of the reference below: no solver has to tell that two
    // multipliers are equal.
    localparam int Wide = SumWidth + SlotWidth + 1;
    logic signed [Wide-1:0] here, so_far;
    assign here = Wide'(\dut.sum ) * $signed(Wide'(\dut.best_number_q ));
    assign so_far = Wide'(\dut.best_q ) * $signed(Wide'(\dut.number ));
    assign better = here > so_far;
  end else begin : gen_sum
    assign better = sum_here > sum_best;
  end
  always_ff @(posedge clk_i) begin
    if (since_q == 1) found_q <= 1'b0;
    else if (ranks && number_here != 0 && (!found_q || better)) begin
      found_q <= 1'b1;
      class_q <= index;
    end
  end

  // ---------------------------------------------------------------- tie
  logic [ClassWidth-1:0] kept_label;
  logic entries_bad, sums_bad, class_bad;
  assign kept_label = \dut.labels_q [AddrWidth'(at_slot_q)];
  always_comb begin
    entries_bad = (known_q && 32'(at_slot_q) >= Slots) || \dut.valid_q != valid_q || count != count_q || (!dot_valid_i && valid != is_valid)
        || (known_q && kept_label != label_q) || (shown_q && label != shown_label_q);
    sums_bad = \dut.add_q != add_q || \dut.dot_q != dot_q || \dut.scan_q != scan_q || 32'(scan_q) > Slots
        || (32'(at_class_q) < Classes && (sum != sum_q || number != number_q));
    class_bad = since_q > Ranked || ranked != (since_q == Ranked) || \dut.last_q != (since_q == 1)
        || \dut.rank_q != ranks || (ranks && (\dut.index != index || \dut.sum != sum_here || \dut.number != number_here))
        || (since_q > 1 && \dut.add_q );
    if (ranks || ranked) begin
      if (\dut.found_q != found_q ) class_bad = 1'b1;
      if (found_q && (32'(class_q) >= Classes || best != class_q || \dut.best_q != sum_best
          || \dut.best_number_q != number_best)) class_bad = 1'b1;
    end
  end

  assign fail_o = live_q && (entries_bad || (promise_q && (class_bad || (query_q && sums_bad))));
endmodule

`default_nettype wire
