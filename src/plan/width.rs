//! Widths of numbers.

/// Bits of the smallest signed word that holds `-value ..= value`.
pub fn signed_width(value: i64) -> usize {
    (64 - value.unsigned_abs().leading_zeros() + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::signed_width;

    #[test]
    fn signed_widths() {
        for (value, width) in [(0, 1), (1, 2), (127, 8), (128, 9), (255, 9), (785, 11)] {
            assert_eq!(signed_width(value), width, "{value}");
        }
    }
}
