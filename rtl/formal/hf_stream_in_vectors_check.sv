// Check of hf_stream_in where an image is several vectors; hf_stream_in_check has the others.
//
// Reference   Beats of a vector, vectors that came and vectors that were taken are counted. One code of the vector,
//             whichever the solver picks, is kept as it comes; the mapping of the header is applied to it. The output
//             shows it, in its place, from the cycle after its beat on.
//             After an early tlast come the vector at hand and vectors of zeros, as many as the image lacks, and no beat
//             is taken meanwhile; then a new image begins.
// Handshake   A vector stays, unchanged, until it is taken; a beat may be taken in the same cycle. first_o with an
//             image's first beat, start_o when its first vector is taken. error_o in the cycle after a beat whose tlast is out of place.
// Proof       induction, for every code of the vector at once
`default_nettype none

module hf_stream_in_vectors_check #(
    parameter int Values = 8,
    parameter int Vectors = 3,
    parameter int StreamBits = 64,
    parameter int CodeBits = 8,
    parameter bit CodeSigned = 1'b0,
    parameter int OutKind = 2,
    parameter int OutWidth = 9,
    parameter int Map = 1,
    parameter int Threshold = 128,
    parameter int Gain = 1,
    parameter int Offset = 0,
    parameter Name = "",
    localparam int ValueWidth = OutKind == 2 ? OutWidth : OutKind == 1 ? 2 : 1
) (
    input  wire logic                  clk_i,
    input  wire logic                  rst_ni,
    input  wire logic                  tvalid_i,
    input  wire logic [StreamBits-1:0] tdata_i,
    input  wire logic                  tlast_i,
    input  wire logic                  out_ready_i,
    output logic                       fail_o
);
  localparam int Beats = (Values * CodeBits + StreamBits - 1) / StreamBits;
  localparam int BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int VectorWidth = $clog2(Vectors);
  localparam int PerBeat = StreamBits / CodeBits;
  if (Vectors < 2) begin : gen_error
    hf_error_stream_in_vectors_check_is_of_several_vectors error ();
  end
  logic tready, out_valid, first, start, error;
  logic [Values*ValueWidth-1:0] out_data;
  hf_stream_in #(
      .Values(Values), .Vectors(Vectors), .StreamBits(StreamBits), .CodeBits(CodeBits), .CodeSigned(CodeSigned),
      .OutKind(OutKind), .OutWidth(OutWidth), .Map(Map), .Threshold(Threshold), .Gain(Gain), .Offset(Offset),
      .Name(Name)
  ) dut (
      .clk_i, .rst_ni, .tvalid_i, .tready_o(tready), .tdata_i, .tlast_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data), .first_o(first), .start_o(start),
      .error_o(error));

  logic live_q, full_q, fill_q, zeros_q, error_q;
  logic take, accept, beat_last, last, early;
  logic [BeatWidth-1:0] beat_q;
  logic [VectorWidth-1:0] vector_q, taken_q;  // vectors of the image that came whole, that were taken
  initial live_q = 1'b0;
  assign take = full_q && out_ready_i;
  assign accept = tvalid_i && !fill_q && (!full_q || out_ready_i);
  assign beat_last = 32'(beat_q) == Beats - 1;
  assign last = beat_last && 32'(vector_q) == Vectors - 1;
  assign early = accept && tlast_i && !last;

  // The code that is followed: any one, but always the same.
  logic [31:0] at_beat_q, at_lane_q, at;
  logic [CodeBits-1:0] code_q;
  logic kept_q;
  assign at = at_beat_q * PerBeat + at_lane_q;

  always_ff @(posedge clk_i) begin
    at_beat_q <= at_beat_q;
    at_lane_q <= at_lane_q;
    if (!rst_ni) begin
      live_q <= 1'b1;
      full_q <= 1'b0;
      fill_q <= 1'b0;
      zeros_q <= 1'b0;
      error_q <= 1'b0;
      beat_q <= '0;
      vector_q <= '0;
      taken_q <= '0;
      kept_q <= 1'b0;
    end else begin
      error_q <= accept && tlast_i != last;
      if (take) begin
        full_q <= 1'b0;
        kept_q <= 1'b0;
        taken_q <= 32'(taken_q) == Vectors - 1 ? '0 : taken_q + 1'b1;
        if (fill_q) begin
          // The next is of zeros, unless that was the image's last.
          full_q <= 32'(taken_q) != Vectors - 1;
          fill_q <= 32'(taken_q) != Vectors - 1;
          zeros_q <= 32'(taken_q) != Vectors - 1;
          if (32'(taken_q) == Vectors - 1) vector_q <= '0;
        end
      end
      if (accept) begin
        if (32'(beat_q) == at_beat_q) begin
          code_q <= CodeBits'(tdata_i >> (at_lane_q * CodeBits));
          kept_q <= 1'b1;
        end
        if (early || beat_last) full_q <= 1'b1;
        beat_q <= early || beat_last ? '0 : beat_q + 1'b1;
        if (early) fill_q <= 1'b1;
        else if (beat_last) vector_q <= last ? '0 : vector_q + 1'b1;
      end
    end
  end

  // The mapping.
  logic [ValueWidth-1:0] want, got;
  if (CodeBits == 1) begin : gen_bipolar
    assign want = code_q;
  end else begin : gen_byte
    // verilator lint_off UNUSEDSIGNAL
    logic signed [31:0] number, mapped;  // cut to the output's width; the plan proves that nothing is lost
    // verilator lint_on UNUSEDSIGNAL
    assign number = CodeSigned && code_q[CodeBits-1] ? 32'(code_q) - 256 : 32'(code_q);
    if (Map == 0) begin : gen_sign
      assign mapped = number >= Threshold ? 1 : -1;
    end else if (Map == 1) begin : gen_affine
      assign mapped = Gain * number + Offset;
    end else begin : gen_table
      logic [OutWidth-1:0] words[0:255];
      logic [OutWidth-1:0] word;
      initial $readmemh({"mem/", Name, "table.mem"}, words);
      assign word = words[code_q];
      assign mapped = 32'($signed(word));
    end
    if (OutKind == 2) begin : gen_integer
      assign want = ValueWidth'(mapped);
    end else if (OutKind == 1) begin : gen_trit
      assign want = mapped == 0 ? 2'b00 : mapped > 0 ? 2'b11 : 2'b10;
    end else begin : gen_plane
      assign want = mapped > 0;
    end
  end

  // The place in the output.
  if (OutKind == 1) begin : gen_planes
    assign got = {out_data[Values+at], out_data[at]};
  end else begin : gen_plain
    assign got = ValueWidth'(out_data >> (at * ValueWidth));
  end

  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire \dut.fill_q ;
  (* hierconn *) wire [BeatWidth-1:0] \dut.beat ;
  (* hierconn *) wire [VectorWidth-1:0] \dut.vector ;
  (* hierconn *) wire [VectorWidth-1:0] \dut.taken ;
  // verilator lint_on UNDRIVEN
  logic followed, tied;
  assign followed = at_beat_q < Beats && at_lane_q < PerBeat && at < Values;
  always_comb begin
    tied = \dut.fill_q == fill_q && \dut.beat == beat_q && \dut.vector == vector_q && \dut.taken == taken_q
        && 32'(beat_q) < Beats && 32'(vector_q) < Vectors && 32'(taken_q) < Vectors && (!full_q || beat_q == '0);
    // Only a broken image holds a vector that is not whole, or one that never came.
    if (fill_q) tied = tied && full_q && taken_q >= vector_q;
    else tied = tied && !zeros_q && (!followed || kept_q == (full_q || 32'(beat_q) > at_beat_q))
        && 32'(vector_q) == (32'(taken_q) + 32'(full_q)) % Vectors;
  end

  assign fail_o = live_q && (tready != (!fill_q && (!full_q || out_ready_i)) || out_valid != full_q
      || first != (accept && beat_q == '0 && vector_q == '0) || start != (take && taken_q == '0) || error != error_q || !tied || (zeros_q && out_data != '0)
      || (followed && kept_q && got != want));
endmodule

`default_nettype wire
