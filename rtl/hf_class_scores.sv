// Class scores and argmax.
//
// Purpose     Scales the sums of the last layer to integer scores, one class a cycle, and finds the best class.
// Equation    score_c = Affine ? gain_c * sum_c + offset_c : sum_c;  class = first maximum
// Parameters  Classes      classes, >= 1
//             SumWidth     bits of a signed sum
//             Affine       0: scores are the sums; 1: multiply-add with constants from Name_affine.mem, line c =
//                          {offset, gain}, both signed
//             GainWidth    bits of a gain, >= 1
//             ScoreWidth   bits of a score and an offset, >= SumWidth; holds every score; the plan proves it
//             IndexWidth   bits of the class
// Latency     Classes + 2 cycles from the accepting cycle to out_valid_o
// Throughput  one vector in latency + 1 cycles
// Overflow    none where ScoreWidth is as stated
`default_nettype none

module hf_class_scores #(
    parameter int Classes = 4,
    parameter int SumWidth = 8,
    parameter bit Affine = 1'b0,
    parameter int GainWidth = 8,
    parameter int ScoreWidth = 16,
    parameter Name = "",
    localparam int IndexWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                           clk_i,
    input  wire logic                           rst_ni,
    // Sums, class c at c * SumWidth
    input  wire logic                           in_valid_i,
    output logic                                in_ready_o,
    input  wire logic [Classes*SumWidth-1:0]    in_data_i,
    // {class, scores}: score c at c * ScoreWidth
    output logic                                out_valid_o,
    input  wire logic                           out_ready_i,
    output logic      [IndexWidth+Classes*ScoreWidth-1:0] out_data_o
);
  if (Classes < 1) begin : gen_error_classes
    hf_error_class_scores_classes_must_be_at_least_1 error ();
  end
  if (GainWidth < 1) begin : gen_error_gain
    hf_error_class_scores_gain_width_must_be_at_least_1 error ();
  end
  if (ScoreWidth < SumWidth) begin : gen_error_score
    hf_error_class_scores_score_width_below_sum_width error ();
  end

  localparam logic [1:0] Idle = 2'd0;
  localparam logic [1:0] Run = 2'd1;
  localparam logic [1:0] Drain = 2'd2;
  localparam logic [1:0] Done = 2'd3;

  logic [1:0] state_q, state_d;
  logic accept, step, last;
  logic [IndexWidth-1:0] index, index_q, best_q;
  logic signed [SumWidth-1:0] sum, sum_q;
  logic signed [ScoreWidth-1:0] score, best_score_q;
  logic score_valid_q;
  logic [Classes*SumWidth-1:0] sums_q;
  logic [Classes*ScoreWidth-1:0] scores_q;

  assign accept = in_valid_i && in_ready_o;
  assign in_ready_o = state_q == Idle;
  assign out_valid_o = state_q == Done;
  assign out_data_o = {best_q, scores_q};
  assign step = state_q == Run;

  always_comb begin
    state_d = state_q;
    case (state_q)
      Idle: if (accept) state_d = Run;
      Run: if (last) state_d = Drain;
      Drain: state_d = Done;
      default: if (out_ready_i) state_d = Idle;
    endcase
  end

  hf_counter #(.Steps(Classes)) i_index (
      .clk_i, .clear_i(accept), .step_i(step), .count_o(index), .last_o(last));
  hf_slice #(.Slices(Classes), .Width(SumWidth)) i_sum (
      .data_i(sums_q), .slice_i(index), .part_i('0), .data_o(sum));

  if (Affine) begin : gen_affine
    logic [ScoreWidth+GainWidth-1:0] constants;
    logic signed [GainWidth-1:0] gain;
    logic signed [ScoreWidth-1:0] offset;
    hf_rom #(
        .Depth(Classes),
        .Width(ScoreWidth + GainWidth),
        .InitFile(Name == "" ? "" : {Name, "affine.mem"})
    ) i_constants (
        .clk_i,
        .read_i(step),
        .addr_i(index),
        .data_o(constants)
    );
    assign gain = constants[GainWidth-1:0];
    assign offset = constants[GainWidth+:ScoreWidth];
    assign score = ScoreWidth'(gain) * ScoreWidth'(sum_q) + offset;
  end else begin : gen_plain
    assign score = ScoreWidth'(sum_q);
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      score_valid_q <= 1'b0;
    end else begin
      state_q <= state_d;
      score_valid_q <= step;
    end
    if (accept) sums_q <= in_data_i;
    if (step) begin
      sum_q <= sum;
      index_q <= index;
    end
    if (score_valid_q) begin
      scores_q[32'(index_q)*ScoreWidth+:ScoreWidth] <= score;
      if (index_q == '0 || score > best_score_q) begin
        best_q <= index_q;
        best_score_q <= score;
      end
    end
  end
endmodule

`default_nettype wire
