// Check of hf_rom.
//
// Reference   The word of the same image, 1 cycle after read_i; held else.
// Assumed     addr_i < Depth
// Proof       1 cycle from any state
`default_nettype none

module hf_rom_check #(
    parameter int Depth = 1,
    parameter int Width = 8,
    parameter InitFile = "",
    localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1
) (
    input  wire logic                 clk_i,
    input  wire logic                 read_i,
    input  wire logic [AddrWidth-1:0] addr_i,
    output logic                      fail_o
);
  logic [Width-1:0] data, want_q;
  hf_rom #(.Depth(Depth), .Width(Width), .InitFile(InitFile)) dut (.clk_i, .read_i, .addr_i, .data_o(data));

  logic [Width-1:0] words[0:Depth-1];
  initial $readmemh({"mem/", InitFile}, words);
  logic assumed_q;
  always_ff @(posedge clk_i) begin
    assumed_q <= 32'(addr_i) < Depth;
    want_q <= read_i ? words[addr_i] : data;
  end
  assign fail_o = assumed_q && data != want_q;
endmodule

`default_nettype wire
