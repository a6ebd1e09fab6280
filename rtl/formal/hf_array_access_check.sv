// Check of hf_array_access.
//
// Reference   The table of the block's header: what each address answers, what a write to it does, and what a command asks of
//             the sequencer, which hf_program_check proves.
// Assumed     nothing
// Proof       induction
`default_nettype none

module hf_array_access_check #(
    parameter int Banks = 1,
    parameter bit [64*Banks-1:0] Sizes = {Banks{64'h0008_0004_0001_0001}},
    parameter int Cells = 8,
    parameter int CountWidth = 12,
    parameter int FormCycles = 1,
    parameter int ResetCycles = 1,
    parameter int SetCycles = 1,
    parameter int VerifyCycles = 2,
    parameter int Attempts = 3,
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1,
    parameter bit [8*Banks-1:0] Trims = {Banks{8'd64}},
    localparam int Words = (Cells + 31) / 32,
    localparam int BankWidth = Banks > 1 ? $clog2(Banks) : 1,
    localparam int WordWidth = Words > 1 ? $clog2(Words) : 1
) (
    input  wire logic             clk_i,
    input  wire logic             rst_ni,
    input  wire logic             write_i,
    input  wire logic [7:0]       waddr_i,
    input  wire logic [31:0]      wdata_i,
    input  wire logic [7:0]       raddr_i,
    input  wire logic             used_i,
    input  wire logic             reading_i,
    input  wire logic [Banks-1:0] verify_i,
    input  wire logic [Banks-1:0] supply_ready_i,
    input  wire logic [Banks-1:0] array_busy_i,
    output logic                  fail_o
);
  logic werror, rerror, hold;
  logic [31:0] rdata;
  logic [3*Banks-1:0] operations;
  logic [15:0] split, tile, line;
  logic [Cells-1:0] mask;
  logic [CellWidth-1:0] at;
  logic [8*Banks-1:0] trims;
  hf_array_access #(
      .Banks(Banks), .Sizes(Sizes), .Cells(Cells), .CountWidth(CountWidth), .FormCycles(FormCycles),
      .ResetCycles(ResetCycles), .SetCycles(SetCycles), .VerifyCycles(VerifyCycles), .Attempts(Attempts), .Trims(Trims)
  ) dut (
      .clk_i, .rst_ni, .write_i, .waddr_i, .wdata_i, .werror_o(werror), .raddr_i, .rdata_o(rdata), .rerror_o(rerror),
      .used_i, .hold_o(hold), .program_o(operations), .split_o(split), .tile_o(tile), .line_o(line), .mask_o(mask),
      .cell_o(at), .trim_o(trims), .verify_i, .reading_i, .supply_ready_i, .array_busy_i);

  // verilator lint_off UNDRIVEN
  // The block's own registers and what goes between it and its sequencer, by name: Yosys joins these wires to them when it
  // flattens; a linter sees no driver.
  (* hierconn *) wire \dut.i_program.start_i ;
  (* hierconn *) wire [3:0] \dut.i_program.phases_i ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.form_cycles_i ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.reset_cycles_i ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.set_cycles_i ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.verify_cycles_i ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.attempts_i ;
  (* hierconn *) wire [CellWidth-1:0] \dut.i_program.last_cell_i ;
  (* hierconn *) wire [Cells-1:0] \dut.i_program.target_i ;
  (* hierconn *) wire [Cells-1:0] \dut.i_program.use_i ;
  (* hierconn *) wire \dut.i_program.verify_i ;
  (* hierconn *) wire \dut.i_program.wait_i ;
  (* hierconn *) wire \dut.i_program.supply_i ;
  (* hierconn *) wire \dut.i_program.lost_o ;
  (* hierconn *) wire \dut.i_program.busy_o ;
  (* hierconn *) wire \dut.i_program.done_o ;
  (* hierconn *) wire \dut.i_program.failed_o ;
  (* hierconn *) wire [Cells-1:0] \dut.i_program.wrong_o ;
  (* hierconn *) wire [CountWidth-1:0] \dut.i_program.attempt_o ;
  (* hierconn *) wire [2:0] \dut.i_program.program_o ;
  (* hierconn *) wire [Cells-1:0] \dut.i_program.mask_o ;
  (* hierconn *) wire [CellWidth-1:0] \dut.i_program.cell_o ;
  // verilator lint_on UNDRIVEN

  // ---------------------------------------------------------------- reference
  logic live_q;  // a reset has been seen
  logic [31:0] bank_q, array_q, line_q, word_q, command_q, attempt_q;
  logic [32*Words-1:0] data_q, mask_q;
  logic [31:0] form_q, reset_q, set_q, verify_q, attempts_q;
  logic [8*Banks-1:0] trims_q;
  logic start_q, failed_q, cut_q, void_q;
  initial live_q = 1'b0;

  logic [63:0] size;
  logic busy, closed, refused, write, exists, fits, steps;
  assign size = 64'(Sizes >> (bank_q * 64));
  assign busy = start_q || \dut.i_program.busy_o ;
  // Some array is without its supply, or not done with a pulse.
  always_comb begin
    closed = 1'b0;
    for (int k = 0; k < Banks; k++) if (!supply_ready_i[k] || array_busy_i[k]) closed = 1'b1;
  end
  assign exists = array_q[15:0] < size[15:0] && array_q[31:16] < size[31:16] && line_q < 32'(size[47:32]);
  assign fits = wdata_i >= 1 && wdata_i < 2 ** CountWidth;
  always_comb begin
    case (waddr_i)
      8'h84: refused = wdata_i >= 32'(Banks);
      8'h90, 8'h9C, 8'hA0: refused = 1'b0;
      8'h94: refused = wdata_i >= 65536;
      8'h98: refused = wdata_i >= 32'(Words);
      8'hC8: refused = wdata_i != 2;
      8'hA8: refused = used_i || closed || !exists || wdata_i == 0 || wdata_i > 5;
      8'hB0, 8'hB4, 8'hB8, 8'hC0: refused = !fits;
      8'hBC: refused = !fits || wdata_i < 2;
      8'hC4: refused = wdata_i >= 256;
      default: refused = 1'b1;
    endcase
    if (busy) refused = 1'b1;
  end
  assign write = write_i && !refused;
  assign steps = write && (waddr_i == 8'h9C || waddr_i == 8'hA0);

  always_ff @(posedge clk_i) begin
    start_q <= rst_ni && write && waddr_i == 8'hA8;
    if (write && waddr_i == 8'hA8) command_q <= wdata_i;
    if (!rst_ni) begin
      live_q <= 1'b1;
      bank_q <= 0;
      array_q <= 0;
      line_q <= 0;
      word_q <= 0;
      data_q <= '0;
      mask_q <= '1;
      failed_q <= 1'b0;
      cut_q <= 1'b0;
      void_q <= 1'b0;
      attempt_q <= 0;
      form_q <= 32'(FormCycles);
      reset_q <= 32'(ResetCycles);
      set_q <= 32'(SetCycles);
      verify_q <= 32'(VerifyCycles);
      attempts_q <= 32'(Attempts);
      trims_q <= Trims;
    end else begin
      if (write && waddr_i == 8'h84) bank_q <= wdata_i;
      if (write && waddr_i == 8'h90) array_q <= wdata_i;
      if (write && waddr_i == 8'h94) line_q <= wdata_i;
      if (write && waddr_i == 8'h98) word_q <= wdata_i;
      if (steps) word_q <= word_q == Words - 1 ? 0 : word_q + 1;
      if (write && waddr_i == 8'h9C) begin
        for (int w = 0; w < Words; w++) if (word_q == w) data_q[32*w+:32] <= wdata_i;
      end
      if (write && waddr_i == 8'hA0) begin
        for (int w = 0; w < Words; w++) if (word_q == w) mask_q[32*w+:32] <= wdata_i;
      end
      if (write && waddr_i == 8'hB0) form_q <= wdata_i;
      if (write && waddr_i == 8'hB4) reset_q <= wdata_i;
      if (write && waddr_i == 8'hB8) set_q <= wdata_i;
      if (write && waddr_i == 8'hBC) verify_q <= wdata_i;
      if (write && waddr_i == 8'hC0) attempts_q <= wdata_i;
      if (write && waddr_i == 8'hC4) begin
        for (int k = 0; k < Banks; k++) if (bank_q == k) trims_q[8*k+:8] <= wdata_i[7:0];
      end
      if (write && waddr_i == 8'hC8) void_q <= 1'b0;
      if (reading_i && ~supply_ready_i != '0) void_q <= 1'b1;
      if (write && waddr_i == 8'hA8) begin
        failed_q <= 1'b0;
        cut_q <= 1'b0;
      end
      if (\dut.i_program.done_o ) begin
        failed_q <= \dut.i_program.failed_o && (command_q == 5 || \dut.i_program.lost_o );
        cut_q <= \dut.i_program.lost_o ;
        attempt_q <= 32'(\dut.i_program.attempt_o );
        if (command_q == 4 && !\dut.i_program.lost_o ) data_q <= (32 * Words)'(\dut.i_program.wrong_o );
      end
    end
  end

  // ---------------------------------------------------------------- reads
  logic known, bad_read;
  logic [31:0] want;
  logic [32*Words-1:0] wrong;
  assign wrong = (32 * Words)'(\dut.i_program.wrong_o );
  always_comb begin
    known = 1'b1;
    case (raddr_i)
      8'h80: want = 32'(Words) << 16 | 32'(Banks);
      8'h84: want = bank_q;
      8'h88: want = size[31:0];
      8'h8C: want = {size[63:48], size[47:32]};
      8'h90: want = array_q;
      8'h94: want = line_q;
      8'h98: want = word_q;
      8'h9C: want = 32'(data_q >> (32 * word_q));
      8'hA0: want = 32'(mask_q >> (32 * word_q));
      8'hA4: want = 32'(wrong >> (32 * word_q));
      8'hAC: want = attempt_q << 16 | 32'(cut_q) << 3 | 32'(busy || used_i || closed) << 2 | 32'(failed_q) << 1 | 32'(busy);
      8'hB0: want = form_q;
      8'hB4: want = reset_q;
      8'hB8: want = set_q;
      8'hBC: want = verify_q;
      8'hC0: want = attempts_q;
      8'hC4: want = 32'(8'(trims_q >> (8 * bank_q)));
      8'hC8: want = 32'(void_q) << 1 | 32'(~supply_ready_i == '0);
      default: {known, want} = '0;
    endcase
    bad_read = rerror != !known || rdata != want;
  end

  // ---------------------------------------------------------------- what the sequencer is asked for
  logic bad_program;
  logic [2:0] operation;
  always_comb begin
    bad_program = \dut.i_program.start_i != start_q || hold != (busy || closed) || (write_i && werror != refused);
    if (busy) begin
      case (command_q)
        1: if (\dut.i_program.phases_i != 4'b0001) bad_program = 1'b1;
        2: if (\dut.i_program.phases_i != 4'b0100) bad_program = 1'b1;
        3: if (\dut.i_program.phases_i != 4'b0010) bad_program = 1'b1;
        4: if (\dut.i_program.phases_i != 4'b1000) bad_program = 1'b1;
        default: if (\dut.i_program.phases_i != 4'b1110) bad_program = 1'b1;
      endcase
      // A read looks for cells that are not HRS, once.
      if (\dut.i_program.target_i != (command_q == 4 ? '0 : data_q[Cells-1:0])) bad_program = 1'b1;
      if (\dut.i_program.use_i != (command_q == 4 ? {Cells{1'b1}} : mask_q[Cells-1:0])) bad_program = 1'b1;
      if (32'(\dut.i_program.attempts_i ) != (command_q == 4 ? 1 : attempts_q)) bad_program = 1'b1;
      if (32'(\dut.i_program.form_cycles_i ) != form_q || 32'(\dut.i_program.reset_cycles_i ) != reset_q
          || 32'(\dut.i_program.set_cycles_i ) != set_q || 32'(\dut.i_program.verify_cycles_i ) != verify_q) begin
        bad_program = 1'b1;
      end
      if (\dut.i_program.last_cell_i != CellWidth'(size[63:48] - 16'd1)) bad_program = 1'b1;
      if (\dut.i_program.verify_i != verify_i[BankWidth'(bank_q)]) bad_program = 1'b1;
      if (\dut.i_program.wait_i != array_busy_i[BankWidth'(bank_q)]) bad_program = 1'b1;
      if (\dut.i_program.supply_i != supply_ready_i[BankWidth'(bank_q)]) bad_program = 1'b1;
    end
    operation = \dut.i_program.program_o ;
    for (int k = 0; k < Banks; k++) begin
      if (operations[3*k+:3] != (bank_q == k ? operation : 3'd0)) bad_program = 1'b1;
    end
    if (mask != \dut.i_program.mask_o || at != \dut.i_program.cell_o ) bad_program = 1'b1;
    if (trims != trims_q) bad_program = 1'b1;
    if ({tile, split} != array_q || 32'(line) != line_q) bad_program = 1'b1;
  end

  // ---------------------------------------------------------------- tie
  // verilator lint_off UNDRIVEN
  (* hierconn *) wire [3:0] \dut.phases_q ;
  (* hierconn *) wire \dut.read_q ;
  (* hierconn *) wire \dut.failed_q ;
  (* hierconn *) wire \dut.cut_q ;
  (* hierconn *) wire \dut.void_q ;
  (* hierconn *) wire [15:0] \dut.attempt_q ;
  (* hierconn *) wire [WordWidth-1:0] \dut.word_q ;
  (* hierconn *) wire [BankWidth-1:0] \dut.bank_q ;
  (* hierconn *) wire [32*Words-1:0] \dut.data_q ;
  (* hierconn *) wire [32*Words-1:0] \dut.mask_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.form_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.reset_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.set_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.verify_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.attempts_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  assign tied = bank_q < 32'(Banks) && word_q < 32'(Words) && 32'(\dut.word_q ) == word_q && 32'(\dut.bank_q ) == bank_q
      && \dut.data_q == data_q && \dut.mask_q == mask_q && \dut.failed_q == failed_q
      && \dut.cut_q == cut_q && \dut.void_q == void_q && 32'(\dut.attempt_q ) == attempt_q
      && 32'(\dut.form_q ) == form_q && 32'(\dut.reset_q ) == reset_q && 32'(\dut.set_q ) == set_q
      && 32'(\dut.verify_q ) == verify_q && 32'(\dut.attempts_q ) == attempts_q
      && (!busy || (\dut.read_q == (command_q == 4) && command_q >= 1 && command_q <= 5));

  assign fail_o = live_q && (bad_read || bad_program || !tied);
endmodule

`default_nettype wire
