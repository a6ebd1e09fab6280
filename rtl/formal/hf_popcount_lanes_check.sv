// Lemma for hf_gxnor_popcount and hf_xnor_popcount, second half of their proofs by composition.
//
// Reference   However many lanes have been added, the sum of their products is n - 2 m, where m counts the products -1
//             and n the products that are not 0. For bipolar lanes n counts the lanes in use.
// Proof       induction over lanes, one a cycle
`default_nettype none

module hf_popcount_lanes_check #(
    parameter int SumWidth = 5
) (
    input  wire logic clk_i,
    input  wire logic first_i,      // begin with no lanes
    input  wire logic x_nonzero_i,
    input  wire logic x_positive_i,
    input  wire logic w_nonzero_i,
    input  wire logic w_positive_i,
    output logic      fail_o
);
  logic begun_q;
  logic signed [SumWidth-1:0] sum_q, product;
  logic [SumWidth-1:0] minus_q, nonzero_q;
  initial begun_q = 1'b0;

  // w x by the table of signs.
  always_comb begin
    case ({x_nonzero_i && w_nonzero_i, x_positive_i, w_positive_i})
      3'b100, 3'b111: product = SumWidth'(1);
      3'b101, 3'b110: product = '1;
      default: product = '0;
    endcase
  end

  always_ff @(posedge clk_i) begin
    if (first_i) begin
      begun_q <= 1'b1;
      sum_q <= '0;
      minus_q <= '0;
      nonzero_q <= '0;
    end else begin
      sum_q <= sum_q + product;
      minus_q <= minus_q + SumWidth'(x_nonzero_i && w_nonzero_i && x_positive_i != w_positive_i);
      nonzero_q <= nonzero_q + SumWidth'(x_nonzero_i && w_nonzero_i);
    end
  end
  assign fail_o = begun_q && sum_q != nonzero_q - (minus_q << 1);
endmodule

`default_nettype wire
