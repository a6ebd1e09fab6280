// Registers of a few-shot memory, behind those of hf_registers.
//
// Purpose     Status, erase, and the labels and valid bits, so that a memory whose keys have survived can be used again.
// Registers   address  name       access  reset    meaning
//             0x40     SIZE       R       -        15:0 slots, 31:16 classes
//             0x44     STATE      R       2        bit 0: a query or write is going on; bit 1: no slot is valid; bit 2: full;
//                                                  31:16 valid slots
//             0x48     ERASE      W       -        1: makes all slots invalid; the next learn takes slot 0. Nothing else is taken
//             0x4C     NEXT       R/W     0        slot of the next learn; the number of slots stands for full
//             0x50     SLOT       R/W     0        slot that LABEL shows
//             0x54     LABEL      R/W     -        15:0 label of SLOT, bit 31 valid, others 0; a write restores both
//             0x58     CLASS      R/W     0        class that SUM and SHOTS show
//             0x5C     SUM        R       -        class sum of the last command, signed; 0 unless it was a query
//             0x60     SHOTS      R       -        keys that it summed
//             0x64     LAST       R       0        head of the last result, see hf_few_shot
//             0x68     FAILURES   R       0        learns whose cells could not be written, modulo 2^32
//             Refused with SLVERR, and nothing is done: any access but to SIZE, STATE, LAST and FAILURES while bit 0 of STATE is
//             set; a slot, label or class that does not exist; an unknown address; a write to a read-only word, a read
//             of ERASE; byte strobes that are not all ones (by hf_registers)
// Parameters  Slots, Classes, SumWidth  see hf_value_memory
// Latency     answers in the same cycle; LABEL shows a slot from the second cycle after the write to SLOT on
// Throughput  one access of each kind a cycle
// Overflow    none
`default_nettype none

module hf_memory_registers #(
    parameter int Slots = 4,
    parameter int Classes = 2,
    parameter int SumWidth = 8,
    localparam int SlotWidth = Slots > 0 ? $clog2(Slots + 1) : 1,
    localparam int ClassWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                        clk_i,
    input  wire logic                        rst_ni,
    // From hf_registers
    input  wire logic                        write_i,
    input  wire logic [7:0]                  waddr_i,
    input  wire logic [31:0]                 wdata_i,
    output logic                             werror_o,
    input  wire logic [7:0]                  raddr_i,
    output logic      [31:0]                 rdata_o,
    output logic                             rerror_o,
    // Memory, see hf_few_shot
    input  wire logic                        busy_i,
    output logic                             erase_o,
    output logic                             restore_o,
    output logic      [SlotWidth-1:0]        slot_o,
    output logic                             valid_o,
    output logic      [ClassWidth-1:0]       label_o,
    output logic                             set_next_o,
    output logic      [SlotWidth-1:0]        next_o,
    input  wire logic                        slot_valid_i,
    input  wire logic [ClassWidth-1:0]       slot_label_i,
    input  wire logic [SlotWidth-1:0]        count_i,
    input  wire logic [SlotWidth-1:0]        next_i,
    input  wire logic                        full_i,
    input  wire logic [Classes*SumWidth-1:0] sums_i,
    input  wire logic [Classes*SlotWidth-1:0] counts_i,
    input  wire logic                        result_i,   // a result leaves
    input  wire logic [31:0]                 head_i
);
  localparam logic [7:0] Size = 8'h40;
  localparam logic [7:0] State = 8'h44;
  localparam logic [7:0] Erase = 8'h48;
  localparam logic [7:0] Next = 8'h4C;
  localparam logic [7:0] Slot = 8'h50;
  localparam logic [7:0] Label = 8'h54;
  localparam logic [7:0] Class = 8'h58;
  localparam logic [7:0] Sum = 8'h5C;
  localparam logic [7:0] Shots = 8'h60;
  localparam logic [7:0] Last = 8'h64;
  localparam logic [7:0] Failures = 8'h68;

  if (Slots < 1 || Classes < 1 || Slots > 65535 || Classes > 65535 || SumWidth > 32) begin : gen_error_sizes
    hf_error_memory_registers_sizes_out_of_range error ();
  end

  logic [SlotWidth-1:0] slot_q;
  logic [ClassWidth-1:0] class_q;
  logic [31:0] last_q, failures_q;
  logic write_slot, write_class;
  logic signed [SumWidth-1:0] sum;
  logic [SlotWidth-1:0] shots;

  // ---------------------------------------------------------------- writes
  logic label_fits;
  assign label_fits = 32'(wdata_i[15:0]) < Classes && wdata_i[30:16] == '0;
  always_comb begin
    werror_o = busy_i;
    case (waddr_i)
      Erase: if (wdata_i != 32'd1) werror_o = 1'b1;
      Next: if (wdata_i > Slots) werror_o = 1'b1;
      Slot: if (wdata_i >= Slots) werror_o = 1'b1;
      Label: if (!label_fits) werror_o = 1'b1;
      Class: if (wdata_i >= Classes) werror_o = 1'b1;
      default: werror_o = 1'b1;
    endcase
  end
  logic write;
  assign write = write_i && !werror_o;
  assign erase_o = write && waddr_i == Erase;
  assign set_next_o = write && waddr_i == Next;
  assign next_o = SlotWidth'(wdata_i);
  assign write_slot = write && waddr_i == Slot;
  assign restore_o = write && waddr_i == Label;
  assign slot_o = slot_q;
  assign valid_o = wdata_i[31];
  assign label_o = ClassWidth'(wdata_i);
  assign write_class = write && waddr_i == Class;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      slot_q <= '0;
      class_q <= '0;
      last_q <= '0;
      failures_q <= '0;
    end else begin
      if (write_slot) slot_q <= SlotWidth'(wdata_i);
      if (write_class) class_q <= ClassWidth'(wdata_i);
      if (result_i) last_q <= head_i;
      if (result_i && head_i[18:16] == 3'd4) failures_q <= failures_q + 1'b1;
    end
  end

  // ---------------------------------------------------------------- reads
  assign sum = sums_i[32'(class_q)*SumWidth+:SumWidth];
  assign shots = counts_i[32'(class_q)*SlotWidth+:SlotWidth];
  always_comb begin
    rerror_o = 1'b0;
    rdata_o = '0;
    case (raddr_i)
      Size: rdata_o = {16'(Classes), 16'(Slots)};
      State: rdata_o = {16'(count_i), 13'b0, full_i, count_i == '0, busy_i};
      Last: rdata_o = last_q;
      Failures: rdata_o = failures_q;
      Next: begin
        rdata_o = 32'(next_i);
        rerror_o = busy_i;
      end
      Slot: begin
        rdata_o = 32'(slot_q);
        rerror_o = busy_i;
      end
      Label: begin
        rdata_o = {slot_valid_i, 15'b0, 16'(slot_label_i)};
        rerror_o = busy_i;
      end
      Class: begin
        rdata_o = 32'(class_q);
        rerror_o = busy_i;
      end
      Sum: begin
        rdata_o = 32'(sum);
        rerror_o = busy_i;
      end
      Shots: begin
        rdata_o = 32'(shots);
        rerror_o = busy_i;
      end
      default: rerror_o = 1'b1;
    endcase
  end
endmodule

`default_nettype wire
