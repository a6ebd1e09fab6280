// Check of hf_window.
//
// Reference   The padded map is walked row by row. One bit of one of its positions, whichever the solver picks, is kept as
//             it comes, or is what the padding holds there. Every window that covers the position shows the bit in the
//             place that the equation names. A window is given after its last position is walked, and at no other time.
// Handshake   A position is taken where it is no padding and no window waits but one that is taken.
// Proof       induction, for every bit of the padded map at once; what the block keeps of it is tied to the reference's
`default_nettype none

module hf_window_check #(
    parameter int Channels = 1,
    parameter int Rows = 4,
    parameter int Columns = 4,
    parameter int Kind = 0,
    parameter int Width = 2,
    parameter int KernelRows = 3,
    parameter int KernelColumns = 3,
    parameter int StrideRows = 1,
    parameter int StrideColumns = 1,
    parameter int PadAbove = 0,
    parameter int PadLeft = 0,
    parameter int PadBelow = 0,
    parameter int PadRight = 0,
    parameter int PadValue = 0,
    localparam int ValueBits = Kind == 2 ? Width : Kind == 1 ? 2 : 1,
    localparam int InBits = Channels * ValueBits
) (
    input  wire logic              clk_i,
    input  wire logic              rst_ni,
    input  wire logic              in_valid_i,
    input  wire logic [InBits-1:0] in_data_i,
    input  wire logic              out_ready_i,
    output logic                   fail_o
);
  localparam int PaddedRows = Rows + PadAbove + PadBelow;
  localparam int PaddedColumns = Columns + PadLeft + PadRight;
  localparam bit Gates = Kind == 0 && PadValue == 0 && PadAbove + PadLeft + PadBelow + PadRight > 0;
  localparam int Planes = Gates ? 2 : ValueBits;  // bits of a value of a window
  localparam int OutBits = Channels * KernelRows * KernelColumns * Planes;
  localparam int WordBits = InBits + (Gates ? 1 : 0);
  localparam int LineBits = KernelRows > 1 ? (KernelRows - 1) * WordBits : 1;
  localparam int RowWidth = PaddedRows > 1 ? $clog2(PaddedRows) : 1;
  localparam int ColumnWidth = PaddedColumns > 1 ? $clog2(PaddedColumns) : 1;
  localparam int ChannelWidth = Channels > 1 ? $clog2(Channels) : 1;
  localparam int PlaneWidth = Planes > 1 ? $clog2(Planes) : 1;
  localparam int RowPhaseWidth = StrideRows > 1 ? $clog2(StrideRows) : 1;
  localparam int ColumnPhaseWidth = StrideColumns > 1 ? $clog2(StrideColumns) : 1;
  logic in_ready, out_valid;
  logic [OutBits-1:0] out_data;
  hf_window #(
      .Channels(Channels), .Rows(Rows), .Columns(Columns), .Kind(Kind), .Width(Width), .KernelRows(KernelRows),
      .KernelColumns(KernelColumns), .StrideRows(StrideRows), .StrideColumns(StrideColumns), .PadAbove(PadAbove),
      .PadLeft(PadLeft), .PadBelow(PadBelow), .PadRight(PadRight), .PadValue(PadValue)
  ) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data));

  // The bit that is followed: any one, but always the same. Row and column are those of the padded map.
  logic [RowWidth-1:0] at_row_q;
  logic [ColumnWidth-1:0] at_column_q;
  logic [ChannelWidth-1:0] at_channel_q;
  logic [PlaneWidth-1:0] at_plane_q;
  logic followed;
  assign followed = 32'(at_row_q) < PaddedRows && 32'(at_column_q) < PaddedColumns && 32'(at_channel_q) < Channels
      && 32'(at_plane_q) < Planes;

  // ---------------------------------------------------------------- reference
  logic live_q, kept_q, bit_q, valid_q;
  logic shown_q;  // the bit was walked in the map that the shown column belongs to
  logic [RowWidth-1:0] row_q;
  logic [ColumnWidth-1:0] column_q;
  logic in_map, gives, free, advance, here, now;
  initial live_q = 1'b0;
  assign in_map = 32'(row_q) + 1 > PadAbove && 32'(row_q) < PadAbove + Rows && 32'(column_q) + 1 > PadLeft
      && 32'(column_q) < PadLeft + Columns;
  assign gives = 32'(row_q) + 1 >= KernelRows && (32'(row_q) + 1 - KernelRows) % StrideRows == 0
      && 32'(column_q) + 1 >= KernelColumns && (32'(column_q) + 1 - KernelColumns) % StrideColumns == 0;
  assign free = !valid_q || out_ready_i;
  assign advance = (!in_map || in_valid_i) && free;
  assign here = row_q == at_row_q && column_q == at_column_q;

  // The bit of the position that is walked now. Planes of a bipolar value beside padding of 0: {is no padding, value}.
  logic pad;
  logic [31:0] in_place;
  assign in_place = Kind == 2 ? 32'(at_channel_q) * Width + 32'(at_plane_q)
      : 32'(at_plane_q) * Channels + 32'(at_channel_q);
  if (Kind == 2) begin : gen_pad_integer
    assign pad = 1'(PadValue >>> at_plane_q);
  end else begin : gen_pad_sign
    assign pad = at_plane_q == '0 ? PadValue > 0 : PadValue != 0;
  end
  assign now = !in_map ? pad : Gates && at_plane_q != '0 ? 1'b1 : 1'(in_data_i >> in_place);

  always_ff @(posedge clk_i) begin
    at_row_q <= at_row_q;
    at_column_q <= at_column_q;
    at_channel_q <= at_channel_q;
    at_plane_q <= at_plane_q;
    if (!rst_ni) begin
      live_q <= 1'b1;
      row_q <= '0;
      column_q <= '0;
      kept_q <= 1'b0;
      shown_q <= 1'b0;
      valid_q <= 1'b0;
    end else if (advance) begin
      valid_q <= gives;
      shown_q <= kept_q || here;
      if (here) bit_q <= now;
      column_q <= 32'(column_q) == PaddedColumns - 1 ? '0 : column_q + 1'b1;
      if (32'(column_q) == PaddedColumns - 1) row_q <= 32'(row_q) == PaddedRows - 1 ? '0 : row_q + 1'b1;
      kept_q <= (kept_q || here) && !(32'(column_q) == PaddedColumns - 1 && 32'(row_q) == PaddedRows - 1);
    end else if (free) begin
      valid_q <= 1'b0;
    end
  end

  // The place in the window whose last position was walked last, at (row, column); after a reset there is none yet.
  logic covered, got;
  logic [RowWidth-1:0] row;
  logic [ColumnWidth-1:0] column;
  logic [31:0] back_rows, back_columns, value;  // from the place to the window's last row and column
  assign column = column_q == '0 ? ColumnWidth'(PaddedColumns - 1) : column_q - 1'b1;
  assign row = column_q != '0 ? row_q : row_q == '0 ? RowWidth'(PaddedRows - 1) : row_q - 1'b1;
  assign back_rows = 32'(row) - 32'(at_row_q);
  assign back_columns = 32'(column) - 32'(at_column_q);
  assign covered = shown_q && row >= at_row_q && column >= at_column_q && back_rows < KernelRows
      && back_columns < KernelColumns;
  assign value = (32'(at_channel_q) * KernelRows + KernelRows - 1 - back_rows) * KernelColumns
      + KernelColumns - 1 - back_columns;
  assign got = 1'(out_data >> (Kind == 2 ? value * Width + 32'(at_plane_q)
      : 32'(at_plane_q) * (Channels * KernelRows * KernelColumns) + value));

  // ---------------------------------------------------------------- tie
  // verilator lint_off UNDRIVEN
  // The block's own registers and memory, by name: Yosys joins these to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [RowWidth-1:0] \dut.row ;
  (* hierconn *) wire [ColumnWidth-1:0] \dut.column ;
  (* hierconn *) wire [RowPhaseWidth-1:0] \dut.row_phase_q ;
  (* hierconn *) wire [ColumnPhaseWidth-1:0] \dut.column_phase_q ;
  (* hierconn *) wire \dut.row_inside_q ;
  (* hierconn *) wire \dut.column_inside_q ;
  (* hierconn *) wire \dut.row_gives_q ;
  (* hierconn *) wire \dut.column_gives_q ;
  (* hierconn *) wire [LineBits-1:0] \dut.gen_rows.line_q ;
  logic [LineBits-1:0] \dut.gen_rows.lines [0:PaddedColumns-1];
  // verilator lint_on UNDRIVEN
  logic walks;
  always_comb begin
    walks = \dut.row == row_q && \dut.column == column_q && 32'(row_q) < PaddedRows && 32'(column_q) < PaddedColumns
        && \dut.row_inside_q == (32'(row_q) + 1 > PadAbove && 32'(row_q) < PadAbove + Rows)
        && \dut.column_inside_q == (32'(column_q) + 1 > PadLeft && 32'(column_q) < PadLeft + Columns)
        && \dut.row_gives_q == (32'(row_q) + 1 >= KernelRows && \dut.row_phase_q == '0)
        && \dut.column_gives_q == (32'(column_q) + 1 >= KernelColumns && \dut.column_phase_q == '0);
    if (32'(row_q) + 1 < KernelRows) walks = walks && \dut.row_phase_q == '0;
    else walks = walks && 32'(\dut.row_phase_q ) == (32'(row_q) + 1 - KernelRows) % StrideRows;
    if (32'(column_q) + 1 < KernelColumns) walks = walks && \dut.column_phase_q == '0;
    else walks = walks && 32'(\dut.column_phase_q ) == (32'(column_q) + 1 - KernelColumns) % StrideColumns;
    walks = walks && (!followed || kept_q == (row_q > at_row_q || (row_q == at_row_q && column_q > at_column_q)));
    walks = walks && (!followed || shown_q == kept_q || (row_q == '0 && column_q == '0));
  end

  // The bit of a word: {is no padding, data}.
  logic [31:0] word_place;
  assign word_place = Gates && at_plane_q != '0 ? WordBits - 1 : in_place;

  // In the rows above, and below the followed position once it is passed.
  logic rows_tied;
  if (KernelRows > 1) begin : gen_rows
    logic [LineBits-1:0] line;
    logic [31:0] depth;  // the row's place in the line, from the newest
    logic read_tied;     // in the line that is read for the column that is walked now
    assign depth = 32'(row_q) - 32'(at_row_q) - (column_q > at_column_q ? 0 : 1);
    assign read_tied = column_q != at_column_q || bit_q == 1'(\dut.gen_rows.line_q >> ((KernelRows - 2 - depth) * WordBits
        + word_place));
    always_comb begin
      line = '0;
      for (int c = 0; c < PaddedColumns; c++) begin
        if (32'(at_column_q) == c) line = \dut.gen_rows.lines [c];
      end
    end
    assign rows_tied = !kept_q || depth >= KernelRows - 1
        || (read_tied && bit_q == 1'(line >> ((KernelRows - 2 - depth) * WordBits + word_place)));
  end else begin : gen_row
    assign rows_tied = 1'b1;
  end

  assign fail_o = live_q && (in_ready != (in_map && free) || out_valid != valid_q || !walks
      || (followed && covered && got != bit_q) || (followed && !rows_tied));
endmodule

`default_nettype wire
