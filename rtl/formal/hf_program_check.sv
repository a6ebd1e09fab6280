// Check of hf_program.
//
// Reference   The cycles of an attempt are counted from 1: one to settle, ResetCycles, one to settle, SetCycles, one to
//             settle; then VerifyCycles from 1 for each cell from 0; then one that decides. So every output is known from
//             these numbers, and from the cells that this attempt writes: at first those in use, then those whose verify
//             failed.
// Pulses      The mask holds what it shall in the pulse and in the cycle before, in which the bit lines settle.
// Assumed     target_i and use_i are stable: the check holds them while the block is busy
// Proof       induction; the block's state is tied to the number of the cycle
`default_nettype none

module hf_program_check #(
    parameter int Arrays = 1,
    parameter int Cells = 2,
    parameter int ResetCycles = 2,
    parameter int SetCycles = 2,
    parameter int VerifyCycles = 2,
    parameter int Attempts = 3,
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    input  wire logic                    start_i,
    input  wire logic [Arrays*Cells-1:0] target_i,
    input  wire logic [Arrays*Cells-1:0] use_i,
    input  wire logic [Arrays-1:0]       verify_i,
    output logic                         fail_o
);
  localparam int AttemptWidth = Attempts > 1 ? $clog2(Attempts) : 1;
  localparam int MostCycles0 = ResetCycles > SetCycles ? ResetCycles : SetCycles;
  localparam int MostCycles = MostCycles0 > VerifyCycles ? MostCycles0 : VerifyCycles;
  localparam int CycleWidth = MostCycles > 1 ? $clog2(MostCycles) : 1;
  // Cycles of an attempt.
  localparam int ResetFirst = 2;
  localparam int SetFirst = ResetFirst + ResetCycles + 1;
  localparam int VerifyFirst = SetFirst + SetCycles + 1;

  logic busy_q;
  logic [Arrays*Cells-1:0] target, used, held_target_q, held_used_q;
  assign target = busy_q ? held_target_q : target_i;
  assign used = busy_q ? held_used_q : use_i;

  logic busy, done, failed;
  logic [2:0] operation;
  logic [Arrays*Cells-1:0] mask;
  logic [CellWidth-1:0] at;
  hf_program #(
      .Arrays(Arrays), .Cells(Cells), .ResetCycles(ResetCycles), .SetCycles(SetCycles), .VerifyCycles(VerifyCycles),
      .Attempts(Attempts)
  ) dut (
      .clk_i, .rst_ni, .start_i, .target_i(target), .use_i(used), .busy_o(busy), .done_o(done), .failed_o(failed),
      .program_o(operation), .mask_o(mask), .cell_o(at), .verify_i);

  logic live_q;  // a reset has been seen
  logic [31:0] cycle_q, attempt_q;         // VerifyFirst stands for all that follow
  logic [31:0] cell_q, verify_q;           // Cells stands for the cycle that decides
  logic [Arrays*Cells-1:0] write_q;        // cells of this attempt
  logic [Arrays*Cells-1:0] wrong_q;        // cells whose verify failed in it
  logic verifies, last, finished;
  initial live_q = 1'b0;
  assign verifies = cycle_q == VerifyFirst && cell_q != Cells;
  assign last = cycle_q == VerifyFirst && cell_q == Cells;
  assign finished = last && (wrong_q == '0 || attempt_q == Attempts);

  always_ff @(posedge clk_i) begin
    held_target_q <= target;
    held_used_q <= used;
    if (!rst_ni) begin
      live_q <= 1'b1;
      busy_q <= 1'b0;
    end else if (!busy_q) begin
      busy_q <= start_i;
      cycle_q <= 1;
      attempt_q <= 1;
      write_q <= use_i;
      wrong_q <= '0;
    end else if (last) begin
      busy_q <= !finished;
      cycle_q <= 1;
      attempt_q <= attempt_q + 1;
      write_q <= wrong_q;
      wrong_q <= '0;
    end else if (!verifies) begin
      cycle_q <= cycle_q + 1;
      cell_q <= 0;
      verify_q <= 1;
    end else begin
      verify_q <= verify_q == VerifyCycles ? 1 : verify_q + 1;
      if (verify_q == VerifyCycles) begin
        cell_q <= cell_q + 1;
        for (int a = 0; a < Arrays; a++) begin
          for (int c = 0; c < Cells; c++) begin
            if (cell_q == c) wrong_q[a*Cells+c] <= used[a*Cells+c] && target[a*Cells+c] != verify_i[a];
          end
        end
      end
    end
  end

  logic resets, sets, bad;
  assign resets = cycle_q >= ResetFirst && cycle_q < ResetFirst + ResetCycles;
  assign sets = cycle_q >= SetFirst && cycle_q < SetFirst + SetCycles;
  always_comb begin
    bad = busy != busy_q || done != (busy_q && finished);
    if (done && failed != (wrong_q != '0)) bad = 1'b1;
    if (operation != (!busy_q ? 3'd0 : resets ? 3'd3 : sets ? 3'd2 : verifies ? 3'd4 : 3'd0)) bad = 1'b1;
    if (busy_q && (resets || cycle_q == ResetFirst - 1) && mask != (write_q & ~target)) bad = 1'b1;
    if (busy_q && (sets || cycle_q == SetFirst - 1) && mask != (write_q & target)) bad = 1'b1;
    if (busy_q && verifies && 32'(at) != cell_q) bad = 1'b1;
  end

  // ---------------------------------------------------------------- tie
  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [2:0] \dut.state_q ;
  (* hierconn *) wire [2:0] \dut.next_q ;
  (* hierconn *) wire [CycleWidth-1:0] \dut.left_q ;
  (* hierconn *) wire [AttemptWidth-1:0] \dut.attempt_q ;
  (* hierconn *) wire [Arrays*Cells-1:0] \dut.pending_q ;
  (* hierconn *) wire [Arrays*Cells-1:0] \dut.wrong_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  always_comb begin
    tied = !busy_q;
    if (busy_q) begin
      tied = cycle_q >= 1 && cycle_q <= VerifyFirst && attempt_q >= 1 && attempt_q <= Attempts
          && 32'(\dut.attempt_q ) + 1 == attempt_q && \dut.pending_q == write_q;
      // Gap, reset, set, verify and decide of the block.
      if (cycle_q < ResetFirst) tied = tied && \dut.state_q == 3'd1 && \dut.next_q == 3'd2;
      else if (resets) begin
        tied = tied && \dut.state_q == 3'd2 && \dut.next_q == 3'd2
            && 32'(\dut.left_q ) + 1 + cycle_q == ResetFirst + ResetCycles;
      end else if (cycle_q < SetFirst) tied = tied && \dut.state_q == 3'd1 && \dut.next_q == 3'd3;
      else if (sets) begin
        tied = tied && \dut.state_q == 3'd3 && \dut.next_q == 3'd3
            && 32'(\dut.left_q ) + 1 + cycle_q == SetFirst + SetCycles;
      end else if (cycle_q < VerifyFirst) tied = tied && \dut.state_q == 3'd1 && \dut.next_q == 3'd4;
      else if (verifies) begin
        tied = tied && \dut.state_q == 3'd4 && 32'(\dut.left_q ) + verify_q == VerifyCycles
            && cell_q < Cells && verify_q >= 1 && verify_q <= VerifyCycles;
      end else tied = tied && \dut.state_q == 3'd5;
      // The block clears these as it settles, the reference as an attempt begins.
      tied = tied && (cycle_q >= VerifyFirst ? \dut.wrong_q == wrong_q : wrong_q == '0);
    end
  end

  assign fail_o = live_q && (bad || !tied);
endmodule

`default_nettype wire
