//! What one run of the design showed, compared with what it should have.

use std::collections::{HashMap, HashSet};

use super::Build;
use super::bus::BusAnswer;
use super::compare::{self, Compared, Mismatch};
use super::records::{Payload, Record};
use crate::emit::{Tap, TapKind};
use crate::fault_map::Fault;
use crate::golden::{Answer, Command, LayerTrace, Memory, Trace};
use crate::plan::KEYS;

/// Tally of one run.
pub(super) struct Tally<'a> {
    build: &'a Build,
    taps: &'a [Tap],
    traces: &'a [&'a Trace],
    name: &'static str,
    memory: Option<MemoryTally<'a>>,
    pub compared: usize,
    pub mismatches: usize,
    pub first: Option<Mismatch>,
    /// Firings of each tap and of the output, by image.
    seen: HashMap<(usize, usize), usize>,
    pub done: Vec<u64>,
    pub first_beat: u64,
    pub faults: usize,
    pub stuck: bool,
    pub dropped: Vec<usize>,
    /// Images whose result was the last to leave before a reset. Positions of a map that no kernel or pool takes may come
    /// later than the result, and then fell with the reset.
    cut: HashSet<usize>,
    pub resets: usize,
    /// What came of the steps on the register bus.
    pub bus: Vec<BusAnswer>,
}

/// The few-shot memory's side of a run.
struct MemoryTally<'a> {
    memory: Memory<'a>,
    commands: &'a [Command],
    /// Similarities since the last result.
    dots: Vec<(u64, compare::Number)>,
    /// By image, since it last came.
    answers: HashMap<usize, Answered>,
}

/// A command that the memory has carried out.
#[derive(Clone)]
pub(super) struct Answered {
    pub answer: Answer,
    /// Cycle in which the features were taken.
    pub taken: u64,
    /// Cycle in which the result was taken.
    pub given: u64,
}

impl<'a> Tally<'a> {
    /// `commands` come with the images, one each, where the design has a memory; `faults` are the chip's.
    pub fn new(
        build: &'a Build,
        taps: &'a [Tap],
        traces: &'a [&'a Trace],
        commands: &'a [Command],
        faults: &[Fault],
        name: &'static str,
    ) -> Self {
        let memory = build.plan.memory.as_ref().map(|plan| MemoryTally {
            memory: Memory::new(plan, faults),
            commands,
            dots: Vec::new(),
            answers: HashMap::new(),
        });
        Self {
            memory,
            build,
            taps,
            traces,
            name,
            compared: 0,
            mismatches: 0,
            first: None,
            seen: HashMap::new(),
            done: Vec::new(),
            first_beat: 0,
            faults: 0,
            stuck: false,
            dropped: Vec::new(),
            cut: HashSet::new(),
            resets: 0,
            bus: Vec::new(),
        }
    }

    /// Images of the run.
    pub fn images(&self) -> usize {
        self.traces.len()
    }

    pub fn take(&mut self, record: Record) {
        match record {
            Record::Tap { tap, image, cycle, firing, data } => {
                if self.taps[tap].is_detail() {
                    return;
                }
                *self.seen.entry((tap, image)).or_default() += 1;
                match self.taps[tap].kind {
                    TapKind::Dots => self.similarity(tap, image, cycle, &data),
                    TapKind::Scores => self.result(tap, image, cycle, &data),
                    TapKind::Layer(k) => self.layer(k, tap, image, firing, cycle, &data),
                    TapKind::Lanes { .. } | TapKind::Codes { .. } | TapKind::Votes(_) => {}
                }
            }
            Record::Output { image, cycle, data } => {
                *self.seen.entry((self.taps.len(), image)).or_default() += 1;
                self.done.push(cycle);
                let compared = self.expected(image).map(|numbers| compare::output(&data, &numbers));
                self.count(compared, image, self.taps.len(), "output".into(), None, cycle);
            }
            Record::Reset { first_dropped, started, .. } => {
                self.resets += 1;
                self.dropped.extend(first_dropped..started);
                self.cut.extend(first_dropped.checked_sub(1));
                // They pass every tap again.
                self.seen.retain(|(_, image), _| *image < first_dropped);
                if let Some(m) = &mut self.memory {
                    m.memory.erase();
                    m.dots.clear();
                    m.answers.retain(|image, _| *image < first_dropped);
                }
            }
            Record::Bus(answer) => self.bus.push(answer),
            Record::Fault { .. } => self.faults += 1,
            Record::BusStuck => {}
            Record::End { first_beat, stuck, .. } => {
                self.first_beat = first_beat;
                self.stuck = stuck;
            }
        }
    }

    fn layer(&mut self, layer: usize, tap: usize, image: usize, firing: usize, cycle: u64, data: &Payload) {
        let plan = &self.build.plan.layers[layer];
        let compared = self.traces.get(image).map(|t| compare::layer_at(plan, firing, data, &t.layers[layer]));
        let position = [firing / plan.map.columns, firing % plan.map.columns];
        let position = (plan.map.positions() > 1).then_some(position);
        if let Some(m) = &mut self.memory
            && layer + 1 == self.build.plan.layers.len()
            && let (Some(command), Some(trace)) = (m.commands.get(image), self.traces.get(image))
        {
            // The memory takes the features in this cycle and begins.
            let features: &LayerTrace = trace.layers.last().expect("a network has layers");
            let answer = m.memory.step(*command, features);
            m.answers.insert(image, Answered { answer, taken: cycle, given: 0 });
        }
        self.count(compared, image, tap, plan.name.clone(), position, cycle);
    }

    fn similarity(&mut self, tap: usize, image: usize, cycle: u64, data: &Payload) {
        let number = compare::number(data, self.taps[tap].bits);
        let Some(m) = &mut self.memory else { return };
        m.dots.push((cycle, number));
        // More than the memory has slots: nothing keeps a broken design from going on for ever.
        if m.dots.len() > 2 * self.build.plan.memory.as_ref().map_or(0, |m| m.slots) + 64 {
            m.dots.pop();
            self.count(None, image, tap, KEYS.into(), None, cycle);
        }
    }

    /// The result of an image, after its similarities.
    fn result(&mut self, tap: usize, image: usize, cycle: u64, data: &Payload) {
        if let Some(m) = &mut self.memory {
            let dots = std::mem::take(&mut m.dots);
            let compared = m.answers.get_mut(&image).map(|a| {
                a.given = cycle;
                compare::similarities(&dots, &a.answer.dots)
            });
            let at = compared.as_ref().and_then(|c| c.first.as_ref()).and_then(|(slot, ..)| dots.get(*slot));
            self.count(compared, image, tap - 1, KEYS.into(), None, at.map_or(cycle, |(cycle, _)| *cycle));
        }
        let plan = &self.build.plan;
        let compared = self.expected(image).map(|numbers| compare::result(plan, self.taps[tap].bits, data, &numbers));
        self.count(compared, image, tap, "scores".into(), None, cycle);
    }

    /// Scores or class sums, then the class or the head.
    fn expected(&self, image: usize) -> Option<Vec<i64>> {
        match &self.memory {
            None => self.traces.get(image).map(|t| compare::scores_and_class(t)),
            Some(m) => m.answers.get(&image).map(|a| {
                let sums = a.answer.sums.iter().copied();
                sums.chain([i64::from(a.answer.head())]).collect()
            }),
        }
    }

    /// What the memory answered, image by image; empty without one.
    pub fn answers(&self) -> Vec<Option<&Answered>> {
        match &self.memory {
            None => Vec::new(),
            Some(m) => (0..m.commands.len()).map(|i| m.answers.get(&i)).collect(),
        }
    }

    /// Adds a comparison; without one the image does not exist, which is a mismatch of its own.
    fn count(
        &mut self,
        compared: Option<Compared>,
        image: usize,
        stage: usize,
        layer: String,
        position: Option<[usize; 2]>,
        cycle: u64,
    ) {
        let compared = compared.unwrap_or(Compared {
            values: 0,
            wrong: 1,
            first: Some((0, "nothing".into(), "an output for an image that was not sent".into())),
        });
        self.compared += compared.values;
        self.mismatches += compared.wrong;
        let Some((neuron, expected, got)) = compared.first else { return };
        let rank = |m: &Mismatch| (m.image, self.stage(&m.layer), m.position, m.neuron);
        if self.first.as_ref().is_none_or(|m| (image, stage, position, neuron) < rank(m)) {
            self.first = Some(Mismatch {
                run: self.name,
                image,
                layer,
                neuron,
                position,
                split: None,
                array: String::new(),
                cycle,
                expected,
                got,
                note: String::new(),
                waveform: None,
            });
        }
    }

    fn stage(&self, layer: &str) -> usize {
        let plan = &self.build.plan;
        match layer {
            "output" => self.taps.len(),
            KEYS => plan.layers.len(),
            name => plan.layers.iter().position(|l| l.name == name).unwrap_or(self.taps.len() - 1),
        }
    }

    /// Every image must have passed every tap and the output; what is missing is a mismatch.
    pub fn finish(&mut self) {
        // Similarities are counted with their result.
        let due = |t: &Tap| !t.is_detail() && t.per_image > 0;
        let stages = self.taps.iter().enumerate().filter(|(_, t)| due(t)).map(|(k, _)| k);
        let stages: Vec<usize> = stages.chain([self.taps.len()]).collect();
        for image in 0..self.traces.len() {
            for stage in &stages {
                let due = self.taps.get(*stage).map_or(1, |t| t.per_image);
                let seen = self.seen.get(&(*stage, image)).copied().unwrap_or(0);
                let is_layer = self.taps.get(*stage).is_some_and(|t| matches!(t.kind, TapKind::Layer(_)));
                if seen == due || (seen < due && is_layer && self.cut.contains(&image)) {
                    continue;
                }
                let layer = match self.taps.get(*stage).map(|t| &t.kind) {
                    Some(TapKind::Layer(k)) => self.build.plan.layers[*k].name.clone(),
                    Some(_) => "scores".into(),
                    None => "output".into(),
                };
                let missing = Compared { values: 0, wrong: 1, first: Some((0, "an output".into(), "none".into())) };
                self.count(Some(missing), image, *stage, layer, None, 0);
            }
        }
    }
}
