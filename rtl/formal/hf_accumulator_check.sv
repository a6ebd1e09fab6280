// Check of hf_accumulator.
//
// Reference   The lanes, each sign-extended by hand, added to 0 or to the last sum, 1 cycle after valid_i; held else.
// Proof       1 cycle from any state
`default_nettype none

module hf_accumulator_check #(
    parameter int Lanes = 1,
    parameter int LaneWidth = 8,
    parameter int SumWidth = 12
) (
    input  wire logic                       clk_i,
    input  wire logic                       valid_i,
    input  wire logic                       first_i,
    input  wire logic [Lanes*LaneWidth-1:0] lanes_i,
    output logic                            fail_o
);
  logic [SumWidth-1:0] sum;
  hf_accumulator #(.Lanes(Lanes), .LaneWidth(LaneWidth), .SumWidth(SumWidth)) dut (
      .clk_i, .valid_i, .first_i, .lanes_i, .sum_o(sum));

  logic [SumWidth-1:0] want, lane;
  always_comb begin
    want = sum;
    if (first_i) want = '0;
    for (int k = 0; k < Lanes; k++) begin
      for (int b = 0; b < SumWidth; b++) lane[b] = lanes_i[k*LaneWidth+(b<LaneWidth?b:LaneWidth-1)];
      want = want + lane;
    end
  end

  logic [SumWidth-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= valid_i ? want : sum;
  assign fail_o = sum != want_q;
endmodule

`default_nettype wire
