// Few-shot control: learns and answers.
//
// Purpose     Takes a bipolar feature vector with its command and stores it as a key under its label, or compares it with
//             the stored keys (batmann, figure 2). The keys lie in hf_keys_pcsa or hf_keys_adc, the labels here.
// Commands    {erase, learn, label}: erase makes all slots invalid first; learn = 0 asks.
// Result      {head, class sums}; head bits
//             15:0   class of a query, slot of a learn; all ones where there is none
//             18:16  status: 0 done; 1 the memory is empty (query); 2 it is full (learn, Overwrite = 0); 3 the label is not
//                    below Classes; 4 the cells of the slot could not be written: the key is not stored, the next learn takes
//                    the next slot
//             24     1: the command was a learn
//             Other bits are 0. Class sums are those of a query, else 0; class c at c * SumWidth.
// Slots       are written in turn from 0. Behind the last one the memory is full; with Overwrite = 1 slot 0 follows, the
//             oldest key.
// Bus         accesses (hf_memory_registers) count only while busy_o is low, which is so while no query or write is going on
// Parameters  Features, Slots, Classes  sizes, >= 1; Slots, Classes below 65536
//             Overwrite       0: a full memory refuses; 1: the oldest key is overwritten
//             DotWidth, Absolute, Mean, SumWidth  see hf_value_memory
// Latency     from the accepting cycle to out_valid_o: 2 cycles where nothing is read or written, else
//             learn: that of done_i after write_o, and 2 cycles
//             query: that of dot_last_i after query_o, and Classes + 4 cycles
// Throughput  a vector in latency + 1 cycles
// Overflow    none where SumWidth is as stated
// Reset       drops the command at hand and clears the valid bits; a write that it cuts off leaves its slot invalid
`default_nettype none

module hf_few_shot #(
    parameter int Features = 8,
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter bit Overwrite = 1'b0,
    parameter int DotWidth = 6,
    parameter bit Absolute = 1'b1,
    parameter bit Mean = 1'b0,
    parameter int SumWidth = 8,
    localparam int SlotWidth = Slots > 0 ? $clog2(Slots + 1) : 1,
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                        clk_i,
    input  wire logic                        rst_ni,
    // Features
    input  wire logic                        in_valid_i,
    output logic                             in_ready_o,
    input  wire logic [Features-1:0]         in_data_i,
    input  wire logic                        hold_i,     // take nothing: the arrays are programmed over the bus
    // Command of these features: {erase, learn, label}; valid with them
    input  wire logic [17:0]                 command_i,
    // Result: {head, class sums}
    output logic                             out_valid_o,
    input  wire logic                        out_ready_i,
    output logic      [32+Classes*SumWidth-1:0] out_data_o,
    // Keys
    output logic      [Features-1:0]         x_o,
    output logic                             query_o,
    output logic      [SlotWidth-1:0]        used_o,
    input  wire logic                        dot_valid_i,
    input  wire logic                        dot_last_i,
    input  wire logic signed [DotWidth-1:0]  dot_i,
    output logic                             write_o,
    output logic      [SlotWidth-1:0]        slot_o,
    input  wire logic                        done_i,
    input  wire logic                        failed_i,
    // Bus
    output logic                             busy_o,
    input  wire logic                        bus_erase_i,
    input  wire logic                        bus_restore_i,    // valid bit and label of bus_slot_i
    input  wire logic [SlotWidth-1:0]        bus_slot_i,
    input  wire logic                        bus_valid_i,
    input  wire logic [ClassWidth-1:0]       bus_label_i,
    input  wire logic                        bus_set_next_i,
    input  wire logic [SlotWidth-1:0]        bus_next_i,       // <= Slots
    output logic                             slot_valid_o,     // entry of bus_slot_i; the label one cycle later
    output logic      [ClassWidth-1:0]       slot_label_o,
    output logic      [SlotWidth-1:0]        count_o,
    output logic      [SlotWidth-1:0]        next_o,           // slot of the next learn
    output logic                             full_o,
    output logic      [Classes*SumWidth-1:0] sums_o,
    output logic      [Classes*SlotWidth-1:0] counts_o
);
  if (Features < 1 || Slots < 1 || Classes < 1 || Slots > 65535 || Classes > 65535) begin : gen_error_sizes
    hf_error_few_shot_sizes_out_of_range error ();
  end

  localparam logic [2:0] Idle = 3'd0;
  localparam logic [2:0] Start = 3'd1;
  localparam logic [2:0] Write = 3'd2;
  localparam logic [2:0] Query = 3'd3;
  localparam logic [2:0] Done = 3'd4;

  localparam logic [2:0] Fine = 3'd0;
  localparam logic [2:0] Empty = 3'd1;
  localparam logic [2:0] Full = 3'd2;
  localparam logic [2:0] BadLabel = 3'd3;
  localparam logic [2:0] Failed = 3'd4;

  logic [2:0] state_q, state_d, status_q, status_d;
  logic [15:0] index_q, index_d;
  logic [Features-1:0] x_q;
  logic learn_q;
  logic [15:0] label_q;
  logic [SlotWidth-1:0] next_q;  // Slots: behind the last one
  logic [SlotWidth-1:0] used_q;  // slots that may be valid: all below
  logic [SlotWidth-1:0] slot;
  logic accept, erase, learn, ask, stored, idle_bus, ranked;
  logic [ClassWidth-1:0] best;

  assign accept = in_valid_i && in_ready_o;
  assign in_ready_o = state_q == Idle && !hold_i;
  assign out_valid_o = state_q == Done;
  assign busy_o = state_q != Idle && state_q != Done;
  assign idle_bus = !busy_o;
  assign erase = (accept && command_i[17]) || (idle_bus && bus_erase_i);
  assign slot = Overwrite && next_q == SlotWidth'(Slots) ? '0 : next_q;
  assign full_o = next_q == SlotWidth'(Slots);
  assign learn = state_q == Start && learn_q && 32'(label_q) < Classes && (Overwrite || !full_o);
  assign ask = state_q == Start && !learn_q && count_o != '0;
  assign stored = state_q == Write && done_i && !failed_i;

  always_comb begin
    state_d = state_q;
    status_d = status_q;
    index_d = index_q;
    case (state_q)
      Idle: if (accept) state_d = Start;
      Start: begin
        index_d = '1;
        status_d = Fine;
        state_d = Done;
        if (learn) state_d = Write;
        else if (ask) state_d = Query;
        else if (!learn_q) status_d = Empty;
        else if (32'(label_q) >= Classes) status_d = BadLabel;
        else status_d = Full;
      end
      Write:
      if (done_i) begin
        state_d = Done;
        index_d = 16'(slot);
        if (failed_i) status_d = Failed;
      end
      Query:
      if (ranked) begin
        state_d = Done;
        index_d = 16'(best);
      end
      default: if (out_ready_i) state_d = Idle;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      next_q <= '0;
      used_q <= '0;
    end else begin
      state_q <= state_d;
      if (erase) next_q <= '0;
      else if (state_q == Write && done_i) next_q <= slot + 1'b1;
      else if (idle_bus && bus_set_next_i) next_q <= bus_next_i;
      if (erase) used_q <= '0;
      else if (stored && slot >= used_q) used_q <= slot + 1'b1;
      else if (idle_bus && bus_restore_i && bus_valid_i && bus_slot_i >= used_q && 32'(bus_slot_i) < Slots) begin
        used_q <= bus_slot_i + 1'b1;
      end
    end
    status_q <= status_d;
    index_q <= index_d;
    if (accept) begin
      x_q <= in_data_i;
      learn_q <= command_i[16];
      label_q <= command_i[15:0];
    end
  end

  assign out_data_o = {7'b0, learn_q, 5'b0, status_q, index_q, sums_o};
  assign x_o = x_q;
  assign query_o = ask;
  assign used_o = used_q;
  assign write_o = learn;
  assign slot_o = slot;
  assign next_o = next_q;

  // A slot is invalid while it is written.
  logic own;
  assign own = learn || stored;
  hf_value_memory #(
      .Slots(Slots),
      .Classes(Classes),
      .DotWidth(DotWidth),
      .Absolute(Absolute),
      .Mean(Mean),
      .SumWidth(SumWidth)
  ) i_values (
      .clk_i,
      .rst_ni,
      .erase_i(erase),
      .write_i(own || (idle_bus && bus_restore_i)),
      .slot_i(own ? slot : bus_slot_i),
      .valid_i(own ? stored : bus_valid_i),
      .label_i(own ? ClassWidth'(label_q) : bus_label_i),
      .read_slot_i(bus_slot_i),
      .valid_o(slot_valid_o),
      .label_o(slot_label_o),
      .count_o,
      .clear_i(state_q == Start),
      .dot_valid_i,
      .dot_last_i,
      .dot_i,
      .ranked_o(ranked),
      .class_o(best),
      .sums_o,
      .counts_o
  );
endmodule

`default_nettype wire
