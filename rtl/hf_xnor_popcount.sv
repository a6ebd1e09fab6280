// Dot product of bipolar values: XNOR lanes and popcount.
//
// Purpose     The binary case of hf_gxnor_popcount: one popcount instead of two.
// Equation    sum = sum_i w_i x_i over the lanes in use = popcount(use) - 2 popcount(use and (w xor x))
//             w xor x is the XNOR of table I of ternary-pcsa, inverted.
// Parameters  Slices    slices side by side, each with a sum of its own, >= 1
//             Width     lanes of a slice, >= 1
//             SumWidth  bits of the sum, >= clog2(Width + 1) + 1
// Latency     1 cycle after valid_i
// Throughput  Slices slices a cycle
// Overflow    none: |sum| <= Width
`default_nettype none

module hf_xnor_popcount #(
    parameter int Slices = 1,
    parameter int Width = 8,
    parameter int SumWidth = $clog2(Width + 1) + 1
) (
    input  wire logic                    clk_i,
    // Operands, slice k at k * Width
    input  wire logic                    valid_i,
    input  wire logic [Slices*Width-1:0] use_i,        // lanes that hold an input; the rest is padding
    input  wire logic [Slices*SumWidth-1:0] used_i,  // popcount(use_i), which the layer knows as a constant
    input  wire logic [Slices*Width-1:0] x_i,
    input  wire logic [Slices*Width-1:0] w_i,
    // Signed sums, slice k at k * SumWidth
    output logic [Slices*SumWidth-1:0]   sum_o
);
  if (Slices < 1) begin : gen_error_slices
    hf_error_xnor_popcount_slices_must_be_at_least_1 error ();
  end
  if (Width < 1) begin : gen_error_width
    hf_error_xnor_popcount_width_must_be_at_least_1 error ();
  end
  if (SumWidth < $clog2(Width + 1) + 1) begin : gen_error_sum
    hf_error_xnor_popcount_sum_width_too_small error ();
  end

  // What is counted stands in a variable: Icarus 11 miscounts the bits of expressions. Operands are read in place: a
  // simulator would copy arguments.
  function automatic logic [SumWidth-1:0] dot(input int k);
    logic [Width-1:0] negative;
    negative = use_i[k*Width+:Width] & (x_i[k*Width+:Width] ^ w_i[k*Width+:Width]);
    dot = used_i[k*SumWidth+:SumWidth] - (SumWidth'($countones(negative)) << 1);
  endfunction

  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      for (int k = 0; k < Slices; k++) sum_o[k*SumWidth+:SumWidth] <= dot(k);
    end
  end
endmodule

`default_nettype wire
