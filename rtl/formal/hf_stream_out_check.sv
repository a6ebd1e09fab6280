// Check of hf_stream_out.
//
// Reference   The result is kept whole; beat b shows bits b * StreamBits and up of {scores, head}, each a 32-bit word,
//             with zeros behind the last. Every result gives all its beats, once, in order; tlast on the last.
// Handshake   A beat stays, unchanged, until it is taken.
// Proof       induction; the block's shifting register is tied to the reference's whole one
`default_nettype none

module hf_stream_out_check #(
    parameter int Classes = 4,
    parameter int ScoreWidth = 16,
    parameter int StreamBits = 64,
    parameter int HeadWidth = Classes > 1 ? $clog2(Classes) : 1
) (
    input  wire logic                                    clk_i,
    input  wire logic                                    rst_ni,
    input  wire logic                                    in_valid_i,
    input  wire logic [HeadWidth+Classes*ScoreWidth-1:0] in_data_i,
    input  wire logic                                    tready_i,
    output logic                                         fail_o
);
  localparam int Beats = (32 * (Classes + 1) + StreamBits - 1) / StreamBits;
  localparam int BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  logic in_ready, tvalid, tlast;
  logic [StreamBits-1:0] tdata;
  hf_stream_out #(.Classes(Classes), .ScoreWidth(ScoreWidth), .StreamBits(StreamBits), .HeadWidth(HeadWidth)) dut (
      .clk_i, .rst_ni, .in_valid_i, .in_ready_o(in_ready), .in_data_i, .tvalid_o(tvalid), .tready_i, .tdata_o(tdata),
      .tlast_o(tlast));

  logic [Beats*StreamBits-1:0] words;
  always_comb begin
    words = '0;
    for (int b = 0; b < HeadWidth; b++) words[b] = in_data_i[Classes*ScoreWidth+b];
    for (int c = 0; c < Classes; c++) begin
      for (int b = 0; b < 32; b++) words[32*(c+1)+b] = in_data_i[c*ScoreWidth+(b<ScoreWidth?b:ScoreWidth-1)];
    end
  end

  logic live_q, busy_q, held_q, held_last_q;
  logic [Beats*StreamBits-1:0] words_q;
  logic [BeatWidth-1:0] beat_q;
  logic [StreamBits-1:0] held_data_q;
  initial live_q = 1'b0;
  always_ff @(posedge clk_i) begin
    held_q <= rst_ni && tvalid && !tready_i;
    held_data_q <= tdata;
    held_last_q <= tlast;
    if (!rst_ni) begin
      live_q <= 1'b1;
      busy_q <= 1'b0;
    end else if (!busy_q) begin
      busy_q <= in_valid_i;
      words_q <= words;
      beat_q <= '0;
    end else if (tready_i) begin
      beat_q <= beat_q + 1'b1;
      if (32'(beat_q) == Beats - 1) busy_q <= 1'b0;
    end
  end

  logic [Beats*StreamBits-1:0] rest;
  assign rest = words_q >> (32'(beat_q) * StreamBits);
  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [BeatWidth-1:0] \dut.beat ;
  (* hierconn *) wire [Beats*StreamBits-1:0] \dut.words_q ;
  // verilator lint_on UNDRIVEN

  assign fail_o = live_q && (in_ready != !busy_q || tvalid != busy_q
      || (busy_q && (tdata != rest[StreamBits-1:0] || tlast != (32'(beat_q) == Beats - 1)
                     || 32'(beat_q) >= Beats || \dut.beat != beat_q || \dut.words_q != rest))
      || (held_q && !(tvalid && tdata == held_data_q && tlast == held_last_q)));
endmodule

`default_nettype wire
