//! The learning curve: one row an epoch, as CSV.

use std::{fmt::Write, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, whole};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// From 1.
    pub epoch: usize,
    pub learning_rate: f64,
    /// Mean over the epoch's batches, as they were when each was learned from.
    pub train_loss: f64,
    /// Share right of the same, augmented images under batch statistics.
    pub train_accuracy: f64,
    pub held_out_accuracy: f64,
}

pub fn csv(rows: &[Row]) -> String {
    let mut text = String::from("epoch,learning_rate,train_loss,train_accuracy,held_out_accuracy\n");
    for r in rows {
        writeln!(
            text,
            "{},{},{:.6},{:.6},{:.6}",
            r.epoch, r.learning_rate, r.train_loss, r.train_accuracy, r.held_out_accuracy
        )
        .expect("text grows");
    }
    text
}

pub fn write(rows: &[Row], path: &Path) -> Result<(), Error> {
    whole::write(path, csv(rows).as_bytes(), "write the learning curve")
}
