//! A study's table and picture. The table is also its memory: a row with an accuracy is done.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::claim::Claim;
use super::{Piece, Study};
use crate::chart::{self, Chart, Panel, Point, Series};
use crate::{Error, whole};

/// A row that is done; of the file's, those of the pieces at hand.
#[derive(Debug, Serialize)]
pub struct Row {
    pub series: String,
    pub x: f64,
    pub run: u64,
    pub accuracy_percent: f64,
    pub paper_percent: Option<f64>,
    pub settings: String,
}

/// Accuracies of a study's pieces, in percent, by their place in it; what is not done yet has none.
pub struct Table<'a> {
    study: &'a Study,
    pieces: &'a [Piece],
    /// Of each piece.
    settings: Vec<String>,
    folder: &'a Path,
    found: Vec<Option<f64>>,
    /// Rows of other pieces, made with other options.
    others: Vec<csv::StringRecord>,
}

impl<'a> Table<'a> {
    /// Reads `NAME.csv` where there is one.
    pub fn open(study: &'a Study, pieces: &'a [Piece], settings: Vec<String>, folder: &'a Path) -> Result<Self, Error> {
        let mut table = Self { study, pieces, settings, folder, found: vec![None; pieces.len()], others: Vec::new() };
        table.read()?;
        Ok(table)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.study.name).with_extension("csv")
    }

    /// What the file says now: another process may have written it. A row that was made with other settings is an error.
    pub fn read(&mut self) -> Result<(), Error> {
        let path = self.path();
        let text = if path.is_file() { super::read_text(&path, "read the results so far")? } else { String::new() };
        self.others.clear();
        self.found.fill(None);
        let bad = |reason: String| Error::Table { path: path.clone(), reason };
        for record in csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes()).into_records() {
            let record = record.map_err(|e| bad(format!("is no CSV: {e}; mend it, or take another folder")))?;
            let field = |i: usize| record.get(i).unwrap_or_default();
            let of_row = |p: &Piece| start(p) == [0, 1, 2].map(field);
            let Some(place) = self.pieces.iter().position(of_row) else {
                self.others.push(record);
                continue;
            };
            if field(3).is_empty() {
                continue;
            }
            let row = start(&self.pieces[place]).join(", ");
            let bad = |what: String| {
                bad(format!("row {row} {what}, empty its accuracy to work it out again, or take another folder"))
            };
            let accuracy = field(3).parse().map_err(|_| bad(format!("has the accuracy `{}`: correct it", field(3))))?;
            let (then, now) = (field(5), &self.settings[place]);
            if then != now {
                return Err(bad(format!("was made with the settings `{then}`, not `{now}`: give those")));
            }
            self.found[place] = Some(accuracy);
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    pub fn rows(&self) -> Vec<Row> {
        let row = |((p, found), settings): ((&Piece, &Option<f64>), &String)| {
            found.map(|accuracy_percent| Row {
                series: p.series.clone(),
                x: p.x,
                run: p.run,
                accuracy_percent,
                paper_percent: p.paper,
                settings: settings.clone(),
            })
        };
        self.pieces.iter().zip(&self.found).zip(&self.settings).filter_map(row).collect()
    }

    pub fn is_done(&self, piece: usize) -> bool {
        self.found[piece].is_some()
    }

    /// Puts an accuracy into the files, beside what other processes have put there.
    pub fn put(&mut self, piece: usize, accuracy: f64) -> Result<(), Error> {
        let _alone = Claim::wait(self.folder, self.study.name)?;
        self.read()?;
        self.found[piece] = Some(accuracy);
        self.write()
    }

    pub fn write_again(&mut self) -> Result<(), Error> {
        let _alone = Claim::wait(self.folder, self.study.name)?;
        self.read()?;
        self.write()
    }

    fn write(&self) -> Result<(), Error> {
        let x = self.study.x.replace(' ', "_");
        let mut csv = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
        let mut put = |fields: &csv::StringRecord| csv.write_record(fields).expect("memory takes what is written");
        put(&["series", &x, "run", "accuracy_percent", "paper_percent", "settings"].as_slice().into());
        for ((piece, found), settings) in self.pieces.iter().zip(&self.found).zip(&self.settings) {
            let [accuracy, paper] = [found.map(|a| format!("{a:.2}")), piece.paper.map(|p| p.to_string())];
            let settings = if found.is_some() { settings.clone() } else { String::new() };
            let end = [accuracy.unwrap_or_default(), paper.unwrap_or_default(), settings];
            put(&start(piece).into_iter().chain(end).collect());
        }
        self.others.iter().for_each(put);
        let csv = csv.into_inner().expect("memory takes what is written");
        whole::write(&self.path(), &csv, "write the table")?;
        whole::write(&self.path().with_extension("svg"), self.picture().as_bytes(), "write the picture")
    }

    fn picture(&self) -> String {
        let study = self.study;
        let mut titles: Vec<&str> = Vec::new();
        for panel in self.pieces.iter().filter_map(|p| p.place().0) {
            if titles.last() != Some(&panel) {
                titles.push(panel);
            }
        }
        let span = self.pieces.iter().map(|p| p.x).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        let panel = |title: Option<&str>| {
            let rows = || self.pieces.iter().zip(&self.found);
            let own = || rows().filter(|(p, _)| p.place().0.is_none_or(|panel| Some(panel) == title));
            let ours = own().filter_map(|(p, found)| found.map(|y| (p, y)));
            let papers = own().filter_map(|(p, _)| p.paper.map(|y| (p, y)));
            let series = series(ours, false, span).into_iter().chain(series(papers, true, span)).collect();
            Panel { title: title.map(|t| format!("{t} {}", study.panel)).unwrap_or_default(), series }
        };
        let panels =
            if titles.is_empty() { vec![panel(None)] } else { titles.iter().map(|t| panel(Some(t))).collect() };
        let (title, x, y) = (study.what.into(), study.x.into(), "accuracy, %".into());
        chart::svg(&Chart { title, x, y, log_x: study.log_x, panels })
    }
}

/// What a piece's row begins with.
fn start(piece: &Piece) -> [String; 3] {
    [piece.series.clone(), piece.x.to_string(), piece.run.to_string()]
}

/// The lines of a panel from its points; a line of a single one is a level across.
fn series<'a>(points: impl Iterator<Item = (&'a Piece, f64)>, paper: bool, span: (f64, f64)) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (piece, y) in points {
        let label = piece.place().1;
        let known = series.iter().position(|s| s.label == label);
        let place = known.unwrap_or_else(|| {
            series.push(Series { label: label.into(), points: Vec::new(), paper });
            series.len() - 1
        });
        match series[place].points.iter_mut().find(|p| p.x == piece.x) {
            Some(point) => point.ys.push(y),
            None => series[place].points.push(Point { x: piece.x, ys: vec![y] }),
        }
    }
    for s in series.iter_mut().filter(|s| s.points.len() == 1) {
        let ys = s.points[0].ys.clone();
        s.points = [span.0, span.1].map(|x| Point { x, ys: ys.clone() }).into();
    }
    series
}
