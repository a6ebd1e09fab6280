// Vote aggregation over the splits of a layer.
//
// Purpose     Adds the 1-bit outputs of a layer's blocks and takes the sign (input-splitting, figures 4 and 5).
// Equation    bipolar: +1 iff sum_k v_k >= 0 over votes v_k = +-1, that is 2 popcount(high votes) >= Blocks
//             ternary: a block votes +1 where its high vote is set, -1 where its low vote is clear, else 0;
//             +1 iff the sum is > 0, -1 iff it is < 0: a tie stays 0
// Structure   Bit-sliced: planes lie across neurons, 64 at a time, so every operation is one word of a simulator. Full adders
//             take the planes of a weight three to one and leave their carries to the next weight: a neuron has about as
//             many adders as votes.
// Parameters  Blocks   votes a neuron, >= 1
//             Neurons  neurons, >= 1
//             Ternary  0: bipolar votes, low_i unused; 1: ternary votes
// Latency     1 cycle after valid_i
// Throughput  one vector a cycle
// Overflow    none
`default_nettype none

module hf_vote_aggregate #(
    parameter int Blocks = 2,
    parameter int Neurons = 8,
    parameter bit Ternary = 1'b0
) (
    input  wire logic                        clk_i,
    // Votes, block k at k*Neurons
    input  wire logic                        valid_i,
    input  wire logic [Blocks*Neurons-1:0]   high_i,      // sum of the block >= its high threshold
    input  wire logic [Blocks*Neurons-1:0]   low_i,       // sum of the block >= its low threshold
    // Outputs
    output logic      [Neurons-1:0]          nonzero_o,
    output logic      [Neurons-1:0]          positive_o
);
  localparam int Votes = Blocks < 1 ? 1 : Ternary ? 2 * Blocks : Blocks;
  localparam int CountWidth = $clog2(Votes + 1);
  localparam int Slice = 64;  // neurons

  if (Blocks < 1) begin : gen_error_blocks
    hf_error_vote_aggregate_blocks_must_be_at_least_1 error ();
  end
  if (Neurons < 1) begin : gen_error_neurons
    hf_error_vote_aggregate_neurons_must_be_at_least_1 error ();
  end

  // Count of set votes: bipolar, high votes only, compared with Blocks / 2; ternary, high and low votes, compared with
  // Blocks, because sum = popcount(high) - popcount(not low) = popcount(high) + popcount(low) - Blocks.
  localparam int Level = Ternary ? Blocks : (Blocks + 1) / 2;

  logic [Neurons-1:0] above_q;
  logic [Neurons-1:0] at_least_q;

  for (genvar c = 0; c < (Neurons + Slice - 1) / Slice; c++) begin : gen_slice
    localparam int First = c * Slice;
    localparam int Size = First + Slice > Neurons ? Neurons - First : Slice;

    // {count > Level, count >= Level} of every neuron of the slice, by the count's bits from the lowest up. Of the planes
    // of a bit's weight, the first is the sum so far; carries go where planes were read before. Votes but the first
    // block's are read in place: a simulator would copy arguments.
    function automatic logic [2*Size-1:0] compare(input logic [Size-1:0] first_votes);
      logic [Votes*Size-1:0] planes;
      logic [Size-1:0] sum, a, b, at_least, above;
      planes = (Votes * Size)'(first_votes);
      for (int v = 1; v < Blocks; v++) planes[v*Size+:Size] = high_i[v*Neurons+First+:Size];
      for (int v = Blocks; v < Votes; v++) planes[v*Size+:Size] = low_i[(v-Blocks)*Neurons+First+:Size];
      at_least = '1;
      above = '0;
      for (int k = 0; k < CountWidth; k++) begin
        sum = planes[Size-1:0];
        for (int i = 1; i < (Votes >> k); i = i + 2) begin
          a = planes[i*Size+:Size];
          b = i + 1 < (Votes >> k) ? planes[((i+1)%Votes)*Size+:Size] : '0;
          planes[(i/2)*Size+:Size] = (sum & a) | (b & (sum ^ a));
          sum = sum ^ a ^ b;
        end
        at_least = Level[k] ? (sum & at_least) : (sum | at_least);
        above = Level[k] ? (sum & above) : (sum | above);
      end
      compare = {above, at_least};
    endfunction

    always_ff @(posedge clk_i) begin
      if (valid_i) {above_q[First+:Size], at_least_q[First+:Size]} <= compare(high_i[First+:Size]);
    end
  end
  logic unused_low;
  assign unused_low = ^low_i;

  // Not '1: Yosys 0.23 cuts it to one bit where the condition is a constant.
  assign nonzero_o = Ternary ? (above_q | ~at_least_q) : {Neurons{1'b1}};
  assign positive_o = Ternary ? above_q : at_least_q;
endmodule

`default_nettype wire
