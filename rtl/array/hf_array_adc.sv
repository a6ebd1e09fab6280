// Behavioral model of an RRAM array read by column ADCs. Simulation only.
//
// Purpose     A column, or a pair of columns, holds one neuron's slice of inputs; an ADC turns its current into a code.
// Equation    s = sum over driven inputs of +-w_i;  code = number of levels <= s
//             Double column: the difference of two columns with complementary cells. Single column: one cell a weight against
//             a bias column of an LRS + HRS pair at half gain. With ideal cells both give the same s.
// Parameters  Inputs            inputs of the slice, >= 1
//             Adcs              ADCs, >= 1
//             ColumnsPerAdc     neurons an ADC serves, >= 1
//             CodeBits          bits of a code, 1 to 12
//             LevelWidth        bits of a signed level
//             WeightTrits       0: bipolar weights, 1: ternary
//             SingleColumn      0: double column, 1: single column; bipolar weights only
//             InitPrefix        memory images InitPrefix, then bX_tY for the cells, with Block and Tile, and levels for the
//                               2**CodeBits - 1 levels, ascending; see hf_rom for the folder. Line column * Adcs + ADC
//                               holds a neuron: {[negative,] positive}
// Latency     1 cycle after sample_i
// Throughput  one code an ADC a cycle
// X           without images the cells and so the codes are X
`default_nettype none

module hf_array_adc #(
    parameter int Inputs = 8,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int CodeBits = 4,
    parameter int LevelWidth = 5,
    parameter bit WeightTrits = 1'b0,
    // verilator lint_off UNUSEDPARAM
    parameter bit SingleColumn = 1'b0,  // with ideal cells both are the same
    // verilator lint_on UNUSEDPARAM
    parameter InitPrefix = "",
    parameter int Block = 0,
    parameter int Tile = 0,
    localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1
) (
    input  wire logic                     clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]        drive_i,     // the input drives one of its word lines
    input  wire logic [Inputs-1:0]        positive_i,  // which one, or with which sign
    // Read
    input  wire logic                     sample_i,    // the conversion ends with this cycle
    input  wire logic [ColumnWidth-1:0]   column_i,    // neuron of each ADC
    output logic      [Adcs*CodeBits-1:0] code_o
);
  localparam int Neurons = Adcs * ColumnsPerAdc;
  localparam int NeuronWidth = Neurons > 1 ? $clog2(Neurons) : 1;
  localparam int Planes = WeightTrits ? 2 : 1;
  localparam int Levels = 2 ** CodeBits - 1;

  // verilator lint_off UNDRIVEN
  // Loaded from images; without a prefix they stay X, as the header says.
  logic [Planes*Inputs-1:0] cells[0:Neurons-1];
  logic [LevelWidth-1:0] levels[0:Levels-1];
  // verilator lint_on UNDRIVEN

  if (InitPrefix != "") begin : gen_init
    logic [8*512-1:0] folder;
    logic [8*640-1:0] path;
    initial begin
      if ($value$plusargs("hafnia_mem=%s", folder) == 0) folder = "mem";
      path = '0;
      $sformat(path, "%0s/%0sb%0d_t%0d.mem", folder, InitPrefix, Block, Tile);
      $readmemh(path, cells);
      path = '0;
      $sformat(path, "%0s/%0slevels.mem", folder, InitPrefix);
      $readmemh(path, levels);
    end
  end

  logic [Inputs-1:0] on, off, plus, minus, up, down;
  int sum, code;

  // verilator lint_off BLKSEQ
  // Variables of the loop; only code_o is a register.
  always @(posedge clk_i) begin
    if (sample_i) begin
      on = drive_i & positive_i;
      off = drive_i & ~positive_i;
      for (int j = 0; j < Adcs; j++) begin
        plus = cells[NeuronWidth'(32'(column_i) * Adcs + j)][0+:Inputs];
        minus = WeightTrits ? cells[NeuronWidth'(32'(column_i) * Adcs + j)][(Planes-1)*Inputs+:Inputs] : ~plus;
        up = (on & plus) | (off & minus);
        down = (off & plus) | (on & minus);
        sum = $countones(up) - $countones(down);
        // Levels ascend: bit by bit from the highest, as a successive approximation does.
        code = 0;
        for (int b = CodeBits - 1; b >= 0; b--) begin
          if (sum >= 32'($signed(levels[code+(1<<b)-1]))) code = code + (1 << b);
        end
        code_o[j*CodeBits+:CodeBits] <= CodeBits'(code);
      end
    end
  end
  // verilator lint_on BLKSEQ
endmodule

`default_nettype wire
