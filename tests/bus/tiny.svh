// What the directed test benches of the tiny design share: the design, its clock, checks that are counted, and accesses over AXI4-Lite.

  logic clk = 1'b0, rst_n = 1'b0;
  always #5 clk = ~clk;

  logic s_valid = 1'b0, s_ready, m_valid, m_last, m_ready = 1'b1;
  logic [63:0] m_data;
  logic [63:0] s_data = 64'h0000_10F0_8040_C020;  // an image of 6 codes
  logic [17:0] s_user = '0;  // command of an image where there is a memory: {erase, learn, label}
  logic awvalid = 1'b0, awready, wvalid = 1'b0, wready, bvalid, arvalid = 1'b0, arready, rvalid;
  logic [7:0] awaddr, araddr;
  logic [31:0] wdata, rdata;
  logic [3:0] wstrb = 4'hF;
  logic [1:0] bresp, rresp;

  logic isolate = 1'b0, scan_bypass = 1'b0;

  tiny_top dut (
`ifdef ACCESS
      .isolate_i(isolate), .scan_bypass_i(scan_bypass),
`endif
      .clk_i(clk), .rst_ni(rst_n),
      .s_axis_tvalid_i(s_valid), .s_axis_tready_o(s_ready), .s_axis_tdata_i(s_data), .s_axis_tlast_i(1'b1),
`ifdef MEMORY
      .s_axis_tuser_i(s_user),
`endif
      .m_axis_tvalid_o(m_valid), .m_axis_tready_i(m_ready), .m_axis_tdata_o(m_data), .m_axis_tlast_o(m_last),
      .s_axil_awvalid_i(awvalid), .s_axil_awready_o(awready), .s_axil_awaddr_i(awaddr),
      .s_axil_wvalid_i(wvalid), .s_axil_wready_o(wready), .s_axil_wdata_i(wdata), .s_axil_wstrb_i(wstrb),
      .s_axil_bvalid_o(bvalid), .s_axil_bready_i(1'b1), .s_axil_bresp_o(bresp),
      .s_axil_arvalid_i(arvalid), .s_axil_arready_o(arready), .s_axil_araddr_i(araddr),
      .s_axil_rvalid_o(rvalid), .s_axil_rready_i(1'b1), .s_axil_rdata_o(rdata), .s_axil_rresp_o(rresp));

  localparam logic [1:0] Okay = 2'b00;
  localparam logic [1:0] SlvErr = 2'b10;
  int checks = 0, errors = 0, results = 0;
  always @(posedge clk) if (m_valid && m_ready && m_last) results <= results + 1;

  task automatic check(input logic [31:0] got, input logic [31:0] want, input int line);
    checks++;
    if (got !== want) begin
      errors++;
      $display("check %0d, place %0d: %h, not %h", checks, line, got, want);
    end
  endtask

  task automatic write(input logic [7:0] address, input logic [31:0] data, input logic [1:0] want);
    @(negedge clk);
    awvalid = 1'b1; awaddr = address; wvalid = 1'b1; wdata = data;
    @(posedge clk);
    while (!(awready && wready)) @(posedge clk);
    @(negedge clk);
    awvalid = 1'b0; wvalid = 1'b0;
    while (!bvalid) @(negedge clk);
    check(32'(bresp), 32'(want), 1000 + 32'(address));
  endtask

  task automatic read(input logic [7:0] address, input logic [31:0] want, input logic [1:0] response);
    @(negedge clk);
    arvalid = 1'b1; araddr = address;
    @(posedge clk);
    while (!arready) @(posedge clk);
    @(negedge clk);
    arvalid = 1'b0;
    while (!rvalid) @(negedge clk);
    check(32'(rresp), 32'(response), 2000 + 32'(address));
    if (response == Okay) check(rdata, want, 3000 + 32'(address));
  endtask

  task automatic reset();
    @(negedge clk);
    rst_n = 1'b0;
    repeat (2) @(negedge clk);
    rst_n = 1'b1;
  endtask

  task automatic image();
    @(negedge clk);
    s_valid = 1'b1;
    @(posedge clk);
    while (!s_ready) @(posedge clk);
    @(negedge clk);
    s_valid = 1'b0;
  endtask

  initial begin
    repeat (20000) @(posedge clk);
    $display("does not end: %0d checks, %0d errors", checks, errors);
    $finish;
  end
