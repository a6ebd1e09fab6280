//! The learning rate over the epochs.

use crate::recipe::Schedule;

/// Share of the full rate in epoch `epoch` (from 0) of `epochs`.
pub fn share(schedule: Schedule, epoch: usize, epochs: usize) -> f64 {
    let done = epoch as f64 / epochs as f64;
    match schedule {
        Schedule::Constant => 1.0,
        Schedule::Cosine => 0.5 * (1.0 + (std::f64::consts::PI * done).cos()),
        Schedule::Step if done < 0.5 => 1.0,
        Schedule::Step if done < 0.75 => 0.1,
        Schedule::Step => 0.01,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schedules_by_hand() {
        let shares = |s| [0, 2, 3].map(|e| share(s, e, 4));
        assert_eq!(shares(Schedule::Constant), [1.0, 1.0, 1.0]);
        assert_eq!(shares(Schedule::Step), [1.0, 0.1, 0.01]);
        let cosine = shares(Schedule::Cosine);
        assert_eq!(cosine[0], 1.0);
        assert!((cosine[1] - 0.5).abs() < 1e-12);
        assert!((cosine[2] - 0.5 * (1.0 - 0.5f64.sqrt())).abs() < 1e-12);
    }
}
