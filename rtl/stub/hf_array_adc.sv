// Black box of hf_array_adc: the ports that a real macro has to offer. See array/hf_array_adc.sv for what they mean.
//
// Purpose     Stands in for the array in lint, synthesis and proofs; replace it by the macro's own wrapper.
`default_nettype none

// verilator lint_off UNUSEDPARAM
// verilator lint_off UNUSEDSIGNAL
// verilator lint_off UNDRIVEN
// A black box has no body, so nothing in it is used or driven.
(* blackbox *)
module hf_array_adc #(
    parameter int Inputs = 8,
    parameter int Adcs = 4,
    parameter int ColumnsPerAdc = 1,
    parameter int CodeBits = 4,
    parameter int LevelWidth = 5,
    parameter bit WeightTrits = 1'b0,
    parameter bit SingleColumn = 1'b0,
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
endmodule
// verilator lint_on UNUSEDPARAM
// verilator lint_on UNUSEDSIGNAL
// verilator lint_on UNDRIVEN

`default_nettype wire
