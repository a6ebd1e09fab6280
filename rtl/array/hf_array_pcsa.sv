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
//             InitPrefix           memory image InitPrefix, then rX_cY with RowTile and ColumnTile; see hf_rom
//                                  for the folder. Line row * ColumnsPerAmplifier + column = {BLb, BL}, 1 = LRS;
//                                  bit j of each half belongs to amplifier j
// Latency     cycle k of sense_i (1, 2, ...) shows the pairs that resolve within k cycles; a pair that takes one cycle must
//             have its word line selected in the cycle before. The outputs are 1 again from the second cycle after
//             sense_i has fallen: precharge takes that cycle
// Throughput  one word line and column a read
// X           without an image the cells are X and so are the outputs once they resolve; row_i and column_i must
//             be stable while sense_i is high
`default_nettype none

module hf_array_pcsa #(
    parameter int Rows = 4,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter InitPrefix = "",
    parameter int RowTile = 0,
    parameter int ColumnTile = 0,
    localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1
) (
    input  wire logic                   clk_i,
    // Read
    input  wire logic                   sense_i,   // SEN; low precharges the amplifiers
    input  wire logic [RowWidth-1:0]    row_i,     // word line
    input  wire logic [ColumnWidth-1:0] column_i,  // column of each amplifier
    output logic      [Amplifiers-1:0]  q_o,
    output logic      [Amplifiers-1:0]  qb_o
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
    if (cycle == ZeroCycles) begin
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
endmodule

`default_nettype wire
