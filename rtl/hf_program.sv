// Program sequencer of one word line.
//
// Purpose     Writes the cells of a word line in one or more arrays: a RESET pulse for those that shall be HRS, a SET pulse for
//             those that shall be LRS, then a verify of every single cell against the reference. Cells that failed are
//             pulsed again, up to Attempts times in all; a failure that remains is reported.
// Equation    done_o with failed_o = 0: every cell of use_i was verified as target_i (1 = LRS)
// Parameters  Arrays         arrays that are programmed side by side, >= 1
//             Cells          cells of the word line in an array, >= 1
//             ResetCycles, SetCycles  length of the pulses, >= 1
//             VerifyCycles   cycles of a verify, >= 2: the array answers from the second one on
//             Attempts       >= 1
// Latency     done_o comes n (ResetCycles + SetCycles + Cells * VerifyCycles + 4) cycles after start_i, n the attempts that
//             were needed. A cycle without an operation, in which the bit lines settle, precedes every pulse and the
//             verifies; one more decides what follows them. program_o comes from registers.
// Throughput  one word line at a time; start_i only while busy_o is low
// Overflow    none
`default_nettype none

module hf_program #(
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
    // Control
    input  wire logic                    start_i,
    input  wire logic [Arrays*Cells-1:0] target_i,  // array a's cells at a * Cells; stable while busy_o is high
    input  wire logic [Arrays*Cells-1:0] use_i,     // cells that are written; stable too
    output logic                         busy_o,
    output logic                         done_o,    // one cycle
    output logic                         failed_o,  // with done_o: some cells could not be written
    // Arrays
    output logic      [2:0]              program_o,  // 0: none, 2: SET, 3: RESET, 4: VERIFY
    output logic      [Arrays*Cells-1:0] mask_o,
    output logic      [CellWidth-1:0]    cell_o,
    input  wire logic [Arrays-1:0]       verify_i
);
  localparam int MostCycles0 = ResetCycles > SetCycles ? ResetCycles : SetCycles;
  localparam int MostCycles = MostCycles0 > VerifyCycles ? MostCycles0 : VerifyCycles;
  localparam int CycleWidth = MostCycles > 1 ? $clog2(MostCycles) : 1;
  localparam int AttemptWidth = Attempts > 1 ? $clog2(Attempts) : 1;

  if (Arrays < 1 || Cells < 1) begin : gen_error_sizes
    hf_error_program_arrays_and_cells_must_be_at_least_1 error ();
  end
  if (ResetCycles < 1 || SetCycles < 1 || VerifyCycles < 2) begin : gen_error_cycles
    hf_error_program_pulses_take_1_cycle_and_a_verify_2_or_more error ();
  end
  if (Attempts < 1) begin : gen_error_attempts
    hf_error_program_attempts_must_be_at_least_1 error ();
  end

  localparam logic [2:0] Idle = 3'd0;
  localparam logic [2:0] Gap = 3'd1;     // no operation, the bit lines settle
  localparam logic [2:0] Reset = 3'd2;
  localparam logic [2:0] Set = 3'd3;
  localparam logic [2:0] Verify = 3'd4;
  localparam logic [2:0] Decide = 3'd5;

  localparam logic [2:0] OpNone = 3'd0;
  localparam logic [2:0] OpSet = 3'd2;
  localparam logic [2:0] OpReset = 3'd3;
  localparam logic [2:0] OpVerify = 3'd4;

  logic [2:0] state_q, state_d, next_q, next_d;  // next: what follows the gap
  logic [2:0] program_q, program_d;
  logic [CycleWidth-1:0] left_q, left_d;         // cycles of this operation after the current one
  logic [CellWidth-1:0] cell_q, cell_d;
  logic [AttemptWidth-1:0] attempt_q, attempt_d;
  logic [Arrays*Cells-1:0] pending_q;            // cells still to be written
  logic [Arrays*Cells-1:0] wrong_q;              // cells whose verify failed in this attempt
  logic again;

  assign busy_o = state_q != Idle;
  assign again = wrong_q != '0 && attempt_q != AttemptWidth'(Attempts - 1);
  assign done_o = state_q == Decide && !again;
  assign failed_o = wrong_q != '0;

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
        next_d = Reset;
        attempt_d = '0;
      end
      Gap: begin
        state_d = next_q;
        left_d = next_q == Reset ? CycleWidth'(ResetCycles - 1)
               : next_q == Set ? CycleWidth'(SetCycles - 1) : CycleWidth'(VerifyCycles - 1);
        cell_d = '0;
      end
      Reset:
      if (left_q == '0) begin
        state_d = Gap;
        next_d = Set;
      end
      Set:
      if (left_q == '0) begin
        state_d = Gap;
        next_d = Verify;
      end
      Verify:
      if (left_q == '0) begin
        left_d = CycleWidth'(VerifyCycles - 1);
        cell_d = cell_q + 1'b1;
        if (cell_q == CellWidth'(Cells - 1)) state_d = Decide;
      end
      default: begin
        state_d = again ? Gap : Idle;
        next_d = Reset;
        attempt_d = attempt_q + 1'b1;
      end
    endcase
    program_d = state_d == Reset ? OpReset : state_d == Set ? OpSet : state_d == Verify ? OpVerify : OpNone;
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
    if (state_q == Gap) wrong_q <= '0;
    else if (state_q == Verify && left_q == '0) begin
      for (int a = 0; a < Arrays; a++) begin
        wrong_q[a*Cells+32'(cell_q)] <= use_i[a*Cells+32'(cell_q)]
            && verify_i[a] != target_i[a*Cells+32'(cell_q)];
      end
    end
  end

  assign program_o = program_q;
  assign mask_o = next_q == Set ? pending_q & target_i : pending_q & ~target_i;
  assign cell_o = cell_q;
endmodule

`default_nettype wire
