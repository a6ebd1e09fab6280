//! Thresholded sums before they are an output: where the hardware pools and aggregates.

use super::{Bits, LayerTrace};
use crate::plan::PoolPlan;

/// Which sums reach their thresholds: one bit a neuron, or under `sa` one a block and neuron, `[block * neurons + neuron]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cuts {
    /// 1 where the sum >= its high threshold.
    pub high: Bits,
    /// 1 where the sum >= its low threshold; only where outputs are trits.
    pub low: Option<Bits>,
}

impl Cuts {
    /// The output that the cuts of whole neurons stand for, `high + low - 1` for trits: of several positions in turn.
    pub fn trace(positions: &[Self]) -> LayerTrace {
        let mut high = Bits::default();
        positions.iter().for_each(|c| high.append(&c.high));
        if positions.iter().all(|c| c.low.is_none()) {
            return LayerTrace::Bipolar(high);
        }
        let mut low = Bits::default();
        positions.iter().filter_map(|c| c.low.as_ref()).for_each(|l| low.append(l));
        LayerTrace::Trit { nonzero: Bits::from_fn(high.len(), |i| high.get(i) || !low.get(i)), positive: high }
    }
}

/// OR, or AND where `all`, over each of a pool's windows.
pub(super) fn pooled(pool: &PoolPlan, positions: &[Cuts]) -> Vec<Cuts> {
    let all = Bits::from_fn(pool.all.len(), |i| pool.all[i]);
    let along = |side: usize, from: usize| (from - pool.size[side]) / pool.stride[side] + 1;
    let (rows, columns) = (along(0, pool.from.rows), along(1, pool.from.columns));
    let window = |row: usize, column: usize| {
        let places = (0..pool.size[0]).flat_map(move |r| (0..pool.size[1]).map(move |c| (r, c)));
        let of = places.map(move |(r, c)| {
            &positions[(row * pool.stride[0] + r) * pool.from.columns + column * pool.stride[1] + c]
        });
        let merge = |bits: &dyn Fn(&Cuts) -> &Bits| {
            let any = of.clone().fold(Bits::zeros(all.len()), |a, c| a.zip(bits(c), |a, b| a | b));
            let every = of
                .clone()
                .map(bits)
                .fold(None, |a: Option<Bits>, b| Some(a.map_or_else(|| b.clone(), |a| a.zip(b, |a, b| a & b))));
            let every = every.expect("a pool has positions");
            any.zip(&all, |any, all| any & !all).zip(&every.zip(&all, |every, all| every & all), |a, b| a | b)
        };
        let high = merge(&|c| &c.high);
        let low = positions[0].low.is_some().then(|| merge(&|c| c.low.as_ref().expect("all positions alike")));
        Cuts { high, low }
    };
    (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))).map(|(r, c)| window(r, c)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{MapPlan, PoolPlace};

    /// Two neurons on a row of four positions, pools of two: OR for the first, AND for the second.
    #[test]
    fn or_and_and() {
        let pool = PoolPlan {
            from: MapPlan { rows: 1, columns: 4 },
            size: [1, 2],
            stride: [1, 2],
            place: PoolPlace::Outputs,
            all: vec![false, true],
        };
        let cuts = |bits: [bool; 2]| Cuts { high: Bits::from_fn(2, |i| bits[i]), low: None };
        let positions = [[true, true], [false, false], [false, true], [false, true]].map(cuts);
        let got: Vec<Vec<bool>> = pooled(&pool, &positions).iter().map(|c| c.high.iter().collect()).collect();
        assert_eq!(got, [[true, false], [false, true]]);
    }
}
