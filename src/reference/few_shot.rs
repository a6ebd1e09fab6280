//! A key-value memory as batmann describes it (algorithm 1, line 8): similarities, sharpened, summed over each class's shots.

/// Keys with their labels, oldest first.
pub struct KeyValueMemory {
    classes: usize,
    most: usize,
    forgets: bool,
    absolute: bool,
    mean: bool,
    entries: Vec<(usize, Vec<i8>)>,
}

impl KeyValueMemory {
    /// `capacity`: keys that it holds, and whether it forgets the oldest one when it is full.
    pub fn new(classes: usize, capacity: (usize, bool), absolute: bool, mean: bool) -> Self {
        Self { classes, most: capacity.0, forgets: capacity.1, absolute, mean, entries: Vec::new() }
    }

    pub fn erase(&mut self) {
        self.entries.clear();
    }

    /// Stores a key; one that does not fit, or whose label is no class, is left out.
    pub fn learn(&mut self, label: usize, key: Vec<i8>) {
        if label >= self.classes {
            return;
        }
        if self.entries.len() == self.most && self.forgets {
            self.entries.remove(0);
        }
        if self.entries.len() < self.most {
            self.entries.push((label, key));
        }
    }

    /// The first class of the largest sum, or mean, among those with keys.
    pub fn class(&self, query: &[i8]) -> Option<usize> {
        let mut best: Option<(usize, i64, i64)> = None;
        for class in 0..self.classes {
            let keys = self.entries.iter().filter(|(label, _)| *label == class).map(|(_, key)| key);
            let (mut sum, mut count) = (0i64, 0i64);
            for key in keys {
                let dot: i64 = key.iter().zip(query).map(|(a, b)| i64::from(*a) * i64::from(*b)).sum();
                sum += if self.absolute { dot.abs() } else { dot };
                count += 1;
            }
            if count == 0 {
                continue;
            }
            let wins = best.is_none_or(|(_, s, n)| if self.mean { sum * n > s * count } else { sum > s });
            if wins {
                best = Some((class, sum, count));
            }
        }
        best.map(|(class, ..)| class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Query ++-: key ++- of class 1 gives 3, key --+ of class 0 gives -3, key +++ of class 0 gives 1.
    #[test]
    fn classes_by_hand() {
        let class = |absolute: bool, mean: bool| {
            let mut memory = KeyValueMemory::new(3, (4, false), absolute, mean);
            assert_eq!(memory.class(&[1, 1, -1]), None);
            memory.learn(1, vec![1, 1, -1]);
            memory.learn(0, vec![-1, -1, 1]);
            memory.learn(0, vec![1, 1, 1]);
            memory.learn(7, vec![1, 1, -1]);
            memory.class(&[1, 1, -1])
        };
        // 3 + 1 against 3; -2 against 3; 4 / 2 against 3 / 1.
        assert_eq!(class(true, false), Some(0));
        assert_eq!(class(false, false), Some(1));
        assert_eq!(class(true, true), Some(1));
    }

    #[test]
    fn a_full_memory_refuses_or_forgets() {
        for (forgets, want) in [(false, 0), (true, 1)] {
            let mut memory = KeyValueMemory::new(2, (1, forgets), true, false);
            memory.learn(0, vec![1]);
            memory.learn(1, vec![1]);
            assert_eq!(memory.class(&[1]), Some(want));
        }
    }
}
