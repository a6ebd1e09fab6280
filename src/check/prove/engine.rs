//! Decides one obligation with Yosys and ABC.
//!
//! Yosys elaborates the check around the block. A bit without a driver, or an X, becomes a free input, so a block that
//! leans on one fails. Induction is decided by Yosys' own SAT solver; an interval is unrolled and decided by ABC, by SAT
//! sweeping or by building its decision diagram. What ABC disproves, Yosys solves again to show the inputs.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::block::{Method, Obligation};
use super::{ProveError, write};
use crate::tool::{self, Run, ToolError};

/// Induction steps that are tried; the checks are written to need one.
const MAX_DEPTH: usize = 3;
/// Cycles from reset in which a real run is looked for when an induction step fails.
const SEARCH_CYCLES: usize = 16;
/// Nodes that a decision diagram may have.
const MAX_NODES: usize = 30_000_000;

/// A signal's value in a counterexample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Cycle from 1; 0 is the state before it.
    pub cycle: usize,
    pub signal: String,
    /// Binary digits.
    pub value: String,
}

/// What came out.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Holds {
        how: String,
        depth: usize,
    },
    Fails {
        how: String,
        depth: usize,
        counterexample: Vec<Assignment>,
        note: Option<String>,
    },
    /// Neither shown nor disproven in time.
    Open {
        reason: String,
    },
}

/// What an obligation is decided in.
pub struct Job<'a> {
    pub obligation: &'a Obligation,
    /// The build directory: memory images are read relative to it.
    pub build: &'a Path,
    /// Files of the block, and of the check.
    pub files: &'a [PathBuf],
    /// An empty folder for scripts and logs.
    pub work: &'a Path,
    pub limit: Duration,
}

impl Job<'_> {
    pub fn decide(&self) -> Result<Outcome, ProveError> {
        let start = Instant::now();
        let prepared = self.prepare()?;
        if !prepared {
            return Ok(Outcome::Open { reason: format!("elaboration took more than {} s", self.limit.as_secs()) });
        }
        let left = self.limit.saturating_sub(start.elapsed()).max(Duration::from_secs(1));
        match self.obligation.method {
            Method::Induction => self.induction(left),
            Method::Interval { cycles } => self.interval(cycles, left),
        }
    }

    /// Elaborates the check to `check.il`, and to `check.aig` where ABC needs it. False when the time is up.
    fn prepare(&self) -> Result<bool, ProveError> {
        let mut script = String::from("read_verilog -sv -formal -D SYNTHESIS -defer");
        for file in self.files {
            script.push(' ');
            script.push_str(&super::quoted(file)?);
        }
        script.push_str(&format!("\nhierarchy -check -top {}", self.obligation.check));
        for (name, value) in &self.obligation.parameters {
            if let Some(constant) = value.constant() {
                script.push_str(&format!(" -chparam {name} {constant}"));
            }
        }
        let il = super::quoted(&self.work.join("check.il"))?;
        script.push_str("\nproc\nflatten\n");
        if let Some(memory) = self.obligation.memory {
            // The check's memory of this name stands for the block's, which `flatten` numbered to tell them apart.
            script.push_str(&format!("setparam -set MEMID \"\\dut.{memory}_1\" t:$memrd* r:MEMID=\\dut.{memory} %i\n"));
        }
        // Multiplications of the same operands become one: a solver takes long to tell that two are equal.
        // Reads stay apart from registers beside them: a check ties a register to what the memory holds.
        script.push_str(
            "opt_expr\nopt_clean\nopt_merge t:$mul\ncheck -assert\n\
             select -assert-none t:$dlatch t:$adlatch t:$sr t:$dlatchsr\n\
             memory -nordff\nopt_expr\nwreduce\nopt_clean -purge\nsetundef -undriven -anyseq\n",
        );
        script.push_str(&format!("write_ilang {il}\n"));
        if matches!(self.obligation.method, Method::Interval { .. }) {
            let aig = super::quoted(&self.work.join("check.aig"))?;
            // Without opt_clean, which takes longer here than all the rest; ABC drops what is not used.
            script.push_str("techmap\ndffunmap\naigmap\n");
            script.push_str(&format!("write_aiger -symbols {aig}\n"));
        }
        match self.yosys("prepare", &script, self.limit) {
            Ok(_) => Ok(true),
            Err(ProveError::Tool(ToolError::TimedOut { .. })) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn induction(&self, limit: Duration) -> Result<Outcome, ProveError> {
        let solve = format!("sat -tempinduct -seq 1 -maxsteps {MAX_DEPTH} -prove fail_o 0 -show-ports");
        let Some(log) = self.solve("induction", &solve, limit)? else {
            return Ok(Outcome::Open { reason: timed_out(self.limit) });
        };
        let depth = count(&log, "Base case for induction length").max(1);
        let how = "induction (SAT)".to_owned();
        if log.contains("Induction step proven: SUCCESS!") {
            return Ok(Outcome::Holds { how, depth });
        }
        if log.contains("model found for base case: FAIL!") {
            return Ok(Outcome::Fails { how, depth, counterexample: last_model(&log), note: None });
        }
        if !log.contains("Reached maximum number of time steps -> proof failed.") {
            return Err(self.unexpected("induction", &log));
        }
        // The step fails; a run from reset would make that concrete.
        let search = format!("sat -seq {SEARCH_CYCLES} -prove fail_o 0 -show-ports");
        let found = self.solve("search", &search, limit)?;
        if let Some(found) = found.filter(|log| log.contains("model found: FAIL!")) {
            return Ok(Outcome::Fails {
                how: "bounded search (SAT)".to_owned(),
                depth: SEARCH_CYCLES,
                counterexample: last_model(&found),
                note: None,
            });
        }
        let note = format!(
            "from the state shown; no run of {SEARCH_CYCLES} cycles from power-up leads to a failure, so the state \
             may be out of reach"
        );
        Ok(Outcome::Fails { how, depth, counterexample: last_model(&log), note: Some(note) })
    }

    fn interval(&self, cycles: usize, limit: Duration) -> Result<Outcome, ProveError> {
        let unroll = format!("read_aiger check.aig; frames -F {}; cone -O {cycles}", cycles + 1);
        let seconds = limit.as_secs().max(1);
        let sweep = format!("&get -n; &cec -m -T {seconds}");
        let diagram = format!("collapse -r -B {MAX_NODES}; strash; &get -n; &cec -m -T 1");
        let order = match self.obligation.diagrams_first {
            true => [("decision diagram", &diagram), ("SAT sweeping", &sweep)],
            false => [("SAT sweeping", &sweep), ("decision diagram", &diagram)],
        };
        let start = Instant::now();
        for (step, (how, commands)) in order.into_iter().enumerate() {
            // The first may take a third of the time.
            let share = limit.saturating_sub(start.elapsed()) / if step == 0 { 3 } else { 1 };
            let log = self.work.join(format!("{}.log", how.replace(' ', "_")));
            let run = Run { cwd: self.work, log: &log, limit: Some(share) };
            let text = match tool::run_limited(&tool::YOSYS_ABC, ["-q", &format!("{unroll}; {commands}")], run) {
                Ok(output) => output.text()?,
                Err(ToolError::TimedOut { .. }) => continue,
                // ABC ends with a signal when a diagram outgrows its memory.
                Err(ToolError::Failed { .. }) if how == "decision diagram" => continue,
                Err(error) => return Err(error.into()),
            };
            if text.contains("Networks are equivalent.") {
                return Ok(Outcome::Holds { how: how.to_owned(), depth: cycles });
            }
            if text.contains("Networks are NOT EQUIVALENT.") {
                return self.interval_model(how, cycles);
            }
            if !text.to_lowercase().contains("timed out") && !text.contains("UNDECIDED") && how == "SAT sweeping" {
                return Err(self.unexpected(how, &text));
            }
        }
        Ok(Outcome::Open { reason: timed_out(self.limit) })
    }

    /// Inputs that make an interval fail.
    fn interval_model(&self, how: &str, cycles: usize) -> Result<Outcome, ProveError> {
        let solve = format!("sat -seq {} -prove-skip {cycles} -prove fail_o 0 -show-ports", cycles + 1);
        let log = self.solve("model", &solve, Duration::from_secs(60))?.unwrap_or_default();
        if log.contains("no model found: SUCCESS!") {
            let reason = "ABC and Yosys disagree".to_owned();
            return Err(ProveError::Yosys { path: self.work.to_owned(), reason });
        }
        let counterexample = last_model(&log);
        let note = counterexample.is_empty().then(|| "the inputs that fail were not found again in 60 s".to_owned());
        Ok(Outcome::Fails { how: how.to_owned(), depth: cycles, counterexample, note })
    }

    /// Runs a `sat` command on the prepared check; `None` when the time is up.
    fn solve(&self, name: &str, command: &str, limit: Duration) -> Result<Option<String>, ProveError> {
        let il = super::quoted(&self.work.join("check.il"))?;
        match self.yosys(name, &format!("read_ilang {il}\n{command}\n"), limit) {
            Ok(text) => Ok(Some(text)),
            Err(ProveError::Tool(ToolError::TimedOut { .. })) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn yosys(&self, name: &str, script: &str, limit: Duration) -> Result<String, ProveError> {
        let path = self.work.join(format!("{name}.ys"));
        write(&path, script)?;
        let log = self.work.join(format!("{name}.log"));
        let run = Run { cwd: self.build, log: &log, limit: Some(limit) };
        let output = tool::run_limited(&tool::YOSYS, ["-s".as_ref(), path.as_os_str()], run)?;
        Ok(output.text()?)
    }

    fn unexpected(&self, step: &str, log: &str) -> ProveError {
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("");
        let reason = format!("{step} ended without a verdict: {last}");
        ProveError::Yosys { path: self.work.to_owned(), reason }
    }
}

fn timed_out(limit: Duration) -> String {
    format!("no verdict in {} s", limit.as_secs())
}

fn count(log: &str, start: &str) -> usize {
    log.lines().filter(|line| line.starts_with(start)).count()
}

/// The last table of signal values in a log of `sat`.
fn last_model(log: &str) -> Vec<Assignment> {
    let mut model = Vec::new();
    let mut inside = false;
    for line in log.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let header = fields.first() == Some(&"Time") && fields.get(1) == Some(&"Signal");
        if header || (fields.first() == Some(&"Signal") && fields.get(1) == Some(&"Name")) {
            model.clear();
            inside = true;
            continue;
        }
        if !inside || fields.first().is_some_and(|field| field.starts_with("----")) {
            continue;
        }
        let Some(at) = fields.iter().position(|field| field.starts_with('\\') || field.starts_with('$')) else {
            inside = false;
            continue;
        };
        let cycle = match fields[..at] {
            [] => 1,
            ["init"] => 0,
            [number] => number.parse().unwrap_or(0),
            _ => continue,
        };
        let signal = fields[at].trim_start_matches('\\').to_owned();
        // The solver's own registers and Yosys' helper wires say nothing to a reader.
        if signal.starts_with('$') || signal == "clk_i" {
            continue;
        }
        model.push(Assignment { cycle, signal, value: fields.last().map_or("", |value| value).to_owned() });
    }
    model
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_model() {
        let log = "
  Time Signal Name                  Dec       Hex           Bin
  ---- -------------------- ----------- --------- -------------
  init \\dut.nonzero_o                 3         3            11
  ---- -------------------- ----------- --------- -------------
     1 \\clk_i                         0         0             0
     1 \\q_i                           1         1            01
     2 \\fail_o                        1         1             1

End of script.";
        let model = last_model(log);
        assert_eq!(model.len(), 3);
        assert_eq!(model[0], Assignment { cycle: 0, signal: "dut.nonzero_o".into(), value: "11".into() });
        assert_eq!(model[1], Assignment { cycle: 1, signal: "q_i".into(), value: "01".into() });
        assert_eq!(model[2].cycle, 2);
    }

    #[test]
    fn a_later_model_replaces_an_earlier_one() {
        let log = "Signal Name Dec Hex Bin\n\\a 1 1 1\n\nSignal Name Dec Hex Bin\n\\b 0 0 0\n\n";
        assert_eq!(last_model(log), [Assignment { cycle: 1, signal: "b".into(), value: "0".into() }]);
    }
}
