//! The plan as a person reads it.

use std::fmt;

use super::{
    Action, Encoding, InputMap, KeysPlan, LayerPlan, MemoryPlan, OutputPlan, Plan, ReadoutPlan, SparesPlan, Values,
};
use crate::network::WeightKind;

impl LayerPlan {
    /// Arrays the layer takes.
    pub fn arrays(&self) -> usize {
        match &self.readout {
            ReadoutPlan::Pcsa(p) => p.row_tiles * p.column_tiles,
            ReadoutPlan::Sa(s) => s.block_sizes.len() * s.tiles,
            ReadoutPlan::Adc(a) => a.block_sizes.len() * a.tiles,
            ReadoutPlan::Digital(_) => 0,
        }
    }

    /// Cells of one array in use at most: `(rows, columns)`.
    pub fn array_cells(&self) -> Option<(usize, usize)> {
        match &self.readout {
            // A word line of pairs: BL and BLb.
            ReadoutPlan::Pcsa(p) => Some((p.rows, 2 * p.slice())),
            // Two word lines an input, one column a neuron, two where weights are trits.
            ReadoutPlan::Sa(s) => {
                let columns = if self.weight_kind == WeightKind::Ternary { 2 } else { 1 };
                Some((2 * s.block_sizes[0], s.amplifiers * s.columns_per_amplifier * columns))
            }
            // Signed inputs on two columns take two word lines each; a single column has a bias column beside the array's.
            ReadoutPlan::Adc(a) => {
                let lines = if a.encoding == Encoding::Signed && !a.single_column { 2 } else { 1 };
                let neurons = a.adcs * a.columns_per_adc;
                Some((lines * a.block_sizes[0], if a.single_column { neurons + 1 } else { 2 * neurons }))
            }
            ReadoutPlan::Digital(_) => None,
        }
    }

    /// Share of the arrays' cells that hold a weight.
    pub fn utilisation(&self) -> Option<f64> {
        let (rows, columns) = self.array_cells()?;
        let weights = (self.inputs * self.neurons) as f64;
        let cells_per_weight = match (&self.readout, self.weight_kind) {
            (ReadoutPlan::Sa(_), WeightKind::Ternary) => 4.0,
            (ReadoutPlan::Adc(a), _) if a.single_column => 1.0,
            (ReadoutPlan::Adc(a), _) if a.encoding == Encoding::Signed => 4.0,
            _ => 2.0,
        };
        Some(weights * cells_per_weight / (self.arrays() * rows * columns) as f64)
    }

    /// Splits whose votes or partial sums are put together.
    pub fn splits(&self) -> usize {
        match &self.readout {
            ReadoutPlan::Pcsa(p) => p.column_tiles,
            ReadoutPlan::Sa(s) => s.block_sizes.len(),
            ReadoutPlan::Adc(a) => a.block_sizes.len(),
            ReadoutPlan::Digital(_) => 1,
        }
    }

    fn reads(&self) -> usize {
        match &self.readout {
            ReadoutPlan::Pcsa(p) => p.reads,
            ReadoutPlan::Sa(s) => s.reads,
            ReadoutPlan::Adc(a) => a.reads,
            ReadoutPlan::Digital(d) => d.reads,
        }
    }

    fn readout_name(&self) -> &'static str {
        match &self.readout {
            ReadoutPlan::Pcsa(_) => "pcsa",
            ReadoutPlan::Sa(_) => "sa",
            ReadoutPlan::Adc(_) => "adc",
            ReadoutPlan::Digital(_) => "digital",
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let input = &self.input;
        let map = match &input.map {
            InputMap::Bit => "one bit each".to_string(),
            InputMap::Threshold(at) => format!("+1 from {at} up"),
            InputMap::Affine { gain, offset } => format!("{gain} code + {offset}"),
            InputMap::Table(_) => "by table".to_string(),
        };
        let values = match input.values {
            Values::Bipolar => "bipolar".to_string(),
            Values::Trit => "trits".to_string(),
            Values::Integer { width, min, max } => format!("{width}-bit integers {min} to {max}"),
        };
        writeln!(f, "plan of {}: {} MHz, streams of {} bits", self.name, self.clock_mhz, self.stream_bits)?;
        writeln!(f, "input    {} codes, {map}: {values}; {} beats", input.count, input.beats)?;
        writeln!(
            f,
            "sense    precharge {} + window {} + capture 1 cycles; nominal LRS/HRS resolves in {}, HRS/HRS in {}",
            self.sense.precharge_cycles, self.sense.window_cycles, self.sense.sign_cycles, self.sense.zero_cycles
        )?;
        let head =
            ["layer", "readout", "inputs", "neurons", "splits", "arrays", "cells/array", "used", "reads", "sum bits"];
        let mut rows = vec![head.map(String::from)];
        for l in &self.layers {
            rows.push([
                l.name.clone(),
                l.readout_name().into(),
                l.inputs.to_string(),
                l.neurons.to_string(),
                l.splits().to_string(),
                l.arrays().to_string(),
                l.array_cells().map_or("-".into(), |(r, c)| format!("{r} x {c}")),
                l.utilisation().map_or("-".into(), |u| format!("{:.1}%", 100.0 * u)),
                l.reads().to_string(),
                l.sum_width.to_string(),
            ]);
        }
        f.write_str(&crate::text::table(&rows))?;
        for l in &self.layers {
            let flips = l.flipped.iter().filter(|x| **x).count();
            let kind = match &l.output {
                OutputPlan::Bipolar { .. } => "bipolar",
                OutputPlan::Trit { .. } => "trits",
                OutputPlan::Sums => "sums",
            };
            writeln!(
                f,
                "{}: |sum| <= {} < 2^{}, so {} bits hold every sum and threshold; {kind}; {flips} neurons flipped",
                l.name,
                l.largest_sum,
                l.sum_width - 1,
                l.sum_width
            )?;
            if let Some(s) = &l.spares {
                spares(l, s, f)?;
            }
            if let ReadoutPlan::Sa(s) = &l.readout {
                writeln!(
                    f,
                    "{}: {} blocks of {} inputs at most, thresholds of {} signed bits against the replica column",
                    l.name,
                    s.block_sizes.len(),
                    s.block_sizes[0],
                    s.threshold_width
                )?;
            }
            if let ReadoutPlan::Adc(a) = &l.readout {
                let t = &a.transfer;
                let how = match (t.exact, t.uniform) {
                    (true, _) => "exact".to_string(),
                    (_, true) => format!("equal steps of {:.4}", 2.0 * t.unit),
                    _ => format!("table in units of {}", t.unit),
                };
                writeln!(
                    f,
                    "{}: {} blocks of {} inputs at most, {}-bit codes, {how}; {} conversions of a column a vector",
                    l.name,
                    a.block_sizes.len(),
                    a.block_sizes[0],
                    t.bits,
                    a.encoding.phases()
                )?;
            }
        }
        if let Some(a) = &self.access {
            let arrays: usize = a.weights().map(|b| b.arrays()).sum();
            let lines: usize = a.weights().map(|b| b.lines_in_use()).sum();
            writeln!(
                f,
                "program: {arrays} arrays, {lines} word lines of {} cells at most; loading all takes {} cycles",
                a.cells(),
                a.load_cycles
            )?;
        }
        if let Some(m) = &self.memory {
            return memory(self, m, f);
        }
        match &self.scores.affine {
            None => writeln!(f, "scores: the sums, {} bits", self.scores.width)?,
            Some(a) => writeln!(
                f,
                "scores: gain * sum + offset with {} fraction bits ({}), {} bits",
                a.fraction_bits,
                if a.exact { "exact" } else { "rounded constants" },
                self.scores.width
            )?,
        }
        let arrays: usize = self.layers.iter().map(LayerPlan::arrays).sum();
        writeln!(
            f,
            "{arrays} arrays; first result after {} cycles, then one image every {} cycles ({:.0} images/s)",
            self.cycles.first_latency(),
            self.cycles.interval,
            self.clock_mhz * 1e6 / self.cycles.interval as f64
        )
    }
}

fn spares(layer: &LayerPlan, s: &SparesPlan, f: &mut fmt::Formatter) -> fmt::Result {
    writeln!(
        f,
        "{}: {} spare word lines and {} spare amplifiers an array; {} stuck cells, {} in the state that they are to be in",
        layer.name, s.word_lines, s.amplifiers, s.stuck, s.harmless
    )?;
    for r in &s.repairs {
        let list = |what: &str, places: &[usize]| {
            let places: Vec<String> = places.iter().map(usize::to_string).collect();
            if places.is_empty() { String::new() } else { format!(" {what} {}", places.join(", ")) }
        };
        let (lines, amplifiers) = (list("word lines", &r.word_lines), list("amplifiers", &r.amplifiers));
        writeln!(f, "{}: split {}, tile {} leaves out{lines}{amplifiers}", layer.name, r.split, r.tile)?;
    }
    Ok(())
}

fn memory(plan: &Plan, m: &MemoryPlan, f: &mut fmt::Formatter) -> fmt::Result {
    let readout = match &m.keys {
        KeysPlan::Pcsa(p) => format!("pcsa, {} x {} arrays, {} keys at once", p.row_tiles, p.column_tiles, p.lane_rows),
        KeysPlan::Adc(a) => format!("adc, {} blocks x {} tiles", a.block_sizes.len(), a.tiles),
    };
    writeln!(f, "memory: {} keys of {} features in {} classes; {readout}", m.slots, m.features, m.classes)?;
    writeln!(
        f,
        "memory: {} similarities of {} bits, {} of a class in {} bits; a full memory {}",
        if m.absolute { "absolute" } else { "plain" },
        m.dot_width,
        if m.mean { "mean" } else { "sum" },
        m.sum_width,
        if m.overwrite { "overwrites the oldest key" } else { "refuses" }
    )?;
    writeln!(
        f,
        "memory: a learn takes {} cycles, {} more for each retry of a word line; a query {} with one key, {} when full",
        m.latency(Action::Write { attempts: m.key_lines() }),
        m.latency(Action::Write { attempts: m.key_lines() + 1 }) - m.latency(Action::Write { attempts: m.key_lines() }),
        m.latency(Action::Query { used: 1 }),
        m.latency(Action::Query { used: m.slots })
    )?;
    writeln!(
        f,
        "{} arrays; queries of a full memory: first result after {} cycles, then one every {} cycles ({:.0} images/s)",
        plan.arrays(),
        plan.cycles.first_latency(),
        plan.cycles.interval,
        plan.clock_mhz * 1e6 / plan.cycles.interval as f64
    )
}
