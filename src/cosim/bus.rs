//! What the bench does on the register bus before the images, and what it reports.

use super::CosimError;

/// One step of what the bench does on the register bus before the images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BusStep {
    pub kind: BusKind,
    pub address: u8,
    pub data: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BusKind {
    /// Reported where it is refused.
    Write = 0,
    /// Reported.
    Read = 1,
    /// Reads until no bit of `data` is set, then reports.
    Wait = 2,
    /// Leaves out the next `data` steps where bit `address` of the last value is 0.
    SkipUnless = 3,
}

/// What the bench reports of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BusAnswer {
    pub step: usize,
    /// Cycles of the bench since it began, and those in which a command was carried out.
    pub cycles: u64,
    pub busy: u64,
    /// The response was not OKAY.
    pub refused: bool,
    pub value: u32,
}

/// Steps in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Script {
    pub steps: Vec<BusStep>,
}

impl Script {
    /// Adds a step; gives its number.
    pub fn step(&mut self, kind: BusKind, address: u8, data: u32) -> usize {
        self.steps.push(BusStep { kind, address, data });
        self.steps.len() - 1
    }

    pub fn write(&mut self, address: u8, data: u32) {
        self.step(BusKind::Write, address, data);
    }

    /// No access was refused.
    pub fn check(&self, answers: &[BusAnswer]) -> Result<(), CosimError> {
        let Some(refused) = answers.iter().find(|a| a.refused) else { return Ok(()) };
        let step = &self.steps[refused.step];
        let reason = format!("access {} ({:?} {:#04x}) was refused", refused.step, step.kind, step.address);
        Err(CosimError::Bus { reason })
    }
}
