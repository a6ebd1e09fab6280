// Check of hf_input_table.
//
// Reference   The word of the same image, sign-extended by hand.
// Proof       combinational
`default_nettype none

module hf_input_table_check #(
    parameter int Width = 9,
    parameter InitFile = ""
) (
    input  wire logic [7:0] code_i,
    output logic            fail_o
);
  logic [31:0] value, want;
  hf_input_table #(.Width(Width), .InitFile(InitFile)) dut (.code_i, .value_o(value));

  logic [Width-1:0] words[0:255];
  logic [Width-1:0] word;
  initial $readmemh({"mem/", InitFile}, words);
  assign word = words[code_i];
  always_comb begin
    for (int b = 0; b < 32; b++) want[b] = word[b<Width?b:Width-1];
  end
  assign fail_o = value != want;
endmodule

`default_nettype wire
