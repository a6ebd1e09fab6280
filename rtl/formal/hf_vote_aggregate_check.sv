// Check of hf_vote_aggregate.
//
// Reference   Votes of +1, -1 (and 0) added as signed numbers; the sign of the sum, 1 cycle after valid_i; held else.
// Proof       1 cycle from any state
// Ports       {low, high} of block k of neuron n at 2 (n * Blocks + k): the votes of a neuron stand together
`default_nettype none

module hf_vote_aggregate_check #(
    parameter int Blocks = 2,
    parameter int Neurons = 8,
    parameter bit Ternary = 1'b0
) (
    input  wire logic                        clk_i,
    input  wire logic                        valid_i,
    input  wire logic [2*Blocks*Neurons-1:0] votes_i,
    output logic                             fail_o
);
  localparam int SumWidth = $clog2(Blocks + 1) + 1;  // holds -Blocks to Blocks
  logic [Blocks*Neurons-1:0] high, low;
  logic [Neurons-1:0] nonzero, positive, want_nonzero, want_positive;
  hf_vote_aggregate #(.Blocks(Blocks), .Neurons(Neurons), .Ternary(Ternary)) dut (
      .clk_i, .valid_i, .high_i(high), .low_i(low), .nonzero_o(nonzero), .positive_o(positive));

  for (genvar n = 0; n < Neurons; n++) begin : gen_neuron
    for (genvar k = 0; k < Blocks; k++) begin : gen_vote
      assign {low[k*Neurons+n], high[k*Neurons+n]} = votes_i[2*(n*Blocks+k)+:2];
    end
    logic signed [SumWidth-1:0] sum;
    always_comb begin
      sum = '0;
      for (int k = 0; k < Blocks; k++) begin
        if (Ternary) begin
          if (high[k*Neurons+n]) sum = sum + SumWidth'(1);
          if (!low[k*Neurons+n]) sum = sum - SumWidth'(1);
        end else begin
          if (high[k*Neurons+n]) sum = sum + SumWidth'(1);
          else sum = sum - SumWidth'(1);
        end
      end
    end
    // A tie is +1 for bipolar outputs and 0 for trits.
    assign want_nonzero[n] = Ternary ? sum != '0 : 1'b1;
    assign want_positive[n] = Ternary ? (sum != '0 && !sum[SumWidth-1]) : !sum[SumWidth-1];
  end

  logic [2*Neurons-1:0] want_q;
  always_ff @(posedge clk_i) want_q <= valid_i ? {want_nonzero, want_positive} : {nonzero, positive};
  assign fail_o = {nonzero, positive} != want_q;
endmodule

`default_nettype wire
