//! A small packed bit vector.

/// Bits in little-endian order: bit `i` is bit `i % 64` of word `i / 64`. Bits of the last word beyond the length are 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bits {
    len: usize,
    words: Vec<u64>,
}

impl Bits {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self { len, words: vec![0; len.div_ceil(64)] }
    }

    /// Bit `i` is `f(i)`.
    pub fn from_fn(len: usize, mut f: impl FnMut(usize) -> bool) -> Self {
        let word = |k: usize| (64 * k..len.min(64 * k + 64)).fold(0, |w, i| w | u64::from(f(i)) << (i % 64));
        Self { len, words: (0..len.div_ceil(64)).map(word).collect() }
    }

    /// The first `len` bits of `bytes`, little-endian; `bytes` must hold them.
    pub fn from_le_bytes(bytes: &[u8], len: usize) -> Self {
        assert!(8 * bytes.len() >= len, "{len} bits do not fit {} bytes", bytes.len());
        Self::from_fn(len, |i| bytes[i / 8] >> (i % 8) & 1 == 1)
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn get(&self, i: usize) -> bool {
        assert!(i < self.len, "bit {i} of {}", self.len);
        self.words[i / 64] >> (i % 64) & 1 == 1
    }

    pub fn set(&mut self, i: usize, bit: bool) {
        assert!(i < self.len, "bit {i} of {}", self.len);
        let at = 1 << (i % 64);
        if bit { self.words[i / 64] |= at } else { self.words[i / 64] &= !at }
    }

    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// The words, to set bits within the length.
    pub(super) fn words_mut(&mut self) -> &mut [u64] {
        &mut self.words
    }

    pub fn count_ones(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    pub fn iter(&self) -> impl Iterator<Item = bool> + '_ {
        (0..self.len).map(|i| self.get(i))
    }

    /// Bits `start .. start + len`.
    pub fn slice(&self, start: usize, len: usize) -> Self {
        assert!(start + len <= self.len, "bits {start} to {} of {}", start + len, self.len);
        let (first, shift) = (start / 64, start % 64);
        let word = |k: usize| self.words.get(first + k).copied().unwrap_or(0);
        let moved = |k: usize| if shift == 0 { word(k) } else { word(k) >> shift | word(k + 1) << (64 - shift) };
        let mut words: Vec<u64> = (0..len.div_ceil(64)).map(moved).collect();
        if let Some(last) = words.last_mut().filter(|_| !len.is_multiple_of(64)) {
            *last &= (1 << (len % 64)) - 1;
        }
        Self { len, words }
    }

    /// Puts `other` behind the last bit.
    pub fn append(&mut self, other: &Self) {
        let shift = self.len % 64;
        self.len += other.len;
        for word in &other.words {
            match self.words.last_mut().filter(|_| shift != 0) {
                Some(last) => {
                    *last |= word << shift;
                    self.words.push(word >> (64 - shift));
                }
                None => self.words.push(*word),
            }
        }
        self.words.truncate(self.len.div_ceil(64));
    }

    /// Word by word `f` of two vectors of one length; `f` must keep zeros zero.
    pub fn zip(&self, other: &Self, f: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!(self.len, other.len, "lengths differ");
        Self { len: self.len, words: self.words.iter().zip(&other.words).map(|(a, b)| f(*a, *b)).collect() }
    }

    /// `len.div_ceil(8)` bytes: bit `i` is bit `i % 8` of byte `i / 8`; the rest of the last byte is 0.
    pub fn to_le_bytes(&self) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.words.iter().flat_map(|w| w.to_le_bytes()).collect();
        bytes.truncate(self.len.div_ceil(8));
        bytes
    }

    /// Index of the first bit in which two vectors of one length differ.
    pub fn first_difference(&self, other: &Self) -> Option<usize> {
        assert_eq!(self.len, other.len, "lengths differ");
        let k = self.words.iter().zip(&other.words).position(|(a, b)| a != b)?;
        Some(64 * k + (self.words[k] ^ other.words[k]).trailing_zeros() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_little_endian_and_the_tail_is_zero() {
        // Bits 0, 3, 9 and 66 of 67.
        let bits = Bits::from_fn(67, |i| [0, 3, 9, 66].contains(&i));
        assert_eq!(bits.words(), [0x209, 4]);
        assert_eq!(bits.to_le_bytes(), [9, 2, 0, 0, 0, 0, 0, 0, 4]);
        assert_eq!(Bits::from_le_bytes(&bits.to_le_bytes(), 67), bits);
        // Bits beyond the length are dropped.
        assert_eq!(Bits::from_le_bytes(&[0xff, 0xff], 9).to_le_bytes(), [0xff, 1]);
        assert_eq!(bits.count_ones(), 4);
        assert!(bits.get(66) && !bits.get(65));
    }

    #[test]
    fn bits_are_appended_across_words() {
        let (a, b) = (Bits::from_fn(60, |i| i % 3 == 0), Bits::from_fn(70, |i| i % 5 == 1));
        let mut both = Bits::default();
        [&a, &b, &a].into_iter().for_each(|x| both.append(x));
        let bit = |i: usize| {
            if i < 60 {
                a.get(i)
            } else if i < 130 {
                b.get(i - 60)
            } else {
                a.get(i - 130)
            }
        };
        assert_eq!(both, Bits::from_fn(190, bit));
        assert_eq!((both.slice(60, 70), both.slice(130, 60), both.slice(0, 60)), (b, a.clone(), a));
    }

    #[test]
    fn the_first_difference_is_found_in_any_word() {
        let a = Bits::zeros(130);
        let mut b = a.clone();
        assert_eq!(a.first_difference(&b), None);
        b.set(129, true);
        assert_eq!(a.first_difference(&b), Some(129));
        b.set(64, true);
        assert_eq!(a.first_difference(&b), Some(64));
        b.set(64, false);
        b.set(129, false);
        assert_eq!(a, b);
    }
}
