// Vote aggregation over the splits of a layer.
//
// Purpose     Adds the 1-bit outputs of a layer's blocks and takes the sign (input-splitting, figures 4 and 5).
// Equation    bipolar: +1 iff sum_k v_k >= 0 over votes v_k = +-1, that is 2 popcount(high votes) >= Blocks
//             ternary: a block votes +1 where its high vote is set, -1 where its low vote is clear, else 0;
//             +1 iff the sum is > 0, -1 iff it is < 0: a tie stays 0
// Structure   Bit-sliced: counters lie across neurons, 64 at a time, so every operation is one word of a simulator. Each
//             neuron gets a ripple of half adders, short because the blocks are few.
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
  // The counters hold up to 2 Blocks votes.
  localparam int CountWidth = Blocks < 1 ? 1 : $clog2(2 * Blocks + 1);
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

    // {count > Level, count >= Level} of every neuron of the slice. Counts are rotated by a bit at a time, so that the bit
    // to work on is the lowest; other votes than the first block's are read in place: a simulator would copy arguments.
    function automatic logic [2*Size-1:0] compare(input logic [Size-1:0] first_votes);
      logic [CountWidth*Size-1:0] count;
      logic [Size-1:0] carry;
      logic [Size-1:0] plane;
      logic [Size-1:0] at_least;
      logic [Size-1:0] above;
      int at;  // next votes
      count = (CountWidth * Size)'(first_votes);
      at = First + Neurons;
      for (int b = 1; b < Blocks; b++) begin
        carry = high_i[at+:Size];
        for (int k = 0; k < CountWidth; k++) begin
          plane = count[Size-1:0];
          count = {plane ^ carry, count[CountWidth*Size-1:Size]};
          carry = plane & carry;
        end
        at = at + Neurons;
      end
      at = First;
      for (int b = 0; Ternary && b < Blocks; b++) begin
        carry = low_i[at+:Size];
        for (int k = 0; k < CountWidth; k++) begin
          plane = count[Size-1:0];
          count = {plane ^ carry, count[CountWidth*Size-1:Size]};
          carry = plane & carry;
        end
        at = at + Neurons;
      end
      at_least = '1;
      above = '0;
      for (int k = 0; k < CountWidth; k++) begin
        plane = count[Size-1:0];
        count = {plane, count[CountWidth*Size-1:Size]};
        at_least = Level[k] ? (plane & at_least) : (plane | at_least);
        above = Level[k] ? (plane & above) : (plane | above);
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
