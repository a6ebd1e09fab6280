// Images that wait behind a stream that takes nothing, while the supply of the arrays fails for a cycle: where votes or codes that still
// stood in them are lost, and a result is wrong, SUPPLY says so.
`timescale 1ns / 1ps
module waiting_tb;
  `include "tiny.svh"

  // All images are alike, and so are their results.
  logic [63:0] good[0:15];
  int beat = 0, wrong = 0, lost = 0;
  logic learn = 1'b1;
  always @(posedge clk) begin
    if (m_valid && m_ready) begin
      if (learn) good[beat] <= m_data;
      else if (m_data !== good[beat]) wrong <= wrong + 1;
      beat <= m_last ? 0 : beat + 1;
    end
  end

  task automatic waits(input int images);
    reset();
    results = 0;
    wrong = 0;
    m_ready = 1'b0;
    repeat (images) image();
    repeat (300) @(negedge clk);
    check(32'(results), 32'd0, 1);
    isolate = 1'b1;
    @(negedge clk);
    isolate = 1'b0;
    m_ready = 1'b1;
    while (results < images) @(negedge clk);
    @(negedge clk);
    if (wrong > 0) begin
      lost++;
      read(8'hC8, 32'd3, Okay);
    end
  endtask

  initial begin
    repeat (3) @(negedge clk);
    rst_n = 1'b1;
    image();
    while (results < 1) @(negedge clk);
    @(negedge clk);
    learn = 1'b0;
    for (int images = 1; images <= 7; images++) waits(images);
    check(32'(lost > 0), 32'd1, 2);  // else nothing was shown
    $display("%0d checks, %0d errors", checks, errors);
    $finish;
  end
endmodule
