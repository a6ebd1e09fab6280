// Behavioral model of a 2T2R RRAM array with precharge sense amplifiers. Simulation only.
//
// Purpose     A word line holds one neuron's slice; each column is a pair of cells (BL, BLb) with 1T1R cells each.
//             Amplifiers may be shared by ColumnsPerAmplifier adjacent columns through a multiplexer.
// Equation    Q and Qb are 1 while precharged. A pair resolves once the sense window has lasted its switching time:
//             Q = (R_BL < R_BLb), Qb = not Q   (ternary-pcsa, section III, figure 3)
// Cells       Ideal: LRS/HRS = +1, HRS/LRS = -1, HRS/HRS = 0 with R_BL = 320k, R_BLb = 350k, so that a window of
//             ZeroCycles or more reads a zero as +1. LRS/LRS is avoided; it reads as +1 after SignCycles.
// Parameters  Rows                 word lines, >= 1
//             Amplifiers           sense amplifiers, >= 1
//             ColumnsPerAmplifier  columns an amplifier serves, >= 1
//             SignCycles           clock cycles in which an LRS/HRS pair resolves
//             ZeroCycles           clock cycles in which an HRS/HRS pair resolves
//             Programmable         1: cells can be written; 0: program_i is ignored
//             SetCycles, ResetCycles  cycles of a pulse after which an ideal cell has switched
//             InitPrefix           memory image InitPrefix, then rX_cY with RowTile and ColumnTile; see hf_rom
//                                  for the folder. Line row * ColumnsPerAmplifier + column = {BLb, BL}, 1 = LRS;
//                                  bit j of each half belongs to amplifier j
// Latency     cycle k of sense_i (1, 2, ...) shows the pairs that resolve within k cycles; a pair that takes one cycle must
//             have its word line selected in the cycle before. The outputs are 1 again from the second cycle after
//             sense_i has fallen: precharge takes that cycle
// Throughput  one word line and column a read
// Program     program_i is the operation and its pulse: 1 FORM, 2 SET, 3 RESET, 4 VERIFY, held for as many cycles as the pulse
//             lasts, with row_i and program_mask_i stable. FORM and SET take the masked cells of the word
//             line to LRS, RESET takes them to HRS. VERIFY compares one cell with the reference,
//             2 kOhm times program_trim_i: program_verify_o = 1 where the cell's resistance is below it, from the second cycle
//             on that program_cell_i is the cell's; that steps from cell to cell while VERIFY is held. Without VERIFY it is 0: a
//             bank joins its arrays by OR. The ideal cells have 20 kOhm in LRS and 350 kOhm in HRS. Bit lines and cells: BL of
//             column c, amplifier j at c * Amplifiers + j, BLb behind all BL.
//             Faults of an array come from InitPrefix, rX_cY, then _faults in the folder +hafnia_faults, if that is
//             given: line = {slow BLb, slow BL, stuck BLb, stuck BL}. A stuck cell never switches, a slow one only with every
//             second pulse.
// X           without an image the cells are X and so are the outputs once they resolve; row_i and column_i must
//             be stable while sense_i is high
// Power       isolate_i: from the next edge on the read outputs and program_verify_o are 0, supply_ready_o is 0 at once, pulses
//             do nothing; cells keep their state. supply_ready_o is 1 otherwise, and array_busy_o 0: a cell has switched when
//             its pulse ends. A real macro may take its time with both
// Test        scan_bypass_i: from the next edge on every output shows sense_i of the cycle before, as a wrapper's test point
//             would; pulses do nothing
`default_nettype none

module hf_array_pcsa #(
    parameter int Rows = 4,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    parameter int RowTile = 0,
    parameter int ColumnTile = 0,
    localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1,
    localparam int Slice = Amplifiers * ColumnsPerAmplifier,
    localparam int CellWidth = $clog2(2 * Slice)
) (
    input  wire logic                   clk_i,
    // Read
    input  wire logic                   sense_i,   // SEN; low precharges the amplifiers
    input  wire logic [RowWidth-1:0]    row_i,     // word line
    input  wire logic [ColumnWidth-1:0] column_i,  // column of each amplifier
    output logic      [Amplifiers-1:0]  q_o,
    output logic      [Amplifiers-1:0]  qb_o,
    // Program
    input  wire logic [2:0]             program_i,       // operation, see above; 0: none
    input  wire logic [2*Slice-1:0]     program_mask_i,  // bit lines that a pulse writes
    input  wire logic [CellWidth-1:0]   program_cell_i,  // bit line that is verified
    input  wire logic [7:0]             program_trim_i,  // reference of a verify
    input  wire logic                   isolate_i,       // outputs show 0, pulses do nothing
    input  wire logic                   scan_bypass_i,   // outputs show the wrapper's test point
    output logic                        program_verify_o,
    output logic                        supply_ready_o,  // reads and pulses are possible
    output logic                        array_busy_o     // not yet done with a pulse
);
  localparam int Lines = Rows * ColumnsPerAmplifier;
  localparam int LineWidth = Lines > 1 ? $clog2(Lines) : 1;
  localparam int CountWidth = 16;

  // verilator lint_off UNDRIVEN
  // Loaded from an image; without a prefix they stay X, as the header says.
  logic [2*Amplifiers-1:0] cells[0:Lines-1];
  // verilator lint_on UNDRIVEN
  logic [CountWidth-1:0] elapsed_q;  // full cycles for which sense_i has been high
  logic [LineWidth-1:0] line;
  int cycle;  // cycle of the window that the coming edge begins; 1 where the next one may be its first

  if (InitPrefix != "") begin : gen_init
    logic [8*512-1:0] folder;
    logic [8*640-1:0] path;
    initial begin
      if ($value$plusargs("hafnia_mem=%s", folder) == 0) folder = "mem";
      path = '0;
      $sformat(path, "%0s/%0sr%0d_c%0d.mem", folder, InitPrefix, RowTile, ColumnTile);
      $readmemh(path, cells);
    end
  end

  always_ff @(posedge clk_i) begin
    if (!sense_i) elapsed_q <= '0;
    else if (elapsed_q != '1) elapsed_q <= elapsed_q + 1'b1;
  end

  // The outputs of the coming cycle change only at the two switching times, so a simulator has little to do.
  assign cycle = sense_i ? 32'(elapsed_q) + 2 : 1;
  assign line = LineWidth'(32'(row_i) * ColumnsPerAmplifier + 32'(column_i));

  // A line is {BLb, BL}.
  always_ff @(posedge clk_i) begin
    if (isolate_i || scan_bypass_i) begin
      q_o <= {Amplifiers{!isolate_i && sense_i}};
      qb_o <= {Amplifiers{!isolate_i && sense_i}};
    end else if (cycle == ZeroCycles) begin
      // Both HRS: the branch of 320k wins over that of 350k.
      q_o <= ~cells[line][Amplifiers+:Amplifiers] | cells[line][0+:Amplifiers];
      qb_o <= cells[line][Amplifiers+:Amplifiers] & ~cells[line][0+:Amplifiers];
    end else if (cycle == SignCycles) begin
      q_o <= ~(cells[line][Amplifiers+:Amplifiers] & ~cells[line][0+:Amplifiers]);
      qb_o <= ~cells[line][0+:Amplifiers];
    end else if (cycle == 1) begin
      q_o <= '1;
      qb_o <= '1;
    end
  end

  // Power and test: see the header.
  logic [2:0] operation;
  logic shown_q;  // what the scan bypass shows
  assign operation = isolate_i || scan_bypass_i ? 3'd0 : program_i;
  always_ff @(posedge clk_i) shown_q <= sense_i;
  assign supply_ready_o = !isolate_i && (shown_q || !scan_bypass_i);
  assign array_busy_o = !isolate_i && shown_q && scan_bypass_i;

  if (Programmable) begin : gen_program
    // A cell verifies as LRS where its resistance is below 2 kOhm times the code: 20 kOhm in LRS, 350 kOhm in HRS.
    localparam logic [7:0] LrsCode = 8'd10;
    localparam logic [7:0] HrsCode = 8'd175;
    logic [CountWidth-1:0] pulse_q;  // full cycles of the pulse
    logic [4*Amplifiers-1:0] faults[0:Lines-1];
    logic [2*Amplifiers-1:0] tried[0:Lines-1];  // slow cells that have had one pulse
    logic [8*512-1:0] fault_folder;
    logic [8*640-1:0] fault_path;
    initial begin
      for (int n = 0; n < Lines; n++) begin
        faults[n] = '0;
        tried[n] = '0;
      end
      if ($value$plusargs("hafnia_faults=%s", fault_folder) != 0) begin
        fault_path = '0;
        $sformat(fault_path, "%0s/%0sr%0d_c%0d_faults.mem", fault_folder, InitPrefix, RowTile, ColumnTile);
        $readmemh(fault_path, faults);
      end
    end

    logic [LineWidth-1:0] at;
    logic [2*Amplifiers-1:0] mask, moves, bits;
    logic verify;
    // verilator lint_off BLKSEQ
    // Variables of the loop; cells are not read while they are written.
    always @(posedge clk_i) begin
      pulse_q <= operation == 3'd0 ? '0 : pulse_q + 1'b1;
      if ((operation == 3'd3 && 32'(pulse_q) + 1 == ResetCycles)
          || ((operation == 3'd1 || operation == 3'd2) && 32'(pulse_q) + 1 == SetCycles)) begin
        for (int c = 0; c < ColumnsPerAmplifier; c++) begin
          at = LineWidth'(32'(row_i) * ColumnsPerAmplifier + c);
          mask = {program_mask_i[Slice+c*Amplifiers+:Amplifiers], program_mask_i[c*Amplifiers+:Amplifiers]};
          mask = mask & ~faults[at][2*Amplifiers-1:0];
          moves = mask & (~faults[at][4*Amplifiers-1-:2*Amplifiers] | tried[at]);
          tried[at] = tried[at] ^ (mask & faults[at][4*Amplifiers-1-:2*Amplifiers]);
          bits = operation == 3'd3 ? cells[at] & ~moves : cells[at] | moves;
          cells[at] = bits;
        end
      end
      verify = 1'b0;
      if (operation == 3'd4) begin
        for (int c = 0; c < ColumnsPerAmplifier; c++) begin
          at = LineWidth'(32'(row_i) * ColumnsPerAmplifier + c);
          for (int j = 0; j < Amplifiers; j++) begin
            if (32'(program_cell_i) == c * Amplifiers + j) verify = program_trim_i > (cells[at][j] ? LrsCode : HrsCode);
            if (32'(program_cell_i) == Slice + c * Amplifiers + j) begin
              verify = program_trim_i > (cells[at][Amplifiers+j] ? LrsCode : HrsCode);
            end
          end
        end
      end
      program_verify_o <= verify;
      if (scan_bypass_i) program_verify_o <= !isolate_i && sense_i;
    end
    // verilator lint_on BLKSEQ
  end else begin : gen_fixed
    assign program_verify_o = 1'b0;
    logic unused;
    assign unused = ^{operation, program_mask_i, program_cell_i, program_trim_i};
  end
endmodule

`default_nettype wire
