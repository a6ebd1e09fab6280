// Maximum over windows of positions that do not overlap.
//
// Purpose     Pools thresholded values: of bits, the maximum is OR; where the normalisation behind the maximum falls, it has
//             become AND (a maximum below a threshold is one of which every part is).
// Equation    out[k] = All[k] ? AND over the window of in[k] : OR over the window of in[k]
//             Trits: the two cuts of {nonzero, positive} are pooled, +1 or more and 0 or more
// Parameters  Values                values of a position, >= 1
//             Planes                1: bits; 2: two planes of bits, each with All; see Trits
//             Trits                 with Planes = 2: {nonzero, positive}; 0: {low, high} votes, which are cuts as they are
//             Rows, Columns         the map before, >= 1
//             SizeRows, SizeColumns the window, >= 1 and no larger than the map
//             StrideRows, StrideColumns  >= the window's sides
//             All                   one bit a value
// Latency     1 cycle from the position that completes a window
// Throughput  one position a cycle
// Overflow    none
`default_nettype none

module hf_pool #(
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
    // Positions
    input  wire logic            in_valid_i,
    output logic                 in_ready_o,
    input  wire logic [Bits-1:0] in_data_i,
    // Pooled positions
    output logic                 out_valid_o,
    input  wire logic            out_ready_i,
    output logic      [Bits-1:0] out_data_o
);
  localparam int OutColumns = (Columns - SizeColumns) / StrideColumns + 1;
  localparam int RowWidth = StrideRows > 1 ? $clog2(StrideRows) : 1;
  localparam int ColumnWidth = StrideColumns > 1 ? $clog2(StrideColumns) : 1;
  localparam int OutColumnWidth = OutColumns > 1 ? $clog2(OutColumns) : 1;
  localparam logic [Bits-1:0] Flip = {Planes{All}};  // bits whose maximum is AND

  if (Values < 1 || Planes < 1 || Planes > 2 || (Trits && Planes != 2)) begin : gen_error_values
    hf_error_pool_values_or_planes_out_of_range error ();
  end
  if (SizeRows < 1 || SizeColumns < 1 || SizeRows > Rows || SizeColumns > Columns) begin : gen_error_size
    hf_error_pool_window_does_not_fit_the_map error ();
  end
  if (StrideRows < SizeRows || StrideColumns < SizeColumns) begin : gen_error_stride
    hf_error_pool_windows_must_not_overlap error ();
  end

  // ---------------------------------------------------------------- the walk over the map
  logic [(Rows > 1 ? $clog2(Rows) : 1)-1:0] row;
  logic [(Columns > 1 ? $clog2(Columns) : 1)-1:0] column;
  logic row_last, column_last, accept, valid_q;
  logic [RowWidth-1:0] row_phase_q;             // row within its window
  logic [ColumnWidth-1:0] column_phase_q;       // column within its window
  logic [OutColumnWidth-1:0] window_q;          // window of the row
  logic row_ends, column_ends;

  assign in_ready_o = !valid_q || out_ready_i;
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = valid_q;
  assign row_ends = row_phase_q == RowWidth'(SizeRows - 1);
  assign column_ends = column_phase_q == ColumnWidth'(SizeColumns - 1);

  hf_counter #(.Steps(Columns)) i_column (
      .clk_i, .clear_i(!rst_ni), .step_i(accept), .count_o(column), .last_o(column_last));
  hf_counter #(.Steps(Rows)) i_row (
      .clk_i, .clear_i(!rst_ni), .step_i(accept && column_last), .count_o(row), .last_o(row_last));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      row_phase_q <= '0;
      column_phase_q <= '0;
      window_q <= '0;
    end else begin
      valid_q <= (valid_q && !out_ready_i) || (accept && row_ends && column_ends);
      if (accept) begin
        if (column_last) begin
          column_phase_q <= '0;
          window_q <= '0;
          row_phase_q <= row_last || row_phase_q == RowWidth'(StrideRows - 1) ? '0 : row_phase_q + 1'b1;
        end else begin
          column_phase_q <= column_phase_q == ColumnWidth'(StrideColumns - 1) ? '0 : column_phase_q + 1'b1;
          if (column_ends && window_q != OutColumnWidth'(OutColumns - 1)) window_q <= window_q + 1'b1;
        end
      end
    end
  end

  // ---------------------------------------------------------------- cuts
  logic [Bits-1:0] cuts;
  logic [Bits-1:0] across_q;                     // this row of the window so far, ^ Flip
  logic [Bits-1:0] rows_q[0:OutColumns-1];       // the rows above of every window, ^ Flip
  logic [Bits-1:0] result_q;

  // AND is OR of the complements. Complements are taken where a position enters and where a result is stored.
  function automatic logic [Bits-1:0] across(input logic [Bits-1:0] now);
    across = (column_phase_q == '0 ? '0 : across_q) | (now ^ Flip);
  endfunction

  // Of the rows above, and of this one as it comes out of across.
  function automatic logic [Bits-1:0] both(input logic [Bits-1:0] now);
    both = (row_phase_q == '0 ? '0 : rows_q[window_q]) | now;
  endfunction

  if (Trits) begin : gen_trits
    localparam int High = Trits ? Values : 0;
    // {nonzero, positive} to {0 or more, +1} and back.
    assign cuts[0+:Values] = in_data_i[0+:Values];
    assign cuts[High+:Values] = ~in_data_i[High+:Values] | in_data_i[0+:Values];
    assign out_data_o[0+:Values] = result_q[0+:Values];
    assign out_data_o[High+:Values] = ~result_q[High+:Values] | result_q[0+:Values];
  end else begin : gen_bits
    assign cuts = in_data_i;
    assign out_data_o = result_q;
  end

  // Worked out where a position is taken, and not in the cycles between. A process for each register: together, Yosys takes
  // a time that grows with the square of Bits.
  always_ff @(posedge clk_i) begin
    if (accept) across_q <= across(cuts);
  end
  always_ff @(posedge clk_i) begin
    if (accept && column_ends && row_ends) result_q <= both(across(cuts)) ^ Flip;
  end
  always_ff @(posedge clk_i) begin
    if (accept && column_ends && !row_ends) rows_q[window_q] <= both(across(cuts));
  end
  logic unused;
  assign unused = ^{row, column};
endmodule

`default_nettype wire
