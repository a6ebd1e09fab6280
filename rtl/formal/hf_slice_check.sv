// Check of hf_slice.
//
// Reference   The vector shifted right by the position that the equation names.
// Assumed     slice_i < Slices, part_i < Parts
// Proof       combinational
`default_nettype none

module hf_slice_check #(
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
    output logic                                      fail_o
);
  logic [Width-1:0] data, want;
  hf_slice #(.Slices(Slices), .Stride(Stride), .Offset(Offset), .Parts(Parts), .Width(Width)) dut (
      .data_i, .slice_i, .part_i, .data_o(data));

  logic [31:0] position;
  assign position = ((32'(slice_i) * Stride + Offset) * Parts + 32'(part_i)) * Width;
  assign want = Width'(data_i >> position);
  assign fail_o = 32'(slice_i) < Slices && 32'(part_i) < Parts && data != want;
endmodule

`default_nettype wire
