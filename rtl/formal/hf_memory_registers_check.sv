// Check of hf_memory_registers.
//
// Reference   The table of the block's header: what each address answers and what a write to it does.
// Proof       induction
`default_nettype none

module hf_memory_registers_check #(
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter int SumWidth = 8,
    localparam int SlotWidth = $clog2(Slots + 1),
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                         clk_i,
    input  wire logic                         rst_ni,
    input  wire logic                         write_i,
    input  wire logic [7:0]                   waddr_i,
    input  wire logic [31:0]                  wdata_i,
    input  wire logic [7:0]                   raddr_i,
    input  wire logic                         busy_i,
    input  wire logic                         slot_valid_i,
    input  wire logic [ClassWidth-1:0]        slot_label_i,
    input  wire logic [SlotWidth-1:0]         count_i,
    input  wire logic [SlotWidth-1:0]         next_i,
    input  wire logic                         full_i,
    input  wire logic [Classes*SumWidth-1:0]  sums_i,
    input  wire logic [Classes*SlotWidth-1:0] counts_i,
    input  wire logic                         result_i,
    input  wire logic [31:0]                  head_i,
    output logic                              fail_o
);
  logic werror, rerror, erase, restore, restore_valid, set_next;
  logic [31:0] rdata;
  logic [SlotWidth-1:0] slot, next;
  logic [ClassWidth-1:0] restore_label;
  hf_memory_registers #(.Slots(Slots), .Classes(Classes), .SumWidth(SumWidth)) dut (
      .clk_i, .rst_ni, .write_i, .waddr_i, .wdata_i, .werror_o(werror), .raddr_i, .rdata_o(rdata), .rerror_o(rerror),
      .busy_i, .erase_o(erase), .restore_o(restore), .slot_o(slot), .valid_o(restore_valid), .label_o(restore_label),
      .set_next_o(set_next), .next_o(next), .slot_valid_i, .slot_label_i, .count_i, .next_i, .full_i, .sums_i,
      .counts_i, .result_i, .head_i);

  logic live_q;  // a reset has been seen
  logic [31:0] slot_q, class_q, last_q, failures_q;
  initial live_q = 1'b0;

  // ---------------------------------------------------------------- writes
  logic refused, writes;
  always_comb begin
    case (waddr_i)
      8'h48: refused = wdata_i != 32'd1;
      8'h4C: refused = wdata_i > 32'(Slots);
      8'h50: refused = wdata_i >= 32'(Slots);
      8'h54: refused = {1'b0, wdata_i[30:0]} >= 32'(Classes);
      8'h58: refused = wdata_i >= 32'(Classes);
      default: refused = 1'b1;
    endcase
    if (busy_i) refused = 1'b1;
  end
  assign writes = write_i && !refused;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      slot_q <= 0;
      class_q <= 0;
      last_q <= 0;
      failures_q <= 0;
    end else begin
      if (writes && waddr_i == 8'h50) slot_q <= wdata_i;
      if (writes && waddr_i == 8'h58) class_q <= wdata_i;
      if (result_i) last_q <= head_i;
      if (result_i && head_i[18:16] == 3'd4) failures_q <= failures_q + 1;
    end
  end

  // ---------------------------------------------------------------- reads
  logic steady, word;  // an address that answers always; one that answers while no query or write is going on
  logic [31:0] want;
  logic [SumWidth-1:0] sum;
  assign sum = SumWidth'(sums_i >> (class_q * SumWidth));
  always_comb begin
    {steady, word} = 2'b00;
    want = 0;
    case (raddr_i)
      8'h40: {steady, want} = {1'b1, 32'(Classes) << 16 | 32'(Slots)};
      8'h44: {steady, want} = {1'b1, 32'(count_i) << 16 | 32'(full_i) << 2 | 32'(count_i == 0) << 1 | 32'(busy_i)};
      8'h4C: {word, want} = {1'b1, 32'(next_i)};
      8'h50: {word, want} = {1'b1, slot_q};
      8'h54: {word, want} = {1'b1, 32'(slot_valid_i) << 31 | 32'(slot_label_i)};
      8'h58: {word, want} = {1'b1, class_q};
      8'h5C: {word, want} = {1'b1, 32'($signed(sum))};
      8'h60: {word, want} = {1'b1, 32'(SlotWidth'(counts_i >> (class_q * SlotWidth)))};
      8'h64: {steady, want} = {1'b1, last_q};
      8'h68: {steady, want} = {1'b1, failures_q};
      default: {steady, word} = 2'b00;
    endcase
  end

  logic bad_write, bad_read;
  assign bad_write = (write_i && werror != refused) || erase != (writes && waddr_i == 8'h48)
      || set_next != (writes && waddr_i == 8'h4C) || (set_next && 32'(next) != wdata_i)
      || restore != (writes && waddr_i == 8'h54)
      || (restore && (restore_valid != wdata_i[31] || 32'(restore_label) != 32'(wdata_i[30:0])));
  assign bad_read = rerror != !(steady || (word && !busy_i)) || (!rerror && rdata != want);

  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [ClassWidth-1:0] \dut.class_q ;
  (* hierconn *) wire [31:0] \dut.last_q ;
  (* hierconn *) wire [31:0] \dut.failures_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  assign tied = slot_q < 32'(Slots) && class_q < 32'(Classes) && 32'(\dut.class_q ) == class_q
      && \dut.last_q == last_q && \dut.failures_q == failures_q;

  // LABEL is that of SLOT; the memory answers for it.
  assign fail_o = live_q && (bad_write || bad_read || 32'(slot) != slot_q || !tied);
endmodule

`default_nettype wire
