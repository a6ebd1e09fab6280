// Digital layer: weights in ROM, integer multiply-accumulate.
//
// Purpose     A layer whose inputs are integers, such as the 8-bit first layer; also any other layer on request.
// Equation    s_j = sum_i w_ji x_i, then hf_threshold (Output 0 and 1) or s_j itself (Output 2)
// Schedule    for neuron group, input group: LaneNeurons x LaneInputs products a cycle.
// Parameters  Inputs, Neurons  sizes of the layer, >= 1
//             InputWidth       bits of an input: signed integers, or see InputKind
//             InputKind        0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers, input i at
//                              i * InputWidth
//             WeightWidth      1: bipolar (1 = +1), 2: trit {nonzero, positive}, 8: signed integer
//             Output           0: bipolar, 1: trits, 2: sums
//             LaneInputs       inputs multiplied in a cycle, >= 1
//             LaneNeurons      neurons served in a cycle, >= 1
//             SumWidth         bits of a sum and a threshold; holds every partial sum and threshold; the plan proves it
//             Name             prefix of the memory images: Name_weights.mem, line neuron group * input groups +
//                              input group, weight (n, i) at (n * LaneInputs + i) * WeightWidth; Name_threshold.mem
// Latency     Reads + 3 cycles from the accepting cycle to out_valid_o, Reads = neuron groups * input groups
// Throughput  one vector in Reads cycles; all steps stand still while a result waits
// Overflow    none where SumWidth is as stated
`default_nettype none

module hf_layer_digital #(
    parameter int Inputs = 8,
    parameter int Neurons = 4,
    parameter int InputWidth = 9,
    parameter int InputKind = 2,
    parameter int WeightWidth = 1,
    parameter int Output = 0,
    parameter int LaneInputs = 4,
    parameter int LaneNeurons = 4,
    parameter int SumWidth = 14,
    parameter Name = "",
    localparam int InputBits = Inputs * (InputKind == 2 ? InputWidth : InputKind == 1 ? 2 : 1),
    localparam int OutputBits = Neurons * (Output == 2 ? SumWidth : Output == 1 ? 2 : 1)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Input vector
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [InputBits-1:0]   in_data_i,
    // Output vector: bipolar plane, {nonzero plane, positive plane}, or sums with neuron j at j*SumWidth
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutputBits-1:0]  out_data_o
);
  localparam int InputGroups = (Inputs + LaneInputs - 1) / LaneInputs;
  localparam int NeuronGroups = (Neurons + LaneNeurons - 1) / LaneNeurons;
  localparam int Words = InputGroups * NeuronGroups;
  localparam int AddrWidth = Words > 1 ? $clog2(Words) : 1;
  localparam int InputGroupWidth = InputGroups > 1 ? $clog2(InputGroups) : 1;
  localparam int NeuronGroupWidth = NeuronGroups > 1 ? $clog2(NeuronGroups) : 1;
  localparam int Padded = InputGroups * LaneInputs;
  localparam int Thresholds = Output == 1 ? 2 : 1;

  if (WeightWidth != 1 && WeightWidth != 2 && WeightWidth != 8) begin : gen_error_weight
    hf_error_layer_digital_weight_width_must_be_1_2_or_8 error ();
  end
  if (InputKind < 0 || InputKind > 2 || Output < 0 || Output > 2) begin : gen_error_kind
    hf_error_layer_digital_kind_must_be_0_to_2 error ();
  end
  if (SumWidth < InputWidth) begin : gen_error_sum
    hf_error_layer_digital_sum_width_too_small error ();
  end

  // ---------------------------------------------------------------- control: the steps move together
  logic enable;            // no step moves while a finished vector waits
  logic x_valid_q;         // a vector is being multiplied
  logic y_valid_q;         // a vector waits at the output
  logic accept, step, last, input_group_last, neuron_group_last;
  logic [InputGroupWidth-1:0] input_group;
  logic [NeuronGroupWidth-1:0] neuron_group;
  logic multiply_q, commit_q, commit_last_q;
  logic multiply, commit;  // a step that does happen in this cycle

  assign enable = !(y_valid_q && !out_ready_i);
  assign last = input_group_last && neuron_group_last;
  assign in_ready_o = enable && (!x_valid_q || last);
  assign accept = in_valid_i && in_ready_o;
  assign out_valid_o = y_valid_q;
  assign step = enable && x_valid_q;
  assign multiply = enable && multiply_q;
  assign commit = enable && commit_q;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      x_valid_q <= 1'b0;
      y_valid_q <= 1'b0;
    end else if (enable) begin
      x_valid_q <= accept || (x_valid_q && !last);
      y_valid_q <= commit_q && commit_last_q;
    end
  end

  hf_counter #(.Steps(InputGroups)) i_input_group (
      .clk_i, .clear_i(accept), .step_i(step), .count_o(input_group), .last_o(input_group_last));
  hf_counter #(.Steps(NeuronGroups)) i_neuron_group (
      .clk_i, .clear_i(accept), .step_i(step && input_group_last), .count_o(neuron_group),
      .last_o(neuron_group_last));

  // ---------------------------------------------------------------- inputs as signed integers, padding is 0
  logic [InputBits-1:0] x_q;
  logic [Padded*InputWidth-1:0] x;
  always_ff @(posedge clk_i) begin
    if (accept) x_q <= in_data_i;
  end

  if (InputKind == 2) begin : gen_integers
    assign x = (Padded * InputWidth)'(x_q);
  end else begin : gen_small
    for (genvar i = 0; i < Padded; i++) begin : gen_input
      if (i >= Inputs) begin : gen_padding
        assign x[i*InputWidth+:InputWidth] = '0;
      end else if (InputKind == 1) begin : gen_trit
        assign x[i*InputWidth+:InputWidth] = !x_q[(InputKind==1?Inputs:0)+i] ? '0 : x_q[i] ? InputWidth'(1) : '1;
      end else begin : gen_bipolar
        assign x[i*InputWidth+:InputWidth] = x_q[i] ? InputWidth'(1) : '1;
      end
    end
  end

  // ---------------------------------------------------------------- weights
  logic [LaneNeurons*LaneInputs*WeightWidth-1:0] weights;
  logic [LaneInputs*InputWidth-1:0] x_lane, x_lane_q;
  hf_rom #(
      .Depth(Words),
      .Width(LaneNeurons * LaneInputs * WeightWidth),
      .InitFile(Name == "" ? "" : {Name, "weights.mem"})
  ) i_weights (
      .clk_i,
      .read_i(step),
      .addr_i(AddrWidth'(32'(neuron_group) * InputGroups + 32'(input_group))),
      .data_o(weights)
  );
  hf_slice #(.Slices(InputGroups), .Width(LaneInputs * InputWidth)) i_lane (
      .data_i(x), .slice_i(input_group), .part_i('0), .data_o(x_lane));

  // ---------------------------------------------------------------- sums
  logic first_q, last_q, vector_last_q;
  logic [NeuronGroupWidth-1:0] neuron_group_q, commit_group_q;
  logic [LaneNeurons*SumWidth-1:0] sums;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      multiply_q <= 1'b0;
      commit_q <= 1'b0;
    end else if (enable) begin
      multiply_q <= x_valid_q;
      commit_q <= multiply_q && last_q;
    end
    if (step) begin
      x_lane_q <= x_lane;
      first_q <= input_group == '0;
      last_q <= input_group_last;
      vector_last_q <= last;
      neuron_group_q <= neuron_group;
    end
    if (multiply) begin
      commit_last_q <= vector_last_q;
      commit_group_q <= neuron_group_q;
    end
  end

  hf_multiply_accumulate #(
      .Neurons(LaneNeurons),
      .Inputs(LaneInputs),
      .InputWidth(InputWidth),
      .WeightWidth(WeightWidth),
      .SumWidth(SumWidth)
  ) i_mac (
      .clk_i,
      .valid_i(multiply),
      .first_i(first_q),
      .x_i(x_lane_q),
      .w_i(weights),
      .sums_o(sums)
  );

  // ---------------------------------------------------------------- outputs
  localparam int PaddedNeurons = NeuronGroups * LaneNeurons;
  localparam int NeuronWidth = Output == 2 ? SumWidth : 1;
  localparam int Planes = Output == 1 ? 2 : 1;
  logic [LaneNeurons*NeuronWidth-1:0] positive;
  logic [LaneNeurons-1:0] nonzero;
  logic [Planes*PaddedNeurons*NeuronWidth-1:0] y_q;

  if (Output == 2) begin : gen_sums
    assign positive = sums;
    assign nonzero = '0;
  end else begin : gen_threshold
    logic [LaneNeurons*Thresholds*SumWidth-1:0] thresholds;
    hf_rom #(
        .Depth(NeuronGroups),
        .Width(LaneNeurons * Thresholds * SumWidth),
        .InitFile(Name == "" ? "" : {Name, "threshold.mem"})
    ) i_thresholds (
        .clk_i,
        .read_i(multiply),
        .addr_i(neuron_group_q),
        .data_o(thresholds)
    );
    hf_threshold #(
        .Neurons(LaneNeurons),
        .SumWidth(SumWidth),
        .Ternary(Output == 1)
    ) i_threshold (
        .valid_i(commit),
        .sums_i(sums),
        .thresholds_i(thresholds),
        .nonzero_o(nonzero),
        .positive_o(positive)
    );
  end

  for (genvar g = 0; g < NeuronGroups; g++) begin : gen_group
    always_ff @(posedge clk_i) begin
      if (commit && commit_group_q == NeuronGroupWidth'(g)) begin
        y_q[g*LaneNeurons*NeuronWidth+:LaneNeurons*NeuronWidth] <= positive;
        if (Output == 1) y_q[(Planes-1)*PaddedNeurons+g*LaneNeurons+:LaneNeurons] <= nonzero;
      end
    end
  end

  assign out_data_o[Neurons*NeuronWidth-1:0] = y_q[Neurons*NeuronWidth-1:0];
  if (Output == 1) begin : gen_nonzero
    assign out_data_o[OutputBits-1-:Neurons] = y_q[PaddedNeurons+:Neurons];
  end
  logic unused;
  assign unused = ^{y_q, nonzero};
endmodule

`default_nettype wire
