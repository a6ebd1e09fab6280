// Behavioral model of all arrays of a layer with precharge sense amplifiers. Simulation only.
//
// Purpose     Does what the grid of hf_array_pcsa in hf_bank_pcsa does, with all cells in one memory whose word is what a
//             read senses: the simulator's model stays small, however many arrays there are.
// Equation    that of hf_array_pcsa; lane (p, l) shows array (row_group_i * LaneRows + p, column_group_i * LaneColumns + l)
// Cells       as in hf_array_pcsa
// Parameters  ColumnTiles, RowTiles  arrays along inputs and along neurons
//             Rows, Amplifiers, ColumnsPerAmplifier, SignCycles, ZeroCycles  see hf_array_pcsa
//             Programmable, SetCycles, ResetCycles  see hf_array_pcsa
//             LaneColumns, LaneRows  arrays sensed at once along inputs and along neurons
//             InitPrefix             prefix of the memory images, those of hf_array_pcsa: a file an array
// Latency     that of hf_array_pcsa
// Throughput  one word line and column of LaneRows x LaneColumns arrays a read
// X           without images the cells are X and so are the outputs once they resolve; groups, row_i and column_i must be
//             stable while sense_i is high and in the cycle after
// Power       isolate_i: from the next edge on the read outputs and program_verify_o are 0, supply_ready_o is 0 at once, pulses
//             do nothing; cells keep their state. supply_ready_o is 1 otherwise, and array_busy_o 0: a cell has switched when
//             its pulse ends. A real macro may take its time with both
// Test        scan_bypass_i: from the next edge on every output shows sense_i of the cycle before, as a wrapper's test point
//             would; pulses do nothing
`default_nettype none

module hf_bank_pcsa #(
    parameter int ColumnTiles = 1,
    parameter int RowTiles = 1,
    parameter int Rows = 4,
    parameter int Amplifiers = 4,
    parameter int ColumnsPerAmplifier = 1,
    parameter int LaneColumns = 1,
    parameter int LaneRows = 1,
    parameter int SignCycles = 5,
    parameter int ZeroCycles = 21,
    parameter bit Programmable = 1'b0,
    parameter int SetCycles = 1,
    parameter int ResetCycles = 1,
    parameter InitPrefix = "",
    localparam int ColumnGroups = (ColumnTiles + LaneColumns - 1) / LaneColumns,
    localparam int RowGroups = (RowTiles + LaneRows - 1) / LaneRows,
    localparam int ColumnGroupWidth = ColumnGroups > 1 ? $clog2(ColumnGroups) : 1,
    localparam int RowGroupWidth = RowGroups > 1 ? $clog2(RowGroups) : 1,
    localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1,
    localparam int ColumnWidth = ColumnsPerAmplifier > 1 ? $clog2(ColumnsPerAmplifier) : 1,
    localparam int Slice = Amplifiers * ColumnsPerAmplifier,
    localparam int CellWidth = $clog2(2 * Slice)
) (
    input  wire logic                        clk_i,
    // Read
    input  wire logic                        sense_i,   // SEN; low precharges the amplifiers
    input  wire logic [RowGroupWidth-1:0]    row_group_i,
    input  wire logic [ColumnGroupWidth-1:0] column_group_i,
    input  wire logic [RowWidth-1:0]         row_i,     // word line
    input  wire logic [ColumnWidth-1:0]      column_i,  // column of each amplifier
    // Amplifiers of lane (p, l) at (p * LaneColumns + l) * Amplifiers
    output logic      [LaneRows*LaneColumns*Amplifiers-1:0] q_o,
    output logic      [LaneRows*LaneColumns*Amplifiers-1:0] qb_o,
    // Program; see hf_array_pcsa. Column tile c has its bit lines at c * 2 * Slice
    input  wire logic [2:0]                  program_i,
    input  wire logic [LaneRows-1:0]         program_lanes_i,  // row tiles of the group that a pulse reaches
    input  wire logic [ColumnTiles*2*Slice-1:0] program_mask_i,
    input  wire logic [CellWidth-1:0]        program_cell_i,
    input  wire logic [7:0]                  program_trim_i,
    input  wire logic                        isolate_i,
    input  wire logic                        scan_bypass_i,
    output logic      [ColumnTiles-1:0]      program_verify_o,
    output logic                             supply_ready_o,
    output logic                             array_busy_o
);
  localparam int ArrayLines = Rows * ColumnsPerAmplifier;
  localparam int Groups = RowGroups * ColumnGroups;
  localparam int GroupWidth = Groups > 1 ? $clog2(Groups) : 1;
  localparam int Lines = Groups * ArrayLines;
  localparam int LineWidth = Lines > 1 ? $clog2(Lines) : 1;
  localparam int CountWidth = 16;

  // Line ((row group * ColumnGroups + column group) * Rows + row) * ColumnsPerAmplifier + column; 1 = LRS.
  // verilator lint_off UNDRIVEN
  // Loaded from images; without a prefix they stay X, as the header says.
  logic [LaneRows*LaneColumns*Amplifiers-1:0] bl[0:Lines-1];
  logic [LaneRows*LaneColumns*Amplifiers-1:0] blb[0:Lines-1];
  // verilator lint_on UNDRIVEN
  // Lanes of a group without an array: their amplifiers stay precharged.
  localparam bit Ragged = RowTiles % LaneRows != 0 || ColumnTiles % LaneColumns != 0;
  logic [LaneRows*LaneColumns*Amplifiers-1:0] absent[0:Groups-1];
  logic [CountWidth-1:0] elapsed_q;  // full cycles for which sense_i has been high
  logic charged_q;  // all outputs are 1
  logic [GroupWidth-1:0] group;
  logic [LineWidth-1:0] line;
  int cycle;  // cycle of the window that the coming edge begins; 1 where the next one may be its first

  if (InitPrefix != "") begin : gen_init
    logic [8*512-1:0] folder;
    logic [8*640-1:0] path;
    logic [2*Amplifiers-1:0] image[0:ArrayLines-1];
    int row_tile, column_tile, first, lane, arrays;
    initial begin
      if ($value$plusargs("hafnia_mem=%s", folder) == 0) folder = "mem";
      // A variable, so that the loop stays a loop in the simulator's model.
      arrays = RowTiles * ColumnTiles;
      for (int a = 0; a < arrays; a++) begin
        row_tile = a / ColumnTiles;
        column_tile = a % ColumnTiles;
        for (int n = 0; n < ArrayLines; n++) image[n] = 'x;
        path = '0;
        $sformat(path, "%0s/%0sr%0d_c%0d.mem", folder, InitPrefix, row_tile, column_tile);
        $readmemh(path, image);
        first = (row_tile / LaneRows * ColumnGroups + column_tile / LaneColumns) * ArrayLines;
        lane = row_tile % LaneRows * LaneColumns + column_tile % LaneColumns;
        for (int n = 0; n < ArrayLines; n++) begin
          bl[first+n][lane*Amplifiers+:Amplifiers] = image[n][0+:Amplifiers];
          blb[first+n][lane*Amplifiers+:Amplifiers] = image[n][Amplifiers+:Amplifiers];
        end
      end
    end
  end

  initial begin
    for (int g = 0; g < Groups; g++) begin
      for (int p = 0; p < LaneRows; p++) begin
        for (int l = 0; l < LaneColumns; l++) begin
          absent[g][(p*LaneColumns+l)*Amplifiers+:Amplifiers] =
              {Amplifiers{g / ColumnGroups * LaneRows + p >= RowTiles || g % ColumnGroups * LaneColumns + l >= ColumnTiles}};
        end
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (!sense_i) elapsed_q <= '0;
    else if (elapsed_q != '1) elapsed_q <= elapsed_q + 1'b1;
  end

  // The outputs of the coming cycle change only at the two switching times, so a simulator has little to do.
  assign cycle = sense_i ? 32'(elapsed_q) + 2 : 1;
  assign group = GroupWidth'(32'(row_group_i) * ColumnGroups + 32'(column_group_i));
  assign line = LineWidth'((32'(group) * Rows + 32'(row_i)) * ColumnsPerAmplifier + 32'(column_i));

  initial charged_q = 1'b0;
  always_ff @(posedge clk_i) begin
    if (isolate_i || scan_bypass_i) begin
      q_o <= {LaneRows * LaneColumns * Amplifiers{!isolate_i && sense_i}};
      qb_o <= {LaneRows * LaneColumns * Amplifiers{!isolate_i && sense_i}};
      charged_q <= 1'b0;
    end else if (cycle == ZeroCycles) begin
      // Both HRS: the branch of 320k wins over that of 350k.
      q_o <= ~blb[line] | bl[line] | (Ragged ? absent[group] : '0);
      qb_o <= (blb[line] & ~bl[line]) | (Ragged ? absent[group] : '0);
      charged_q <= 1'b0;
    end else if (cycle == SignCycles) begin
      q_o <= ~(blb[line] & ~bl[line]) | (Ragged ? absent[group] : '0);
      qb_o <= ~bl[line] | (Ragged ? absent[group] : '0);
      charged_q <= 1'b0;
    end else if (cycle == 1 && !charged_q) begin
      q_o <= '1;
      qb_o <= '1;
      charged_q <= 1'b1;
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
    localparam int Bits = LaneRows * LaneColumns * Amplifiers;
    logic [CountWidth-1:0] pulse_q;  // full cycles of the pulse
    // As in hf_array_pcsa, on the lines of the bank; BL, then BLb.
    logic [2*Bits-1:0] stuck[0:Lines-1];
    logic [2*Bits-1:0] slow[0:Lines-1];
    logic [2*Bits-1:0] tried[0:Lines-1];
    logic [8*512-1:0] fault_folder;
    logic [8*640-1:0] fault_path;
    logic [4*Amplifiers-1:0] faults[0:ArrayLines-1];
    int base, place;
    initial begin
      for (int n = 0; n < Lines; n++) begin
        stuck[n] = '0;
        slow[n] = '0;
        tried[n] = '0;
      end
      if ($value$plusargs("hafnia_faults=%s", fault_folder) != 0) begin
        for (int a = 0; a < RowTiles * ColumnTiles; a++) begin
          for (int n = 0; n < ArrayLines; n++) faults[n] = '0;
          fault_path = '0;
          $sformat(fault_path, "%0s/%0sr%0d_c%0d_faults.mem", fault_folder, InitPrefix, a / ColumnTiles,
                   a % ColumnTiles);
          $readmemh(fault_path, faults);
          base = (a / ColumnTiles / LaneRows * ColumnGroups + a % ColumnTiles / LaneColumns) * ArrayLines;
          place = (a / ColumnTiles % LaneRows * LaneColumns + a % ColumnTiles % LaneColumns) * Amplifiers;
          for (int n = 0; n < ArrayLines; n++) begin
            stuck[base+n][place+:Amplifiers] = faults[n][0+:Amplifiers];
            stuck[base+n][Bits+place+:Amplifiers] = faults[n][Amplifiers+:Amplifiers];
            slow[base+n][place+:Amplifiers] = faults[n][2*Amplifiers+:Amplifiers];
            slow[base+n][Bits+place+:Amplifiers] = faults[n][3*Amplifiers+:Amplifiers];
          end
        end
      end
    end

    logic [LineWidth-1:0] at;
    logic [2*Bits-1:0] mask, moves;
    int lane, cell_column, amplifier;
    // verilator lint_off BLKSEQ
    // Variables of the loops; cells are not read while they are written.
    always @(posedge clk_i) begin
      pulse_q <= operation == 3'd0 ? '0 : pulse_q + 1'b1;
      if ((operation == 3'd3 && 32'(pulse_q) + 1 == ResetCycles)
          || ((operation == 3'd1 || operation == 3'd2) && 32'(pulse_q) + 1 == SetCycles)) begin
        for (int g = 0; g < ColumnGroups; g++) begin
          for (int c = 0; c < ColumnsPerAmplifier; c++) begin
            at = LineWidth'(((32'(row_group_i) * ColumnGroups + g) * Rows + 32'(row_i)) * ColumnsPerAmplifier + c);
            mask = '0;
            for (int p = 0; p < LaneRows; p++) begin
              for (int l = 0; l < LaneColumns; l++) begin
                if (program_lanes_i[p] && g * LaneColumns + l < ColumnTiles) begin
                  lane = (p * LaneColumns + l) * Amplifiers;
                  mask[lane+:Amplifiers] =
                      program_mask_i[(g*LaneColumns+l)*2*Slice+c*Amplifiers+:Amplifiers];
                  mask[Bits+lane+:Amplifiers] =
                      program_mask_i[(g*LaneColumns+l)*2*Slice+Slice+c*Amplifiers+:Amplifiers];
                end
              end
            end
            mask = mask & ~stuck[at];
            moves = mask & (~slow[at] | tried[at]);
            tried[at] = tried[at] ^ (mask & slow[at]);
            if (operation == 3'd3) begin
              bl[at] = bl[at] & ~moves[0+:Bits];
              blb[at] = blb[at] & ~moves[Bits+:Bits];
            end else begin
              bl[at] = bl[at] | moves[0+:Bits];
              blb[at] = blb[at] | moves[Bits+:Bits];
            end
          end
        end
      end
      program_verify_o <= '0;
      if (operation == 3'd4) begin
        cell_column = 32'(program_cell_i) % Slice / Amplifiers;
        amplifier = 32'(program_cell_i) % Amplifiers;
        for (int t = 0; t < ColumnTiles; t++) begin
          at = LineWidth'(((32'(row_group_i) * ColumnGroups + t / LaneColumns) * Rows + 32'(row_i))
                          * ColumnsPerAmplifier + cell_column);
          for (int p = 0; p < LaneRows; p++) begin
            if (program_lanes_i[p]) begin
              lane = (p * LaneColumns + t % LaneColumns) * Amplifiers + amplifier;
              program_verify_o[t] <= program_trim_i > ((32'(program_cell_i) < Slice ? bl[at][lane] : blb[at][lane]) ? LrsCode : HrsCode);
            end
          end
        end
      end
      if (scan_bypass_i) program_verify_o <= {ColumnTiles{!isolate_i && sense_i}};
    end
    // verilator lint_on BLKSEQ
  end else begin : gen_fixed
    assign program_verify_o = '0;
    logic unused;
    assign unused = ^{operation, program_lanes_i, program_mask_i, program_cell_i, program_trim_i};
  end
endmodule

`default_nettype wire
