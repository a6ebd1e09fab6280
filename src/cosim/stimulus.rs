//! Images as beats of the input stream.

use crate::plan::Plan;

/// Beats of all images, least significant code first, the last beat of an image filled with zeros.
pub(super) fn beats<'a>(plan: &Plan, images: impl Iterator<Item = &'a [u8]>) -> Vec<u8> {
    let bytes = plan.input.beats * plan.stream_bits / 8;
    let mut out = Vec::new();
    for image in images {
        let start = out.len();
        match plan.input.code_bits {
            8 => out.extend_from_slice(image),
            _ => out.extend(image.chunks(8).map(|c| c.iter().enumerate().fold(0, |b, (i, v)| b | (v & 1) << i))),
        }
        out.resize(start + bytes, 0);
    }
    out
}

/// The same as text, one beat a line, for `$fscanf`.
pub(super) fn hex(plan: &Plan, beats: &[u8]) -> String {
    let line = |beat: &[u8]| beat.iter().rev().map(|b| format!("{b:02x}")).collect::<String>() + "\n";
    beats.chunks(plan.stream_bits / 8).map(line).collect()
}
