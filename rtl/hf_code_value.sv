// Integer value of an ADC's code.
//
// Purpose     Codes to what is added over the splits: equal steps, or a look-up table for levels that are not (Lloyd-Max).
// Equation    Uniform: value = 2 code - (2^CodeBits - 1), so that codes lie around zero; else value = table[code]
// Parameters  CodeBits    bits of a code, 1 to 12
//             ValueWidth  bits of a signed value; CodeBits + 1 where Uniform
//             Uniform     1: equal steps, 0: table
//             InitFile    memory image of the table, line = code; see hf_rom for the folder
// Latency     0 cycles (combinational)
// Throughput  -
// Overflow    none where ValueWidth is as stated
`default_nettype none

module hf_code_value #(
    parameter int CodeBits = 4,
    parameter int ValueWidth = 5,
    parameter bit Uniform = 1'b1,
    parameter InitFile = ""
) (
    input  wire logic [CodeBits-1:0]          code_i,
    output logic signed [ValueWidth-1:0]      value_o
);
  if (CodeBits < 1 || CodeBits > 12 || (Uniform && ValueWidth != CodeBits + 1)) begin : gen_error
    hf_error_code_value_widths_out_of_range error ();
  end

  if (Uniform) begin : gen_steps
    // 2 code + 1 less 2^CodeBits, which flips the top bit.
    assign value_o = {code_i, 1'b1} ^ {1'b1, {CodeBits{1'b0}}};
  end else begin : gen_table
    localparam int Size = 2 ** CodeBits;
    // verilator lint_off UNDRIVEN
    // Loaded from an image; without one the table stays X.
    logic [ValueWidth-1:0] words[0:Size-1];
    // verilator lint_on UNDRIVEN
    if (InitFile != "") begin : gen_init
`ifdef SYNTHESIS
      initial $readmemh({"mem/", InitFile}, words);
`else
      logic [8*512-1:0] folder;
      logic [8*640-1:0] path;
      initial begin
        if ($value$plusargs("hafnia_mem=%s", folder) == 0) folder = "mem";
        path = '0;
        $sformat(path, "%0s/%0s", folder, InitFile);
        $readmemh(path, words);
      end
`endif
    end
    assign value_o = words[code_i];
  end
endmodule

`default_nettype wire
