//! RRAM cells and sense amplifiers. Ideal cells are nominal: no draws.

use crate::plan::PlanError;

/// LRS of an ideal cell, in kOhm (ternary-pcsa, figure 3a).
pub const LRS_KOHM: f64 = 20.0;
/// HRS of an ideal cell beside an LRS one, in kOhm (ternary-pcsa, figure 3a).
pub const HRS_KOHM: f64 = 350.0;
/// BL of an ideal HRS/HRS pair, in kOhm; BLb has [`HRS_KOHM`] (ternary-pcsa, figure 3b).
pub const HRS_BL_KOHM: f64 = 320.0;

/// Constants of a PCSA's switching time: `t = t0 + a R + tau ln(1 / D)`.
struct Switching {
    t0_ns: f64,
    a_ns_per_kohm: f64,
    tau_ns: f64,
}

/// Switching time in ns of a pair, noise free: anchored on the two transients of ternary-pcsa, figure 3, at 0.6 V;
/// from a circuit model alone at 1.2 V.
pub fn switching_time_ns(supply_v: f64, bl_kohm: f64, blb_kohm: f64) -> Result<f64, PlanError> {
    let s = match supply_v {
        0.6 => Switching { t0_ns: 45.0, a_ns_per_kohm: 0.103, tau_ns: 49.7 },
        1.2 => Switching { t0_ns: 6.9, a_ns_per_kohm: 0.145, tau_ns: 2.1 },
        other => {
            return Err(PlanError::hardware("pcsa.supply_v", other, "the switching time is known at 0.6 and 1.2 V"));
        }
    };
    let lower = bl_kohm.min(blb_kohm);
    let difference = 1.0 - lower / bl_kohm.max(blb_kohm);
    Ok(s.t0_ns + s.a_ns_per_kohm * lower - s.tau_ns * libm::log(difference))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times read off figure 3 of ternary-pcsa: 50 ns and 200 ns.
    #[test]
    fn switching_times_are_those_of_figure_3() {
        let sign = switching_time_ns(0.6, LRS_KOHM, HRS_KOHM).unwrap();
        let zero = switching_time_ns(0.6, HRS_BL_KOHM, HRS_KOHM).unwrap();
        assert!((sign - 50.0).abs() < 0.1, "{sign}");
        assert!((zero - 200.0).abs() < 0.2, "{zero}");
    }

    #[test]
    fn an_unknown_supply_is_refused() {
        assert!(switching_time_ns(0.9, 20.0, 350.0).is_err());
    }
}
