// Votes of a split layer to its outputs.
//
// Purpose     The stage behind hf_layer_sa: adds up the votes of a layer's blocks.
// Equation    see hf_vote_aggregate
// Parameters  Blocks       votes a neuron, >= 1
//             Neurons      neurons, >= 1
//             OutputTrits  0: bipolar votes and outputs, 1: trits
// Latency     1 cycle
// Throughput  one vector a cycle
// Overflow    none
`default_nettype none

module hf_layer_votes #(
    parameter int Blocks = 2,
    parameter int Neurons = 8,
    parameter bit OutputTrits = 1'b0,
    localparam int References = OutputTrits ? 2 : 1,
    localparam int OutputBits = Neurons * (OutputTrits ? 2 : 1)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Votes: {[low,] high}, each block k at k * Neurons
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [References*Blocks*Neurons-1:0] in_data_i,
    // Output vector: {[nonzero plane,] positive plane}
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutputBits-1:0]  out_data_o
);
  logic valid_q;
  logic [Neurons-1:0] nonzero, positive;

  assign in_ready_o = !valid_q || out_ready_i;
  assign out_valid_o = valid_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) valid_q <= 1'b0;
    else valid_q <= in_valid_i || (valid_q && !out_ready_i);
  end

  hf_vote_aggregate #(
      .Blocks(Blocks),
      .Neurons(Neurons),
      .Ternary(OutputTrits)
  ) i_aggregate (
      .clk_i,
      .valid_i(in_valid_i && in_ready_o),
      .high_i(in_data_i[Blocks*Neurons-1:0]),
      .low_i(in_data_i[References*Blocks*Neurons-1-:Blocks*Neurons]),
      .nonzero_o(nonzero),
      .positive_o(positive)
  );

  if (OutputTrits) begin : gen_trits
    assign out_data_o = {nonzero, positive};
  end else begin : gen_bipolar
    assign out_data_o = positive;
    logic unused;
    assign unused = ^nonzero;
  end
endmodule

`default_nettype wire
