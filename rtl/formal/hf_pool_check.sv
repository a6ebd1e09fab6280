// Check of hf_pool.
//
// Reference   One bit of one window of a row, whichever the solver picks: the maximum, or minimum, of all positions of the
//             window so far. Of trits, it is that of the numbers -1, 0, +1. Every whole window gives one position; what
//             lies between windows or beyond the last gives none.
// Handshake   A pooled position stays, unchanged, until it is taken; a position may be taken in the same cycle.
// Assumed     a positive trit is nonzero
// Proof       induction, for every bit of every window at once; what the block keeps of the window is tied to the
//             reference's whole
`default_nettype none

module hf_pool_check #(
    parameter int Values = 4,
    parameter int Planes = 1,
    parameter bit Trits = 1'b0,
    parameter int Rows = 4,
    parameter int Columns = 4,
    parameter int SizeRows = 2,
    parameter int SizeColumns = 2,
    parameter int StrideRows = 2,
    parameter int StrideColumns = 2,
    parameter logic [Values-1:0] All = '0,
    localparam int Bits = Values * Planes
) (
    input  wire logic            clk_i,
    input  wire logic            rst_ni,
    input  wire logic            in_valid_i,
    input  wire logic [Bits-1:0] in_data_i,
    input  wire logic            out_ready_i,
    output logic                 fail_o
);
  localparam int OutColumns = (Columns - SizeColumns) / StrideColumns + 1;
  localparam int RowWidth = Rows > 1 ? $clog2(Rows) : 1;
  localparam int ColumnWidth = Columns > 1 ? $clog2(Columns) : 1;
  localparam int RowPhaseWidth = StrideRows > 1 ? $clog2(StrideRows) : 1;
  localparam int ColumnPhaseWidth = StrideColumns > 1 ? $clog2(StrideColumns) : 1;
  localparam int WindowWidth = OutColumns > 1 ? $clog2(OutColumns) : 1;
  localparam int ValueWidth = Values > 1 ? $clog2(Values) : 1;
  logic in_ready, out_valid;
  logic [Bits-1:0] data, out_data;
  if (Trits) begin : gen_trits
    assign data = in_data_i & {{Values{1'b1}}, in_data_i[Bits-1:Bits-Values]};
  end else begin : gen_bits
    assign data = in_data_i;
  end
  hf_pool #(
      .Values(Values), .Planes(Planes), .Trits(Trits), .Rows(Rows), .Columns(Columns), .SizeRows(SizeRows),
      .SizeColumns(SizeColumns), .StrideRows(StrideRows), .StrideColumns(StrideColumns), .All(All)
  ) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i(data), .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data));

  // What is followed: any value of any window, but always the same. Both planes of it.
  logic [ValueWidth-1:0] at_value_q;
  logic [WindowWidth-1:0] at_window_q;
  logic followed, all;
  assign followed = 32'(at_value_q) < Values && 32'(at_window_q) < OutColumns;
  assign all = 1'(All >> at_value_q);

  function automatic logic [1:0] pair(input logic [Bits-1:0] bits, input logic [ValueWidth-1:0] at);
    pair[0] = 1'(bits >> at);
    pair[1] = Planes == 2 ? 1'(bits >> (Values + 32'(at))) : 1'b0;
  endfunction

  function automatic logic [1:0] pooled(input logic [1:0] a, input logic [1:0] b, input logic minimum);
    if (Trits) begin
      // {nonzero, positive}: 2'b10 is -1, 2'b00 and 2'b01 are 0, 2'b11 is +1.
      if (a == 2'b11 || b == 2'b10) pooled = minimum ? b : a;
      else if (b == 2'b11 || a == 2'b10) pooled = minimum ? a : b;
      else pooled = 2'b00;
    end else begin
      pooled = minimum ? a & b : a | b;
    end
  endfunction

  // ---------------------------------------------------------------- reference
  logic live_q, full_q, accept, ends, here_q;
  logic [RowWidth-1:0] row_q;
  logic [ColumnWidth-1:0] column_q;
  logic [31:0] window_row, window_column, first_column;  // position within a window; the followed window's first
  logic in_window, begins;
  logic [1:0] so_far_q, now, result_q;
  initial live_q = 1'b0;
  assign accept = in_valid_i && (!full_q || out_ready_i);
  assign window_row = 32'(row_q) % StrideRows;
  assign window_column = 32'(column_q) % StrideColumns;
  assign ends = window_row == SizeRows - 1 && window_column == SizeColumns - 1;
  assign first_column = 32'(at_window_q) * StrideColumns;
  assign in_window = window_row < SizeRows && 32'(column_q) >= first_column
      && 32'(column_q) < first_column + SizeColumns;
  assign begins = window_row == 0 && 32'(column_q) == first_column;
  assign now = begins ? pair(data, at_value_q) : pooled(so_far_q, pair(data, at_value_q), all);

  always_ff @(posedge clk_i) begin
    at_value_q <= at_value_q;
    at_window_q <= at_window_q;
    if (!rst_ni) begin
      live_q <= 1'b1;
      full_q <= 1'b0;
      row_q <= '0;
      column_q <= '0;
      here_q <= 1'b0;
    end else begin
      if (full_q && out_ready_i) begin
        full_q <= 1'b0;
        here_q <= 1'b0;
      end
      if (accept) begin
        if (ends) full_q <= 1'b1;
        if (ends) here_q <= in_window;
        if (ends && in_window) result_q <= now;
        if (in_window) so_far_q <= now;
        column_q <= 32'(column_q) == Columns - 1 ? '0 : column_q + 1'b1;
        if (32'(column_q) == Columns - 1) row_q <= 32'(row_q) == Rows - 1 ? '0 : row_q + 1'b1;
      end
    end
  end

  // ---------------------------------------------------------------- tie
  // verilator lint_off UNDRIVEN
  // The block's own registers and memory, by name: Yosys joins these to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [RowWidth-1:0] \dut.row ;
  (* hierconn *) wire [ColumnWidth-1:0] \dut.column ;
  (* hierconn *) wire [RowPhaseWidth-1:0] \dut.row_phase_q ;
  (* hierconn *) wire [ColumnPhaseWidth-1:0] \dut.column_phase_q ;
  (* hierconn *) wire [WindowWidth-1:0] \dut.window_q ;
  (* hierconn *) wire [Bits-1:0] \dut.across_q ;
  logic [Bits-1:0] \dut.rows_q [0:OutColumns-1];
  // verilator lint_on UNDRIVEN
  logic walks, tied, bad;
  logic [31:0] window;
  logic [1:0] across, above, so_far;
  logic [1:0] flip;  // the block keeps complements where the maximum is AND

  // As the block keeps trits: {0 or more, +1}.
  function automatic logic [1:0] cut(input logic [1:0] a);
    cut = Trits ? {!a[1] || a[0], a[1] && a[0]} : a;
  endfunction

  assign window = (32'(column_q) + StrideColumns - SizeColumns) / StrideColumns;
  assign walks = \dut.row == row_q && \dut.column == column_q && 32'(row_q) < Rows && 32'(column_q) < Columns
      && 32'(\dut.row_phase_q ) == window_row && 32'(\dut.column_phase_q ) == window_column
      && 32'(\dut.window_q ) == (window < OutColumns ? window : OutColumns - 1);
  assign flip = {all && Planes == 2, all};
  assign across = pair(\dut.across_q , at_value_q) ^ flip;
  assign so_far = cut(so_far_q);
  assign bad = Trits && so_far_q == 2'b01;
  always_comb begin
    above = '0;
    for (int w = 0; w < OutColumns; w++) begin
      if (32'(at_window_q) == w) above = pair(\dut.rows_q [w], at_value_q) ^ flip;
    end
    tied = 1'b1;
    if (in_window && 32'(column_q) != first_column) begin
      // Within a row of the window.
      tied = !bad && so_far == (window_row == 0 ? across : all ? above & across : above | across);
    end else if ((32'(column_q) <= first_column && window_row > 0 && window_row < SizeRows)
        || (32'(column_q) >= first_column + SizeColumns && window_row + 1 < SizeRows)) begin
      // Between two rows of it.
      tied = !bad && so_far == above;
    end
  end

  assign fail_o = live_q && (in_ready != (!full_q || out_ready_i) || out_valid != full_q || !walks
      || (followed && !tied) || (followed && here_q && (!full_q || pair(out_data, at_value_q) != result_q)));
endmodule

`default_nettype wire
