// Check of hf_threshold.
//
// Reference   sum >= t exactly when sum - t, formed with a bit to spare, is not negative; nothing while valid_i is low.
// Assumed     low <= high in a ternary layer, as the block's header asks for
// Proof       combinational
`default_nettype none

module hf_threshold_check #(
    parameter int Neurons = 1,
    parameter int SumWidth = 12,
    parameter bit Ternary = 1'b0,
    localparam int WordWidth = SumWidth * (Ternary ? 2 : 1)
) (
    input  wire logic                         valid_i,
    input  wire logic [Neurons*SumWidth-1:0]  sums_i,
    input  wire logic [Neurons*WordWidth-1:0] thresholds_i,
    output logic                              fail_o
);
  logic [Neurons-1:0] nonzero, positive, bad;
  hf_threshold #(.Neurons(Neurons), .SumWidth(SumWidth), .Ternary(Ternary)) dut (
      .valid_i, .sums_i, .thresholds_i, .nonzero_o(nonzero), .positive_o(positive));

  for (genvar n = 0; n < Neurons; n++) begin : gen_neuron
    logic [SumWidth:0] sum, high, low, above_high, above_low, gap;  // one bit more than a sum has
    assign sum = {sums_i[n*SumWidth+SumWidth-1], sums_i[n*SumWidth+:SumWidth]};
    assign high = {thresholds_i[n*WordWidth+SumWidth-1], thresholds_i[n*WordWidth+:SumWidth]};
    assign low = {thresholds_i[n*WordWidth+WordWidth-1], thresholds_i[n*WordWidth+WordWidth-1-:SumWidth]};
    assign above_high = sum - high;
    assign above_low = sum - low;
    assign gap = high - low;
    if (Ternary) begin : gen_ternary
      // +1 where sum >= high, -1 where sum < low, else 0.
      assign bad[n] = !gap[SumWidth] && {nonzero[n], positive[n]}
          != (!valid_i ? 2'b00 : !above_high[SumWidth] ? 2'b11 : above_low[SumWidth] ? 2'b10 : 2'b00);
    end else begin : gen_bipolar
      logic unused;
      assign unused = ^{above_low, gap};
      assign bad[n] = {nonzero[n], positive[n]} != {valid_i, valid_i && !above_high[SumWidth]};
    end
  end
  assign fail_o = |bad;
endmodule

`default_nettype wire
