// Digit of a schedule counter.
//
// Purpose     Counts the steps of one level of a layer's schedule; digits are chained, innermost first.
// Equation    count <- clear ? 0 : step ? (last ? 0 : count + 1) : count;  last = (count == Steps - 1)
// Parameters  Steps  steps of this level, >= 1
// Latency     1 cycle after step_i
// Throughput  one step a cycle
// Overflow    wraps to 0 after Steps - 1
`default_nettype none

module hf_counter #(
    parameter int Steps = 1,
    localparam int Width = Steps > 1 ? $clog2(Steps) : 1
) (
    input  wire logic             clk_i,
    input  wire logic             clear_i,
    input  wire logic             step_i,
    output logic      [Width-1:0] count_o,
    output logic                  last_o
);
  if (Steps < 1) begin : gen_error
    hf_error_counter_steps_must_be_at_least_1 error ();
  end

  if (Steps <= 1) begin : gen_one
    assign count_o = '0;
    assign last_o = 1'b1;
    logic unused;
    assign unused = ^{clk_i, clear_i, step_i};
  end else begin : gen_many
    logic [Width-1:0] count_q;
    assign count_o = count_q;
    assign last_o = count_q == Width'(Steps - 1);
    always_ff @(posedge clk_i) begin
      if (clear_i) count_q <= '0;
      else if (step_i) count_q <= last_o ? '0 : count_q + 1'b1;
    end
  end
endmodule

`default_nettype wire
