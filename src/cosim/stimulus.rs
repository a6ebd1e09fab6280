//! Images as beats of the input stream.

use crate::plan::Plan;

/// Beats of all images, least significant code first. Every vector begins a beat; the rest of its last one is filled with
/// zeros. Images are stored channel by channel, and a position's vector holds its channels.
pub(super) fn beats<'a>(plan: &Plan, images: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
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

/// The same as text, one beat a line, for `$fscanf`.
pub(super) fn hex(plan: &Plan, beats: &[u8]) -> String {
    let line = |beat: &[u8]| beat.iter().rev().map(|b| format!("{b:02x}")).collect::<String>() + "\n";
    beats.chunks(plan.stream_bits / 8).map(line).collect()
}
