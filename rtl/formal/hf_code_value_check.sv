// Check of hf_code_value.
//
// Reference   2 code - (2^CodeBits - 1), or the word of the same image.
// Proof       combinational
`default_nettype none

module hf_code_value_check #(
    parameter int CodeBits = 4,
    parameter int ValueWidth = 5,
    parameter bit Uniform = 1'b1,
    parameter InitFile = ""
) (
    input  wire logic [CodeBits-1:0] code_i,
    output logic                     fail_o
);
  logic signed [ValueWidth-1:0] value;
  hf_code_value #(.CodeBits(CodeBits), .ValueWidth(ValueWidth), .Uniform(Uniform), .InitFile(InitFile)) dut (
      .code_i, .value_o(value));

  if (Uniform) begin : gen_steps
    assign fail_o = 32'(value) != 2 * 32'(code_i) - (2 ** CodeBits - 1);
  end else begin : gen_table
    logic [ValueWidth-1:0] words[0:2**CodeBits-1];
    initial $readmemh({"mem/", InitFile}, words);
    assign fail_o = value != words[code_i];
  end
endmodule

`default_nettype wire
