// Read-only memory for thresholds, weights of digital layers and score constants.
//
// Purpose     Holds constants of the plan; a synthesis tool may map it to block RAM, an SRAM macro or logic.
// Equation    data_o <- word[addr_i]
// Parameters  Depth     words, >= 1
//             Width     bits of a word, >= 1
//             InitFile  name of the memory image, $readmemh text, one word a line. In simulation it is looked for in
//                       the folder given by +hafnia_mem=DIR, else in mem/; synthesis reads mem/, relative to where the
//                       tool runs: the build directory.
// Latency     1 cycle after read_i
// Throughput  one word a cycle
// Overflow    none: words are stored and read as they are
// X           without an image every word is X; an address beyond Depth reads X in simulation
`default_nettype none

module hf_rom #(
    parameter int Depth = 1,
    parameter int Width = 8,
    parameter InitFile = "",
    localparam int AddrWidth = Depth > 1 ? $clog2(Depth) : 1
) (
    input  wire logic                 clk_i,
    input  wire logic                 read_i,
    input  wire logic [AddrWidth-1:0] addr_i,
    output logic      [Width-1:0]     data_o
);
  if (Depth < 1) begin : gen_error_depth
    hf_error_rom_depth_must_be_at_least_1 error ();
  end
  if (Width < 1) begin : gen_error_width
    hf_error_rom_width_must_be_at_least_1 error ();
  end

  // verilator lint_off UNDRIVEN
  // Loaded from an image; without one every word stays X, as the header says.
  logic [Width-1:0] words[0:Depth-1];
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

  always_ff @(posedge clk_i) begin
    if (read_i) data_o <= words[addr_i];
  end
endmodule

`default_nettype wire
