// A few-shot memory of 4 keys of 3 bits behind arrays with [program]: its supply fails while a key is written.
`timescale 1ns / 1ps
module supply_tb;
  `include "tiny.svh"

  // Streams the image with its command; where `fail`, the arrays are isolated for a cycle in the middle of the first pulse.
  task automatic ask(input logic [17:0] user, input logic fail, input logic [31:0] head);
    int before_it;
    before_it = results;
    s_user = user;
    image();
    if (fail) begin
      wait (dut.keys_write);
      repeat (3) @(negedge clk);
      isolate = 1'b1;
      @(negedge clk);
      isolate = 1'b0;
    end
    while (results == before_it) @(negedge clk);
    read(8'h64, head, Okay);
  endtask

  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    // Status 4, the slot is left out; the next learn takes the next one. SUPPLY says that something was lost.
    ask(18'h1_0001, 1'b1, 32'h0104_0000);
    read(8'h44, 32'h0000_0002, Okay);
    read(8'hC8, 32'd3, Okay);
    write(8'hC8, 32'd2, Okay);
    ask(18'h1_0001, 1'b0, 32'h0100_0001);
    read(8'hC8, 32'd1, Okay);
    ask(18'h0_0000, 1'b0, 32'h0000_0001);
    $display("%0d checks, %0d errors", checks, errors);
    $finish;
  end
endmodule
