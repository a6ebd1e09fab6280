// Signed accumulator over the slices of a neuron.
//
// Purpose     Adds the sums of the lanes that are read together, and of the reads that follow, to a neuron's sum.
// Equation    acc <- (first ? 0 : acc) + sum_k lane_k
// Parameters  Lanes      sums added in one cycle, >= 1
//             LaneWidth  bits of a lane's sum, >= 1
//             SumWidth   bits of the accumulator, >= LaneWidth
// Latency     1 cycle after valid_i
// Throughput  one set of lanes a cycle
// Overflow    none where SumWidth holds +-(inputs of the neuron); the plan proves it
`default_nettype none

module hf_accumulator #(
    parameter int Lanes = 1,
    parameter int LaneWidth = 8,
    parameter int SumWidth = 12
) (
    input  wire logic                          clk_i,
    // Lanes
    input  wire logic                          valid_i,
    input  wire logic                          first_i,  // these lanes begin a neuron
    input  wire logic [Lanes*LaneWidth-1:0]    lanes_i,  // signed, lane k at k*LaneWidth
    // Sum
    output logic signed [SumWidth-1:0]         sum_o
);
  if (Lanes < 1) begin : gen_error_lanes
    hf_error_accumulator_lanes_must_be_at_least_1 error ();
  end
  if (LaneWidth < 1) begin : gen_error_lane
    hf_error_accumulator_lane_width_must_be_at_least_1 error ();
  end
  if (SumWidth < LaneWidth) begin : gen_error_sum
    hf_error_accumulator_sum_width_below_lane_width error ();
  end

  // Lanes are read in place: a simulator would copy an argument in every cycle.
  function automatic logic signed [SumWidth-1:0] total(input logic signed [SumWidth-1:0] start);
    total = start;
    for (int k = 0; k < Lanes; k++) begin
      total = total + SumWidth'($signed(lanes_i[k*LaneWidth+:LaneWidth]));
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) sum_o <= total(first_i ? '0 : sum_o);
  end
endmodule

`default_nettype wire
