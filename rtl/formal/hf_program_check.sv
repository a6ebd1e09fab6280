// Check of hf_program.
//
// Reference   The phases of an attempt by number, and the cycles of a phase from 0, in which the bit lines settle; a verify
//             counts the cycles of each cell from 1. One cycle decides; where nothing was verified, it settles, too. So every
//             output is known from these numbers, and from the cells that this attempt writes: at first those in use, then
//             those whose verify failed.
// Supply      Where it is lost, the decision follows at once and says so; all cells in use count as wrong.
// Pulses      The mask holds what it shall in the pulse and in the cycle before. Under reset there is none, also before a clock
//             edge has seen it.
// Assumed     Counts as the header has them, and inputs that are stable: the check holds them while the block is busy
// Proof       induction; the block's state is tied to the number of the cycle
`default_nettype none

module hf_program_check #(
    parameter int Arrays = 1,
    parameter int Cells = 2,
    parameter int CountWidth = 12,
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    input  wire logic                    start_i,
    input  wire logic [3:0]              phases_i,
    input  wire logic [CountWidth-1:0]   form_cycles_i,
    input  wire logic [CountWidth-1:0]   reset_cycles_i,
    input  wire logic [CountWidth-1:0]   set_cycles_i,
    input  wire logic [CountWidth-1:0]   verify_cycles_i,
    input  wire logic [CountWidth-1:0]   attempts_i,
    input  wire logic [CellWidth-1:0]    last_cell_i,
    input  wire logic [Arrays*Cells-1:0] target_i,
    input  wire logic [Arrays*Cells-1:0] use_i,
    input  wire logic [Arrays-1:0]       verify_i,
    input  wire logic                    wait_i,
    input  wire logic                    supply_i,
    output logic                         fail_o
);
  // ---------------------------------------------------------------- inputs
  localparam int Held = 4 + 5 * CountWidth + CellWidth + 2 * Arrays * Cells;
  logic busy_q;
  logic [Held-1:0] held, held_q;
  logic [3:0] phases;
  logic [CountWidth-1:0] form_cycles, reset_cycles, set_cycles, verify_cycles, attempts;
  logic [CellWidth-1:0] last_cell;
  logic [Arrays*Cells-1:0] target, used;

  function automatic logic [CountWidth-1:0] at_least(input logic [CountWidth-1:0] count, input logic [CountWidth-1:0] least);
    at_least = count < least ? least : count;
  endfunction
  assign held = busy_q ? held_q : {
      phases_i, at_least(form_cycles_i, 1), at_least(reset_cycles_i, 1), at_least(set_cycles_i, 1),
      at_least(verify_cycles_i, 2), at_least(attempts_i, 1),
      32'(last_cell_i) < Cells ? last_cell_i : CellWidth'(Cells - 1), target_i, use_i};
  assign {phases, form_cycles, reset_cycles, set_cycles, verify_cycles, attempts, last_cell, target, used} = held;

  logic busy, done, failed, lost;
  logic [2:0] operation;
  logic [Arrays*Cells-1:0] mask, wrong;
  logic [CellWidth-1:0] at;
  logic [CountWidth-1:0] attempt;
  hf_program #(
      .Arrays(Arrays), .Cells(Cells), .CountWidth(CountWidth)
  ) dut (
      .clk_i, .rst_ni, .start_i, .phases_i(phases), .form_cycles_i(form_cycles), .reset_cycles_i(reset_cycles),
      .set_cycles_i(set_cycles), .verify_cycles_i(verify_cycles), .attempts_i(attempts), .last_cell_i(last_cell),
      .target_i(target), .use_i(used), .busy_o(busy), .done_o(done), .failed_o(failed), .wrong_o(wrong),
      .attempt_o(attempt), .program_o(operation), .mask_o(mask), .cell_o(at), .verify_i,
      .lost_o(lost), .wait_i, .supply_i);

  // ---------------------------------------------------------------- reference
  logic live_q;  // a reset has been seen
  logic [2:0] phase_q;                     // 0: FORM, 1: RESET, 2: SET, 3: verify, 4: decides
  logic [CountWidth:0] cycle_q;            // of the phase: 0 settles; that of the verify is the cell's, from 1
  logic [CountWidth-1:0] attempt_q;
  logic [CellWidth-1:0] cell_q;
  logic [Arrays*Cells-1:0] write_q;        // cells of this attempt
  logic [Arrays*Cells-1:0] wrong_q;        // cells whose verify failed in it
  logic lost_q;                            // the supply was low while the block was busy
  logic settles, pulses, verifies, decides, finished, phase_ends;
  logic [CountWidth-1:0] length;
  logic [2:0] first, following;
  initial live_q = 1'b0;
  assign length = phase_q == 0 ? form_cycles : phase_q == 1 ? reset_cycles : phase_q == 2 ? set_cycles : verify_cycles;
  assign settles = cycle_q == 0;
  assign pulses = !settles && phase_q <= 2;
  assign verifies = !settles && phase_q == 3;
  assign decides = !settles && phase_q == 4;
  assign finished = decides && (lost_q || wrong_q == '0 || attempt_q == attempts);
  assign phase_ends = cycle_q == {1'b0, length} && (pulses || (verifies && cell_q == last_cell));
  always_comb begin
    first = 3'd4;
    following = 3'd4;
    for (int p = 3; p >= 0; p--) begin
      if (phases[p]) begin
        first = 3'(p);
        if (p > 32'(phase_q)) following = 3'(p);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    held_q <= held;
    if (!rst_ni) begin
      live_q <= 1'b1;
      busy_q <= 1'b0;
      wrong_q <= '0;
    end else if (!busy_q) begin
      busy_q <= start_i;
      phase_q <= first;
      cycle_q <= 0;
      attempt_q <= 1;
      write_q <= use_i;
      lost_q <= 1'b0;
      if (start_i) wrong_q <= '0;
    end else if (!supply_i && !finished) begin
      // All that is left is to report it.
      phase_q <= 4;
      cycle_q <= 1;
      lost_q <= 1'b1;
      wrong_q <= used;
    end else if (decides) begin
      busy_q <= !finished;
      if (!finished) begin
        phase_q <= first;
        cycle_q <= 0;
        attempt_q <= attempt_q + 1'b1;
        write_q <= wrong_q;
        wrong_q <= '0;
      end
    end else if (!settles || !wait_i) begin
      // Only a verify is followed by the decision at once.
      cycle_q <= phase_ends ? (CountWidth + 1)'(verifies) : cycle_q == {1'b0, length} && verifies ? 1 : cycle_q + 1'b1;
      if (phase_ends) phase_q <= following;
      if (settles) cell_q <= '0;
      if (verifies && cycle_q == {1'b0, length}) begin
        cell_q <= cell_q + 1'b1;
        for (int a = 0; a < Arrays; a++) begin
          for (int c = 0; c < Cells; c++) begin
            if (32'(cell_q) == c) wrong_q[a*Cells+c] <= used[a*Cells+c] && target[a*Cells+c] != verify_i[a];
          end
        end
      end
    end
  end

  logic bad;
  always_comb begin
    bad = busy != busy_q || done != (busy_q && finished);
    if (done && (failed != (wrong_q != '0 || lost_q) || lost != lost_q || attempt != attempt_q)) bad = 1'b1;
    if ((done || !busy_q) && wrong != wrong_q) bad = 1'b1;
    if (operation != (!busy_q || !rst_ni ? 3'd0 : pulses ? (phase_q == 0 ? 3'd1 : phase_q == 1 ? 3'd3 : 3'd2) : verifies ? 3'd4 : 3'd0)) begin
      bad = 1'b1;
    end
    if (busy_q && phase_q == 1 && mask != (write_q & ~target)) bad = 1'b1;
    if (busy_q && (phase_q == 0 || phase_q == 2) && mask != (write_q & target)) bad = 1'b1;
    if (busy_q && verifies && at != cell_q) bad = 1'b1;
  end

  // ---------------------------------------------------------------- tie
  // verilator lint_off UNDRIVEN
  // The block's own registers, by name: Yosys joins these wires to them when it flattens; a linter sees no driver.
  (* hierconn *) wire [2:0] \dut.state_q ;
  (* hierconn *) wire [2:0] \dut.next_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.left_q ;
  (* hierconn *) wire [CountWidth-1:0] \dut.attempt_q ;
  (* hierconn *) wire [Arrays*Cells-1:0] \dut.pending_q ;
  (* hierconn *) wire [Arrays*Cells-1:0] \dut.wrong_q ;
  (* hierconn *) wire \dut.lost_q ;
  // verilator lint_on UNDRIVEN
  logic tied;
  always_comb begin
    // The block clears these as it settles, the reference as an attempt begins.
    tied = !busy_q && \dut.wrong_q == wrong_q;
    if (busy_q) begin
      tied = phase_q <= 4 && attempt_q >= 1 && attempt_q <= attempts && \dut.attempt_q == attempt_q
          && (lost_q || \dut.pending_q == write_q) && 32'(last_cell) < Cells
          && \dut.state_q == (settles ? 3'd1 : phase_q + 3'd2) && (verifies || decides || \dut.next_q == phase_q + 3'd2);
      tied = tied && (verifies || decides ? \dut.wrong_q == wrong_q : wrong_q == '0);
      if (pulses || verifies) tied = tied && cycle_q <= {1'b0, length} && {1'b0, \dut.left_q } + cycle_q == {1'b0, length};
      if (decides) tied = tied && cycle_q == 1;
      tied = tied && \dut.lost_q == lost_q && (decides || !lost_q);
      if (verifies) tied = tied && cell_q <= last_cell;
      // Only phases that are asked for; the decision settles where nothing is verified.
      tied = tied && (phase_q == 4 ? !(settles && phases[3]) : phases[phase_q[1:0]]);
      tied = tied && form_cycles != '0 && reset_cycles != '0 && set_cycles != '0 && verify_cycles != '0;
    end
  end

  assign fail_o = (!rst_ni && operation != 3'd0) || live_q && (bad || !tied);
endmodule

`default_nettype wire
