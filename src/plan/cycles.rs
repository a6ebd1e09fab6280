//! Cycle-exact prediction: a small model of the stages' handshakes, run until it repeats itself.
//!
//! It knows no data, only how many cycles each stage takes (the latency in the header of its RTL block) and when it is
//! ready. Input beats come without a gap and results are taken at once.

use serde::Serialize;

/// What the plan predicts for a run without stalls.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Cycles {
    /// Cycle of each image's last output beat, the first image's first input beat being cycle 0, until it repeats.
    pub done: Vec<u64>,
    /// Cycles between images from the end of `done` on.
    pub interval: u64,
}

impl Cycles {
    /// Cycles from the first input beat of the first image to its last output beat, both included.
    pub fn first_latency(&self) -> u64 {
        self.done[0] + 1
    }

    /// Cycles from the first input beat to the last output beat of `images` images, both included.
    pub fn batch(&self, images: usize) -> u64 {
        match images.checked_sub(1) {
            None => 0,
            Some(last) if last < self.done.len() => self.done[last] + 1,
            Some(last) => {
                let known = self.done.len() - 1;
                self.done[known] + 1 + (last - known) as u64 * self.interval
            }
        }
    }
}

/// A stage as the handshake sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Takes a vector when idle, offers its result `latency` cycles later, is idle again the cycle after it is taken.
    Sequential { latency: u64 },
    /// The same, with a latency for each vector in turn; the last one goes on.
    Listed(Vec<u64>),
    /// Works on a vector for `reads` cycles and offers the result `delay` cycles later; vectors overlap, and all stand
    /// still while a result waits.
    Pipelined { reads: u64, delay: usize },
    /// A register that is free again in the cycle in which it is taken.
    Register,
    /// Two registers; ready does not depend on the stage behind.
    Slice,
    /// Takes a position, or puts in a padded one, each cycle, and offers a window the cycle after.
    Window(Vec<Slot>),
    /// Takes vectors as a [`Stage::Register`] does, and offers a result after those for which it is true.
    Pool(Vec<bool>),
    /// Collects as many vectors to one, and is free again the cycle after it is taken.
    Collect(u64),
}

/// A position of a padded map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub padding: bool,
    /// A window ends here.
    pub gives: bool,
}

#[derive(Clone, Debug)]
enum State {
    Sequential { latencies: Vec<u64>, at: usize, left: Option<u64> },
    Pipelined { reads: u64, left: Option<u64>, delay: Vec<bool> },
    Register { full: bool },
    Slice { held: u64 },
    Window { slots: Vec<Slot>, at: usize, full: bool },
    Pool { gives: Vec<bool>, at: usize, full: bool },
    Collect { count: u64, held: u64 },
}

impl State {
    fn new(stage: &Stage) -> Self {
        match stage.clone() {
            Stage::Sequential { latency } => Self::Sequential { latencies: vec![latency], at: 0, left: None },
            Stage::Listed(latencies) => Self::Sequential { latencies, at: 0, left: None },
            Stage::Pipelined { reads, delay } => Self::Pipelined { reads, left: None, delay: vec![false; delay] },
            Stage::Register => Self::Register { full: false },
            Stage::Slice => Self::Slice { held: 0 },
            Stage::Window(slots) => Self::Window { slots, at: 0, full: false },
            Stage::Pool(gives) => Self::Pool { gives, at: 0, full: false },
            Stage::Collect(count) => Self::Collect { count, held: 0 },
        }
    }

    /// Offers a vector.
    fn valid(&self) -> bool {
        match self {
            Self::Sequential { left, .. } => *left == Some(0),
            Self::Pipelined { delay, .. } => delay[delay.len() - 1],
            Self::Register { full } | Self::Pool { full, .. } | Self::Window { full, .. } => *full,
            Self::Slice { held } => *held > 0,
            Self::Collect { count, held } => held == count,
        }
    }

    fn ready(&self, next_ready: bool) -> bool {
        match self {
            Self::Sequential { left, .. } => left.is_none(),
            Self::Pipelined { left, delay, .. } => {
                (!delay[delay.len() - 1] || next_ready) && left.is_none_or(|l| l == 1)
            }
            Self::Register { full } | Self::Pool { full, .. } => !full || next_ready,
            Self::Slice { held } => *held < 2,
            Self::Window { slots, at, full } => !slots[*at].padding && (!full || next_ready),
            Self::Collect { count, held } => held < count,
        }
    }

    /// One clock edge; whether anything went on but a count that changes nothing outside yet.
    fn step(&mut self, accept: bool, next_ready: bool) -> bool {
        match self {
            Self::Sequential { latencies, at, left } => {
                let before = *left;
                *left = match before {
                    None if accept => {
                        let latency = latencies[(*at).min(latencies.len() - 1)];
                        *at += 1;
                        Some(latency - 1)
                    }
                    None => None,
                    Some(0) => (!next_ready).then_some(0),
                    Some(n) => Some(n - 1),
                };
                accept || before == Some(1) || (before == Some(0) && next_ready)
            }
            Self::Pipelined { reads, left, delay } => {
                if delay[delay.len() - 1] && !next_ready {
                    return false;
                }
                let moves = accept || delay.contains(&true) || *left == Some(1);
                delay.rotate_right(1);
                delay[0] = *left == Some(1);
                *left = if accept { Some(*reads) } else { left.and_then(|l| (l > 1).then(|| l - 1)) };
                moves || *left == Some(1)
            }
            Self::Register { full } => {
                let moves = accept || (*full && next_ready);
                *full = accept || (*full && !next_ready);
                moves
            }
            Self::Slice { held } => {
                let given = *held > 0 && next_ready;
                *held = *held + u64::from(accept) - u64::from(given);
                accept || given
            }
            Self::Window { slots, at, full } => {
                let free = !*full || next_ready;
                let given = *full && next_ready;
                let moves = accept || (slots[*at].padding && free);
                *full = if moves { slots[*at].gives } else { *full && !next_ready };
                *at = (*at + usize::from(moves)) % slots.len();
                moves || given
            }
            Self::Pool { gives, at, full } => {
                let given = *full && next_ready;
                *full = (*full && !given) || (accept && gives[*at]);
                *at = (*at + usize::from(accept)) % gives.len();
                accept || given
            }
            Self::Collect { count, held } => {
                let given = held == count && next_ready;
                *held = if given { 0 } else { *held + u64::from(accept) };
                accept || given
            }
        }
    }

    /// Cycles that it will do nothing but count, if nothing around it moves.
    fn counts(&self) -> u64 {
        match self {
            Self::Sequential { left: Some(n), .. } if *n > 0 => n - 1,
            Self::Pipelined { left: Some(n), delay, .. } if !delay[delay.len() - 1] => n.saturating_sub(2),
            _ => u64::MAX,
        }
    }

    /// Passes so many of those cycles.
    fn skip(&mut self, cycles: u64) {
        match self {
            Self::Sequential { left: Some(n), .. } if *n > 0 => *n -= cycles,
            Self::Pipelined { left: Some(n), delay, .. } if !delay[delay.len() - 1] => *n -= cycles,
            _ => {}
        }
    }
}

/// The input stream as the handshake sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StreamIn {
    /// Beats of a vector.
    pub beats: u64,
    /// Vectors of an image; a single one is held until the cycle after it is taken.
    pub vectors: u64,
}

/// When the first image comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// So many cycles after a reset.
    After(u64),
    /// When nothing has moved for long: windows wait behind the padding that lies ahead of the first position.
    Rest,
}

/// Runs the stages between the input and an output of `beats_out` beats until it repeats itself.
pub(super) fn predict(input: StreamIn, stages: &[Stage], beats_out: u64, start: Start) -> Cycles {
    // Every stage holds vectors of four images at most, so what comes after this many has met full buffers all along.
    let settle = 4 * stages.len() + 4;
    let mut done = Vec::new();
    run(input, stages, beats_out, start, &mut |cycle| {
        done.push(cycle);
        !repeats(&done, settle)
    });
    let interval = done[done.len() - 1] - done[done.len() - 2];
    // Keep only what precedes the repetition.
    let first = (1..done.len()).rev().find(|k| done[*k] - done[*k - 1] != interval).map_or(0, |k| k);
    done.truncate(first + 1);
    Cycles { done, interval }
}

/// Cycle of the last output beat of each of `images` images.
pub(super) fn list(input: StreamIn, stages: &[Stage], beats_out: u64, images: usize, start: Start) -> Vec<u64> {
    let mut done = Vec::new();
    if images > 0 {
        run(input, stages, beats_out, start, &mut |cycle| {
            done.push(cycle);
            done.len() < images
        });
    }
    done
}

/// Runs the stages without an end of images; `leaves` hears the cycle of each one's last output beat and says whether to go on.
fn run(input: StreamIn, stages: &[Stage], beats_out: u64, start: Start, leaves: &mut dyn FnMut(u64) -> bool) {
    let mut pipeline = Pipeline::new(stages);
    match start {
        Start::After(cycles) => {
            for _ in 0..cycles {
                pipeline.step(false, true);
            }
        }
        Start::Rest => pipeline.rest(),
    }
    let (mut received, mut sending) = (0, 0);
    let mut cycle = 0;
    loop {
        let offered = received == input.beats;
        let Edge { mut moves, taken, result } = pipeline.step(offered, sending == 0);
        if sending > 0 {
            moves = true;
            sending -= 1;
            if sending == 0 && !leaves(cycle) {
                return;
            }
        } else if result {
            moves = true;
            sending = beats_out;
        }
        if !offered {
            received += 1;
            moves = true;
        } else if taken {
            // Of several vectors the next one's first beat comes in the cycle in which the last one is taken.
            received = u64::from(input.vectors > 1);
        }
        cycle += 1;
        if !moves && !taken {
            cycle += pipeline.skip().expect("a pipeline in which nothing moves and nothing counts");
        }
    }
}

/// All stages, and what they say to each other in a cycle.
struct Pipeline {
    states: Vec<State>,
    /// At the input of each stage, and at the output.
    ready: Vec<bool>,
    valid: Vec<bool>,
}

/// What a clock edge did.
struct Edge {
    /// Anything went on but counts that change nothing outside yet.
    moves: bool,
    /// The vector at the input was taken.
    taken: bool,
    /// There was a result.
    result: bool,
}

impl Pipeline {
    fn new(stages: &[Stage]) -> Self {
        let sides = vec![false; stages.len() + 1];
        Self { states: stages.iter().map(State::new).collect(), ready: sides.clone(), valid: sides }
    }

    fn step(&mut self, offered: bool, free: bool) -> Edge {
        let Self { states, ready, valid } = self;
        // Valid runs from the input on, ready from the output back.
        valid[0] = offered;
        for k in 0..states.len() {
            valid[k + 1] = states[k].valid();
        }
        ready[states.len()] = free;
        for k in (0..states.len()).rev() {
            ready[k] = states[k].ready(ready[k + 1]);
        }
        let mut moves = false;
        for k in 0..states.len() {
            moves |= states[k].step(valid[k] && ready[k], ready[k + 1]);
        }
        Edge { moves, taken: valid[0] && ready[0], result: valid[states.len()] }
    }

    /// Passes cycles in which nothing moves, where something counts.
    fn skip(&mut self) -> Option<u64> {
        let idle = self.states.iter().map(State::counts).min().filter(|n| *n < u64::MAX)?;
        self.states.iter_mut().for_each(|s| s.skip(idle));
        Some(idle)
    }

    /// Without an image, until nothing moves or counts any more.
    fn rest(&mut self) {
        while self.step(false, true).moves || self.skip().is_some() {}
    }
}

/// Whether the last `settle` intervals are equal.
fn repeats(done: &[u64], settle: usize) -> bool {
    done.len() > 2 * settle && {
        let tail = &done[done.len() - settle - 1..];
        tail.windows(2).all(|w| w[1] - w[0] == tail[1] - tail[0])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three beats, one vector.
    const ONE: StreamIn = StreamIn { beats: 3, vectors: 1 };

    /// 3 beats (cycles 0 to 2), taken in 3, result offered in 13, sent in 14 and 15.
    /// The stage is idle again in 14, so it takes an image every 11 cycles.
    #[test]
    fn one_sequential_stage_by_hand() {
        let c = predict(ONE, &[Stage::Sequential { latency: 10 }], 2, Start::After(0));
        assert_eq!((c.first_latency(), c.interval), (16, 11));
        assert_eq!((c.batch(0), c.batch(1), c.batch(3)), (0, 16, 38));
    }

    /// One beat an image; the buffer is full in cycle 1 and takes the next beat in 2: an image every 2 cycles. Reads in 2,
    /// votes in 3, output in 4, sent in 5.
    #[test]
    fn one_pipelined_stage_by_hand() {
        let c =
            predict(StreamIn { beats: 1, vectors: 1 }, &[Stage::Pipelined { reads: 1, delay: 2 }], 1, Start::After(0));
        assert_eq!((c.first_latency(), c.interval), (6, 2));
    }

    /// A map of 2 x 2 with a column of padding on the left, a 1 x 2 kernel: slots p 1 2 / p 3 4, windows at 1, 2, 3, 4. A beat is a
    /// position. Vector 1 waits from cycle 1 on, passes the padded slot's cycle and is taken in 1: the slot at cycle 0 was padding.
    /// Positions in 1, 2, 4, 5 (3 is padding), windows a cycle later; collected by 6, offered in 7, sent in 8.
    #[test]
    fn windows_and_padding_by_hand() {
        let slot = |padding| Slot { padding, gives: !padding };
        let slots: Vec<Slot> = [true, false, false, true, false, false].map(slot).to_vec();
        let input = StreamIn { beats: 1, vectors: 4 };
        let c = predict(input, &[Stage::Window(slots.clone()), Stage::Collect(4)], 1, Start::After(0));
        assert_eq!(c.first_latency(), 9);
        // At rest one slot less; but its cycle had been that of the first beat.
        assert_eq!(
            predict(input, &[Stage::Window(slots.clone()), Stage::Collect(4)], 1, Start::Rest).first_latency(),
            9
        );
        // A second row of padding above takes three more cycles after a reset, none after a rest.
        let above: Vec<Slot> = [Slot { padding: true, gives: false }; 3].into_iter().chain(slots.clone()).collect();
        let stages = [Stage::Window(above), Stage::Collect(4)];
        // One less for each cycle that an image comes later, until all of it has passed.
        let starts = [Start::After(0), Start::After(2), Start::After(3), Start::After(7), Start::Rest];
        assert_eq!(starts.map(|s| predict(input, &stages, 1, s).first_latency()), [12, 10, 9, 9, 9]);
        // Six slots an image, and the collector is full for a cycle, in which padding goes on.
        assert_eq!(c.interval, 6);
    }

    /// 2 x 2 positions to one: the result of beats 0 to 3 is offered in cycle 5, sent in 6; four cycles an image.
    #[test]
    fn a_pool_by_hand() {
        let input = StreamIn { beats: 1, vectors: 4 };
        let c = predict(input, &[Stage::Pool(vec![false, false, false, true])], 1, Start::After(0));
        assert_eq!((c.first_latency(), c.interval), (7, 4));
    }

    /// A slice costs a cycle and no throughput.
    #[test]
    fn a_slice_by_hand() {
        let input = StreamIn { beats: 1, vectors: 4 };
        let pool = || Stage::Pool(vec![false, false, false, true]);
        let c = predict(input, &[Stage::Slice, pool()], 1, Start::After(0));
        assert_eq!((c.first_latency(), c.interval), (8, 4));
        let slow = Stage::Pipelined { reads: 1000, delay: 1 };
        let c = predict(input, &[Stage::Slice, slow, pool()], 1, Start::After(0));
        // Accepted in 2, read in 3 to 1002, the fourth in 3003 to 4002, in the pool 4003, offered 4004, sent 4005.
        assert_eq!((c.first_latency(), c.interval), (4006, 4000));
    }

    /// As the sequential stage above, but 10, then 4, then 4 cycles: the image is taken in 3, offered in 13, sent in 14 and 15; the
    /// next one is taken in 14, offered in 18, sent in 19 and 20; then every 5 cycles.
    #[test]
    fn latencies_one_by_one_by_hand() {
        assert_eq!(list(ONE, &[Stage::Listed(vec![10, 4])], 2, 3, Start::After(0)), [15, 20, 25]);
    }

    /// The slowest stage sets the pace, wherever it stands.
    #[test]
    fn the_slowest_stage_sets_the_interval() {
        let at = |slow: usize, k: usize| Stage::Sequential { latency: if slow == k { 100 } else { 4 } };
        for slow in 0..3 {
            let stages: Vec<Stage> = (0..3).map(|k| at(slow, k)).collect();
            assert_eq!(predict(ONE, &stages, 2, Start::After(0)).interval, 101);
        }
    }
}
