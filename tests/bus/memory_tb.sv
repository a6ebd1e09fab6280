// Directed test of the registers of a few-shot memory of 4 keys and 3 classes behind the tiny design, whose 3 scores give keys of
// 3 bits: refusals, protocol faults, a reset in the middle of a write, labels restored afterwards. Heads are worked out from
// docs/few-shot.md; a key's similarity with itself is 3, with any other key but its opposite 1.
`timescale 1ns / 1ps
module memory_tb;
  `include "tiny.svh"

  localparam logic [63:0] A = 64'h0000_10F0_8040_C020;
  localparam logic [63:0] B = 64'h0000_F010_0FF0_3380;
  localparam logic [17:0] Query = 18'h0_0000;

  // Streams an image with its command, and waits for the result.
  task automatic ask(input logic [63:0] pixels, input logic [17:0] user, input logic [31:0] head);
    int before_it;
    before_it = results;
    s_data = pixels;
    s_user = user;
    image();
    while (results == before_it) @(negedge clk);
    read(8'h64, head, Okay);
  endtask

  function automatic logic [17:0] learn(input logic [15:0] label);
    learn = {2'b01, label};
  endfunction

  task automatic sum_of(input logic [31:0] class_number, input logic [31:0] sum, input logic [31:0] shots);
    write(8'h58, class_number, Okay);
    read(8'h5C, sum, Okay);
    read(8'h60, shots, Okay);
  endtask

  // Until the memory is at work.
  task automatic at_work();
    int left;
    left = 400;
    do begin
      @(negedge clk);
      arvalid = 1'b1; araddr = 8'h44;
      @(negedge clk);
      arvalid = 1'b0;
      while (!rvalid) @(negedge clk);
      left--;
    end while (!rdata[0] && left > 0);
    check(32'(left > 0), 32'd1, 2);
  endtask

  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    read(8'h40, 32'h0003_0004, Okay);
    read(8'h44, 32'h0000_0002, Okay);
    ask(A, Query, 32'h0001_FFFF);        // empty
    ask(A, learn(16'd1), 32'h0100_0000);
    read(8'h44, 32'h0001_0000, Okay);
    ask(B, learn(16'd3), 32'h0103_FFFF);  // no such label
    read(8'h44, 32'h0001_0000, Okay);
    ask(B, learn(16'd2), 32'h0100_0001);
    ask(A, Query, 32'h0000_0001);
    sum_of(0, 32'd0, 32'd0);
    sum_of(1, 32'd3, 32'd1);
    sum_of(2, 32'd1, 32'd1);
    ask(B, Query, 32'h0000_0002);
    sum_of(1, 32'd1, 32'd1);
    sum_of(2, 32'd3, 32'd1);

    // Refused, and nothing is stored.
    write(8'h50, 32'd4, SlvErr);
    read(8'h50, 32'd0, Okay);
    write(8'h58, 32'd3, SlvErr);
    write(8'h4C, 32'd5, SlvErr);
    read(8'h4C, 32'd2, Okay);
    write(8'h54, 32'h8000_0003, SlvErr);
    write(8'h48, 32'd0, SlvErr);
    write(8'h44, 32'd0, SlvErr);
    write(8'h6C, 32'd0, SlvErr);
    read(8'h6C, 32'd0, SlvErr);
    read(8'h48, 32'd0, SlvErr);
    read(8'h54, 32'h8000_0001, Okay);

    // A learn that a reset cuts off: refused accesses meanwhile; afterwards no slot is valid, and the design goes on.
    s_data = B;
    s_user = learn(16'd0);
    image();
    at_work();
    write(8'h48, 32'd1, SlvErr);
    read(8'h4C, 32'd0, SlvErr);
    read(8'h40, 32'h0003_0004, Okay);
    reset();
    read(8'h44, 32'h0000_0002, Okay);
    read(8'h4C, 32'd0, Okay);
    ask(A, Query, 32'h0001_FFFF);

    // The keys have survived: labels and valid bits are restored. What was cut off stays invalid.
    write(8'h50, 32'd0, Okay);
    write(8'h54, 32'h8000_0001, Okay);
    write(8'h50, 32'd1, Okay);
    write(8'h54, 32'h8000_0002, Okay);
    write(8'h4C, 32'd2, Okay);
    read(8'h44, 32'h0002_0000, Okay);
    ask(A, Query, 32'h0000_0001);
    sum_of(1, 32'd3, 32'd1);
    sum_of(0, 32'd0, 32'd0);
    ask(B, Query, 32'h0000_0002);
    sum_of(2, 32'd3, 32'd1);

    // Up to a full memory, which refuses and loses nothing.
    ask(B, learn(16'd2), 32'h0100_0002);
    ask(A, learn(16'd0), 32'h0100_0003);
    read(8'h44, 32'h0004_0004, Okay);
    ask(A, learn(16'd0), 32'h0102_FFFF);
    read(8'h44, 32'h0004_0004, Okay);
    ask(B, Query, 32'h0000_0002);
    sum_of(2, 32'd6, 32'd2);
    // A tie goes to the lowest class.
    ask(A, Query, 32'h0000_0000);
    sum_of(0, 32'd3, 32'd1);
    sum_of(1, 32'd3, 32'd1);
    sum_of(2, 32'd2, 32'd2);

    // Erased over the bus, and with an image.
    write(8'h48, 32'd1, Okay);
    read(8'h44, 32'h0000_0002, Okay);
    ask(A, Query, 32'h0001_FFFF);
    ask(B, learn(16'd1), 32'h0100_0000);
    ask(A, 18'h2_0000, 32'h0001_FFFF);
    read(8'h68, 32'd0, Okay);
    $display("%0d checks, %0d errors", checks, errors);
    $finish;
  end
endmodule
