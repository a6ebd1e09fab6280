//! The learning curve: one row an epoch, as CSV and as a picture.

use std::{fmt::Write, path::Path};

use serde::{Deserialize, Serialize};

use crate::{Error, chart, whole};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// From 1.
    pub epoch: usize,
    pub learning_rate: f64,
    /// Mean over the epoch's batches, as they were when each was learned from.
    pub train_loss: f64,
    /// Share right of the same, augmented images under batch statistics.
    pub train_accuracy: f64,
    /// Where images are set aside for it.
    pub validation_accuracy: Option<f64>,
    /// Not in every epoch of a few-shot run.
    pub held_out_accuracy: Option<f64>,
    pub seconds: f64,
}

fn share(accuracy: Option<f64>) -> String {
    accuracy.map(|a| format!("{a:.6}")).unwrap_or_default()
}

pub fn csv(rows: &[Row]) -> String {
    let mut text =
        String::from("epoch,learning_rate,train_loss,train_accuracy,validation_accuracy,held_out_accuracy,seconds\n");
    for r in rows {
        writeln!(
            text,
            "{},{},{:.6},{:.6},{},{},{:.1}",
            r.epoch,
            r.learning_rate,
            r.train_loss,
            r.train_accuracy,
            share(r.validation_accuracy),
            share(r.held_out_accuracy),
            r.seconds
        )
        .expect("text grows");
    }
    text
}

pub fn write(rows: &[Row], path: &Path) -> Result<(), Error> {
    whole::write(path, csv(rows).as_bytes(), "write the learning curve")
}

/// Accuracies over the epochs.
pub fn picture(name: &str, rows: &[Row]) -> String {
    let line = |label: &str, of: fn(&Row) -> Option<f64>| chart::Series {
        label: label.into(),
        points: rows
            .iter()
            .filter_map(|r| of(r).map(|y| chart::Point { x: r.epoch as f64, ys: vec![100.0 * y] }))
            .collect(),
        paper: false,
    };
    let series = [
        line("training (augmented)", |r| Some(r.train_accuracy)),
        line("validation", |r| r.validation_accuracy),
        line("held out", |r| r.held_out_accuracy),
    ];
    let series = series.into_iter().filter(|s| !s.points.is_empty()).collect();
    let panels = vec![chart::Panel { title: String::new(), series }];
    chart::svg(&chart::Chart { title: name.into(), x: "epoch".into(), y: "accuracy, %".into(), log_x: false, panels })
}

/// `FILE.csv`, and `FILE.svg` beside it.
pub fn write_both(name: &str, rows: &[Row], path: &Path) -> Result<(), Error> {
    write(rows, path)?;
    whole::write(&path.with_extension("svg"), picture(name, rows).as_bytes(), "write the learning curve")
}
