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
// Latency     outputs follow sense_i and the count of its cycles combinationally
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
  localparam int CountWidth = 16;

  // verilator lint_off UNDRIVEN
  // Loaded from an image; without a prefix they stay X, as the header says.
  logic [2*Amplifiers-1:0] cells[0:Lines-1];
  // verilator lint_on UNDRIVEN
  logic [CountWidth-1:0] elapsed_q;  // full cycles for which sense_i has been high
  logic [Amplifiers-1:0] bl;
  logic [Amplifiers-1:0] blb;
  logic sign_done;
  logic zero_done;

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

  assign sign_done = 32'(elapsed_q) + 1 >= SignCycles;
  assign zero_done = 32'(elapsed_q) + 1 >= ZeroCycles;

  // Outside the window the cells are not read: bit lines float and the amplifiers are precharged.
  assign {blb, bl} = sense_i ? cells[32'(row_i)*ColumnsPerAmplifier+32'(column_i)] : '0;

  always_comb begin
    if (!sense_i || !sign_done) begin
      q_o = '1;
      qb_o = '1;
    end else if (!zero_done) begin
      q_o = ~(blb & ~bl);
      qb_o = ~bl;
    end else begin
      // Both HRS: the branch of 320k wins over that of 350k.
      q_o = ~blb | bl;
      qb_o = blb & ~bl;
    end
  end
endmodule

`default_nettype wire
