// Sliding window: positions of a map to the windows of a kernel (im2col).
//
// Purpose     Forms what each neuron of a convolution sees from a map that comes position by position, row by row, with
//             its padding.
// Equation    out[(c * KernelRows + i) * KernelColumns + j] = map[c][r * StrideRows + i - PadAbove]
//                                                               [s * StrideColumns + j - PadLeft]
//             for windows (r, s) row by row; PadValue where that lies outside
// Structure   The padded map is walked one position a cycle. A memory keeps the last KernelRows - 1 rows; the window is a
//             register that shifts by a column. It lies as it is given, and nothing wide moves while it waits: a window
//             may wait for thousands of cycles.
// Parameters  Channels, Rows, Columns  the map without padding, >= 1
//             Kind                     0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers of Width bits,
//                                      channel c at c * Width
//             Width                    bits of an integer, >= 2
//             KernelRows, KernelColumns, StrideRows, StrideColumns  >= 1
//             PadAbove, PadLeft, PadBelow, PadRight  padded positions, >= 0
//             PadValue                 what a padded position holds; 0 turns bipolar values into trits: out is then
//                                      {nonzero, positive} with nonzero = 0 there
// Latency     1 cycle from the position that completes a window
// Throughput  one position of the padded map a cycle
// Overflow    none
`default_nettype none

module hf_window #(
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
    localparam int InBits = Channels * ValueBits,
    localparam bit Gates = Kind == 0 && PadValue == 0 && PadAbove + PadLeft + PadBelow + PadRight > 0,
    localparam int OutBits = Channels * KernelRows * KernelColumns * (Gates ? 2 : ValueBits)
) (
    input  wire logic                clk_i,
    input  wire logic                rst_ni,
    // Positions: all channels of one
    input  wire logic                in_valid_i,
    output logic                     in_ready_o,
    input  wire logic [InBits-1:0]   in_data_i,
    // Windows
    output logic                     out_valid_o,
    input  wire logic                out_ready_i,
    output logic      [OutBits-1:0]  out_data_o
);
  localparam int PaddedRows = Rows + PadAbove + PadBelow;
  localparam int PaddedColumns = Columns + PadLeft + PadRight;
  localparam int RowWidth = PaddedRows > 1 ? $clog2(PaddedRows) : 1;
  localparam int ColumnWidth = PaddedColumns > 1 ? $clog2(PaddedColumns) : 1;
  localparam int RowPhaseWidth = StrideRows > 1 ? $clog2(StrideRows) : 1;
  localparam int ColumnPhaseWidth = StrideColumns > 1 ? $clog2(StrideColumns) : 1;
  localparam int WordBits = InBits + (Gates ? 1 : 0);  // {[1: not padding,] data}

  if (Channels < 1 || Rows < 1 || Columns < 1 || Kind < 0 || Kind > 2 || Width < 2) begin : gen_error_map
    hf_error_window_map_or_kind_out_of_range error ();
  end
  if (KernelRows < 1 || KernelColumns < 1 || KernelRows > PaddedRows || KernelColumns > PaddedColumns
      || StrideRows < 1 || StrideColumns < 1) begin : gen_error_kernel
    hf_error_window_kernel_or_stride_does_not_fit_the_map error ();
  end
  if (PadAbove < 0 || PadLeft < 0 || PadBelow < 0 || PadRight < 0) begin : gen_error_pad
    hf_error_window_padding_must_not_be_negative error ();
  end

  // ---------------------------------------------------------------- the walk over the padded map
  logic [RowWidth-1:0] row, row_next;
  logic [ColumnWidth-1:0] column, column_next;
  logic row_last, column_last, row_inside_q, column_inside_q, row_gives_q, column_gives_q;
  logic padding, advance;
  logic valid_q, free;  // a window waits; none waits, or it is taken

  assign padding = !(row_inside_q && column_inside_q);
  assign free = !valid_q || out_ready_i;
  assign in_ready_o = !padding && free;
  assign out_valid_o = valid_q;
  assign advance = (padding || in_valid_i) && free;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else if (free) valid_q <= advance && row_gives_q && column_gives_q;
  end

  hf_counter #(.Steps(PaddedColumns)) i_column (
      .clk_i, .clear_i(!rst_ni), .step_i(advance), .count_o(column), .last_o(column_last));
  hf_counter #(.Steps(PaddedRows)) i_row (
      .clk_i, .clear_i(!rst_ni), .step_i(advance && column_last), .count_o(row), .last_o(row_last));

  assign column_next = column_last ? '0 : column + 1'b1;
  assign row_next = row_last ? '0 : row + 1'b1;

  // Stride: a window ends at every StrideRows-th row from the first full one on; phase counts them.
  logic [RowPhaseWidth-1:0] row_phase_q, row_phase_d;
  logic [ColumnPhaseWidth-1:0] column_phase_q, column_phase_d;

  always_comb begin
    row_phase_d = row_phase_q;
    if (32'(row_next) < KernelRows) row_phase_d = '0;
    else row_phase_d = row_phase_q == RowPhaseWidth'(StrideRows - 1) ? '0 : row_phase_q + 1'b1;
    column_phase_d = column_phase_q;
    if (32'(column_next) < KernelColumns) column_phase_d = '0;
    else column_phase_d = column_phase_q == ColumnPhaseWidth'(StrideColumns - 1) ? '0 : column_phase_q + 1'b1;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      row_phase_q <= '0;
      column_phase_q <= '0;
      row_inside_q <= PadAbove == 0;
      column_inside_q <= PadLeft == 0;
      row_gives_q <= KernelRows == 1;
      column_gives_q <= KernelColumns == 1;
    end else if (advance) begin
      column_phase_q <= column_phase_d;
      column_inside_q <= 32'(column_next) + 1 > PadLeft && 32'(column_next) < PadLeft + Columns;
      column_gives_q <= 32'(column_next) + 1 >= KernelColumns && column_phase_d == '0;
      if (column_last) begin
        row_phase_q <= row_phase_d;
        row_inside_q <= 32'(row_next) + 1 > PadAbove && 32'(row_next) < PadAbove + Rows;
        row_gives_q <= 32'(row_next) + 1 >= KernelRows && row_phase_d == '0;
      end
    end
  end

  // ---------------------------------------------------------------- rows that are kept
  logic [WordBits-1:0] word;
  logic [KernelRows*WordBits-1:0] front;  // this column: row i of the kernel at i, the newest last

  if (Gates) begin : gen_gated
    assign word = padding ? '0 : {1'b1, in_data_i};
  end else begin : gen_plain
    logic [InBits-1:0] pad;
    for (genvar c = 0; c < Channels; c++) begin : gen_pad
      if (Kind == 2) begin : gen_integer
        assign pad[c*ValueBits+:ValueBits] = ValueBits'(PadValue);
      end else begin : gen_sign
        assign pad[c] = PadValue > 0;
        if (Kind == 1) begin : gen_nonzero
          assign pad[(Kind==1?Channels:0)+c] = PadValue != 0;
        end
      end
    end
    assign word = padding ? pad : in_data_i;
  end
  assign front[(KernelRows-1)*WordBits+:WordBits] = word;

  if (KernelRows > 1) begin : gen_rows
    logic [(KernelRows-1)*WordBits-1:0] lines[0:PaddedColumns-1];
    logic [(KernelRows-1)*WordBits-1:0] line_q;
    assign front[0+:(KernelRows-1)*WordBits] = line_q;
    always_ff @(posedge clk_i) begin
      if (advance) begin
        lines[column] <= front[WordBits+:(KernelRows-1)*WordBits];
        // The column that comes next is another, unless there is only one.
        line_q <= PaddedColumns == 1 ? front[WordBits+:(KernelRows-1)*WordBits] : lines[column_next];
      end
    end
  end

  // ---------------------------------------------------------------- the window, in the order of a neuron's inputs
  // A row of the kernel in one channel and plane is RowBits bits; the newest column enters at the top.
  localparam int Step = Kind == 2 ? Width : 1;
  localparam int Values = InBits / Step;
  localparam int RowBits = KernelColumns * Step;
  logic [Values*KernelRows*RowBits-1:0] values_q;

  // Written as a whole: of a register written part by part, a simulator keeps a copy in every cycle.
  // verilator lint_off BLKSEQ
  always_ff @(posedge clk_i) begin
    if (advance) begin : shift
      logic [Values*KernelRows*RowBits-1:0] shifted;
      shifted = values_q >> Step;
      for (int v = 0; v < Values; v++) begin
        for (int i = 0; i < KernelRows; i++) begin
          shifted[(v*KernelRows+i+1)*RowBits-Step+:Step] = front[i*WordBits+v*Step+:Step];
        end
      end
      values_q <= shifted;
    end
  end
  // verilator lint_on BLKSEQ

  if (Gates) begin : gen_gates
    logic [KernelRows*KernelColumns-1:0] gates_q;  // is no padding, the same in all channels
    always_ff @(posedge clk_i) begin
      if (advance) begin
        for (int i = 0; i < KernelRows; i++) begin
          gates_q[i*KernelColumns+:KernelColumns] <=
              KernelColumns'({front[i*WordBits+WordBits-1], gates_q[i*KernelColumns+:KernelColumns]} >> 1);
        end
      end
    end
    assign out_data_o = {{Channels{gates_q}}, values_q};
  end else begin : gen_values
    assign out_data_o = values_q;
  end
  logic unused;
  assign unused = ^row;
endmodule

`default_nettype wire
