// Program sequencer of one word line.
//
// Purpose     Forms, resets, sets and verifies the cells of a word line in one or more arrays. An attempt at a word line goes
//             through the phases that are asked for, in this order: a FORM pulse for cells that shall be LRS, a RESET pulse for
//             those that shall be HRS, a SET pulse for those that shall be LRS, a verify of every single cell against the
//             reference. Cells that failed are pulsed again, up to attempts_i times in all; a failure that remains is reported.
// Equation    done_o with failed_o = 0 after a verify: every cell of use_i was verified as target_i (1 = LRS)
// Supply      where supply_i is low while the block is busy, the pulse ends at once: done_o comes with failed_o and lost_o, and
//             wrong_o says that nothing is known of any cell in use
// Parameters  Arrays      arrays that are programmed side by side, >= 1
//             Cells       cells of the word line in an array, >= 1
//             CountWidth  bits of the counts of cycles and attempts, 2 to 32
// Latency     done_o comes n (P + V + 1) cycles after start_i, n the attempts that were needed. P: a cycle and the pulse's
//             length for each pulse of an attempt; V: a cycle and (last_cell_i + 1) verify_cycles_i for a verify, else a
//             cycle. A cycle without an operation, in which the bit lines settle, precedes every phase, more where the
//             arrays keep wait_i high; one more decides what follows. program_o comes from a register, behind the reset.
// Throughput  one word line at a time; start_i only while busy_o is low
// Overflow    none. A pulse takes 1 cycle or more, a verify 2 or more: the array answers from the second one on
`default_nettype none

module hf_program #(
    parameter int Arrays = 1,
    parameter int Cells = 2,
    parameter int CountWidth = 12,
    localparam int CellWidth = Cells > 1 ? $clog2(Cells) : 1
) (
    input  wire logic                    clk_i,
    input  wire logic                    rst_ni,
    // Control; all but start_i stable while busy_o is high
    input  wire logic                    start_i,
    input  wire logic [3:0]              phases_i,         // {verify, SET, RESET, FORM}
    input  wire logic [CountWidth-1:0]   form_cycles_i,    // >= 1
    input  wire logic [CountWidth-1:0]   reset_cycles_i,   // >= 1
    input  wire logic [CountWidth-1:0]   set_cycles_i,     // >= 1
    input  wire logic [CountWidth-1:0]   verify_cycles_i,  // >= 2
    input  wire logic [CountWidth-1:0]   attempts_i,       // >= 1
    input  wire logic [CellWidth-1:0]    last_cell_i,      // cells behind it are not verified
    input  wire logic [Arrays*Cells-1:0] target_i,         // array a's cells at a * Cells
    input  wire logic [Arrays*Cells-1:0] use_i,            // cells that are written
    output logic                         busy_o,
    output logic                         done_o,           // one cycle
    output logic                         failed_o,         // with done_o: some cells could not be written
    output logic      [Arrays*Cells-1:0] wrong_o,          // with done_o and until the next start_i: these
    output logic      [CountWidth-1:0]   attempt_o,        // with done_o: attempts that were made
    output logic                         lost_o,           // with done_o: the supply was lost
    // Arrays
    output logic      [2:0]              program_o,        // 0: none, 1: FORM, 2: SET, 3: RESET, 4: VERIFY
    output logic      [Arrays*Cells-1:0] mask_o,
    output logic      [CellWidth-1:0]    cell_o,
    input  wire logic [Arrays-1:0]       verify_i,
    input  wire logic                    wait_i,           // an array is not done with its last pulse
    input  wire logic                    supply_i          // the arrays can be pulsed and read
);
  if (Arrays < 1 || Cells < 1) begin : gen_error_sizes
    hf_error_program_arrays_and_cells_must_be_at_least_1 error ();
  end
  if (CountWidth < 2 || CountWidth > 32) begin : gen_error_width
    hf_error_program_count_width_must_be_2_to_32 error ();
  end

  localparam logic [2:0] Idle = 3'd0;
  localparam logic [2:0] Gap = 3'd1;     // no operation, the bit lines settle
  localparam logic [2:0] Form = 3'd2;
  localparam logic [2:0] Reset = 3'd3;
  localparam logic [2:0] Set = 3'd4;
  localparam logic [2:0] Verify = 3'd5;
  localparam logic [2:0] Decide = 3'd6;

  localparam logic [2:0] OpNone = 3'd0;
  localparam logic [2:0] OpForm = 3'd1;
  localparam logic [2:0] OpSet = 3'd2;
  localparam logic [2:0] OpReset = 3'd3;
  localparam logic [2:0] OpVerify = 3'd4;

  logic [2:0] state_q, state_d, next_q, next_d;  // next: what follows the gap
  logic [2:0] program_q, program_d;
  logic [CountWidth-1:0] left_q, left_d;         // cycles of this operation after the current one
  logic [CellWidth-1:0] cell_q, cell_d;
  logic [CountWidth-1:0] attempt_q, attempt_d;   // this one, from 1
  logic [Arrays*Cells-1:0] pending_q;            // cells still to be written
  logic [Arrays*Cells-1:0] wrong_q;              // cells whose verify failed in this attempt
  logic again;

  // The phases that are asked for, one after the other.
  logic [2:0] first, after_form, after_reset, after_set;
  assign after_set = phases_i[3] ? Verify : Decide;
  assign after_reset = phases_i[2] ? Set : after_set;
  assign after_form = phases_i[1] ? Reset : after_reset;
  assign first = phases_i[0] ? Form : after_form;

  assign busy_o = state_q != Idle;
  logic lost_q;                                  // this word line's supply was lost
  assign again = wrong_q != '0 && attempt_q != attempts_i && !lost_q;
  assign done_o = state_q == Decide && !again;
  assign failed_o = wrong_q != '0 || lost_q;
  assign lost_o = lost_q;
  assign wrong_o = wrong_q;
  assign attempt_o = attempt_q;

  always_comb begin
    state_d = state_q;
    next_d = next_q;
    left_d = left_q - 1'b1;
    cell_d = cell_q;
    attempt_d = attempt_q;
    case (state_q)
      Idle:
      if (start_i) begin
        state_d = Gap;
        next_d = first;
        attempt_d = CountWidth'(1);
      end
      Gap:
      if (!wait_i) begin
        state_d = next_q;
        left_d = (next_q == Form ? form_cycles_i : next_q == Reset ? reset_cycles_i
                  : next_q == Set ? set_cycles_i : verify_cycles_i) - 1'b1;
        cell_d = '0;
      end
      Form, Reset, Set:
      if (left_q == '0) begin
        state_d = Gap;
        next_d = state_q == Form ? after_form : state_q == Reset ? after_reset : after_set;
      end
      Verify:
      if (left_q == '0) begin
        left_d = verify_cycles_i - 1'b1;
        cell_d = cell_q + 1'b1;
        if (cell_q == last_cell_i) state_d = Decide;
      end
      default: begin
        state_d = again ? Gap : Idle;
        next_d = first;
        if (again) attempt_d = attempt_q + 1'b1;
      end
    endcase
    if (busy_o && !supply_i && !done_o) begin
      state_d = Decide;
      attempt_d = attempt_q;
    end
    program_d = state_d == Form ? OpForm : state_d == Reset ? OpReset : state_d == Set ? OpSet
              : state_d == Verify ? OpVerify : OpNone;
  end

  always_ff @(posedge clk_i) begin
    if (!rst_ni) begin
      state_q <= Idle;
      program_q <= OpNone;
    end else begin
      state_q <= state_d;
      program_q <= program_d;
    end
    next_q <= next_d;
    left_q <= left_d;
    cell_q <= cell_d;
    attempt_q <= attempt_d;
    if (state_q == Idle) pending_q <= use_i;
    else if (state_q == Decide) pending_q <= wrong_q;
    if (!rst_ni || state_q == Idle) lost_q <= 1'b0;
    else if (!supply_i) lost_q <= 1'b1;
    if (rst_ni && busy_o && !supply_i && !done_o) wrong_q <= use_i;
    else if (!rst_ni || state_q == Gap) wrong_q <= '0;
    else if (state_q == Verify && left_q == '0) begin
      for (int a = 0; a < Arrays; a++) begin
        wrong_q[a*Cells+32'(cell_q)] <= use_i[a*Cells+32'(cell_q)]
            && verify_i[a] != target_i[a*Cells+32'(cell_q)];
      end
    end
  end

  // Before the first edge of a clock that starts late the register may hold anything, and cells keep what a pulse does to them.
  assign program_o = rst_ni ? program_q : OpNone;
  assign mask_o = next_q == Reset ? pending_q & ~target_i : pending_q & target_i;
  assign cell_o = cell_q;
endmodule

`default_nettype wire
