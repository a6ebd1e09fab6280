// Input stream: AXI4-Stream beats to the vectors of an image.
//
// Purpose     Collects a vector, one code after the other, least significant bits first, and maps codes to what the
//             first layer takes. An image is one vector, or one for each position of its map, each in beats of its own.
// Equation    bipolar codes: bit 1 = +1; byte codes: Map 0: code >= Threshold -> +1, else -1;
//             Map 1: signed Gain * code + Offset; Map 2: table of 256 signed words of OutWidth bits
//             (OutKind 0: +1 becomes 1, -1 becomes 0; OutKind 1: {nonzero, positive}; OutKind 2: signed integer)
// Parameters  Values      codes of a vector, >= 1
//             Vectors     vectors of an image, >= 1
//             StreamBits  bits of a beat, a multiple of 8
//             CodeBits    1: bipolar, 8: bytes
//             CodeSigned  1: bytes are signed
//             OutKind     0: bipolar plane, 1: trit planes {nonzero, positive}, 2: integers, value i at i * OutWidth
//             OutWidth    bits of an integer value, >= 2
//             Map, Threshold, Gain, Offset  as above
//             Name        Name_table.mem: the table, line = code
// Latency     1 cycle after the last beat; a vector takes ceil(Values * CodeBits / StreamBits) beats
// Throughput  one beat a cycle while no finished vector waits; a single one is held until the cycle after it is taken
// Overflow    none: the plan proves that OutWidth holds every mapped code
// Protocol    tlast must stand on an image's last beat and only there; error_o pulses where it does not. A missing one is
//             reported and the image is taken. One that comes early drops the unfinished image where that is a single
//             vector; else vectors of zeros complete the image, since its first ones are already on their way.
`default_nettype none

module hf_stream_in #(
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
    localparam int OutBits = Values * (OutKind == 2 ? OutWidth : OutKind == 1 ? 2 : 1)
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // AXI4-Stream
    input  wire logic                   tvalid_i,
    output logic                        tready_o,
    input  wire logic [StreamBits-1:0]  tdata_i,
    input  wire logic                   tlast_i,
    // Vectors
    output logic                        out_valid_o,
    input  wire logic                   out_ready_i,
    output logic      [OutBits-1:0]     out_data_o,
    // Status
    output logic                        first_o,     // an image's first beat is taken
    output logic                        start_o,     // an image's first vector is taken
    output logic                        error_o      // tlast out of place
);
  localparam int PerBeat = StreamBits / CodeBits;
  localparam int Beats = (Values + PerBeat - 1) / PerBeat;
  localparam int BeatWidth = Beats > 1 ? $clog2(Beats) : 1;
  localparam int VectorWidth = Vectors > 1 ? $clog2(Vectors) : 1;
  localparam int ValueWidth = OutKind == 2 ? OutWidth : OutKind == 1 ? 2 : 1;

  if (StreamBits < 8 || StreamBits % 8 != 0) begin : gen_error_stream
    hf_error_stream_in_stream_bits_must_be_a_multiple_of_8 error ();
  end
  if (CodeBits != 1 && CodeBits != 8) begin : gen_error_code
    hf_error_stream_in_code_bits_must_be_1_or_8 error ();
  end

  if (Values < 1 || Vectors < 1) begin : gen_error_values
    hf_error_stream_in_values_and_vectors_must_be_at_least_1 error ();
  end

  logic full_q, accept, take, beat_last, vector_last, image_last;
  logic fill_q;    // the rest of a broken image is being filled up
  logic early;     // this beat ends the image too soon
  logic [BeatWidth-1:0] beat;
  logic [VectorWidth-1:0] vector, taken;
  logic taken_last;
  logic [PerBeat*ValueWidth-1:0] mapped;
  logic [Beats*PerBeat*ValueWidth-1:0] image_q;

  // A single vector frees its register in a cycle of its own, so that tready does not depend on the stages behind.
  assign tready_o = !fill_q && (!full_q || (Vectors > 1 && out_ready_i));
  assign accept = tvalid_i && tready_o;
  assign out_valid_o = full_q;
  assign take = full_q && out_ready_i;
  assign image_last = beat_last && vector_last;
  assign early = accept && tlast_i && !image_last;

  // Beats of a vector, vectors that were received, vectors that were taken.
  hf_counter #(.Steps(Beats)) i_beat (
      .clk_i, .clear_i(!rst_ni || early), .step_i(accept), .count_o(beat), .last_o(beat_last));
  hf_counter #(.Steps(Vectors)) i_vector (
      .clk_i, .clear_i(!rst_ni || (fill_q && take && taken_last)), .step_i(accept && beat_last && !early),
      .count_o(vector), .last_o(vector_last));
  hf_counter #(.Steps(Vectors)) i_taken (
      .clk_i, .clear_i(!rst_ni), .step_i(take), .count_o(taken), .last_o(taken_last));
  assign first_o = accept && beat == '0 && vector == '0;
  assign start_o = take && taken == '0;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      full_q <= 1'b0;
      fill_q <= 1'b0;
      error_o <= 1'b0;
    end else begin
      if (Vectors > 1 && (fill_q || early)) begin
        // The vector at hand and then zeros, until the image is complete.
        fill_q <= !(fill_q && take && taken_last);
        full_q <= !(fill_q && take && taken_last);
      end else begin
        full_q <= (full_q && !take) || (accept && beat_last && !early);
      end
      error_o <= accept && (tlast_i != image_last);
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
    if (Vectors > 1 && fill_q && take) image_q <= '0;
    else if (accept) image_q[32'(beat)*PerBeat*ValueWidth+:PerBeat*ValueWidth] <= mapped;
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
