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
//             Programmable      1: cells can be written; 0: program_i is ignored
//             SetCycles, ResetCycles  cycles of a pulse after which an ideal cell has switched
//             InitPrefix        memory images InitPrefix, then bX_tY for the cells, with Block and Tile, and levels for the
//                               2**CodeBits - 1 levels, ascending; see hf_rom for the folder. Line column * Adcs + ADC
//                               holds a neuron: {[negative,] positive}
// Latency     1 cycle after sample_i
// Throughput  one code an ADC a cycle
// Program     program_i is the operation and its pulse: 1 FORM, 2 SET, 3 RESET, 4 VERIFY, held for as many cycles as the pulse
//             lasts. A pulse reaches the masked columns' cells on one word line; the others are half selected and stay as they
//             are. FORM and SET take cells to LRS, RESET takes them to HRS. VERIFY compares one cell with the reference:
//             program_verify_o = LRS, from the second cycle on that program_cell_i is the cell's; that steps from cell to cell
//             while VERIFY is held. Without VERIFY it is 0: a bank joins its arrays by OR. Neuron n has its positive column at
//             n, its negative one, if there is one, at Adcs * ColumnsPerAdc + n.
//             Faults of an array come from InitPrefix, bX_tY, then _faults in the folder +hafnia_faults, if that is given: a line
//             a neuron, {slow, stuck} of {[negative,] positive} each. A stuck cell never switches, a slow one only with every
//             second pulse.
// X           without images the cells and so the codes are X
// Power       isolate_i: from the next edge on the read outputs and program_verify_o are 0, supply_ready_o is 0 at once, pulses
//             do nothing; cells keep their state. supply_ready_o is 1 otherwise, and array_busy_o 0: a cell has switched when
//             its pulse ends. A real macro may take its time with both
// Test        scan_bypass_i: from the next edge on every output shows sample_i of the cycle before, as a wrapper's test point
//             would; pulses do nothing
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
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    parameter int Block = 0,
    parameter int Tile = 0,
    localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1,
    localparam int LineWidth = Inputs > 1 ? $clog2(Inputs) : 1,
    localparam int Columns = (WeightTrits ? 2 : 1) * Adcs * ColumnsPerAdc,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                     clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]        drive_i,     // the input drives one of its word lines
    input  wire logic [Inputs-1:0]        positive_i,  // which one, or with which sign
    // Read
    input  wire logic                     sample_i,    // the conversion ends with this cycle
    input  wire logic [ColumnWidth-1:0]   column_i,    // neuron of each ADC
    output logic      [Adcs*CodeBits-1:0] code_o,
    // Program
    input  wire logic [2:0]               program_i,        // operation, see above; 0: none
    input  wire logic [LineWidth-1:0]     program_line_i,   // word line of this input
    input  wire logic [Columns-1:0]       program_mask_i,   // columns whose cell a pulse writes
    input  wire logic [CellWidth-1:0]     program_cell_i,   // column that is verified
    input  wire logic [7:0]               program_trim_i,  // reference of a verify
    input  wire logic                     isolate_i,       // outputs show 0, pulses do nothing
    input  wire logic                     scan_bypass_i,   // outputs show the wrapper's test point
    output logic                          program_verify_o,
    output logic                          supply_ready_o,  // reads and pulses are possible
    output logic                          array_busy_o     // not yet done with a pulse
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
    if (isolate_i || scan_bypass_i) begin
      code_o <= {Adcs * CodeBits{!isolate_i && sample_i}};
    end else if (sample_i) begin
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

  // Power and test: see the header.
  logic [2:0] operation;
  logic shown_q;  // what the scan bypass shows
  assign operation = isolate_i || scan_bypass_i ? 3'd0 : program_i;
  always_ff @(posedge clk_i) shown_q <= sample_i;
  assign supply_ready_o = !isolate_i && (shown_q || !scan_bypass_i);
  assign array_busy_o = !isolate_i && shown_q && scan_bypass_i;

  if (Programmable) begin : gen_program
    // A cell verifies as LRS where its resistance is below 2 kOhm times the code: 20 kOhm in LRS, 350 kOhm in HRS.
    localparam logic [7:0] LrsCode = 8'd10;
    localparam logic [7:0] HrsCode = 8'd175;
    localparam int Bits = Planes * Inputs;
    int pulse;  // full cycles of the pulse
    logic [2*Bits-1:0] faults[0:Neurons-1];
    logic [Bits-1:0] tried[0:Neurons-1];  // slow cells that have had one pulse
    logic [8*512-1:0] fault_folder;
    logic [8*640-1:0] fault_path;
    initial begin
      for (int n = 0; n < Neurons; n++) begin
        faults[n] = '0;
        tried[n] = '0;
      end
      if ($value$plusargs("hafnia_faults=%s", fault_folder) != 0) begin
        fault_path = '0;
        $sformat(fault_path, "%0s/%0sb%0d_t%0d_faults.mem", fault_folder, InitPrefix, Block, Tile);
        $readmemh(fault_path, faults);
      end
    end

    int bit_at;
    logic [NeuronWidth-1:0] neuron;
    logic slow, verified;
    // verilator lint_off BLKSEQ
    // Variables of the loop; cells are not read while they are written.
    always @(posedge clk_i) begin
      if ((operation == 3'd3 && pulse + 1 == ResetCycles)
          || ((operation == 3'd1 || operation == 3'd2) && pulse + 1 == SetCycles)) begin
        for (int c = 0; c < Columns; c++) begin
          neuron = NeuronWidth'(c % Neurons);
          bit_at = c / Neurons * Inputs + 32'(program_line_i);
          if (program_mask_i[c] && !faults[neuron][bit_at]) begin
            slow = faults[neuron][Bits+bit_at];
            if (!slow || tried[neuron][bit_at]) cells[neuron][bit_at] = program_i != 3'd3;
            tried[neuron][bit_at] = slow && !tried[neuron][bit_at];
          end
        end
      end
      pulse = operation == 3'd0 ? 0 : pulse + 1;
      verified = cells[NeuronWidth'(32'(program_cell_i) % Neurons)][32'(program_cell_i)/Neurons*Inputs+32'(program_line_i)];
      program_verify_o <= operation == 3'd4 && 32'(program_cell_i) < Columns
          && program_trim_i > (verified ? LrsCode : HrsCode);
      if (scan_bypass_i) program_verify_o <= !isolate_i && sample_i;
    end
    // verilator lint_on BLKSEQ
  end else begin : gen_fixed
    assign program_verify_o = 1'b0;
    logic unused;
    assign unused = ^{operation, program_line_i, program_mask_i, program_cell_i, program_trim_i};
  end
endmodule

`default_nettype wire
