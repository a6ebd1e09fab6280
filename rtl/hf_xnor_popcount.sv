// Dot product of bipolar values: XNOR lanes and popcount.
//
// Purpose     The binary case of hf_gxnor_popcount: one popcount instead of two.
// Equation    sum = sum_i w_i x_i over the lanes in use = 2 popcount(use and (w xnor x)) - popcount(use)
//             XNOR as in table I of ternary-pcsa.
// Parameters  Width     lanes, >= 1
//             SumWidth  bits of the sum, >= clog2(Width + 1) + 1
// Latency     1 cycle after valid_i
// Throughput  one slice a cycle
// Overflow    none: |sum| <= Width
`default_nettype none

module hf_xnor_popcount #(
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                    clk_i,
    // Operands
    input  wire logic                    valid_i,
    input  wire logic        [Width-1:0] use_i,        // lanes that hold an input; the rest is padding
    input  wire logic        [SumWidth-1:0] used_i,    // popcount(use_i), which the layer knows as a constant
    input  wire logic        [Width-1:0] x_i,
    input  wire logic        [Width-1:0] w_i,
    // Sum
    output logic signed [SumWidth-1:0]   sum_o
);
  if (Width < 1) begin : gen_error_width
    hf_error_xnor_popcount_width_must_be_at_least_1 error ();
  end
  if (SumWidth < $clog2(Width + 1) + 1) begin : gen_error_sum
    hf_error_xnor_popcount_sum_width_too_small error ();
  end

  // The products stand in a variable of their own: Icarus 11 miscounts the bits of an expression with ~ in it.
  function automatic logic signed [SumWidth-1:0] dot(
      input logic [Width-1:0] lanes, input logic [SumWidth-1:0] used, input logic [Width-1:0] x,
      input logic [Width-1:0] w);
    logic [Width-1:0] agree;
    agree = lanes & ~(x ^ w);
    dot = (SumWidth'($countones(agree)) <<< 1) - used;
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) sum_o <= dot(use_i, used_i, x_i, w_i);
  end
endmodule

`default_nettype wire
