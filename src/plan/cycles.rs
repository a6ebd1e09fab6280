//! Cycle-exact prediction: a small model of the stages' handshakes, run until it repeats itself.
//!
//! It knows no data, only how many cycles each stage takes (the latency in the header of its RTL block) and when it is
//! ready. Input beats come without a gap and results are taken at once.

use serde::Serialize;

/// What the plan predicts for a run without stalls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Takes a vector when idle, offers its result `latency` cycles later, is idle again the cycle after it is taken.
    Sequential { latency: u64 },
    /// Three overlapping steps that move together: reads of `reads` cycles, votes, output.
    Pipelined { reads: u64 },
}

#[derive(Clone, Debug)]
enum State {
    Sequential { latency: u64, left: Option<u64> },
    Pipelined { reads: u64, left: Option<u64>, votes: bool, output: bool },
}

impl State {
    fn new(stage: Stage) -> Self {
        match stage {
            Stage::Sequential { latency } => Self::Sequential { latency, left: None },
            Stage::Pipelined { reads } => Self::Pipelined { reads, left: None, votes: false, output: false },
        }
    }

    fn valid(&self) -> bool {
        match self {
            Self::Sequential { left, .. } => *left == Some(0),
            Self::Pipelined { output, .. } => *output,
        }
    }

    fn ready(&self, next_ready: bool) -> bool {
        match self {
            Self::Sequential { left, .. } => left.is_none(),
            Self::Pipelined { left, output, .. } => (!output || next_ready) && left.is_none_or(|l| l == 1),
        }
    }

    fn step(&mut self, accept: bool, next_ready: bool) {
        match self {
            Self::Sequential { latency, left } => {
                *left = match *left {
                    None => accept.then_some(*latency - 1),
                    Some(0) => (!next_ready).then_some(0),
                    Some(n) => Some(n - 1),
                }
            }
            Self::Pipelined { reads, left, votes, output } => {
                if *output && !next_ready {
                    return;
                }
                *output = *votes;
                *votes = *left == Some(1);
                *left = if accept { Some(*reads) } else { left.and_then(|l| (l > 1).then(|| l - 1)) };
            }
        }
    }
}

/// Runs the stages between an input of `beats_in` beats and an output of `beats_out` beats.
pub(super) fn predict(beats_in: u64, stages: &[Stage], beats_out: u64) -> Cycles {
    let mut states: Vec<State> = stages.iter().copied().map(State::new).collect();
    // Every stage holds at most three vectors, so what comes after this many has met full buffers all along.
    let settle = 4 * stages.len() + 4;
    let mut done: Vec<u64> = Vec::new();
    let (mut received, mut sending) = (0, 0);
    let mut ready = vec![false; states.len() + 1];
    for cycle in 0.. {
        // Ready runs from the output back, all else comes from registers.
        ready[states.len()] = sending == 0;
        for k in (0..states.len()).rev() {
            ready[k] = states[k].ready(ready[k + 1]);
        }
        let image_full = received == beats_in;
        let valid: Vec<bool> = states.iter().map(State::valid).collect();
        let to_output = valid.last().copied().unwrap_or(image_full) && ready[states.len()];
        for k in 0..states.len() {
            let offered = if k == 0 { image_full } else { valid[k - 1] };
            let accept = offered && ready[k];
            states[k].step(accept, ready[k + 1]);
        }
        if sending > 0 {
            sending -= 1;
            if sending == 0 {
                done.push(cycle);
                if repeats(&done, settle) {
                    break;
                }
            }
        } else if to_output {
            sending = beats_out;
        }
        if !image_full {
            received += 1;
        } else if ready[0] {
            received = 0;
        }
    }
    let interval = done[done.len() - 1] - done[done.len() - 2];
    // Keep only what precedes the repetition.
    let first = (1..done.len()).rev().find(|k| done[*k] - done[*k - 1] != interval).map_or(0, |k| k);
    done.truncate(first + 1);
    Cycles { done, interval }
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

    /// 3 beats (cycles 0 to 2), taken in 3, result offered in 13, sent in 14 and 15.
    /// The stage is idle again in 14, so it takes an image every 11 cycles.
    #[test]
    fn one_sequential_stage_by_hand() {
        let c = predict(3, &[Stage::Sequential { latency: 10 }], 2);
        assert_eq!((c.first_latency(), c.interval), (16, 11));
        assert_eq!((c.batch(0), c.batch(1), c.batch(3)), (0, 16, 38));
    }

    /// One beat an image; the buffer is full in cycle 1 and takes the next beat in 2: an image every 2 cycles. Reads in 2,
    /// votes in 3, output in 4, sent in 5.
    #[test]
    fn one_pipelined_stage_by_hand() {
        let c = predict(1, &[Stage::Pipelined { reads: 1 }], 1);
        assert_eq!((c.first_latency(), c.interval), (6, 2));
    }

    /// The slowest stage sets the pace, wherever it stands.
    #[test]
    fn the_slowest_stage_sets_the_interval() {
        let fast = Stage::Sequential { latency: 4 };
        let slow = Stage::Sequential { latency: 100 };
        for stages in [[slow, fast, fast], [fast, slow, fast], [fast, fast, slow]] {
            assert_eq!(predict(3, &stages, 2).interval, 101);
        }
    }
}
