// Output stream: one result to AXI4-Stream beats.
//
// Purpose     Sends the class and the scores of an image: 32-bit words, least significant first; word 0 is the head: the
//             class, or that of hf_few_shot; words 1 to Classes are the signed scores; the last beat is filled with zeros and
//             carries tlast.
// Equation    -
// Parameters  Classes     classes, >= 1
//             ScoreWidth  bits of a signed score, <= 32
//             HeadWidth   bits of the head, 1 to 32; a class takes $clog2(Classes), 1 at least
//             StreamBits  bits of a beat, a multiple of 8
// Latency     1 cycle to the first beat
// Throughput  one beat a cycle; a result takes ceil(32 (Classes + 1) / StreamBits) beats and one cycle between results
// Overflow    none
`default_nettype none

module hf_stream_out #(
    parameter int Classes = 4,
    parameter int ScoreWidth = 16,
    parameter int StreamBits = 64,
    parameter int HeadWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // Result: {head, scores}
    input  wire logic                   in_valid_i,
    output logic                        in_ready_o,
    input  wire logic [HeadWidth+Classes*ScoreWidth-1:0] in_data_i,
    // AXI4-Stream
    output logic                        tvalid_o,
    input  wire logic                   tready_i,
    output logic      [StreamBits-1:0]  tdata_o,
    output logic                        tlast_o
);
  localparam int Bits = 32 * (Classes + 1);
  // Guarded, so that every tool gets as far as the error below.
  localparam int Beats = StreamBits > 0 ? (Bits + StreamBits - 1) / StreamBits : 1;
  localparam int HeldBits = StreamBits > 0 ? Beats * StreamBits : Bits;

  if (Classes < 1) begin : gen_error_classes
    hf_error_stream_out_classes_must_be_at_least_1 error ();
  end
  if (StreamBits < 8 || StreamBits % 8 != 0) begin : gen_error_stream
    hf_error_stream_out_stream_bits_must_be_a_multiple_of_8 error ();
  end
  if (ScoreWidth > 32) begin : gen_error_score
    hf_error_stream_out_score_width_must_be_at_most_32 error ();
  end

  if (HeadWidth < 1 || HeadWidth > 32) begin : gen_error_head
    hf_error_stream_out_head_width_must_be_1_to_32 error ();
  end

  logic busy_q, accept, beat_last;
  logic [Bits-1:0] words;
  logic [HeldBits-1:0] words_q;

  assign words[31:0] = 32'(in_data_i[Classes*ScoreWidth+:HeadWidth]);
  for (genvar c = 0; c < Classes; c++) begin : gen_score
    assign words[32*(c+1)+:32] = 32'($signed(in_data_i[c*ScoreWidth+:ScoreWidth]));
  end

  assign in_ready_o = !busy_q;
  assign accept = in_valid_i && in_ready_o;
  assign tvalid_o = busy_q;
  assign tlast_o = beat_last;
  assign tdata_o = words_q[StreamBits-1:0];

  logic [(Beats > 1 ? $clog2(Beats) : 1)-1:0] beat;
  hf_counter #(.Steps(Beats)) i_beat (
      .clk_i, .clear_i(accept), .step_i(tvalid_o && tready_i), .count_o(beat), .last_o(beat_last));
  logic unused;
  assign unused = ^beat;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) busy_q <= 1'b0;
    else busy_q <= busy_q ? !(tready_i && beat_last) : in_valid_i;
    if (accept) words_q <= HeldBits'(words);
    else if (tvalid_o && tready_i) words_q <= words_q >> StreamBits;
  end
endmodule

`default_nettype wire
