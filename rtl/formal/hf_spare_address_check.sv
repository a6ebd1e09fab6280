// Check of hf_spare_address.
//
// Reference   line_o is not left out, and as many word lines below it are in use as line_i says.
// Assumed     line_i < Lines; left_out_i ascends within the array
// Proof       combinational
`default_nettype none

module hf_spare_address_check #(
    parameter int Lines = 4,
    parameter int Spares = 1,
    localparam int InWidth = Lines > 1 ? $clog2(Lines) : 1,
    localparam int OutWidth = $clog2(Lines + Spares)
) (
    input  wire logic [InWidth-1:0]         line_i,
    input  wire logic [Spares*OutWidth-1:0] left_out_i,
    output logic                            fail_o
);
  logic [OutWidth-1:0] line;
  hf_spare_address #(.Lines(Lines), .Spares(Spares)) dut (.line_i, .left_out_i, .line_o(line));

  logic ascends, in_use;
  logic [31:0] before_it;  // word lines in use below line_o
  logic [OutWidth-1:0] place;
  always_comb begin
    ascends = 1'b1;
    in_use = 32'(line) < Lines + Spares;
    before_it = 32'(line);
    for (int s = 0; s < Spares; s++) begin
      place = left_out_i[s*OutWidth+:OutWidth];
      if (32'(place) >= Lines + Spares) ascends = 1'b0;
      if (s > 0 && place <= left_out_i[(s>0?s-1:0)*OutWidth+:OutWidth]) ascends = 1'b0;
      if (place == line) in_use = 1'b0;
      if (place < line) before_it = before_it - 32'd1;
    end
  end
  assign fail_o = ascends && 32'(line_i) < Lines && !(in_use && before_it == 32'(line_i));
endmodule

`default_nettype wire
