// Check of hf_few_shot.
//
// Reference   A command is taken, decided on in the next cycle, and then answered, written or asked for; the result waits
//             until it is taken. What each command does and answers is the table of the block's header; a label out of range
//             is found before a full memory.
// Bus         Accesses count while the block is not busy; one in the cycle of a command comes before it.
// Values      The labels and sums lie in hf_value_memory, which has a check of its own: here stands what it is given, cycle by
//             cycle, and what is made of its answers.
// Used        No slot from used_o on is valid, and a query has one slot at least.
// Assumes     Up to the first time that it is broken: dots come between query_o and dot_last_i only; bus_next_i <= Slots
// Proof       induction; the block's state is tied to the reference's
`default_nettype none

module hf_few_shot_check #(
    parameter int Features = 8,
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter bit Overwrite = 1'b0,
    parameter int DotWidth = 6,
    parameter bit Absolute = 1'b1,
    parameter bit Mean = 1'b0,
    parameter int SumWidth = 8,
    localparam int SlotWidth = $clog2(Slots + 1),
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                       clk_i,
    input  wire logic                       rst_ni,
    input  wire logic                       in_valid_i,
    input  wire logic                       hold_i,
    input  wire logic [Features-1:0]        in_data_i,
    input  wire logic [17:0]                command_i,
    input  wire logic                       out_ready_i,
    input  wire logic                       dot_valid_i,
    input  wire logic                       dot_last_i,
    input  wire logic signed [DotWidth-1:0] dot_i,
    input  wire logic                       done_i,
    input  wire logic                       failed_i,
    input  wire logic                       bus_erase_i,
    input  wire logic                       bus_restore_i,
    input  wire logic [SlotWidth-1:0]       bus_slot_i,
    input  wire logic                       bus_valid_i,
    input  wire logic [ClassWidth-1:0]      bus_label_i,
    input  wire logic                       bus_set_next_i,
    input  wire logic [SlotWidth-1:0]       bus_next_i,
    output logic                            fail_o
);
  logic in_ready, out_valid, query, write, busy, slot_valid, full;
  logic [31:0] head;
  logic [Features-1:0] x;
  logic [SlotWidth-1:0] used, slot, count, next;
  logic [ClassWidth-1:0] slot_label;
  logic [Classes*SumWidth-1:0] out_sums, sums;
  logic [Classes*SlotWidth-1:0] counts;
  hf_few_shot #(
      .Features(Features), .Slots(Slots), .Classes(Classes), .Overwrite(Overwrite), .DotWidth(DotWidth),
      .Absolute(Absolute), .Mean(Mean), .SumWidth(SumWidth)
  ) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .hold_i, .command_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o({head, out_sums}), .x_o(x), .query_o(query), .used_o(used), .dot_valid_i, .dot_last_i, .dot_i,
      .write_o(write), .slot_o(slot), .done_i, .failed_i, .busy_o(busy), .bus_erase_i, .bus_restore_i, .bus_slot_i,
      .bus_valid_i, .bus_label_i, .bus_set_next_i, .bus_next_i, .slot_valid_o(slot_valid), .slot_label_o(slot_label),
      .count_o(count), .next_o(next), .full_o(full), .sums_o(sums), .counts_o(counts));

  // verilator lint_off UNDRIVEN
  // The block's own registers, and the ports of its value memory, by name: Yosys joins these wires to them when it
  // flattens; a linter sees no driver.
  (* hierconn *) wire [2:0] \dut.state_q ;
  (* hierconn *) wire [2:0] \dut.status_q ;
  (* hierconn *) wire \dut.learn_q ;
  (* hierconn *) wire [15:0] \dut.label_q ;
  (* hierconn *) wire \dut.i_values.erase_i ;
  (* hierconn *) wire \dut.i_values.write_i ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.i_values.slot_i ;
  (* hierconn *) wire \dut.i_values.valid_i ;
  (* hierconn *) wire [ClassWidth-1:0] \dut.i_values.label_i ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.i_values.read_slot_i ;
  (* hierconn *) wire \dut.i_values.valid_o ;
  (* hierconn *) wire [ClassWidth-1:0] \dut.i_values.label_o ;
  (* hierconn *) wire [SlotWidth-1:0] \dut.i_values.count_o ;
  (* hierconn *) wire \dut.i_values.clear_i ;
  (* hierconn *) wire \dut.i_values.dot_valid_i ;
  (* hierconn *) wire \dut.i_values.dot_last_i ;
  (* hierconn *) wire signed [DotWidth-1:0] \dut.i_values.dot_i ;
  (* hierconn *) wire \dut.i_values.ranked_o ;
  (* hierconn *) wire [ClassWidth-1:0] \dut.i_values.class_o ;
  (* hierconn *) wire [Classes*SumWidth-1:0] \dut.i_values.sums_o ;
  (* hierconn *) wire [Classes*SlotWidth-1:0] \dut.i_values.counts_o ;
  (* hierconn *) wire \dut.i_values.add_q ;
  (* hierconn *) wire [Slots-1:0] \dut.i_values.valid_q ;
  // verilator lint_on UNDRIVEN

  // ---------------------------------------------------------------- reference
  logic live_q;     // a reset has been seen
  logic promise_q;  // what is assumed was kept since
  logic decides_q, writes_q, asks_q, result_q;  // at most one: what goes on
  logic scans_q, dot_q;                         // dots may come; one came in the cycle before
  logic learn_q, erase, bus, accept, may_write, may_ask;
  logic [15:0] label_q, index_q;
  logic [2:0] status_q;
  logic [Features-1:0] x_q;
  logic [31:0] next_q, used_q, at;  // slot of the next learn; slots that may be valid; slot of this learn
  initial live_q = 1'b0;
  assign bus = !(decides_q || writes_q || asks_q);
  assign accept = in_valid_i && bus && !result_q && !hold_i;
  assign erase = (accept && command_i[17]) || (bus && bus_erase_i);
  assign at = next_q == Slots ? 0 : next_q;
  assign may_write = learn_q && 32'(label_q) < Classes && (next_q != Slots || Overwrite);
  assign may_ask = !learn_q && count != 0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      promise_q <= 1'b1;
      {decides_q, writes_q, asks_q, result_q, scans_q, dot_q} <= '0;
      next_q <= 0;
      used_q <= 0;
    end else begin
      if ((dot_valid_i && !scans_q) || (bus_set_next_i && 32'(bus_next_i) > Slots)) promise_q <= 1'b0;
      dot_q <= dot_valid_i;
      if (bus) begin
        if (bus_set_next_i) next_q <= 32'(bus_next_i);
        if (bus_restore_i && bus_valid_i && 32'(bus_slot_i) < Slots && 32'(bus_slot_i) >= used_q) begin
          used_q <= 32'(bus_slot_i) + 1;
        end
      end
      if (accept) begin
        decides_q <= 1'b1;
        x_q <= in_data_i;
        {learn_q, label_q} <= command_i[16:0];
      end
      if (decides_q) begin
        decides_q <= 1'b0;
        index_q <= 16'hFFFF;
        if (may_write) writes_q <= 1'b1;
        else if (may_ask) begin
          asks_q <= 1'b1;
          scans_q <= 1'b1;
        end else begin
          result_q <= 1'b1;
          status_q <= !learn_q ? 3'd1 : 32'(label_q) >= Classes ? 3'd3 : 3'd2;
        end
      end
      if (writes_q && done_i) begin
        writes_q <= 1'b0;
        result_q <= 1'b1;
        status_q <= failed_i ? 3'd4 : 3'd0;
        index_q <= 16'(at);
        next_q <= at + 1;
        if (!failed_i && at >= used_q) used_q <= at + 1;
      end
      if (dot_valid_i && dot_last_i) scans_q <= 1'b0;
      if (asks_q && \dut.i_values.ranked_o ) begin
        asks_q <= 1'b0;
        scans_q <= 1'b0;
        result_q <= 1'b1;
        status_q <= 3'd0;
        index_q <= 16'(\dut.i_values.class_o );
      end
      if (result_q && out_ready_i) result_q <= 1'b0;
      if (erase) begin
        next_q <= 0;
        used_q <= 0;
      end
    end
  end

  // ---------------------------------------------------------------- outputs
  logic bad_stream, bad_keys, bad_bus, bad_values, tied;
  logic stores, asked;
  assign bad_stream = in_ready != (bus && !result_q && !hold_i) || out_valid != result_q
      || (result_q && (head != {7'b0, learn_q, 5'b0, status_q, index_q} || out_sums != sums));
  assign bad_keys = query != (decides_q && may_ask) || write != (decides_q && may_write) || 32'(used) != used_q
      || ((write || writes_q) && 32'(slot) != at) || (!bus && x != x_q) || (query && used == '0);
  assign bad_bus = busy == bus || 32'(next) != next_q || full != (next_q == Slots)
      || slot_valid != \dut.i_values.valid_o || slot_label != \dut.i_values.label_o || count != \dut.i_values.count_o
      || sums != \dut.i_values.sums_o || counts != \dut.i_values.counts_o ;

  // The slot becomes invalid as its write begins, and valid under its label when it has succeeded.
  assign stores = writes_q && done_i && !failed_i;
  always_comb begin
    bad_values = \dut.i_values.erase_i != erase || \dut.i_values.clear_i != decides_q
        || \dut.i_values.read_slot_i != bus_slot_i || \dut.i_values.dot_valid_i != dot_valid_i
        || \dut.i_values.dot_last_i != dot_last_i || \dut.i_values.dot_i != dot_i
        || \dut.i_values.write_i != (write || stores || (bus && bus_restore_i));
    if (write || stores) begin
      if (32'(\dut.i_values.slot_i ) != at || \dut.i_values.valid_i != stores
          || 16'(\dut.i_values.label_i ) != label_q) bad_values = 1'b1;
    end else if (bus && bus_restore_i) begin
      if (\dut.i_values.slot_i != bus_slot_i || \dut.i_values.valid_i != bus_valid_i
          || \dut.i_values.label_i != bus_label_i) bad_values = 1'b1;
    end
  end

  // Sums are 0 where no query was asked.
  assign asked = !learn_q && status_q != 3'd1;
  logic bad_sums;
  assign bad_sums = (\dut.i_values.add_q && !dot_q) || ((writes_q || (result_q && !asked)) && sums != '0)
      || (dot_q && !asks_q && !(result_q && asked)) || (scans_q && !asks_q);

  // ---------------------------------------------------------------- tie
  always_comb begin
    tied = next_q <= Slots && used_q <= Slots && (\dut.i_values.valid_q >> used_q) == '0
        && (count == '0 || used_q != 0) && 3'(decides_q) + 3'(writes_q) + 3'(asks_q) + 3'(result_q) <= 3'd1;
    if (decides_q) tied = tied && \dut.state_q == 3'd1;
    else if (writes_q) tied = tied && \dut.state_q == 3'd2 && may_write && \dut.status_q == 3'd0;
    else if (asks_q) tied = tied && \dut.state_q == 3'd3 && !learn_q && \dut.status_q == 3'd0;
    else if (result_q) tied = tied && \dut.state_q == 3'd4;
    else tied = tied && \dut.state_q == 3'd0;
    if (!bus || result_q) tied = tied && \dut.learn_q == learn_q && \dut.label_q == label_q;
  end

  assign fail_o = live_q && promise_q && (bad_stream || bad_keys || bad_bus || bad_values || bad_sums || !tied);
endmodule

`default_nettype wire
