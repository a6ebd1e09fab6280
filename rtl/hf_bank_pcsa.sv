// All arrays of a layer with precharge sense amplifiers.
//
// Purpose     The grid: an hf_array_pcsa for every row tile and column tile, and the multiplexers that give each lane the
//             array that it reads. This is what is synthesized. array/hf_bank_pcsa.sv is a behavioral model of the
//             whole grid with the same ports.
// Equation    lane (p, l) shows array (row_group_i * LaneRows + p, column_group_i * LaneColumns + l), which is sensed
//             while sense_i is high; a lane without such an array stays precharged
// Parameters  ColumnTiles, RowTiles  arrays along inputs and along neurons
//             Rows, Amplifiers, ColumnsPerAmplifier, SignCycles, ZeroCycles  see hf_array_pcsa
//             Programmable, SetCycles, ResetCycles  see hf_array_pcsa
//             LaneColumns, LaneRows  arrays sensed at once along inputs and along neurons
//             InitPrefix             prefix of the memory images, see hf_array_pcsa
// Latency     that of hf_array_pcsa; 0 cycles from row_group_i and column_group_i
// Throughput  one word line and column of LaneRows x LaneColumns arrays a read
// Overflow    none
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
  // What the arrays of a column tile found, row tile by row tile.
  logic [ColumnTiles*RowTiles-1:0] verify;
  logic [ColumnTiles*RowTiles-1:0] ready, busy;
  assign supply_ready_o = &ready;
  assign array_busy_o = |busy;
  for (genvar c = 0; c < ColumnTiles; c++) begin : gen_verify
    assign program_verify_o[c] = |verify[c*RowTiles+:RowTiles];
  end

  for (genvar p = 0; p < LaneRows; p++) begin : gen_lane_row
    for (genvar l = 0; l < LaneColumns; l++) begin : gen_lane
      localparam int Lane = p * LaneColumns + l;
      logic [Amplifiers-1:0] lane_q, lane_qb;
      logic [RowGroups*ColumnGroups*Amplifiers-1:0] q, qb;

      for (genvar rg = 0; rg < RowGroups; rg++) begin : gen_row_group
        for (genvar cg = 0; cg < ColumnGroups; cg++) begin : gen_column_group
          localparam int Group = rg * ColumnGroups + cg;
          localparam int RowTile = rg * LaneRows + p;
          localparam int ColumnTile = cg * LaneColumns + l;
          if (RowTile < RowTiles && ColumnTile < ColumnTiles) begin : gen_array
            hf_array_pcsa #(
                .Rows(Rows),
                .Amplifiers(Amplifiers),
                .ColumnsPerAmplifier(ColumnsPerAmplifier),
                .SignCycles(SignCycles),
                .ZeroCycles(ZeroCycles),
                .Programmable(Programmable),
                .SetCycles(SetCycles),
                .ResetCycles(ResetCycles),
                .InitPrefix(InitPrefix),
                .RowTile(RowTile),
                .ColumnTile(ColumnTile)
            ) i_array (
                .clk_i,
                .sense_i(sense_i && row_group_i == RowGroupWidth'(rg) && column_group_i == ColumnGroupWidth'(cg)),
                .row_i,
                .column_i,
                .q_o(q[Group*Amplifiers+:Amplifiers]),
                .qb_o(qb[Group*Amplifiers+:Amplifiers]),
                .program_i(program_lanes_i[p] && row_group_i == RowGroupWidth'(rg) ? program_i : 3'd0),
                .program_mask_i(program_mask_i[ColumnTile*2*Slice+:2*Slice]),
                .program_cell_i,
                .program_trim_i,
                .isolate_i,
                .scan_bypass_i,
                .program_verify_o(verify[ColumnTile*RowTiles+RowTile]),
                .supply_ready_o(ready[ColumnTile*RowTiles+RowTile]),
                .array_busy_o(busy[ColumnTile*RowTiles+RowTile])
            );
          end else begin : gen_none
            // No array here: read as if it stayed precharged.
            assign q[Group*Amplifiers+:Amplifiers] = '1;
            assign qb[Group*Amplifiers+:Amplifiers] = '1;
          end
        end
      end

      // The array of this lane that is being read.
      if (RowGroups * ColumnGroups == 1) begin : gen_direct
        assign lane_q = q;
        assign lane_qb = qb;
      end else begin : gen_select
        always_comb begin
          lane_q = '1;
          lane_qb = '1;
          for (int g = 0; g < RowGroups * ColumnGroups; g++) begin
            if (row_group_i == RowGroupWidth'(g / ColumnGroups)
                && column_group_i == ColumnGroupWidth'(g % ColumnGroups)) begin
              lane_q = q[g*Amplifiers+:Amplifiers];
              lane_qb = qb[g*Amplifiers+:Amplifiers];
            end
          end
        end
      end
      assign q_o[Lane*Amplifiers+:Amplifiers] = lane_q;
      assign qb_o[Lane*Amplifiers+:Amplifiers] = lane_qb;
    end
  end
endmodule

`default_nettype wire
