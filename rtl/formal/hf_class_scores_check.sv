// Check of hf_class_scores.
//
// Reference   score_c = gain_c sum_c + offset_c, class = lowest index of the greatest score, all at once, for the
//             vector that was accepted Classes + 2 cycles ago; not ready and not valid in between.
// Handshake   A result stays, unchanged, until it is taken; the cycle after, the block is ready. Reset empties it.
// Proof       Classes + 2 cycles from any state
`default_nettype none

module hf_class_scores_check #(
    parameter int Classes = 4,
    parameter int SumWidth = 8,
    parameter bit Affine = 1'b0,
    parameter int GainWidth = 8,
    parameter int ScoreWidth = 16,
    parameter Name = "",
    localparam int IndexWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                        clk_i,
    input  wire logic                        rst_ni,
    input  wire logic                        in_valid_i,
    input  wire logic [Classes*SumWidth-1:0] in_data_i,
    input  wire logic                        out_ready_i,
    output logic                             fail_o
);
  localparam int Latency = Classes + 2;
  localparam int OutWidth = IndexWidth + Classes * ScoreWidth;

  logic in_ready, out_valid;
  logic [OutWidth-1:0] out_data;
  hf_class_scores #(
      .Classes(Classes), .SumWidth(SumWidth), .Affine(Affine), .GainWidth(GainWidth), .ScoreWidth(ScoreWidth),
      .Name(Name)
  ) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data));

  // What was accepted up to Latency cycles ago, and whether a reset came since.
  logic [Latency:1] accepted_q;
  logic [Latency*Classes*SumWidth-1:0] data_q;
  logic reset_q, held_q, taken_q;
  logic [OutWidth-1:0] out_data_q;
  always_ff @(posedge clk_i) begin
    accepted_q <= rst_ni ? {accepted_q[Latency-1:1], in_valid_i && in_ready} : '0;
    data_q <= {data_q[(Latency-1)*Classes*SumWidth-1:0], in_data_i};
    reset_q <= !rst_ni;
    held_q <= rst_ni && out_valid && !out_ready_i;
    taken_q <= rst_ni && out_valid && out_ready_i;
    out_data_q <= out_data;
  end

  logic [Classes*SumWidth-1:0] sums;
  logic signed [ScoreWidth-1:0] score, best;
  logic [IndexWidth-1:0] best_class;
  logic [Classes*ScoreWidth-1:0] scores;
  logic [Classes*ScoreWidth-1:0] gains, offsets;  // sign-extended gains
  assign sums = data_q[Latency*Classes*SumWidth-1-:Classes*SumWidth];
  if (Affine) begin : gen_affine
    logic [ScoreWidth+GainWidth-1:0] words[0:Classes-1];
    initial $readmemh({"mem/", Name, "affine.mem"}, words);
    for (genvar c = 0; c < Classes; c++) begin : gen_class
      logic [ScoreWidth+GainWidth-1:0] word;
      assign word = words[c];
      assign gains[c*ScoreWidth+:ScoreWidth] = ScoreWidth'($signed(word[GainWidth-1:0]));
      assign offsets[c*ScoreWidth+:ScoreWidth] = word[GainWidth+:ScoreWidth];
    end
  end else begin : gen_plain
    for (genvar c = 0; c < Classes; c++) begin : gen_class
      assign gains[c*ScoreWidth+:ScoreWidth] = ScoreWidth'(1);
      assign offsets[c*ScoreWidth+:ScoreWidth] = '0;
    end
  end

  always_comb begin
    best = '0;
    best_class = '0;
    for (int c = 0; c < Classes; c++) begin
      score = $signed(gains[c*ScoreWidth+:ScoreWidth]) * ScoreWidth'($signed(sums[c*SumWidth+:SumWidth]))
            + $signed(offsets[c*ScoreWidth+:ScoreWidth]);
      scores[c*ScoreWidth+:ScoreWidth] = score;
      if (c == 0 || score > best) begin
        best = score;
        best_class = IndexWidth'(c);
      end
    end
  end

  assign fail_o = (accepted_q[Latency] && !(out_valid && out_data == {best_class, scores}))
      || (accepted_q[Latency-1:1] != '0 && (out_valid || in_ready))
      || (held_q && !(out_valid && out_data == out_data_q))
      || (taken_q && !(in_ready && !out_valid))
      || (reset_q && !(in_ready && !out_valid));
endmodule

`default_nettype wire
