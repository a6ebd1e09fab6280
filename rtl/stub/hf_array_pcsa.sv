// Black box of hf_array_pcsa: the ports that a real macro has to offer. See array/hf_array_pcsa.sv for what they mean.
//
// Purpose     Stands in for the array in lint, synthesis and proofs; replace it by the macro's own wrapper.
`default_nettype none

// verilator lint_off UNUSEDPARAM
// verilator lint_off UNUSEDSIGNAL
// verilator lint_off UNDRIVEN
// A black box has no body, so nothing in it is used or driven.
(* blackbox *)
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
    input  wire logic [2:0]             program_i,
    input  wire logic [2*Slice-1:0]     program_mask_i,
    input  wire logic [CellWidth-1:0]   program_cell_i,
    input  wire logic [7:0]             program_trim_i,  // reference of a verify
    input  wire logic                   isolate_i,       // outputs show 0, pulses do nothing
    input  wire logic                   scan_bypass_i,   // outputs show the wrapper's test point
    output logic                        program_verify_o,
    output logic                        supply_ready_o,  // reads and pulses are possible
    output logic                        array_busy_o     // not yet done with a pulse
);
endmodule
// verilator lint_on UNUSEDPARAM
// verilator lint_on UNUSEDSIGNAL
// verilator lint_on UNDRIVEN

`default_nettype wire
