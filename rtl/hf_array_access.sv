// Access to the cells of the arrays over the register bus: forming, programming, read-back.
//
// Purpose     Works on one word line of one array at a time, whatever reads it: a bank is all arrays of a layer or of the key
//             memory, an array has a split along inputs and a tile along neurons or keys. The cells of the word line lie in a buffer, hf_program pulses and
//             verifies them.
// Registers   address  name      access  reset     meaning
//             0x80     BANKS     R       -         15:0 banks, 31:16 words of DATA, MASK and WRONG
//             0x84     BANK      R/W     0         bank, in the order of the layers that have arrays; that of a
//                                                  key memory is the last
//             0x88     ARRAYS    R       -         of BANK: 15:0 splits, 31:16 tiles
//             0x8C     SIZE      R       -         of BANK: 15:0 word lines of an array, 31:16 cells of a word line
//             0x90     ARRAY     R/W     0         15:0 split, 31:16 tile
//             0x94     LINE      R/W     0         word line
//             0x98     WORD      R/W     0         word that DATA, MASK and WRONG show: cells 32 WORD and up, the first is bit 0
//             0x9C     DATA      R/W     0         1: the cell shall be LRS, or was read as LRS. A write steps WORD, the last
//                                                  word is followed by 0
//             0xA0     MASK      R/W     all ones  1: the cell may be pulsed. A write steps WORD
//             0xA4     WRONG     R       0         cells that the last command's last verify did not find as DATA has them; of
//                                                  a READ, those of LRS
//             0xA8     COMMAND   W       -         1 FORM, 2 SET: a pulse on cells of MASK with DATA 1; 3 RESET: on those with
//                                                  DATA 0; 4 READ: verifies every cell and puts what it finds into DATA;
//                                                  5 PROGRAM: RESET, SET, verify of the cells of MASK, and again for those
//                                                  that failed, ATTEMPTS times in all
//             0xAC     STATE     R       0         bit 0: a command is carried out; bit 1: the last one failed, a PROGRAM with
//                                                  cells of WRONG, or for bit 3; bit 2: COMMAND would be refused now, for bit
//                                                  0, because images are in flight, arrays are busy or their supply is not
//                                                  ready; bit 3: the last one was cut short when the supply of its arrays
//                                                  failed; 31:16 attempts of the last command
//             0xB0     FORM      R/W     FormCycles    cycles of the pulse
//             0xB4     RESET     R/W     ResetCycles   cycles of the pulse
//             0xB8     SET       R/W     SetCycles     cycles of the pulse
//             0xBC     VERIFY    R/W     VerifyCycles  cycles of a cell's verify, >= 2
//             0xC0     ATTEMPTS  R/W     Attempts      see COMMAND
//             0xC4     TRIM      R/W     Trims     of BANK, 0 to 255: the reference that a verify compares a cell with. What a
//                                                  code stands for is the macro's; in the array models, 2 kOhm times the code
//             0xC8     SUPPLY    R/W     -         bit 0: the arrays of all banks are ready; bit 1: some were not while arrays
//                                                  were read, since a 2 was last written here: results of the images that
//                                                  were in flight then, and keys that were learned, are void
//             Refused with SLVERR, and nothing is done: any write while bit 0 of STATE is set; a COMMAND while bit 2 is set, for
//             an array or word line that BANK has not, or of another number; a bank, word or count that does not exist; an
//             unknown address; a write to a read-only word, a read of COMMAND; byte strobes that are not all ones (by
//             hf_registers). A split with fewer inputs than the first ignores its last word lines: it has no cells there, a
//             PROGRAM of an LRS fails and a READ finds HRS
// Images      are not taken by layers with arrays while a command is carried out, arrays are busy or their supply is not ready
//             (hold_o)
// Parameters  Banks       >= 1
//             Sizes       bank k at 64 k: {cells, word lines, tiles, splits} of 16 bits each, all >= 1
//             Cells       the most cells of a word line
//             CountWidth  bits of the counts, 2 to 16
//             FormCycles, ResetCycles, SetCycles, VerifyCycles, Attempts  reset values
//             Trims       reset value of bank k's TRIM at 8 k
// Latency     accesses answer in the same cycle; a command takes 1 cycle more than hf_program
// Throughput  one command at a time
// Overflow    none
`default_nettype none

module hf_array_access #(
    parameter int Banks = 1,
    parameter bit [64*Banks-1:0] Sizes = {Banks{64'h0008_0004_0001_0001}},
    parameter int Cells = 8,
    parameter int CountWidth = 12,
    parameter int FormCycles = 1,
    parameter int ResetCycles = 1,
    parameter int SetCycles = 1,
    parameter int VerifyCycles = 2,
    parameter int Attempts = 3,
    parameter bit [8*Banks-1:0] Trims = {Banks{8'd64}},
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                 clk_i,
    input  wire logic                 rst_ni,
    // From hf_registers
    input  wire logic                 write_i,
    input  wire logic [7:0]           waddr_i,
    input  wire logic [31:0]          wdata_i,
    output logic                      werror_o,
    input  wire logic [7:0]           raddr_i,
    output logic      [31:0]          rdata_o,
    output logic                      rerror_o,
    // Design
    input  wire logic                 used_i,     // images are in flight, or arrays are read
    input  wire logic                 reading_i,  // arrays are read
    output logic                      hold_o,     // arrays must not be read
    // Banks
    output logic      [3*Banks-1:0]   program_o,  // operation of bank k at 3 k, see hf_program
    output logic      [15:0]          split_o,
    output logic      [15:0]          tile_o,
    output logic      [15:0]          line_o,
    output logic      [Cells-1:0]     mask_o,
    output logic      [CellWidth-1:0] cell_o,
    output logic      [8*Banks-1:0]   trim_o,     // of bank k at 8 k
    input  wire logic [Banks-1:0]     verify_i,
    input  wire logic [Banks-1:0]     supply_ready_i,
    input  wire logic [Banks-1:0]     array_busy_i
);
  localparam logic [7:0] BanksAt = 8'h80;
  localparam logic [7:0] BankAt = 8'h84;
  localparam logic [7:0] ArraysAt = 8'h88;
  localparam logic [7:0] SizeAt = 8'h8C;
  localparam logic [7:0] ArrayAt = 8'h90;
  localparam logic [7:0] LineAt = 8'h94;
  localparam logic [7:0] WordAt = 8'h98;
  localparam logic [7:0] DataAt = 8'h9C;
  localparam logic [7:0] MaskAt = 8'hA0;
  localparam logic [7:0] WrongAt = 8'hA4;
  localparam logic [7:0] CommandAt = 8'hA8;
  localparam logic [7:0] StateAt = 8'hAC;
  localparam logic [7:0] FormAt = 8'hB0;
  localparam logic [7:0] ResetAt = 8'hB4;
  localparam logic [7:0] SetAt = 8'hB8;
  localparam logic [7:0] VerifyAt = 8'hBC;
  localparam logic [7:0] AttemptsAt = 8'hC0;
  localparam logic [7:0] TrimAt = 8'hC4;
  localparam logic [7:0] SupplyAt = 8'hC8;

  localparam logic [3:0] Program = 4'b1110;  // {verify, SET, RESET, FORM}

  localparam int Words = Cells > 32 ? (Cells + 31) / 32 : 1;
  localparam int WordWidth = Words > 1 ? $clog2(Words) : 1;
  localparam int BankWidth = Banks > 1 ? $clog2(Banks) : 1;

  if (Banks < 1 || Cells < 1) begin : gen_error_sizes
    hf_error_array_access_banks_and_cells_must_be_at_least_1 error ();
  end
  if (CountWidth < 2 || CountWidth > 16) begin : gen_error_width
    hf_error_array_access_count_width_must_be_2_to_16 error ();
  end
  if (FormCycles < 1 || ResetCycles < 1 || SetCycles < 1 || VerifyCycles < 2 || Attempts < 1) begin : gen_error_counts
    hf_error_array_access_pulses_and_attempts_are_1_or_more_and_a_verify_takes_2 error ();
  end

  // ---------------------------------------------------------------- registers
  logic [BankWidth-1:0] bank_q;
  logic [15:0] split_q, tile_q, line_q, attempt_q;
  logic [WordWidth-1:0] word_q;
  logic [32*Words-1:0] data_q, mask_q;
  logic [CountWidth-1:0] form_q, reset_q, set_q, verify_q, attempts_q;
  logic [8*Banks-1:0] trims_q;
  logic [3:0] phases_q;  // of the command
  logic start_q, read_q, failed_q;
  logic cut_q;   // the last command lost its supply
  logic void_q;  // images in flight did

  logic [15:0] cells, lines, tiles, splits;  // of the bank
  assign {cells, lines, tiles, splits} = 64'(Sizes >> (64 * 32'(bank_q)));

  // ---------------------------------------------------------------- sequencer
  logic busy, program_busy, done, failed, lost;
  logic usable;  // all arrays can be read and pulsed
  logic [2:0] operation;
  logic [Cells-1:0] wrong;
  logic [CountWidth-1:0] attempt;
  assign busy = start_q || program_busy;
  assign usable = &supply_ready_i && array_busy_i == '0;
  assign hold_o = busy || !usable;
  hf_program #(
      .Cells(Cells),
      .CountWidth(CountWidth)
  ) i_program (
      .clk_i,
      .rst_ni,
      .start_i(start_q),
      .phases_i(phases_q),
      .form_cycles_i(form_q),
      .reset_cycles_i(reset_q),
      .set_cycles_i(set_q),
      .verify_cycles_i(verify_q),
      .attempts_i(read_q ? CountWidth'(1) : attempts_q),
      .last_cell_i(CellWidth'(cells - 16'd1)),
      // A read finds all cells wrong that are not HRS.
      .target_i(read_q ? '0 : data_q[Cells-1:0]),
      .use_i(read_q ? {Cells{1'b1}} : mask_q[Cells-1:0]),
      .busy_o(program_busy),
      .done_o(done),
      .failed_o(failed),
      .wrong_o(wrong),
      .attempt_o(attempt),
      .lost_o(lost),
      .program_o(operation),
      .mask_o,
      .cell_o,
      .verify_i(verify_i[bank_q]),
      .wait_i(array_busy_i[bank_q]),
      .supply_i(supply_ready_i[bank_q])
  );
  for (genvar k = 0; k < Banks; k++) begin : gen_bank
    assign program_o[3*k+:3] = bank_q == BankWidth'(k) ? operation : 3'd0;
  end
  assign split_o = split_q;
  assign tile_o = tile_q;
  assign line_o = line_q;
  assign trim_o = trims_q;

  // ---------------------------------------------------------------- writes
  logic exists, count_fits;
  assign exists = split_q < splits && tile_q < tiles && line_q < lines;
  assign count_fits = wdata_i != '0 && (wdata_i >> CountWidth) == '0;
  always_comb begin
    werror_o = busy;
    case (waddr_i)
      BankAt: if (wdata_i >= Banks) werror_o = 1'b1;
      ArrayAt, DataAt, MaskAt: ;
      LineAt: if (wdata_i > 32'hFFFF) werror_o = 1'b1;
      WordAt: if (wdata_i >= Words) werror_o = 1'b1;
      CommandAt: if (used_i || !usable || !exists || wdata_i < 32'd1 || wdata_i > 32'd5) werror_o = 1'b1;
      FormAt, ResetAt, SetAt, AttemptsAt: if (!count_fits) werror_o = 1'b1;
      VerifyAt: if (!count_fits || wdata_i == 32'd1) werror_o = 1'b1;
      TrimAt: if (wdata_i > 32'd255) werror_o = 1'b1;
      SupplyAt: if (wdata_i != 32'd2) werror_o = 1'b1;
      default: werror_o = 1'b1;
    endcase
  end
  logic write, command;
  assign write = write_i && !werror_o;
  assign command = write && waddr_i == CommandAt;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      start_q <= 1'b0;
      bank_q <= '0;
      split_q <= '0;
      tile_q <= '0;
      line_q <= '0;
      word_q <= '0;
      data_q <= '0;
      mask_q <= '1;
      read_q <= 1'b0;
      failed_q <= 1'b0;
      cut_q <= 1'b0;
      void_q <= 1'b0;
      attempt_q <= '0;
      form_q <= CountWidth'(FormCycles);
      reset_q <= CountWidth'(ResetCycles);
      set_q <= CountWidth'(SetCycles);
      verify_q <= CountWidth'(VerifyCycles);
      attempts_q <= CountWidth'(Attempts);
      trims_q <= Trims;
    end else begin
      start_q <= command;
      if (command) begin
        read_q <= wdata_i[2:0] == 3'd4;
        failed_q <= 1'b0;
        cut_q <= 1'b0;
      end
      if (done) begin
        failed_q <= failed && (phases_q == Program || lost);
        cut_q <= lost;
        attempt_q <= 16'(attempt);
      end
      if (reading_i && supply_ready_i != '1) void_q <= 1'b1;
      else if (write && waddr_i == SupplyAt) void_q <= 1'b0;
      if (write) begin
        case (waddr_i)
          BankAt: bank_q <= BankWidth'(wdata_i);
          ArrayAt: {tile_q, split_q} <= wdata_i;
          LineAt: line_q <= wdata_i[15:0];
          WordAt: word_q <= WordWidth'(wdata_i);
          FormAt: form_q <= CountWidth'(wdata_i);
          ResetAt: reset_q <= CountWidth'(wdata_i);
          SetAt: set_q <= CountWidth'(wdata_i);
          VerifyAt: verify_q <= CountWidth'(wdata_i);
          AttemptsAt: attempts_q <= CountWidth'(wdata_i);
          DataAt, MaskAt: word_q <= 32'(word_q) == Words - 1 ? '0 : word_q + 1'b1;
          default: ;
        endcase
      end
      for (int k = 0; k < Banks; k++) begin
        if (write && waddr_i == TrimAt && 32'(bank_q) == k) trims_q[8*k+:8] <= wdata_i[7:0];
      end
      for (int w = 0; w < Words; w++) begin
        if (write && waddr_i == DataAt && 32'(word_q) == w) data_q[32*w+:32] <= wdata_i;
        if (write && waddr_i == MaskAt && 32'(word_q) == w) mask_q[32*w+:32] <= wdata_i;
      end
      if (done && read_q && !lost) data_q <= (32 * Words)'(wrong);
    end
    if (command) begin
      case (wdata_i[2:0])
        3'd1: phases_q <= 4'b0001;
        3'd2: phases_q <= 4'b0100;
        3'd3: phases_q <= 4'b0010;
        3'd4: phases_q <= 4'b1000;
        default: phases_q <= Program;
      endcase
    end
  end

  // ---------------------------------------------------------------- reads
  logic [32*Words-1:0] wrong_words;
  logic [31:0] data_word, mask_word, wrong_word;
  assign wrong_words = (32 * Words)'(wrong);
  assign data_word = data_q[32*32'(word_q)+:32];
  assign mask_word = mask_q[32*32'(word_q)+:32];
  assign wrong_word = wrong_words[32*32'(word_q)+:32];
  always_comb begin
    rerror_o = 1'b0;
    rdata_o = '0;
    case (raddr_i)
      BanksAt: rdata_o = {16'(Words), 16'(Banks)};
      BankAt: rdata_o = 32'(bank_q);
      ArraysAt: rdata_o = {tiles, splits};
      SizeAt: rdata_o = {cells, lines};
      ArrayAt: rdata_o = {tile_q, split_q};
      LineAt: rdata_o = 32'(line_q);
      WordAt: rdata_o = 32'(word_q);
      DataAt: rdata_o = data_word;
      MaskAt: rdata_o = mask_word;
      WrongAt: rdata_o = wrong_word;
      StateAt: rdata_o = {attempt_q, 12'b0, cut_q, busy || used_i || !usable, failed_q, busy};
      FormAt: rdata_o = 32'(form_q);
      ResetAt: rdata_o = 32'(reset_q);
      SetAt: rdata_o = 32'(set_q);
      VerifyAt: rdata_o = 32'(verify_q);
      AttemptsAt: rdata_o = 32'(attempts_q);
      TrimAt: rdata_o = 32'(trims_q[8*32'(bank_q)+:8]);
      SupplyAt: rdata_o = {30'b0, void_q, &supply_ready_i};
      default: rerror_o = 1'b1;
    endcase
  end
  logic unused;
  assign unused = ^{data_q, mask_q, cells};
endmodule

`default_nettype wire
