// Register bus: AXI4-Lite, 32-bit words.
//
// Purpose     Identity, status, and the trim registers of the sense sequencers.
// Registers   address  name       access  reset            meaning
//             0x00     ID         R       0x686E6661       "afnh" least significant byte first
//             0x04     STATUS     R/W1C   0                bit 0: images in flight; bit 1: tlast was out of place (write
//                                                          1 to clear)
//             0x08     IMAGES     R       0                images finished since reset, modulo 2^32
//             0x0C     PRECHARGE  R/W     PrechargeCycles  cycles of precharge before a PCSA read, >= 1
//             0x10     WINDOW     R/W     WindowCycles     cycles of the PCSA sense window, >= 1
//             0x40 on are those of other blocks, which answer through the extension ports.
//             A count of 0 or of more than CountWidth bits is refused with SLVERR and not stored, so is an access to any
//             other address and a write to a read-only word. Byte strobes must be all ones, or the write is refused. A
//             new count takes effect with the next read of each array.
// Parameters  CountWidth  bits of the cycle counts, 2 to 32; PrechargeCycles, WindowCycles  reset values
// Latency     writes answer 1 cycle after both address and data; reads 1 cycle after the address
// Throughput  one access of each kind in 2 cycles
// Overflow    none: a count that does not fit is refused
`default_nettype none

module hf_registers #(
    parameter int CountWidth = 12,
    parameter int PrechargeCycles = 1,
    parameter int WindowCycles = 7
) (
    input  wire logic                   clk_i,
    input  wire logic                   rst_ni,
    // AXI4-Lite write
    input  wire logic                   awvalid_i,
    output logic                        awready_o,
    input  wire logic [7:0]             awaddr_i,
    input  wire logic                   wvalid_i,
    output logic                        wready_o,
    input  wire logic [31:0]            wdata_i,
    input  wire logic [3:0]             wstrb_i,
    output logic                        bvalid_o,
    input  wire logic                   bready_i,
    output logic      [1:0]             bresp_o,
    // AXI4-Lite read
    input  wire logic                   arvalid_i,
    output logic                        arready_o,
    input  wire logic [7:0]             araddr_i,
    output logic                        rvalid_o,
    input  wire logic                   rready_i,
    output logic      [31:0]            rdata_o,
    output logic      [1:0]             rresp_o,
    // Extension: addresses from 0x40 on
    output logic                        ext_write_o,   // ext_waddr_o and wdata_i hold a write; ext_werror_i refuses it
    output logic      [7:0]             ext_waddr_o,
    output logic      [31:0]            ext_wdata_o,
    input  wire logic                   ext_werror_i,
    output logic      [7:0]             ext_raddr_o,
    input  wire logic [31:0]            ext_rdata_i,   // in the same cycle
    input  wire logic                   ext_rerror_i,
    // Design
    input  wire logic                   busy_i,        // images in flight
    input  wire logic                   image_done_i,  // an image's result has left
    input  wire logic                   frame_error_i, // tlast out of place
    output logic      [CountWidth-1:0]  precharge_cycles_o,
    output logic      [CountWidth-1:0]  window_cycles_o
);
  localparam logic [1:0] Okay = 2'b00;
  localparam logic [1:0] SlvErr = 2'b10;
  localparam logic [7:0] Id = 8'h00;
  localparam logic [7:0] Status = 8'h04;
  localparam logic [7:0] Images = 8'h08;
  localparam logic [7:0] Precharge = 8'h0C;
  localparam logic [7:0] Window = 8'h10;
  localparam logic [7:0] Extension = 8'h40;

  if (CountWidth < 2 || CountWidth > 32) begin : gen_error_width
    hf_error_registers_count_width_must_be_2_to_32 error ();
  end
  if (PrechargeCycles < 1 || WindowCycles < 1) begin : gen_error_cycles
    hf_error_registers_cycles_must_be_at_least_1 error ();
  end

  logic [31:0] images_q;
  logic frame_error_q;
  logic write, write_count;

  assign write = awvalid_i && wvalid_i && !bvalid_o;
  assign awready_o = write;
  assign wready_o = write;
  assign write_count = write && (&wstrb_i) && wdata_i != '0 && (wdata_i >> CountWidth) == '0;
  assign arready_o = !rvalid_o;
  assign ext_write_o = write && (&wstrb_i) && awaddr_i >= Extension;
  assign ext_waddr_o = awaddr_i;
  assign ext_wdata_o = wdata_i;
  assign ext_raddr_o = araddr_i;

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      bvalid_o <= 1'b0;
      rvalid_o <= 1'b0;
      images_q <= '0;
      frame_error_q <= 1'b0;
      precharge_cycles_o <= CountWidth'(PrechargeCycles);
      window_cycles_o <= CountWidth'(WindowCycles);
    end else begin
      if (write) begin
        bvalid_o <= 1'b1;
        bresp_o <= SlvErr;
        if ((&wstrb_i) && awaddr_i == Status) bresp_o <= Okay;
        if (ext_write_o && !ext_werror_i) bresp_o <= Okay;
        if (write_count && awaddr_i == Precharge) begin
          bresp_o <= Okay;
          precharge_cycles_o <= wdata_i[CountWidth-1:0];
        end
        if (write_count && awaddr_i == Window) begin
          bresp_o <= Okay;
          window_cycles_o <= wdata_i[CountWidth-1:0];
        end
      end else if (bready_i) begin
        bvalid_o <= 1'b0;
      end

      if (arvalid_i && arready_o) begin
        rvalid_o <= 1'b1;
        rresp_o <= Okay;
        case (araddr_i)
          Id: rdata_o <= 32'h686E6661;
          Status: rdata_o <= {30'b0, frame_error_q, busy_i};
          Images: rdata_o <= images_q;
          Precharge: rdata_o <= 32'(precharge_cycles_o);
          Window: rdata_o <= 32'(window_cycles_o);
          default: begin
            rdata_o <= araddr_i >= Extension && !ext_rerror_i ? ext_rdata_i : '0;
            rresp_o <= araddr_i >= Extension && !ext_rerror_i ? Okay : SlvErr;
          end
        endcase
      end else if (rready_i) begin
        rvalid_o <= 1'b0;
      end

      if (image_done_i) images_q <= images_q + 1'b1;
      if (frame_error_i) frame_error_q <= 1'b1;
      else if (write && (&wstrb_i) && awaddr_i == Status && wdata_i[1]) frame_error_q <= 1'b0;
    end
  end
  logic unused;
  assign unused = ^wdata_i;
endmodule

`default_nettype wire
