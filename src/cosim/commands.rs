//! Commands of a few-shot memory: what is asked of it, and what came of it.

use serde::Serialize;

use super::CosimError;
use super::tally::Answered;
use crate::data::Dataset;
use crate::fault_map::{Fault, FaultKind};
use crate::golden::{Answer, Command, Memory, Status, Trace};
use crate::plan::{Action, KEYS, MemoryPlan, Plan};
use crate::reference::{Evaluation, KeyValueMemory};

/// An image of the set with its command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    pub image: usize,
    pub command: Command,
    /// Class that a query should get; absent where nobody knows.
    pub class: Option<usize>,
}

/// What a memory was asked and how it answered.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct FewShotRun {
    pub learns: usize,
    pub queries: usize,
    /// Queries whose class is known, and those of them that got it.
    pub judged: usize,
    pub correct: usize,
    /// Commands that were refused: full, empty, or a label out of range.
    pub refused: usize,
    /// Learns whose cells could not be written.
    pub failed: usize,
    /// Attempts at word lines beyond the first.
    pub retries: usize,
    /// Similarities between a query and a valid key, all of them compared.
    pub similarities: usize,
    /// Cycles of a learn from its features to its result.
    pub learn_cycles_predicted: u64,
    pub learn_cycles_counted: u64,
    /// Cycles of the query that read most keys.
    pub query_cycles_predicted: u64,
    pub query_cycles_counted: u64,
    /// Learns and queries that took other cycles than predicted, of all of them.
    pub cycles_differ: usize,
}

impl FewShotRun {
    pub(super) fn new(plan: &MemoryPlan, asked: &[Asked], answers: &[Option<&Answered>]) -> Self {
        let mut run = Self::default();
        for (asked, answered) in asked.iter().zip(answers) {
            let Some(answered) = answered else { continue };
            let answer = &answered.answer;
            run.count(plan, asked, answer);
            let (predicted, counted) = (plan.latency(answer.action), answered.given.saturating_sub(answered.taken));
            let (most_predicted, most_counted) = match answer.action {
                // Its result may wait for the one before to leave.
                Action::None => continue,
                Action::Write { .. } => (&mut run.learn_cycles_predicted, &mut run.learn_cycles_counted),
                Action::Query { .. } => (&mut run.query_cycles_predicted, &mut run.query_cycles_counted),
            };
            *most_predicted = predicted.max(*most_predicted);
            *most_counted = counted.max(*most_counted);
            run.cycles_differ += usize::from(predicted != counted);
        }
        run
    }

    /// Counts a command and its answer; cycles apart.
    pub fn count(&mut self, plan: &MemoryPlan, asked: &Asked, answer: &Answer) {
        self.learns += usize::from(asked.command.learn);
        self.queries += usize::from(!asked.command.learn);
        self.refused += usize::from(!matches!(answer.status, Status::Done | Status::Failed));
        self.failed += usize::from(answer.status == Status::Failed);
        if let Action::Write { attempts } = answer.action {
            self.retries += attempts - plan.key_lines();
        }
        self.similarities += answer.dots.iter().flatten().count();
        if !asked.command.learn && asked.class.is_some() {
            self.judged += 1;
            self.correct += usize::from(answer.index == asked.class);
        }
    }
}

/// Commands belong to a memory, and each names an image of the set.
pub fn check(plan: &Plan, set: &Dataset, asked: &[Asked]) -> Result<(), CosimError> {
    let bad = |reason: String| Err(CosimError::Commands { reason });
    match (&plan.memory, asked.is_empty()) {
        (Some(_), true) => return bad("the design has a few-shot memory, so its images need commands: episodes".into()),
        (None, false) => return bad("the design has no few-shot memory; hardware.toml needs a table [memory]".into()),
        _ => {}
    }
    match asked.iter().find(|a| a.image >= set.len()) {
        Some(a) => bad(format!("image {} does not exist: {} has {}", a.image, set.name, set.len())),
        None => Ok(()),
    }
}

/// The images that occur, each once, and the place of each asked one among them.
pub fn order(asked: &[Asked]) -> (Vec<usize>, Vec<usize>) {
    let mut shown: Vec<usize> = asked.iter().map(|a| a.image).collect();
    shown.sort_unstable();
    shown.dedup();
    let place = |a: &Asked| shown.binary_search(&a.image).expect("every image stands there");
    let order = asked.iter().map(place).collect();
    (shown, order)
}

/// Resets may fall between the two pulses that a slow cell takes: with one attempt at a word line, whether the next write
/// succeeds depends on it.
pub(super) fn check_faults(plan: &Plan, faults: &[Fault], resets: usize) -> Result<(), CosimError> {
    let Some(memory) = &plan.memory else { return Ok(()) };
    let slow = faults.iter().any(|f| f.layer == KEYS && f.kind == FaultKind::Slow);
    if slow && resets > 0 && memory.program.attempts == 1 {
        let reason = "a reset may cut off one of the two pulses that a slow cell of the key memory takes, and with \
                      memory.program.attempts = 1 what the next learn gives depends on it; ask for no resets";
        return Err(CosimError::Commands { reason: reason.into() });
    }
    Ok(())
}

/// Cycles of the longest command.
pub(super) fn longest(plan: &MemoryPlan) -> u64 {
    let attempts = plan.key_lines() * plan.program.attempts;
    let query = plan.latency(Action::Query { used: plan.slots });
    query.max(plan.latency(Action::Write { attempts }))
}

/// Whether each query got another class than in the hardware-free evaluation, which knows no faults.
pub(super) fn reference(
    plan: &MemoryPlan,
    asked: &[Asked],
    faults: &[Fault],
    images: &[(&Trace, &Evaluation)],
) -> Vec<bool> {
    let mut golden = Memory::new(plan, faults);
    let capacity = (plan.slots, plan.overwrite);
    let mut plain = KeyValueMemory::new(plan.classes, capacity, plan.absolute, plan.mean);
    let mut differ = Vec::new();
    for (asked, (trace, evaluation)) in asked.iter().zip(images) {
        let Command { erase, learn, label } = asked.command;
        let answer = golden.step(asked.command, trace.layers.last().expect("a network has layers"));
        if erase {
            plain.erase();
        }
        if learn {
            plain.learn(usize::from(label), evaluation.features());
        } else {
            differ.push(answer.index != plain.class(&evaluation.features()));
        }
    }
    differ
}
