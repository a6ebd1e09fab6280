// Check of hf_stream_in.
//
// Reference   Codes are kept as they come, code i of an image at i * CodeBits; the mapping of the header is applied to
//             all of them when the image is whole.
// Handshake   An image stays, unchanged, until it is taken, and no beat is taken meanwhile.
// Proof       induction; the block's image, which holds mapped values, is tied to the reference's codes
`default_nettype none

module hf_stream_in_check #(
    parameter int Values = 8,
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
  logic tready, out_valid, error;
  logic [Values*ValueWidth-1:0] out_data;
  hf_stream_in #(
      .Values(Values), .StreamBits(StreamBits), .CodeBits(CodeBits), .CodeSigned(CodeSigned), .OutKind(OutKind),
      .OutWidth(OutWidth), .Map(Map), .Threshold(Threshold), .Gain(Gain), .Offset(Offset), .Name(Name)
  ) dut (
      .clk_i, .rst_ni, .tvalid_i, .tready_o(tready), .tdata_i, .tlast_i, .out_valid_o(out_valid), .out_ready_i,
      .out_data_o(out_data), .error_o(error));

  logic live_q, full_q, error_q;
  logic [BeatWidth-1:0] beat_q;
  logic [Beats*StreamBits-1:0] codes_q;
  logic last;
  initial live_q = 1'b0;
  assign last = 32'(beat_q) == Beats - 1;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      full_q <= 1'b0;
      error_q <= 1'b0;
      beat_q <= '0;
    end else if (full_q) begin
      error_q <= 1'b0;
      if (out_ready_i) full_q <= 1'b0;
    end else begin
      error_q <= tvalid_i && tlast_i != last;
      if (tvalid_i) begin
        for (int b = 0; b < Beats; b++) begin
          if (32'(beat_q) == b) codes_q[b*StreamBits+:StreamBits] <= tdata_i;
        end
        full_q <= last;
        beat_q <= last || tlast_i ? '0 : beat_q + 1'b1;
      end
    end
  end

  // The mapping, and the place of value i in the output.
  logic [OutWidth-1:0] table_words[0:255];
  if (Map == 2) begin : gen_table
    initial $readmemh({"mem/", Name, "table.mem"}, table_words);
  end
  logic [Values-1:0] bad;
  (* hierconn *) wire [BeatWidth-1:0] \dut.beat ;
  for (genvar i = 0; i < Values; i++) begin : gen_value
    logic [CodeBits-1:0] code;
    logic [ValueWidth-1:0] want, got;
    assign code = codes_q[i*CodeBits+:CodeBits];
    if (CodeBits == 1) begin : gen_bipolar
      assign want = code;
    end else begin : gen_byte
      logic signed [31:0] number, mapped;
      assign number = CodeSigned && code[CodeBits-1] ? 32'(code) - 256 : 32'(code);
      if (Map == 0) begin : gen_sign
        assign mapped = number >= Threshold ? 1 : -1;
      end else if (Map == 1) begin : gen_affine
        assign mapped = Gain * number + Offset;
      end else begin : gen_table
        assign mapped = 32'($signed(table_words[code]));
      end
      if (OutKind == 2) begin : gen_integer
        assign want = ValueWidth'(mapped);
      end else if (OutKind == 1) begin : gen_trit
        assign want = mapped == 0 ? 2'b00 : mapped > 0 ? 2'b11 : 2'b10;
      end else begin : gen_plane
        assign want = mapped > 0;
      end
    end
    if (OutKind == 1) begin : gen_planes
      assign got = {out_data[Values+i], out_data[i]};
    end else begin : gen_plain
      assign got = out_data[i*ValueWidth+:ValueWidth];
    end
    assign bad[i] = got != want && (full_q || 32'(beat_q) > i / PerBeat);
  end

  assign fail_o = live_q && (tready != !full_q || out_valid != full_q || error != error_q || |bad
      || 32'(beat_q) >= Beats || \dut.beat != beat_q);
endmodule

`default_nettype wire
