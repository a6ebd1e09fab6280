// Check of hf_spare_columns.
//
// Reference   Every column that is in use stands in data_o behind as many as there are in use below it.
// Assumed     left_out_i ascends within each array
// Proof       combinational
`default_nettype none

module hf_spare_columns_check #(
    parameter int Arrays = 1,
    parameter int Columns = 4,
    parameter int Spares = 1,
    parameter int Width = 1,
    localparam int All = Columns + Spares,
    localparam int PlaceWidth = $clog2(All)
) (
    input  wire logic [Arrays*All*Width-1:0]         data_i,
    input  wire logic [Arrays*Spares*PlaceWidth-1:0] left_out_i,
    output logic                                     fail_o
);
  logic [Arrays*Columns*Width-1:0] data;
  hf_spare_columns #(.Arrays(Arrays), .Columns(Columns), .Spares(Spares), .Width(Width)) dut (
      .data_i, .left_out_i, .data_o(data));

  logic [Arrays-1:0] ascends, wrong;
  for (genvar a = 0; a < Arrays; a++) begin : gen_array
    logic [Columns*Width-1:0] rest;
    logic in_use;
    logic [PlaceWidth-1:0] place;
    always_comb begin
      ascends[a] = 1'b1;
      wrong[a] = 1'b0;
      for (int s = 0; s < Spares; s++) begin
        place = left_out_i[(a*Spares+s)*PlaceWidth+:PlaceWidth];
        if (32'(place) >= All) ascends[a] = 1'b0;
        if (s > 0 && place <= left_out_i[(a*Spares+(s>0?s-1:0))*PlaceWidth+:PlaceWidth]) ascends[a] = 1'b0;
      end
      rest = data[a*Columns*Width+:Columns*Width];
      for (int c = 0; c < All; c++) begin
        in_use = 1'b1;
        for (int s = 0; s < Spares; s++) begin
          if (32'(left_out_i[(a*Spares+s)*PlaceWidth+:PlaceWidth]) == c) in_use = 1'b0;
        end
        if (in_use) begin
          if (Width'(rest) != data_i[(a*All+c)*Width+:Width]) wrong[a] = 1'b1;
          rest = rest >> Width;
        end
      end
    end
  end
  assign fail_o = (&ascends) && (|wrong);
endmodule

`default_nettype wire
