{{ banner }}
// The design with taps: outputs of every layer, read by hierarchical reference. Simulation only.
`default_nettype none

module hafnia_sim (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
    input  wire logic         s_axis_tvalid_i,
    output logic              s_axis_tready_o,
    input  wire logic [{{ stream_bits }}-1:0] s_axis_tdata_i,
    input  wire logic         s_axis_tlast_i,
{%- if memory %}
    input  wire logic [17:0]  s_axis_tuser_i,
{%- endif %}
    output logic              m_axis_tvalid_o,
    input  wire logic         m_axis_tready_i,
    output logic      [{{ stream_bits }}-1:0] m_axis_tdata_o,
    output logic              m_axis_tlast_o,
    input  wire logic         s_axil_awvalid_i,
    output logic              s_axil_awready_o,
    input  wire logic [7:0]   s_axil_awaddr_i,
    input  wire logic         s_axil_wvalid_i,
    output logic              s_axil_wready_o,
    input  wire logic [31:0]  s_axil_wdata_i,
    input  wire logic [3:0]   s_axil_wstrb_i,
    output logic              s_axil_bvalid_o,
    input  wire logic         s_axil_bready_i,
    output logic      [1:0]   s_axil_bresp_o,
    input  wire logic         s_axil_arvalid_i,
    output logic              s_axil_arready_o,
    input  wire logic [7:0]   s_axil_araddr_i,
    output logic              s_axil_rvalid_o,
    input  wire logic         s_axil_rready_i,
    output logic      [31:0]  s_axil_rdata_o,
    output logic      [1:0]   s_axil_rresp_o
{%- if access %},
    // Arrays are programmed.
    output logic              access_busy_o
{%- endif %}
{%- for t in taps %},
    output logic              tap{{ loop.index0 }}_fire_o,  // {{ t.comment }}
    output logic      [{{ t.bits }}-1:0] tap{{ loop.index0 }}_data_o
{%- endfor %}
);
{%- if access %}
  logic isolate_i, scan_bypass_i;
  assign isolate_i = 1'b0;
  assign scan_bypass_i = 1'b0;
{%- endif %}
  {{ top }} dut (.*);
{%- if access %}
  assign access_busy_o = dut.access_hold;
{%- endif %}
  // What a tap shows is copied only when it is read. Icarus Verilog 11 hangs in an always_latch of hierarchical names.
  // verilator lint_off LATCH
{%- for t in taps %}

  assign tap{{ loop.index0 }}_fire_o = {{ t.fire }};
  always @* if (tap{{ loop.index0 }}_fire_o) tap{{ loop.index0 }}_data_o = dut.{{ t.data }};
{%- endfor %}
  // verilator lint_on LATCH
endmodule

`default_nettype wire
