//! What a key that is left out stands for.

use super::{
    Adc, Array, ClassScore, Clock, Columns, Count, Digital, Fold, Mapping, Memory, NegativeInputs, Neurons, Pcsa,
    Program, Sa, Sharpening, Stream, WhenFull,
};

impl Default for Memory {
    fn default() -> Self {
        Self {
            keys: 100,
            classes: 20,
            sharpening: Sharpening::Absolute,
            score: ClassScore::Sum,
            when_full: WhenFull::Refuse,
            program: Program::default(),
        }
    }
}

impl Default for Program {
    fn default() -> Self {
        Self { set_ns: 100.0, reset_ns: 100.0, form_ns: 1000.0, verify_ns: 20.0, attempts: 3, trim: 64 }
    }
}

impl Default for Array {
    fn default() -> Self {
        Self {
            inputs: 128,
            outputs: 128,
            neurons: Neurons::Bipolar,
            columns: Columns::Double,
            spare_word_lines: 0,
            spare_columns: 0,
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self { mhz: 100.0 }
    }
}

impl Default for Pcsa {
    fn default() -> Self {
        Self { supply_v: 0.6, precharge_ns: 10.0, window_ns: 70.0 }
    }
}

impl Default for Sa {
    fn default() -> Self {
        Self { read_ns: 10.0, mapping: Mapping::Shift }
    }
}

impl Default for Adc {
    fn default() -> Self {
        Self {
            bits: 4,
            full_scale: None,
            levels: Vec::new(),
            values: Vec::new(),
            unit: 1.0,
            conversion_ns: 10.0,
            columns_per_adc: 1,
            negative_inputs: NegativeInputs::TwoPhases,
        }
    }
}

impl Default for Digital {
    fn default() -> Self {
        Self { inputs_at_once: 8, neurons_at_once: Count::ALL }
    }
}

impl Default for Fold {
    fn default() -> Self {
        Self { sensed_at_once: Count::ALL, columns_per_amplifier: 1 }
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self { bits: 64 }
    }
}
