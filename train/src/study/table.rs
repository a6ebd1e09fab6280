//! A study's table and picture. The table is also its memory: a row with an accuracy is done.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::claim::Claim;
use super::{Picture, Piece, Study};
use crate::bars;
use crate::chart::{self, Chart, Panel, Point, Series};
use crate::{Error, whole};

/// A piece and, where it is done, its accuracy with the settings that it was made with.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    pub series: String,
    pub x: f64,
    pub run: u64,
    pub accuracy_percent: Option<f64>,
    pub paper_percent: Option<f64>,
    pub settings: String,
}

/// All rows of `NAME.csv`: those of the pieces at hand, and those that other options have made.
pub struct Table<'a> {
    study: &'a Study,
    pieces: &'a [Piece],
    /// Of each piece.
    settings: Vec<String>,
    folder: &'a Path,
    /// In the order of the file.
    rows: Vec<Row>,
    /// Of each piece, where its row is.
    places: Vec<usize>,
}

impl<'a> Table<'a> {
    /// Reads `NAME.csv` where there is one.
    pub fn open(study: &'a Study, pieces: &'a [Piece], settings: Vec<String>, folder: &'a Path) -> Result<Self, Error> {
        let mut table = Self { study, pieces, settings, folder, rows: Vec::new(), places: Vec::new() };
        table.read()?;
        Ok(table)
    }

    fn path(&self) -> PathBuf {
        self.folder.join(self.study.name).with_extension("csv")
    }

    /// Names of the columns.
    fn head(&self) -> [String; 6] {
        let x = self.study.x.replace(' ', "_");
        ["series", &x, "run", "accuracy_percent", "paper_percent", "settings"].map(String::from)
    }

    /// What the file says now: another process may have written it. A row that was made with other settings is an error, which
    /// leaves what was known.
    pub fn read(&mut self) -> Result<(), Error> {
        let path = self.path();
        let text = if path.is_file() { super::read_text(&path, "read the results so far")? } else { String::new() };
        let bad = |reason: String| Error::Table { path: path.clone(), reason };
        let (mut rows, mut places): (Vec<Row>, Vec<usize>) = Default::default();
        let no_csv = |e: csv::Error| bad(format!("is no CSV: {e}; mend it, or take another folder"));
        let mut csv = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let (head, own) = (csv.headers().map_err(no_csv)?.clone(), self.head());
        if !text.is_empty() && head != *own.as_slice() {
            let own = own.join(",");
            return Err(bad(format!("does not begin with the line `{own}`: put it there, or take another folder")));
        }
        for record in csv.into_records() {
            let row = row(&record.map_err(no_csv)?).map_err(bad)?;
            if rows.iter().any(|other: &Row| other.key() == row.key()) {
                return Err(bad(format!("row {} is there twice: delete one", row.name())));
            }
            rows.push(row);
        }
        for (piece, now) in self.pieces.iter().zip(&self.settings) {
            let key = (piece.series.as_str(), piece.x, piece.run);
            let Some(place) = rows.iter().position(|row| row.key() == key) else {
                places.push(rows.len());
                rows.push(Row::new(piece));
                continue;
            };
            let row = &mut rows[place];
            row.paper_percent = piece.paper;
            if row.accuracy_percent.is_some() && row.settings != *now {
                let then = &row.settings;
                return Err(bad(format!(
                    "row {} was made with the settings `{then}`, not `{now}`: give those, empty its accuracy to work it \
                     out again, or take another folder",
                    row.name()
                )));
            }
            places.push(place);
        }
        (self.rows, self.places) = (rows, places);
        Ok(())
    }

    /// Of the pieces at hand.
    pub fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Of the pieces at hand, those that are done.
    pub fn done(&self) -> Vec<Row> {
        let rows = self.places.iter().map(|&place| &self.rows[place]);
        rows.filter(|row| row.accuracy_percent.is_some()).cloned().collect()
    }

    pub fn is_done(&self, piece: usize) -> bool {
        self.rows[self.places[piece]].accuracy_percent.is_some()
    }

    /// Puts an accuracy into the files, beside what other processes have put there.
    pub fn put(&mut self, piece: usize, accuracy: f64) -> Result<(), Error> {
        let _alone = Claim::wait(self.folder, self.study.name)?;
        self.read()?;
        let row = &mut self.rows[self.places[piece]];
        row.accuracy_percent = Some(accuracy);
        row.settings.clone_from(&self.settings[piece]);
        self.write()
    }

    pub fn write_again(&mut self) -> Result<(), Error> {
        let _alone = Claim::wait(self.folder, self.study.name)?;
        self.read()?;
        self.write()
    }

    fn write(&self) -> Result<(), Error> {
        let mut csv = csv::Writer::from_writer(Vec::new());
        let mut put = |fields: [&str; 6]| csv.write_record(fields).expect("memory takes what is written");
        put(self.head().each_ref().map(String::as_str));
        for row in &self.rows {
            let accuracy = row.accuracy_percent.map(|a| format!("{a:.2}")).unwrap_or_default();
            let paper = row.paper_percent.map(|p| p.to_string()).unwrap_or_default();
            put([&row.series, &row.x.to_string(), &row.run.to_string(), &accuracy, &paper, &row.settings]);
        }
        let csv = csv.into_inner().expect("memory takes what is written");
        whole::write(&self.path(), &csv, "write the table")?;
        whole::write(&self.path().with_extension("svg"), self.picture().as_bytes(), "write the picture")
    }

    fn picture(&self) -> String {
        let study = self.study;
        let y = "accuracy, %";
        if study.picture == Picture::Bars {
            let bar = |row: &Row| bars::Row {
                name: row.series.clone(),
                ours: row.accuracy_percent,
                paper: row.paper_percent,
            };
            return bars::svg(study.what, y, &self.rows.iter().map(bar).collect::<Vec<_>>());
        }
        // A logarithm has no place for 0.
        let log_x = study.picture == Picture::LogLines;
        let drawn = || self.rows.iter().filter(|row| !log_x || row.x > 0.0);
        let mut titles: Vec<&str> = Vec::new();
        for panel in drawn().filter_map(|row| row.place().0) {
            if !titles.contains(&panel) {
                titles.push(panel);
            }
        }
        let span = drawn().map(|row| row.x).fold((f64::MAX, f64::MIN), |(a, b), x| (a.min(x), b.max(x)));
        let panel = |title: Option<&str>| {
            let own = || drawn().filter(|row| row.place().0.is_none_or(|panel| Some(panel) == title));
            let ours = own().filter_map(|row| row.accuracy_percent.map(|y| (row, y)));
            let papers = own().filter_map(|row| row.paper_percent.map(|y| (row, y)));
            let series = series(ours, false, span).into_iter().chain(series(papers, true, span)).collect();
            Panel { title: title.map(|t| format!("{t} {}", study.panel)).unwrap_or_default(), series }
        };
        let panels =
            if titles.is_empty() { vec![panel(None)] } else { titles.iter().map(|t| panel(Some(t))).collect() };
        let (title, x) = (study.what.into(), study.x.into());
        chart::svg(&Chart { title, x, y: y.into(), log_x, panels })
    }
}

impl Row {
    fn new(piece: &Piece) -> Self {
        Self {
            series: piece.series.clone(),
            x: piece.x,
            run: piece.run,
            accuracy_percent: None,
            paper_percent: piece.paper,
            settings: String::new(),
        }
    }

    /// No two rows have the same.
    fn key(&self) -> (&str, f64, u64) {
        (&self.series, self.x, self.run)
    }

    fn name(&self) -> String {
        format!("{}, {}, {}", self.series, self.x, self.run)
    }

    /// Its panel, where it has one of its own, and its line in it.
    fn place(&self) -> (Option<&str>, &str) {
        self.series.split_once(": ").map_or((None, &self.series), |(panel, line)| (Some(panel), line))
    }
}

/// A line of the file.
fn row(record: &csv::StringRecord) -> Result<Row, String> {
    let field = |i: usize| record.get(i).unwrap_or_default();
    let name = || [0, 1, 2].map(field).join(", ");
    let finite = |i: usize| field(i).parse().ok().filter(|n: &f64| n.is_finite());
    let number = |i: usize, what: &str| match field(i) {
        "" => Ok(None),
        text => finite(i).map(Some).ok_or_else(|| format!("row {} has the {what} `{text}`: correct it", name())),
    };
    let (Some(x), Ok(run)) = (finite(1), field(2).parse()) else {
        return Err(format!("row {} is none of a study's: delete it", name()));
    };
    Ok(Row {
        series: field(0).into(),
        x,
        run,
        accuracy_percent: number(3, "accuracy")?,
        paper_percent: number(4, "paper's accuracy")?,
        settings: field(5).into(),
    })
}

/// The lines of a panel from its points; a line of a single one is a level across.
fn series<'a>(points: impl Iterator<Item = (&'a Row, f64)>, paper: bool, span: (f64, f64)) -> Vec<Series> {
    let mut series: Vec<Series> = Vec::new();
    for (row, y) in points {
        let label = row.place().1;
        let known = series.iter().position(|s| s.label == label);
        let place = known.unwrap_or_else(|| {
            series.push(Series { label: label.into(), points: Vec::new(), paper });
            series.len() - 1
        });
        let points = &mut series[place].points;
        match points.iter_mut().find(|p| p.x == row.x) {
            Some(point) => point.ys.push(y),
            None => points.push(Point { x: row.x, ys: vec![y] }),
        }
    }
    for Series { points, .. } in &mut series {
        points.sort_by(|a, b| a.x.total_cmp(&b.x));
        if let [point] = points.as_slice() {
            let ys = point.ys.clone();
            *points = [span.0, span.1].map(|x| Point { x, ys: ys.clone() }).into();
        }
    }
    series
}

#[cfg(test)]
mod tests {
    use super::super::{STUDIES, Scale};
    use super::*;

    #[test]
    fn a_table_that_no_longer_reads_leaves_what_was_known() {
        let study = &STUDIES[0];
        let pieces = study.pieces(&Scale::default()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let open =
            |settings: &str| Table::open(study, &pieces, vec![settings.into(); pieces.len()], folder.path()).unwrap();
        let (mut one, mut other) = (open("train.epochs=20"), open("train.epochs=40"));
        one.put(0, 90.0).unwrap();
        let error = other.put(1, 91.0).unwrap_err().to_string();
        assert!(error.contains("was made with the settings `train.epochs=20`, not `train.epochs=40`"), "{error}");
        assert!((0..other.len()).all(|piece| !other.is_done(piece)));
        std::fs::write(one.path(), "nothing of a table\n").unwrap();
        assert!(one.read().is_err());
        assert!(one.is_done(0) && !one.is_done(1));
    }
}
