// Slice selector.
//
// Purpose     Picks from a vector the slice that a lane's array holds, and from the slice the part that the amplifiers'
//             current column holds.
// Equation    data_o = data_i[((slice_i * Stride + Offset) * Parts + part_i) * Width +: Width]
// Parameters  Slices  slices this lane takes in turn, >= 1
//             Stride  lanes that share the vector, >= 1; Offset  this lane's number, 0 to Stride - 1
//             Parts   parts of a slice, >= 1; Width  bits of a part, >= 1
// Latency     0 cycles (combinational)
// Throughput  -
// Overflow    none
`default_nettype none

module hf_slice #(
    parameter int Slices = 1,
    parameter int Stride = 1,
    parameter int Offset = 0,
    parameter int Parts = 1,
    parameter int Width = 8,
    localparam int SliceWidth = Slices > 1 ? $clog2(Slices) : 1,
    localparam int PartWidth = Parts > 1 ? $clog2(Parts) : 1
) (
    input  wire logic [Slices*Stride*Parts*Width-1:0] data_i,
    input  wire logic [SliceWidth-1:0]                slice_i,
    input  wire logic [PartWidth-1:0]                 part_i,
    output logic      [Width-1:0]                     data_o
);
  if (Slices < 1 || Stride < 1 || Parts < 1 || Width < 1) begin : gen_error_sizes
    hf_error_slice_slices_stride_parts_and_width_must_be_at_least_1 error ();
  end else if (Offset < 0 || Offset >= Stride) begin : gen_error_offset
    hf_error_slice_offset_out_of_range error ();
  end

  if (Slices * Parts == 1) begin : gen_constant
    assign data_o = data_i[Offset*Width+:Width];
  end else begin : gen_select
    always_comb begin
      data_o = '0;
      for (int s = 0; s < Slices; s++) begin
        for (int p = 0; p < Parts; p++) begin
          if (slice_i == SliceWidth'(s) && part_i == PartWidth'(p)) begin
            data_o = data_i[((s*Stride+Offset)*Parts+p)*Width+:Width];
          end
        end
      end
    end
  end
  // What the other lanes take, and the selectors where there is nothing to select.
  logic unused;
  assign unused = ^{data_i, slice_i, part_i};
endmodule

`default_nettype wire
