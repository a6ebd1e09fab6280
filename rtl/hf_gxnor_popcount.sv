// Dot product of trits: GXNOR lanes and popcount.
//
// Purpose     Multiplies a slice of inputs with one read of a PCSA array and sums the products.
// Equation    sum = sum_i w_i x_i = 2 popcount(+1 products) - popcount(nonzero products)
//             GXNOR as in table I of ternary-pcsa; a lane whose x is zero (padding, too) adds exactly 0.
// Parameters  Width     lanes, >= 1
//             SumWidth  bits of the sum, >= clog2(Width + 1) + 1
// Latency     1 cycle after valid_i
// Throughput  one slice a cycle
// Overflow    none: |sum| <= Width
`default_nettype none

module hf_gxnor_popcount #(
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                    clk_i,
    // Operands
    input  wire logic                    valid_i,
    input  wire logic        [Width-1:0] x_nonzero_i,
    input  wire logic        [Width-1:0] x_positive_i,
    input  wire logic        [Width-1:0] w_nonzero_i,
    input  wire logic        [Width-1:0] w_positive_i,
    // Sum
    output logic signed [SumWidth-1:0]   sum_o
);
  if (Width < 1) begin : gen_error_width
    hf_error_gxnor_popcount_width_must_be_at_least_1 error ();
  end
  if (SumWidth < $clog2(Width + 1) + 1) begin : gen_error_sum
    hf_error_gxnor_popcount_sum_width_too_small error ();
  end

  // The products stand in variables of their own: Icarus 11 miscounts the bits of an expression with ~ in it.
  function automatic logic signed [SumWidth-1:0] dot(
      input logic [Width-1:0] x_nonzero, input logic [Width-1:0] x_positive, input logic [Width-1:0] w_nonzero,
      input logic [Width-1:0] w_positive);
    logic [Width-1:0] nonzero;
    logic [Width-1:0] positive;
    nonzero = x_nonzero & w_nonzero;
    positive = nonzero & ~(x_positive ^ w_positive);
    dot = (SumWidth'($countones(positive)) <<< 1) - SumWidth'($countones(nonzero));
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) sum_o <= dot(x_nonzero_i, x_positive_i, w_nonzero_i, w_positive_i);
  end
endmodule

`default_nettype wire
