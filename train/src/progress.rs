//! Progress for a person: a bar on a terminal, else a line an epoch.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};

use crate::{fit::Event, recipe::Recipe};

/// Steps of the bar for one epoch.
const FINE: u64 = 1000;

pub struct Progress(pub ProgressBar);

impl Progress {
    pub fn new(recipe: &Recipe) -> Self {
        let style = ProgressStyle::with_template("{prefix} {wide_bar} {percent}%  {msg}  {eta} left");
        let bar = ProgressBar::new(recipe.train.epochs as u64 * FINE).with_style(style.expect("a fixed template"));
        bar.set_prefix(recipe.name.clone());
        Self(bar)
    }

    pub fn hear(&self, event: &Event) {
        match event {
            Event::Batch { epoch, batch, batches, loss } => {
                self.0.set_position((*epoch as u64 - 1) * FINE + *batch as u64 * FINE / *batches as u64);
                self.0.set_message(format!("epoch {epoch}, loss {loss:.4}"));
            }
            Event::Epoch(row) => {
                let judged = |what: &str, accuracy: Option<f64>| {
                    accuracy.map(|a| format!(", {what} {:.2}%", 100.0 * a)).unwrap_or_default()
                };
                let line = format!(
                    "epoch {}: loss {:.4}, training {:.2}%{}{}, {:.0} s",
                    row.epoch,
                    row.train_loss,
                    100.0 * row.train_accuracy,
                    judged("validation", row.validation_accuracy),
                    judged("held out", row.held_out_accuracy),
                    row.seconds
                );
                self.0.set_position(row.epoch as u64 * FINE);
                match std::io::stderr().is_terminal() {
                    true => self.0.println(line),
                    false => eprintln!("{}: {line}", self.0.prefix()),
                }
            }
        }
    }
}
