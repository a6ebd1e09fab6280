// Behavioral model of an RRAM array with 1-bit sense amplifiers on its columns. Simulation only.
//
// Purpose     A column holds one neuron's slice of inputs and gives one vote (input-splitting, figures 1b and 2b).
// Equation    Each input drives one of two word lines by its sign, or neither where it is zero or padding. With a
//             driven inputs and m matches the dot product is s = 2 m - a; vote = (s >= T), the column against a
//             replica column on the same word lines plus the column's signed threshold, set midway between sums.
//             Ternary weights take a second column of two cells: s is the difference of the two columns' matches.
// Parameters  Inputs            inputs of the slice, >= 1; two word lines each
//             Amplifiers        sense amplifiers, >= 1
//             ColumnsPerAmplifier  neurons an amplifier serves, >= 1
//             ThresholdWidth    bits of a column's signed threshold
//             References        1: one threshold a column; 2: a high and a low one, picked by reference_i
//             WeightTrits       0: bipolar weights, 1: ternary
//             Programmable      1: cells can be written; 0: program_i is ignored
//             SetCycles, ResetCycles  cycles of a pulse after which an ideal cell has switched
//             InitPrefix        memory images InitPrefix, then bX_tY for the cells and bX_tY_ref for the thresholds,
//                               with Block and Tile; see hf_rom for the folder. Line column * Amplifiers + amplifier
//                               holds a neuron: {[negative,] positive} and {[low,] high}. A programmable array has every
//                               cell in its image: {[second column's,] first column's} {negative, positive} word lines'
// Latency     1 cycle after sense_i: the amplifiers latch
// Throughput  one vote an amplifier a cycle
// Program     program_i is the operation and its pulse: 1 FORM, 2 SET, 3 RESET, 4 VERIFY, held for as many cycles as the pulse
//             lasts. A pulse reaches the masked columns' cells on one word line: 2 i is the positive one of input i, 2 i + 1 the
//             negative one. FORM and SET take cells to LRS, RESET takes them to HRS. VERIFY compares one cell with the
//             reference: program_verify_o = LRS, from the second cycle on that program_cell_i is the cell's; that steps from
//             cell to cell while VERIFY is held. Without VERIFY it is 0: a bank joins its arrays by OR. Neuron n has its first
//             column at n, its second one, if weights are trits, at Amplifiers * ColumnsPerAmplifier + n. The first has LRS
//             where the line's sign and the weight agree, the second where they are opposite; all else is HRS.
//             Faults of an array come from InitPrefix, bX_tY, then _faults in the folder +hafnia_faults, if that is given:
//             {slow, stuck} of the cells as in the image. A stuck cell never switches, a slow one only with every second pulse.
// X           without images the cells and so the votes are X
// Power       isolate_i: from the next edge on the read outputs and program_verify_o are 0, supply_ready_o is 0 at once, pulses
//             do nothing; cells keep their state. supply_ready_o is 1 otherwise, and array_busy_o 0: a cell has switched when
//             its pulse ends. A real macro may take its time with both
// Test        scan_bypass_i: from the next edge on every output shows sense_i of the cycle before, as a wrapper's test point
//             would; pulses do nothing
`default_nettype none

module hf_array_sa #(
    parameter int Inputs = 8,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int ThresholdWidth = 5,
    parameter int References = 1,
    parameter bit WeightTrits = 1'b0,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    parameter int Block = 0,
    parameter int Tile = 0,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1,
    localparam int LineWidth = $clog2(2 * Inputs),
    localparam int Columns = (WeightTrits ? 2 : 1) * Amplifiers * ColumnsPerAmplifier,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                   clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]      drive_i,      // the input drives one of its word lines
    input  wire logic [Inputs-1:0]      positive_i,   // which one
    // Read
    input  wire logic                   sense_i,      // the amplifiers latch at the end of this cycle
    input  wire logic [ColumnWidth-1:0] column_i,     // neuron of each amplifier
    input  wire logic                   reference_i,  // 0: high threshold, 1: low threshold
    output logic      [Amplifiers-1:0]  vote_o,
    // Program
    input  wire logic [2:0]             program_i,       // operation, see above; 0: none
    input  wire logic [LineWidth-1:0]   program_line_i,  // word line
    input  wire logic [Columns-1:0]     program_mask_i,  // columns whose cell a pulse writes
    input  wire logic [CellWidth-1:0]   program_cell_i,  // column that is verified
    input  wire logic [7:0]             program_trim_i,  // reference of a verify
    input  wire logic                   isolate_i,       // outputs show 0, pulses do nothing
    input  wire logic                   scan_bypass_i,   // outputs show the wrapper's test point
    output logic                        program_verify_o,
    output logic                        supply_ready_o,  // reads and pulses are possible
    output logic                        array_busy_o     // not yet done with a pulse
);
  localparam int Neurons = Amplifiers * ColumnsPerAmplifier;
  localparam int NeuronWidth = Neurons > 1 ? $clog2(Neurons) : 1;
  localparam int Planes = (WeightTrits ? 2 : 1) * (Programmable ? 2 : 1);
  // Planes of the cells on the first column's negative word line and on the second column's.
  localparam int Minus = Planes > 1 ? 1 : 0;
  localparam int Crossed = Planes == 4 ? 3 : 0;
  localparam int CountWidth = $clog2(Inputs + 1) + 2;
  localparam int SumWidth = CountWidth > ThresholdWidth ? CountWidth : ThresholdWidth;

  // verilator lint_off UNDRIVEN
  // Loaded from images; without a prefix they stay X, as the header says.
  logic [Planes*Inputs-1:0] cells[0:Neurons-1];
  logic [References*ThresholdWidth-1:0] thresholds[0:Neurons-1];
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
      $sformat(path, "%0s/%0sb%0d_t%0d_ref.mem", folder, InitPrefix, Block, Tile);
      $readmemh(path, thresholds);
    end
  end

  function automatic logic [Amplifiers-1:0] votes(
      input logic [Inputs-1:0] drive, input logic [Inputs-1:0] positive, input logic [ColumnWidth-1:0] column,
      input logic reference);
    logic [Inputs-1:0] on;   // inputs that drive their positive line
    logic [Inputs-1:0] off;  // inputs that drive their negative line
    logic [Inputs-1:0] match;  // inputs whose product is +1
    logic [Inputs-1:0] clash;  // inputs whose product is -1, where weights are trits
    logic signed [SumWidth-1:0] sum;
    logic signed [SumWidth-1:0] driven;
    logic signed [SumWidth-1:0] level;
    logic [NeuronWidth-1:0] neuron;
    on = drive & positive;
    off = drive & ~positive;
    driven = SumWidth'($countones(drive));
    for (int j = 0; j < Amplifiers; j++) begin
      neuron = NeuronWidth'(32'(column) * Amplifiers + j);
      if (WeightTrits) begin
        match = (on & cells[neuron][0+:Inputs]) | (off & cells[neuron][Minus*Inputs+:Inputs]);
        clash = (on & cells[neuron][(Planes/2)*Inputs+:Inputs]) | (off & cells[neuron][Crossed*Inputs+:Inputs]);
        sum = SumWidth'($countones(match)) - SumWidth'($countones(clash));
      end else begin
        match = (on & cells[neuron][0+:Inputs]) | (off & (Programmable ? cells[neuron][Minus*Inputs+:Inputs]
                                                                       : ~cells[neuron][0+:Inputs]));
        clash = '0;
        sum = (SumWidth'($countones(match)) <<< 1) - driven;
      end
      level = SumWidth'($signed(thresholds[neuron][(reference ? References - 1 : 0)*ThresholdWidth+:ThresholdWidth]));
      votes[j] = sum >= level;
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (isolate_i || scan_bypass_i) vote_o <= {Amplifiers{!isolate_i && sense_i}};
    else if (sense_i) vote_o <= votes(drive_i, positive_i, column_i, reference_i);
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
    logic slow;
    // verilator lint_off BLKSEQ
    // Variables of the loop; cells are not read while they are written.
    always @(posedge clk_i) begin
      if ((operation == 3'd3 && pulse + 1 == ResetCycles)
          || ((operation == 3'd1 || operation == 3'd2) && pulse + 1 == SetCycles)) begin
        for (int c = 0; c < Columns; c++) begin
          neuron = NeuronWidth'(c % Neurons);
          bit_at = (c / Neurons * 2 + 32'(program_line_i) % 2) * Inputs + 32'(program_line_i) / 2;
          if (program_mask_i[c] && !faults[neuron][bit_at]) begin
            slow = faults[neuron][Bits+bit_at];
            if (!slow || tried[neuron][bit_at]) cells[neuron][bit_at] = program_i != 3'd3;
            tried[neuron][bit_at] = slow && !tried[neuron][bit_at];
          end
        end
      end
      pulse = operation == 3'd0 ? 0 : pulse + 1;
      bit_at = (32'(program_cell_i) / Neurons * 2 + 32'(program_line_i) % 2) * Inputs + 32'(program_line_i) / 2;
      program_verify_o <= operation == 3'd4 && 32'(program_cell_i) < Columns
          && program_trim_i > (cells[NeuronWidth'(32'(program_cell_i) % Neurons)][bit_at] ? LrsCode : HrsCode);
      if (scan_bypass_i) program_verify_o <= !isolate_i && sense_i;
    end
    // verilator lint_on BLKSEQ
  end else begin : gen_fixed
    assign program_verify_o = 1'b0;
    logic unused;
    assign unused = ^{operation, program_line_i, program_mask_i, program_cell_i, program_trim_i};
  end
endmodule

`default_nettype wire
