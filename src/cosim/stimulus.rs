//! Images as beats of the input stream, and the commands that come with them.

use crate::golden::Command;
use crate::plan::Plan;

/// All that a simulation is fed with.
pub(super) struct Stimulus {
    pub beats: Vec<u8>,
    /// What `s_axis_tuser_i` holds with each image, 4 bytes an image, little-endian; empty without a few-shot memory.
    pub commands: Vec<u8>,
}

impl Stimulus {
    pub fn new<'a>(plan: &Plan, images: impl Iterator<Item = &'a [u8]>, commands: &[Command]) -> Self {
        Self { beats: beats(plan, images), commands: commands.iter().flat_map(|c| c.bits().to_le_bytes()).collect() }
    }

    /// Beats and commands as text for `$fscanf`, one a line.
    pub fn hex(&self, plan: &Plan) -> (String, String) {
        let lines = |bytes: &[u8], size: usize| -> String {
            let line = |word: &[u8]| word.iter().rev().map(|b| format!("{b:02x}")).collect::<String>() + "\n";
            bytes.chunks(size).map(line).collect()
        };
        (lines(&self.beats, plan.stream_bits / 8), lines(&self.commands, 4))
    }
}

/// Beats of all images, least significant code first. Every vector begins a beat; the rest of its last one is filled with
/// zeros. Images are stored channel by channel, and a position's vector holds its channels.
fn beats<'a>(plan: &Plan, images: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let (positions, channels) = (plan.input.vectors, plan.input.codes());
    let bytes = plan.input.beats / positions * plan.stream_bits / 8;
    let mut out = Vec::new();
    for image in images {
        for position in 0..positions {
            let start = out.len();
            let codes = (0..channels).map(|c| image[c * positions + position]);
            match plan.input.code_bits {
                8 => out.extend(codes),
                _ => {
                    let codes: Vec<u8> = codes.collect();
                    out.extend(codes.chunks(8).map(|c| c.iter().enumerate().fold(0, |b, (i, v)| b | (v & 1) << i)));
                }
            }
            out.resize(start + bytes, 0);
        }
    }
    out
}
