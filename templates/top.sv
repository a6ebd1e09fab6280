{{ banner }}
// Network {{ network }} on RRAM arrays: one pipeline stage a layer, AXI4-Stream in and out, AXI4-Lite registers.
//
// Input    {{ input_comment }}
// Output   {{ output_comment }}
// Cycles   {{ cycles_comment }}
`default_nettype none

module {{ top }} (
    input  wire logic         clk_i,
    input  wire logic         rst_ni,
{%- if access %}
    // Power and test of the arrays; static, or synchronous to clk_i
    input  wire logic         isolate_i,      // the arrays' outputs are 0
    input  wire logic         scan_bypass_i,  // the arrays' outputs show test points
{%- endif %}
    // AXI4-Stream: images
    input  wire logic         s_axis_tvalid_i,
    output logic              s_axis_tready_o,
    input  wire logic [{{ stream_bits }}-1:0] s_axis_tdata_i,
    input  wire logic         s_axis_tlast_i,
{%- if memory %}
    input  wire logic [17:0]  s_axis_tuser_i,  // {erase, learn, label}, taken with an image's first beat
{%- endif %}
    // AXI4-Stream: results
    output logic              m_axis_tvalid_o,
    input  wire logic         m_axis_tready_i,
    output logic      [{{ stream_bits }}-1:0] m_axis_tdata_o,
    output logic              m_axis_tlast_o,
    // AXI4-Lite: registers, see hf_registers
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
);
  logic busy, frame_error, image_first, image_start;
  logic [{{ in_flight_width }}-1:0] in_flight;
  logic [{{ count_width }}-1:0] precharge_cycles, window_cycles;
  logic ext_write, ext_werror, ext_rerror;
  logic [7:0] ext_waddr, ext_raddr;
  logic [31:0] ext_wdata, ext_rdata;
{%- for s in stages %}

  // {{ s.comment }}
  {% if s.keep %}(* keep *) {% endif %}logic {{ s.net }}_valid;
  {% if s.keep %}(* keep *) {% endif %}logic {{ s.net }}_ready;
  {% if s.keep %}(* keep *) {% endif %}logic [{{ s.bits }}-1:0] {{ s.net }}_data;
{%- for d in s.details %}
  // verilator lint_off UNUSEDSIGNAL
  // What the arrays give; only the test bench reads it.
  logic {{ d.valid }};
  logic [{{ d.bits }}-1:0] {{ d.data }};
  // verilator lint_on UNUSEDSIGNAL
{%- endfor %}
{%- endfor %}
{%- if banks > 0 %}

  // Banks of arrays: which of them are read, what a verify finds, power and pulses
  logic [{{ banks }}-1:0] array_reading, array_verify, array_supply, array_busy;
{%- endif %}
{%- for g in nets %}

  // {{ g.comment }}
{%- for n in g.nets %}
  logic {% if n.bits > 1 %}[{{ n.bits }}-1:0] {% endif %}{{ n.name }};
{%- endfor %}
{%- endfor %}

  hf_registers #(
      .CountWidth({{ count_width }}),
      .PrechargeCycles({{ precharge_cycles }}),
      .WindowCycles({{ window_cycles }})
  ) i_registers (
      .clk_i,
      .rst_ni,
      .awvalid_i(s_axil_awvalid_i),
      .awready_o(s_axil_awready_o),
      .awaddr_i(s_axil_awaddr_i),
      .wvalid_i(s_axil_wvalid_i),
      .wready_o(s_axil_wready_o),
      .wdata_i(s_axil_wdata_i),
      .wstrb_i(s_axil_wstrb_i),
      .bvalid_o(s_axil_bvalid_o),
      .bready_i(s_axil_bready_i),
      .bresp_o(s_axil_bresp_o),
      .arvalid_i(s_axil_arvalid_i),
      .arready_o(s_axil_arready_o),
      .araddr_i(s_axil_araddr_i),
      .rvalid_o(s_axil_rvalid_o),
      .rready_i(s_axil_rready_i),
      .rdata_o(s_axil_rdata_o),
      .rresp_o(s_axil_rresp_o),
      .ext_write_o(ext_write),
      .ext_waddr_o(ext_waddr),
      .ext_wdata_o(ext_wdata),
      .ext_werror_i(ext_werror),
      .ext_raddr_o(ext_raddr),
      .ext_rdata_i(ext_rdata),
      .ext_rerror_i(ext_rerror),
      .busy_i(busy),
      .image_done_i(m_axis_tvalid_o && m_axis_tready_i && m_axis_tlast_o),
      .frame_error_i(frame_error),
      .precharge_cycles_o(precharge_cycles),
      .window_cycles_o(window_cycles)
  );

  hf_in_flight #(
      .Most({{ most_in_flight }})
  ) i_in_flight (
      .clk_i,
      .rst_ni,
      .enter_i(image_start),
      .leave_i(m_axis_tvalid_o && m_axis_tready_i && m_axis_tlast_o),
      .count_o(in_flight),
      .busy_o(busy)
  );
  logic unused_in_flight;  // for waveforms
  assign unused_in_flight = ^in_flight;
{%- for i in instances %}

  {{ i.module }} #(
{%- for p in i.parameters %}
      .{{ p.name }}({{ p.value }}){% if !loop.last %},{% endif %}
{%- endfor %}
  ) {{ i.name }} (
      .clk_i,
      .rst_ni,
{%- for p in i.ports %}
      .{{ p.name }}({{ p.value }}){% if !loop.last %},{% endif %}
{%- endfor %}
  );
{%- endfor %}

{% for line in answers %}
  {{ line }}
{%- endfor %}
{%- if !uses_pcsa %}

  // No layer is read by precharge sense amplifiers.
  logic unused;
  assign unused = ^{precharge_cycles, window_cycles};
{%- endif %}
endmodule

`default_nettype wire
