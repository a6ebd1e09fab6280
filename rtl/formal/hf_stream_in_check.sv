// Check of hf_stream_in where an image is one vector; hf_stream_in_vectors_check has the others.
//
// Reference   One code of the image, whichever the solver picks, is kept as it comes; the mapping of the header is
//             applied to it. The output shows it, in its place, from the cycle after its beat on.
// Handshake   An image stays, unchanged, until it is taken, and no beat is taken meanwhile. first_o with
//             its first beat, start_o when it is taken.
// Proof       induction, for every code of the image at once
`default_nettype none

module hf_stream_in_check #(
    parameter int Values = 8,
    parameter int Vectors = 1,
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
  localparam int PerBeat = StreamBits / CodeBits;
  if (Vectors != 1) begin : gen_error
    hf_error_stream_in_check_is_of_one_vector error ();
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

  logic live_q, full_q, error_q, last;
  logic [BeatWidth-1:0] beat_q;
  initial live_q = 1'b0;
  assign last = 32'(beat_q) == Beats - 1;

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
      error_q <= 1'b0;
      beat_q <= '0;
      kept_q <= 1'b0;
    end else if (full_q) begin
      error_q <= 1'b0;
      if (out_ready_i) begin
        full_q <= 1'b0;
        kept_q <= 1'b0;
      end
    end else begin
      error_q <= tvalid_i && tlast_i != last;
      if (tvalid_i) begin
        full_q <= last;
        beat_q <= last || tlast_i ? '0 : beat_q + 1'b1;
        if (32'(beat_q) == at_beat_q) code_q <= CodeBits'(tdata_i >> (at_lane_q * CodeBits));
        // An early tlast drops what came before.
        kept_q <= (last || !tlast_i) && (kept_q || 32'(beat_q) == at_beat_q);
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
  (* hierconn *) wire [BeatWidth-1:0] \dut.beat ;
  (* hierconn *) wire \dut.vector ;
  (* hierconn *) wire \dut.taken ;
  (* hierconn *) wire \dut.fill_q ;
  // verilator lint_on UNDRIVEN
  logic followed, tied;
  assign followed = at_beat_q < Beats && at_lane_q < PerBeat && at < Values;
  assign tied = !(\dut.vector || \dut.taken || \dut.fill_q ) && \dut.beat == beat_q && 32'(beat_q) < Beats && (!full_q || beat_q == '0)
      && (!followed || kept_q == (full_q || 32'(beat_q) > at_beat_q));

  assign fail_o = live_q && (tready != !full_q || out_valid != full_q
      || first != (tvalid_i && !full_q && beat_q == '0) || start != (full_q && out_ready_i)
      || error != error_q || !tied || (followed && kept_q && got != want));
endmodule

`default_nettype wire
