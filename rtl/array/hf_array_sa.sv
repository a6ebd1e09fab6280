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
//             InitPrefix        memory images InitPrefix, then bX_tY for the cells and bX_tY_ref for the thresholds,
//                               with Block and Tile; see hf_rom for the folder. Line column * Amplifiers + amplifier
//                               holds a neuron: {[negative,] positive} and {[low,] high}
// Latency     1 cycle after sense_i: the amplifiers latch
// Throughput  one vote an amplifier a cycle
// X           without images the cells and so the votes are X
`default_nettype none

module hf_array_sa #(
    parameter int Inputs = 8,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int ThresholdWidth = 5,
    parameter int References = 1,
    parameter bit WeightTrits = 1'b0,
    parameter InitPrefix = "",
    parameter int Block = 0,
    parameter int Tile = 0,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1
) (
    input  wire logic                   clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]      drive_i,      // the input drives one of its word lines
    input  wire logic [Inputs-1:0]      positive_i,   // which one
    // Read
    input  wire logic                   sense_i,      // the amplifiers latch at the end of this cycle
    input  wire logic [ColumnWidth-1:0] column_i,     // neuron of each amplifier
    input  wire logic                   reference_i,  // 0: high threshold, 1: low threshold
    output logic      [Amplifiers-1:0]  vote_o
);
  localparam int Neurons = Amplifiers * ColumnsPerAmplifier;
  localparam int NeuronWidth = Neurons > 1 ? $clog2(Neurons) : 1;
  localparam int Planes = WeightTrits ? 2 : 1;
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
        match = (on & cells[neuron][0+:Inputs]) | (off & cells[neuron][(Planes-1)*Inputs+:Inputs]);
        clash = (off & cells[neuron][0+:Inputs]) | (on & cells[neuron][(Planes-1)*Inputs+:Inputs]);
        sum = SumWidth'($countones(match)) - SumWidth'($countones(clash));
      end else begin
        match = drive & ~(positive ^ cells[neuron][0+:Inputs]);
        clash = '0;
        sum = (SumWidth'($countones(match)) <<< 1) - driven;
      end
      level = SumWidth'($signed(thresholds[neuron][(reference ? References - 1 : 0)*ThresholdWidth+:ThresholdWidth]));
      votes[j] = sum >= level;
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (sense_i) vote_o <= votes(drive_i, positive_i, column_i, reference_i);
  end
endmodule

`default_nettype wire
