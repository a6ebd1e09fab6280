// Input stream: AXI4-Stream beats to one image vector.
//
// Purpose     Collects an image, one code after the other, least significant bits first, and maps codes to what the
//             first layer takes.
// Equation    bipolar codes: bit 1 = +1; byte codes: Map 0: code >= Threshold -> +1, else -1;
//             Map 1: signed Gain * code + Offset; Map 2: table of 256 signed words of OutWidth bits
//             (OutKind 0: +1 becomes 1, -1 becomes 0; OutKind 1: {nonzero, positive}; OutKind 2: signed integer)
// Parameters  Values      codes of an image, >= 1
//             StreamBits  bits of a beat, a multiple of 8
//             CodeBits    1: bipolar, 8: bytes
//             CodeSigned  1: bytes are signed
//             OutKind     0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers, value i at i * OutWidth
//             OutWidth    bits of an integer value, >= 2
//             Map, Threshold, Gain, Offset  as above
//             Name        Name_table.mem: the table, line = code
// Latency     1 cycle after the last beat; an image takes ceil(Values * CodeBits / StreamBits) beats
// Throughput  one beat a cycle while no finished image waits
// Overflow    none: the plan proves that OutWidth holds every mapped code
// Protocol    tlast must stand on an image's last beat and only there; error_o pulses where it does not. A tlast that
//             comes early drops the unfinished image; a missing one is reported and the image is taken.
`default_nettype none

module hf_stream_in #(
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
    localparam int OutBits = Values * (OutKind == 2 ? OutWidth : OutKind == 1 ? 2 : 1)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // AXI4-Stream
    input  wire logic                   tvalid_i,
    output logic                        tready_o,
    input  wire logic [StreamBits-1:0]  tdata_i,
    input  wire logic                   tlast_i,
    // Image
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutBits-1:0]     out_data_o,
    // Status
    output logic                        error_o      // tlast out of place
);
  localparam int PerBeat = StreamBits / CodeBits;
  localparam int Beats = (Values + PerBeat - 1) / PerBeat;
  localparam int BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int ValueWidth = OutKind == 2 ? OutWidth : OutKind == 1 ? 2 : 1;

  if (StreamBits < 8 || StreamBits % 8 != 0) begin : gen_error_stream
    hf_error_stream_in_stream_bits_must_be_a_multiple_of_8 error ();
  end
  if (CodeBits != 1 && CodeBits != 8) begin : gen_error_code
    hf_error_stream_in_code_bits_must_be_1_or_8 error ();
  end

  logic full_q, accept, beat_last;
  logic [BeatWidth-1:0] beat;
  logic [PerBeat*ValueWidth-1:0] mapped;
  logic [Beats*PerBeat*ValueWidth-1:0] image_q;

  assign tready_o = !full_q;
  assign accept = tvalid_i && tready_o;
  assign out_valid_o = full_q;

  hf_counter #(.Steps(Beats)) i_beat (
      .clk_i, .clear_i(!rst_ni || (accept && tlast_i)), .step_i(accept), .count_o(beat), .last_o(beat_last));

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q <= 1'b0;
      error_o <= 1'b0;
    end else begin
      full_q <= full_q ? !out_ready_i : accept && beat_last;
      error_o <= accept && (tlast_i != beat_last);
    end
  end

  for (genvar v = 0; v < PerBeat; v++) begin : gen_value
    logic [CodeBits-1:0] code;
    assign code = tdata_i[v*CodeBits+:CodeBits];
    if (CodeBits == 1) begin : gen_bipolar
      assign mapped[v*ValueWidth+:ValueWidth] = code;
    end else begin : gen_byte
      logic signed [31:0] value;
      if (Map == 2) begin : gen_table
        hf_input_table #(.Width(OutWidth), .InitFile(Name == "" ? "" : {Name, "table.mem"})) i_table (
            .code_i(code), .value_o(value));
      end else begin : gen_arithmetic
        logic signed [31:0] number;
        assign number = CodeSigned ? 32'($signed(code)) : 32'(code);
        assign value = Map == 0 ? (number >= Threshold ? 1 : -1) : Gain * number + Offset;
      end
      logic unused_value;
      assign unused_value = ^value;
      if (OutKind == 2) begin : gen_integer
        assign mapped[v*ValueWidth+:ValueWidth] = ValueWidth'(value);
      end else if (OutKind == 1) begin : gen_trit
        assign mapped[v*ValueWidth+:ValueWidth] = {value != 0, value > 0};
      end else begin : gen_sign
        assign mapped[v*ValueWidth+:ValueWidth] = value > 0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) image_q[32'(beat)*PerBeat*ValueWidth+:PerBeat*ValueWidth] <= mapped;
  end

  if (OutKind == 1) begin : gen_planes
    for (genvar i = 0; i < Values; i++) begin : gen_trit
      assign out_data_o[i] = image_q[2*i];
      assign out_data_o[Values+i] = image_q[2*i+1];
    end
  end else begin : gen_plain
    assign out_data_o = image_q[OutBits-1:0];
  end
  logic unused;
  assign unused = ^image_q;
endmodule

`default_nettype wire
