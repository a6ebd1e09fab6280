//! The learning rate over the epochs.

use crate::recipe::Schedule;

/// Share of the full rate once `epochs_done` of `epochs` are done; the schedule runs anew in every cycle (Loshchilov and
/// Hutter 2017, arXiv:1608.03983).
pub fn share(schedule: Schedule, cycles: &[f64], epochs_done: f64, epochs: usize) -> f64 {
    let whole: f64 = cycles.iter().sum();
    let mut at = epochs_done / epochs as f64 * whole;
    let mut length = cycles[cycles.len() - 1];
    for cycle in cycles {
        // What is left of the cycles before is rounded: an epoch that begins a cycle is none of the one before.
        if at < *cycle - 1e-9 * whole {
            length = *cycle;
            break;
        }
        at -= cycle;
    }
    let done = at / length;
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
        let shares = |s| [0, 2, 3].map(|e| share(s, &[1.0], f64::from(e), 4));
        assert_eq!(shares(Schedule::Constant), [1.0, 1.0, 1.0]);
        assert_eq!(shares(Schedule::Step), [1.0, 0.1, 0.01]);
        let cosine = shares(Schedule::Cosine);
        assert_eq!(cosine[0], 1.0);
        assert!((cosine[1] - 0.5).abs() < 1e-12);
        assert!((cosine[2] - 0.5 * (1.0 - 0.5f64.sqrt())).abs() < 1e-12);
    }

    #[test]
    fn cosines_restart() {
        // Cycles of 100, 200 and 400 epochs.
        let at = |e: f64| share(Schedule::Cosine, &[1.0, 2.0, 4.0], e, 700);
        for (epoch, expected) in [(0.0, 1.0), (50.0, 0.5), (100.0, 1.0), (200.0, 0.5), (300.0, 1.0), (500.0, 0.5)] {
            assert!((at(epoch) - expected).abs() < 1e-9, "{epoch}: {}", at(epoch));
        }
        assert!(at(99.9) < 1e-3 && at(699.9) < 1e-3);
        // 0.1 + 0.2 is no sum of binary fractions: epoch 3 of 10 begins the last cycle all the same.
        let shares = |cycles: &[f64], epochs: usize, at: &[usize]| -> Vec<f64> {
            at.iter().map(|e| share(Schedule::Cosine, cycles, *e as f64, epochs)).collect()
        };
        for (cycles, epochs, first) in
            [(&[0.1, 0.2, 0.7][..], 10, &[0, 1, 3][..]), (&[0.2; 5], 30, &[0, 6, 12, 18, 24])]
        {
            assert!(shares(cycles, epochs, first).iter().all(|s| (s - 1.0).abs() < 1e-9), "{cycles:?}");
        }
    }
}
