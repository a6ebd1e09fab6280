# {{ banner }}
create_clock -name clk -period {{ period_ns }} [get_ports clk_i]
set_input_delay {{ io_ns }} -clock clk [get_ports {rst_ni {% if access %}isolate_i scan_bypass_i {% endif %}s_axis_*_i m_axis_tready_i s_axil_*valid_i s_axil_*addr_i s_axil_w*_i s_axil_*ready_i}]
set_output_delay {{ io_ns }} -clock clk [all_outputs]
