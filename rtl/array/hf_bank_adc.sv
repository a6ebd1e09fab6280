// Behavioral model of all arrays of a layer read by column ADCs. Simulation only.
//
// Purpose     Does what the grid of hf_array_adc in hf_bank_adc does, with all cells in one memory and the neurons in a loop:
//             the simulator's model stays small, however many arrays there are.
// Equation    that of hf_array_adc, for the arrays (b, t) with b / LaneBlocks = block_group_i, t / LaneTiles = tile_group_i
// Parameters  Blocks                 splits; LargeBlocks of BlockInputs inputs come first, the rest have one less
//             Tiles                  arrays along neurons
//             Adcs, ColumnsPerAdc, CodeBits, LevelWidth, WeightTrits, SingleColumn  see hf_array_adc
//             Programmable, SetCycles, ResetCycles  see hf_array_adc
//             LaneBlocks, LaneTiles  arrays sensed at once along inputs and along neurons
//             InitPrefix             prefix of the memory images, those of hf_array_adc
// Latency     1 cycle after sample_i
// Throughput  one read of LaneBlocks x LaneTiles arrays a cycle
// X           without images the cells and so the codes are X
// Power       isolate_i: from the next edge on the read outputs and program_verify_o are 0, supply_ready_o is 0 at once, pulses
//             do nothing; cells keep their state. supply_ready_o is 1 otherwise, and array_busy_o 0: a cell has switched when
//             its pulse ends. A real macro may take its time with both
// Test        scan_bypass_i: from the next edge on every output shows sample_i of the cycle before, as a wrapper's test point
//             would; pulses do nothing
`default_nettype none

module hf_bank_adc #(
    parameter int Blocks = 1,
    parameter int LargeBlocks = 1,
    parameter int BlockInputs = 8,
    parameter int Tiles = 1,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int LaneBlocks = 1,
    parameter int LaneTiles = 1,
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
    localparam int Inputs = Blocks * (BlockInputs - 1) + LargeBlocks,
    localparam int BlockGroups = (Blocks + LaneBlocks - 1) / LaneBlocks,
    localparam int TileGroups = (Tiles + LaneTiles - 1) / LaneTiles,
    localparam int BlockGroupWidth = BlockGroups > 1 ? $clog2(BlockGroups) : 1,
    localparam int TileGroupWidth = TileGroups > 1 ? $clog2(TileGroups) : 1,
    localparam int ColumnWidth = ColumnsPerAdc > 1 ? $clog2(ColumnsPerAdc) : 1,
    localparam int LineWidth = BlockInputs > 1 ? $clog2(BlockInputs) : 1,
    localparam int TileWidth = Tiles > 1 ? $clog2(Tiles) : 1,
    localparam int Columns = (WeightTrits ? 2 : 1) * Adcs * ColumnsPerAdc,
    localparam int CellWidth = Columns > 1 ? $clog2(Columns) : 1
) (
    input  wire logic                       clk_i,
    // Word lines
    input  wire logic [Inputs-1:0]          drive_i,      // the input drives one of its word lines
    input  wire logic [Inputs-1:0]          positive_i,   // which one
    // Read
    input  wire logic                       sample_i,     // conversions of the group end with this cycle
    input  wire logic [BlockGroupWidth-1:0] block_group_i,
    input  wire logic [TileGroupWidth-1:0]  tile_group_i,
    input  wire logic [ColumnWidth-1:0]     column_i,     // neuron of each ADC
    // Codes of array (b, t) at (b * Tiles + t) * Adcs * CodeBits
    output logic      [Blocks*Tiles*Adcs*CodeBits-1:0] code_o,
    // Program; see hf_array_adc. All blocks of a tile are written side by side
    input  wire logic [2:0]                 program_i,
    input  wire logic [LineWidth-1:0]       program_line_i,   // a block with fewer inputs ignores its last one
    input  wire logic [TileWidth-1:0]       program_tile_i,
    input  wire logic [Blocks*Columns-1:0]  program_mask_i,   // block b at b * Columns
    input  wire logic [CellWidth-1:0]       program_cell_i,
    input  wire logic [7:0]                 program_trim_i,
    input  wire logic                       isolate_i,
    input  wire logic                       scan_bypass_i,
    output logic      [Blocks-1:0]          program_verify_o,
    output logic                            supply_ready_o,
    output logic                            array_busy_o
);
  localparam int Neurons = Adcs * ColumnsPerAdc;  // of an array
  localparam int Planes = WeightTrits ? 2 : 1;
  localparam int Words = (BlockInputs + 63) / 64;
  localparam int Lines = Blocks * Tiles * Neurons;
  localparam int Levels = 2 ** CodeBits - 1;

  // Line (b * Tiles + t) * Neurons + n holds neuron n of array (b, t). A line has Planes planes, a plane Words words:
  // simulators are fast with words of 64 bits.
  // verilator lint_off UNDRIVEN
  // Loaded from images; without a prefix they stay X, as the header says.
  logic [63:0] cells[0:Lines*Planes*Words-1];
  logic [LevelWidth-1:0] levels[0:Levels-1];
  // verilator lint_on UNDRIVEN

  if (InitPrefix != "") begin : gen_init
    logic [8*512-1:0] folder;
    logic [8*640-1:0] path;
    logic [Planes*BlockInputs-1:0] image[0:Neurons-1];
    logic [Planes*BlockInputs+63:0] line;
    int size, arrays;
    initial begin
      if ($value$plusargs("hafnia_mem=%s", folder) == 0) folder = "mem";
      // A variable, so that the loop stays a loop in the simulator's model.
      arrays = Blocks * Tiles;
      for (int a = 0; a < arrays; a++) begin
        size = a / Tiles < LargeBlocks ? BlockInputs : BlockInputs - 1;
        for (int n = 0; n < Neurons; n++) image[n] = 'x;
        path = '0;
        $sformat(path, "%0s/%0sb%0d_t%0d.mem", folder, InitPrefix, a / Tiles, a % Tiles);
        $readmemh(path, image);
        for (int n = 0; n < Neurons; n++) begin
          line = {64'b0, image[n]};
          for (int p = 0; p < Planes; p++) begin
            for (int w = 0; w < Words; w++) begin
              // Beyond the block's inputs a word holds what is never driven.
              cells[((a*Neurons+n)*Planes+p)*Words+w] = line[p*size+w*64+:64];
            end
          end
        end
      end
      path = '0;
      $sformat(path, "%0s/%0slevels.mem", folder, InitPrefix);
      $readmemh(path, levels);
    end
  end

  function automatic logic [63:0] low_bits(input int count);
    low_bits = count >= 64 ? '1 : (64'b1 << count) - 64'b1;
  endfunction

  // Set bits, in a form that C++ compilers take for what it is.
  function automatic logic [31:0] ones(input logic [63:0] word);
    logic [63:0] x;
    x = word - ((word >> 1) & 64'h5555555555555555);
    x = (x & 64'h3333333333333333) + ((x >> 2) & 64'h3333333333333333);
    x = (x + (x >> 4)) & 64'h0f0f0f0f0f0f0f0f;
    ones = 32'((x * 64'h0101010101010101) >> 56);
  endfunction

  logic [Blocks*Tiles*Adcs*CodeBits-1:0] codes;
  logic [Inputs+63:0] drive, positive;
  logic [63:0] on[0:Words-1];   // inputs of the block that drive their positive line
  logic [63:0] off[0:Words-1];  // inputs of the block that drive their negative line
  logic [63:0] used, plus, minus;
  int start, size, line, sum, code, driven, block_end, tile_end;

  // verilator lint_off BLKSEQ
  // Variables of the loop; only code_o is a register.
  always @(posedge clk_i) begin
    if (isolate_i || scan_bypass_i) begin
      code_o <= {Blocks * Tiles * Adcs * CodeBits{!isolate_i && sample_i}};
    end else if (sample_i) begin
      drive = {64'b0, drive_i};
      positive = {64'b0, positive_i};
      block_end = (32'(block_group_i) + 1) * LaneBlocks;
      if (block_end > Blocks) block_end = Blocks;
      tile_end = (32'(tile_group_i) + 1) * LaneTiles;
      if (tile_end > Tiles) tile_end = Tiles;
      for (int b = 32'(block_group_i) * LaneBlocks; b < block_end; b++) begin
        start = b < LargeBlocks ? b * BlockInputs : LargeBlocks + b * (BlockInputs - 1);
        size = b < LargeBlocks ? BlockInputs : BlockInputs - 1;
        driven = 0;
        for (int w = 0; w < Words; w++) begin
          used = drive[start+w*64+:64] & low_bits(size - w * 64);
          on[w] = used & positive[start+w*64+:64];
          off[w] = used & ~on[w];
          driven = driven + ones(used);
        end
        for (int t = 32'(tile_group_i) * LaneTiles; t < tile_end; t++) begin
          for (int j = 0; j < Adcs; j++) begin
            line = (b * Tiles + t) * Neurons + 32'(column_i) * Adcs + j;
            sum = WeightTrits ? 0 : -driven;
            for (int w = 0; w < Words; w++) begin
              plus = cells[line*Planes*Words+w];
              minus = WeightTrits ? cells[(line*Planes+Planes-1)*Words+w] : ~plus;
              if (WeightTrits) begin
                sum = sum + ones((on[w] & plus) | (off[w] & minus)) - ones((off[w] & plus) | (on[w] & minus));
              end else begin
                sum = sum + 2 * ones((on[w] & plus) | (off[w] & minus));
              end
            end
            // Levels ascend: bit by bit from the highest, as a successive approximation does.
            code = 0;
            for (int k = CodeBits - 1; k >= 0; k--) begin
              if (sum >= 32'($signed(levels[code+(1<<k)-1]))) code = code + (1 << k);
            end
            codes[((b*Tiles+t)*Adcs+j)*CodeBits+:CodeBits] = CodeBits'(code);
          end
        end
      end
      code_o <= codes;
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
    int pulse;  // full cycles of the pulse
    // As in hf_array_adc, on the words of the bank.
    logic [63:0] stuck[0:Lines*Planes*Words-1];
    logic [63:0] slow[0:Lines*Planes*Words-1];
    logic [63:0] tried[0:Lines*Planes*Words-1];
    logic [8*512-1:0] fault_folder;
    logic [8*640-1:0] fault_path;
    logic [2*Planes*BlockInputs-1:0] faults[0:Neurons-1];
    logic [2*Planes*BlockInputs+63:0] wide;
    int inputs;
    initial begin
      for (int n = 0; n < Lines * Planes * Words; n++) begin
        stuck[n] = '0;
        slow[n] = '0;
        tried[n] = '0;
      end
      if ($value$plusargs("hafnia_faults=%s", fault_folder) != 0) begin
        for (int a = 0; a < Blocks * Tiles; a++) begin
          inputs = a / Tiles < LargeBlocks ? BlockInputs : BlockInputs - 1;
          for (int n = 0; n < Neurons; n++) faults[n] = '0;
          fault_path = '0;
          $sformat(fault_path, "%0s/%0sb%0d_t%0d_faults.mem", fault_folder, InitPrefix, a / Tiles, a % Tiles);
          $readmemh(fault_path, faults);
          for (int n = 0; n < Neurons; n++) begin
            wide = {64'b0, faults[n]};
            for (int p = 0; p < Planes; p++) begin
              for (int w = 0; w < Words; w++) begin
                stuck[((a*Neurons+n)*Planes+p)*Words+w] = wide[p*inputs+w*64+:64];
                slow[((a*Neurons+n)*Planes+p)*Words+w] = wide[(Planes+p)*inputs+w*64+:64];
              end
            end
          end
        end
      end
    end

    localparam int Depth = Lines * Planes * Words;
    int low, column;
    logic [(Depth > 1 ? $clog2(Depth) : 1)-1:0] place;
    logic [63:0] one, moves;
    logic pulses;
    // verilator lint_off BLKSEQ
    // Variables of the loops; cells are not read while they are written.
    always @(posedge clk_i) begin
      low = 32'(program_line_i) / 64;
      one = 64'b1 << 32'(program_line_i) % 64;
      pulses = (operation == 3'd3 && pulse + 1 == ResetCycles)
          || ((operation == 3'd1 || operation == 3'd2) && pulse + 1 == SetCycles);
      program_verify_o <= '0;
      if (pulses || operation == 3'd4) begin
        for (int b = 0; b < Blocks; b++) begin
          if (b < LargeBlocks || 32'(program_line_i) < BlockInputs - 1) begin
            // Column p * Neurons + n holds plane p of neuron n.
            for (int c = 0; c < Columns; c++) begin
              place = $bits(place)'(((b * Tiles + 32'(program_tile_i)) * Neurons + c % Neurons) * Planes * Words
                                    + c / Neurons * Words + low);
              if (pulses && program_mask_i[b*Columns+c]) begin
                moves = one & ~stuck[place];
                tried[place] = tried[place] ^ (moves & slow[place]);
                // A slow cell has switched if that was its second pulse.
                moves = moves & (~slow[place] | ~tried[place]);
                cells[place] = operation == 3'd3 ? cells[place] & ~moves : cells[place] | moves;
              end
            end
            column = 32'(program_cell_i);
            place = $bits(place)'(((b * Tiles + 32'(program_tile_i)) * Neurons + column % Neurons) * Planes * Words
                                  + column / Neurons * Words + low);
            if (operation == 3'd4 && column < Columns) begin
              program_verify_o[b] <= program_trim_i > ((cells[place] & one) != '0 ? LrsCode : HrsCode);
            end
          end
        end
      end
      pulse = operation == 3'd0 ? 0 : pulse + 1;
      if (scan_bypass_i) program_verify_o <= {Blocks{!isolate_i && sample_i}};
    end
    // verilator lint_on BLKSEQ
  end else begin : gen_fixed
    assign program_verify_o = '0;
    logic unused;
    assign unused = ^{operation, program_line_i, program_tile_i, program_mask_i, program_cell_i, program_trim_i};
  end
endmodule

`default_nettype wire
