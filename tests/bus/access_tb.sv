// Directed test of the register bus of the tiny design on PCSA arrays of 4 x 4 with [program]: every refusal, single pulses,
// the mask, a reset in the middle of a write, images and commands that get in each other's way. Expected values are worked out
// from the register map in rtl/hf_array_access.sv.
`timescale 1ns / 1ps
module access_tb;
  `include "tiny.svh"

  // Waits for the end of a command, 400 cycles at most.
  task automatic finish_command();
    int left;
    left = 400;
    do begin
      @(negedge clk);
      arvalid = 1'b1; araddr = 8'hAC;
      @(negedge clk);
      arvalid = 1'b0;
      while (!rvalid) @(negedge clk);
      left--;
    end while (rdata[0] && left > 0);
    check(32'(left > 0), 32'd1, 1);
  endtask

  // A command on the word line that is chosen; DATA begins at word 0 again.
  task automatic command(input logic [31:0] data, input logic [31:0] code);
    write(8'h98, 32'd0, Okay);
    write(8'h9C, data, Okay);
    write(8'hA8, code, Okay);
    finish_command();
  endtask

  task automatic reads_back(input logic [31:0] want);
    write(8'hA8, 32'd4, Okay);
    finish_command();
    read(8'h9C, want, Okay);
  endtask

  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    // Identity; 2 banks, 1 word; fc2 has 3 x 2 arrays of 3 word lines with 8 cells, fc3 2 x 1 of 3 with 6.
    read(8'h00, 32'h686E6661, Okay);
    read(8'h80, 32'h0001_0002, Okay);
    read(8'h88, 32'h0002_0003, Okay);
    read(8'h8C, 32'h0008_0003, Okay);
    write(8'h84, 32'd1, Okay);
    read(8'h88, 32'h0001_0002, Okay);
    read(8'h8C, 32'h0006_0003, Okay);
    write(8'h84, 32'd0, Okay);

    // Refused, and nothing is stored.
    write(8'h84, 32'd2, SlvErr);
    read(8'h84, 32'd0, Okay);
    write(8'h80, 32'd0, SlvErr);
    write(8'hCC, 32'd0, SlvErr);
    read(8'hCC, 32'd0, SlvErr);
    write(8'hC8, 32'd1, SlvErr);
    read(8'hC8, 32'd1, Okay);
    write(8'hC4, 32'd256, SlvErr);
    read(8'hA8, 32'd0, SlvErr);
    write(8'h98, 32'd1, SlvErr);
    write(8'hBC, 32'd1, SlvErr);
    write(8'hB8, 32'd0, SlvErr);
    write(8'hB8, 32'd4096, SlvErr);
    write(8'hA8, 32'd0, SlvErr);
    write(8'hA8, 32'd6, SlvErr);
    wstrb = 4'h7;
    write(8'h94, 32'd1, SlvErr);
    wstrb = 4'hF;
    read(8'h94, 32'd0, Okay);
    write(8'h94, 32'd3, Okay);
    write(8'hA8, 32'd4, SlvErr);  // no such word line
    write(8'h94, 32'd1, Okay);
    write(8'h90, 32'h0002_0000, Okay);
    write(8'hA8, 32'd4, SlvErr);  // no such tile
    write(8'h90, 32'h0001_0002, Okay);

    // PROGRAM, then single pulses: FORM and SET of cells that are 1, RESET of those that are 0, under the mask.
    command(32'hA5, 32'd5);
    read(8'hAC, 32'h0001_0000, Okay);
    reads_back(32'hA5);
    // The reference of the verify: 64 codes of 2 kOhm; at 20 kOhm no cell lies below it, above 350 kOhm every one does.
    read(8'hC4, 32'd64, Okay);
    write(8'hC4, 32'd10, Okay);
    reads_back(32'h00);
    write(8'hC4, 32'd11, Okay);
    reads_back(32'hA5);
    write(8'hC4, 32'd175, Okay);
    reads_back(32'hA5);
    write(8'hC4, 32'd176, Okay);
    reads_back(32'hFF);
    command(32'hA5, 32'd5);
    read(8'hAC, 32'h0003_0002, Okay);  // failed at the third attempt
    read(8'hA4, 32'h5A, Okay);
    // Every bank has its own.
    write(8'h84, 32'd1, Okay);
    read(8'hC4, 32'd64, Okay);
    write(8'h84, 32'd0, Okay);
    read(8'hC4, 32'd176, Okay);
    write(8'hC4, 32'd64, Okay);
    reads_back(32'hA5);
    command(32'h00, 32'd3);
    reads_back(32'h00);
    command(32'h81, 32'd1);
    reads_back(32'h81);
    command(32'h18, 32'd2);
    reads_back(32'h99);
    write(8'hA0, 32'h0F, Okay);
    command(32'hFF, 32'd2);
    reads_back(32'h9F);
    write(8'hA0, 32'hFF, Okay);
    // The word line beside it is another.
    write(8'h94, 32'd0, Okay);
    command(32'h66, 32'd5);
    reads_back(32'h66);

    // While a command is carried out: writes are refused, STATE says so, and a reset leaves a design that goes on.
    write(8'h94, 32'd1, Okay);
    write(8'h9C, 32'h3C, Okay);
    write(8'hA8, 32'd5, Okay);
    read(8'hAC, 32'h0001_0005, Okay);
    write(8'h9C, 32'h00, SlvErr);
    write(8'hA8, 32'd4, SlvErr);
    reset();
    read(8'hAC, 32'h0, Okay);
    read(8'h90, 32'h0, Okay);
    write(8'h90, 32'h0001_0002, Okay);
    reads_back(32'h66);
    write(8'h94, 32'd1, Okay);
    command(32'h3C, 32'd5);
    reads_back(32'h3C);

    // Images in flight keep commands out; a command keeps an image waiting, and loses none.
    image();
    write(8'hA8, 32'd4, SlvErr);
    read(8'hAC, 32'h0001_0004, Okay);
    wait (results == 1);
    @(negedge clk);
    read(8'h08, 32'd1, Okay);
    write(8'hB0, 32'd400, Okay);
    write(8'hA0, 32'h00, Okay);  // a long pulse on no cell
    write(8'hA8, 32'd1, Okay);
    image();
    repeat (300) @(negedge clk);
    check(32'(results), 32'd1, 3);
    read(8'hAC, 32'h0001_0005, Okay);
    finish_command();
    wait (results == 2);
    write(8'hA0, 32'hFF, Okay);
    reads_back(32'h3C);
    read(8'h08, 32'd2, Okay);

    // Isolated arrays have no supply: commands are refused, an image waits, and what it gives is good once they have one.
    isolate = 1'b1;
    read(8'hC8, 32'd0, Okay);
    read(8'hAC, 32'h0001_0004, Okay);
    write(8'hA8, 32'd4, SlvErr);
    image();
    repeat (300) @(negedge clk);
    check(32'(results), 32'd2, 4);
    isolate = 1'b0;
    wait (results == 3);
    read(8'hC8, 32'd1, Okay);

    // A supply that fails while arrays are read is reported until that is acknowledged.
    image();
    wait (dut.array_reading != '0);
    repeat (4) @(negedge clk);
    isolate = 1'b1;
    @(negedge clk);
    isolate = 1'b0;
    wait (results == 4);
    read(8'hC8, 32'd3, Okay);
    write(8'hC8, 32'd2, Okay);
    read(8'hC8, 32'd1, Okay);

    // One that fails while a word line is written ends the command; the next one is carried out.
    write(8'h94, 32'd1, Okay);
    write(8'h98, 32'd0, Okay);
    write(8'h9C, 32'h5A, Okay);
    write(8'hA8, 32'd5, Okay);
    repeat (3) @(negedge clk);
    check(32'(dut.access_program), 32'h3, 5);  // a RESET, in bank 0
    isolate = 1'b1;
    @(negedge clk);
    check(32'(dut.access_program), 32'h0, 6);
    isolate = 1'b0;
    read(8'hAC, 32'h0001_000A, Okay);
    read(8'hA4, 32'hFF, Okay);
    command(32'h5A, 32'd5);
    read(8'hAC, 32'h0001_0000, Okay);
    reads_back(32'h5A);
    read(8'hC8, 32'd1, Okay);

    // Under the scan bypass the outputs show what is sensed in the arrays, nothing here: no supply, no pulse.
    scan_bypass = 1'b1;
    repeat (2) @(negedge clk);
    check(32'(dut.array_supply), 32'd0, 7);
    write(8'hA8, 32'd4, SlvErr);
    scan_bypass = 1'b0;
    reads_back(32'h5A);

    // An array that is not done with a pulse keeps commands and images waiting.
    force dut.array_busy = 2'b01;
    write(8'hA8, 32'd4, SlvErr);
    image();
    repeat (300) @(negedge clk);
    check(32'(results), 32'd4, 8);
    release dut.array_busy;
    wait (results == 5);
    $display("%0d checks, %0d errors", checks, errors);
    $finish;
  end
endmodule
