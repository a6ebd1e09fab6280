// Input table: one byte to a signed integer.
//
// Purpose     Maps input codes where no affine expression does.
// Equation    value = table[code]
// Parameters  Width     bits of an entry, >= 2
//             InitFile  memory image, 256 lines; see hf_rom for the folder
// Latency     0 cycles (combinational)
// Throughput  -
// Overflow    none
`default_nettype none

module hf_input_table #(
    parameter int Width = 9,
    parameter InitFile = ""
) (
    input  wire logic [7:0]         code_i,
    output logic signed [31:0]      value_o
);
  if (Width < 2 || Width > 32) begin : gen_error
    hf_error_input_table_width_must_be_2_to_32 error ();
  end

  // verilator lint_off UNDRIVEN
  // Loaded from an image.
  logic [Width-1:0] words[0:255];
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

  assign value_o = 32'($signed(words[code_i]));
endmodule

`default_nettype wire
