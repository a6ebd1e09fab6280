// A few-shot memory of 4 keys of 3 bits whose cells are faulty: word line 0 has a pair that never switches, word line 1 a pair that
// switches with every second pulse only. Pulses of 2 and 3 cycles and verifies of 2: another attempt at 6 cells takes
// 2 + 3 + 6 * 2 + 4 = 21 cycles, as the header of hf_program says.
`timescale 1ns / 1ps
module faults_tb;
  `include "tiny.svh"

  int cycle = 0, took;
  always @(posedge clk) cycle <= cycle + 1;

  // Streams the image with its command; took is the time to its result.
  task automatic ask(input logic [17:0] user, input logic [31:0] head);
    int before_it, start;
    before_it = results;
    s_user = user;
    start = cycle;
    image();
    while (results == before_it) @(negedge clk);
    took = cycle - start;
    read(8'h64, head, Okay);
  endtask

  int good, slow, stuck;
  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    // Three attempts, then status 4; the slot stays invalid and the next learn takes the next one.
    ask(18'h1_0001, 32'h0104_0000);
    stuck = took;
    read(8'h68, 32'd1, Okay);
    read(8'h44, 32'h0000_0002, Okay);
    read(8'h4C, 32'd1, Okay);
    ask(18'h0_0000, 32'h0001_FFFF);
    ask(18'h1_0001, 32'h0100_0001);
    slow = took;
    ask(18'h1_0002, 32'h0100_0002);
    good = took;
    read(8'h68, 32'd1, Okay);
    check(32'(slow - good), 32'd21, 1);
    check(32'(stuck - good), 32'd42, 2);
    // The key that took two attempts is whole: a tie of 3 and 3, for the lowest class.
    ask(18'h0_0000, 32'h0000_0001);
    write(8'h58, 32'd1, Okay);
    read(8'h5C, 32'd3, Okay);
    $display("%0d checks, %0d errors", checks, errors);
    $finish;
  end
endmodule
