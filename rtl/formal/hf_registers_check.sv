// Check of hf_registers.
//
// Reference   The table of the block's header: what each address answers and what a write to it does. From 0x40 on, what the
//             extension ports, whichever the solver lets them be, answer in the same cycle.
// Handshake   A response stays, unchanged, until it is taken; there is one for each access and none without.
// Proof       induction
`default_nettype none

module hf_registers_check #(
    parameter int CountWidth = 12,
    parameter int PrechargeCycles = 1,
    parameter int WindowCycles = 7
) (
    input  wire logic        clk_i,
    input  wire logic        rst_ni,
    input  wire logic        awvalid_i,
    input  wire logic [7:0]  awaddr_i,
    input  wire logic        wvalid_i,
    input  wire logic [31:0] wdata_i,
    input  wire logic [3:0]  wstrb_i,
    input  wire logic        bready_i,
    input  wire logic        arvalid_i,
    input  wire logic [7:0]  araddr_i,
    input  wire logic        rready_i,
    input  wire logic        ext_werror_i,
    input  wire logic [31:0] ext_rdata_i,
    input  wire logic        ext_rerror_i,
    input  wire logic        busy_i,
    input  wire logic        image_done_i,
    input  wire logic        frame_error_i,
    output logic             fail_o
);
  logic awready, wready, bvalid, arready, rvalid;
  logic [1:0] bresp, rresp;
  logic [31:0] rdata, ext_wdata;
  logic ext_write;
  logic [7:0] ext_waddr, ext_raddr;
  logic [CountWidth-1:0] precharge, window;
  hf_registers #(
      .CountWidth(CountWidth), .PrechargeCycles(PrechargeCycles), .WindowCycles(WindowCycles)
  ) dut (
      .clk_i, .rst_ni, .awvalid_i, .awready_o(awready), .awaddr_i, .wvalid_i, .wready_o(wready), .wdata_i, .wstrb_i,
      .bvalid_o(bvalid), .bready_i, .bresp_o(bresp), .arvalid_i, .arready_o(arready), .araddr_i, .rvalid_o(rvalid),
      .rready_i, .rdata_o(rdata), .rresp_o(rresp), .ext_write_o(ext_write), .ext_waddr_o(ext_waddr),
      .ext_wdata_o(ext_wdata), .ext_werror_i, .ext_raddr_o(ext_raddr), .ext_rdata_i, .ext_rerror_i, .busy_i, .image_done_i, .frame_error_i,
      .precharge_cycles_o(precharge), .window_cycles_o(window));

  logic live_q;  // a reset has been seen
  logic frame_error_q, b_q, r_q, b_refused_q, r_refused_q;
  logic [31:0] images_q, r_data_q;
  logic [CountWidth-1:0] precharge_q, window_q;
  initial live_q = 1'b0;

  logic write, read, refused;
  logic [CountWidth-1:0] count;
  assign count = wdata_i[CountWidth-1:0];
  assign write = awvalid_i && awready;
  assign read = arvalid_i && arready;
  always_comb begin
    case (awaddr_i)
      8'h04: refused = wstrb_i != 4'b1111;
      8'h0C, 8'h10: refused = wstrb_i != 4'b1111 || 32'(count) != wdata_i || count == '0;
      default: refused = awaddr_i < 8'h40 || wstrb_i != 4'b1111 || ext_werror_i;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      live_q <= 1'b1;
      frame_error_q <= 1'b0;
      b_q <= 1'b0;
      r_q <= 1'b0;
      images_q <= '0;
      precharge_q <= CountWidth'(PrechargeCycles);
      window_q <= CountWidth'(WindowCycles);
    end else begin
      if (write && !refused && awaddr_i == 8'h0C) precharge_q <= count;
      if (write && !refused && awaddr_i == 8'h10) window_q <= count;
      if (write && !refused && awaddr_i == 8'h04 && wdata_i[1]) frame_error_q <= 1'b0;
      if (frame_error_i) frame_error_q <= 1'b1;  // an error that comes with the clear is not lost
      if (image_done_i) images_q <= images_q + 1;

      b_q <= write || (b_q && !bready_i);
      if (write) b_refused_q <= refused;

      r_q <= read || (r_q && !rready_i);
      if (read) begin
        r_refused_q <= 1'b0;
        case (araddr_i)
          8'h00: r_data_q <= {8'h68, 8'h6E, 8'h66, 8'h61};
          8'h04: r_data_q <= {30'b0, frame_error_q, busy_i};
          8'h08: r_data_q <= images_q;
          8'h0C: r_data_q <= 32'(precharge_q);
          8'h10: r_data_q <= 32'(window_q);
          default: begin
            r_refused_q <= araddr_i < 8'h40 || ext_rerror_i;
            r_data_q <= araddr_i < 8'h40 || ext_rerror_i ? '0 : ext_rdata_i;
          end
        endcase
      end
    end
  end

  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [31:0] \dut.images_q ;
  (* hierconn *) wire \dut.frame_error_q ;
  // verilator lint_on UNDRIVEN

  logic bad_handshake, bad_answer, bad_extension, bad_state;
  // Address and data go together, never while an answer waits, and at once where none does.
  assign bad_handshake = awready != wready || (write && (b_q || !wvalid_i)) || (awvalid_i && wvalid_i && !b_q && !write)
      || (read && r_q) || (!r_q && !arready);
  assign bad_answer = bvalid != b_q || (b_q && bresp != (b_refused_q ? 2'b10 : 2'b00))
      || rvalid != r_q || (r_q && (rresp != (r_refused_q ? 2'b10 : 2'b00) || rdata != r_data_q));
  // Others see every write of whole words to their addresses, once, and the address of every read.
  assign bad_extension = ext_write != (write && wstrb_i == 4'b1111 && awaddr_i >= 8'h40)
      || (ext_write && (ext_waddr != awaddr_i || ext_wdata != wdata_i)) || (read && ext_raddr != araddr_i);
  assign bad_state = precharge != precharge_q || window != window_q || precharge == '0 || window == '0
      || \dut.images_q != images_q || \dut.frame_error_q != frame_error_q;
  assign fail_o = live_q && (bad_handshake || bad_answer || bad_extension || bad_state);
endmodule

`default_nettype wire
