//! Bar charts as SVG: rows of a table, ours filled, the paper's outlined beside it, numbers above.

use crate::chart::{BOTTOM, COLOURS, HEIGHT, LEFT, TOP, line, opened, text};

/// A row, in percent.
pub struct Row {
    pub name: String,
    pub ours: Option<f64>,
    pub paper: Option<f64>,
}

/// Of a row, and of a bar in it.
const WIDTHS: [f64; 2] = [110.0, 40.0];
const RIGHT: f64 = 90.0;

pub fn svg(title: &str, y: &str, rows: &[Row]) -> String {
    let [across, bar] = WIDTHS;
    let (right, bottom) = (LEFT + across * rows.len() as f64, HEIGHT - BOTTOM);
    let height = |percent: f64| percent / 100.0 * (bottom - TOP);
    let mut out = opened(right + RIGHT, title);
    let middle = (TOP + bottom) / 2.0;
    text(&mut out, 14.0, middle, "middle", &format!(" transform=\"rotate(-90 14 {middle:.1})\""), y);
    for tick in (0..=100).step_by(20) {
        let y = bottom - height(tick.into());
        text(&mut out, LEFT - 6.0, y + 4.0, "end", "", &tick.to_string());
        line(&mut out, &format!("M{LEFT} {y:.1}H{right}"), "stroke=\"#ddd\"");
    }
    let styles = [
        (-1.0, format!("fill=\"{0}\" stroke=\"{0}\"", COLOURS[0]), "here"),
        (0.0, format!("fill=\"white\" stroke=\"{}\" stroke-dasharray=\"5 4\"", COLOURS[0]), "paper"),
    ];
    for (k, row) in rows.iter().enumerate() {
        let middle = LEFT + across * (k as f64 + 0.5);
        text(&mut out, middle, bottom + 15.0, "middle", "", &row.name);
        for ((side, style, _), percent) in styles.iter().zip([row.ours, row.paper]) {
            if let Some(percent) = percent {
                let (left, top) = (middle + side * bar, bottom - height(percent));
                line(&mut out, &format!("M{left:.1} {bottom}V{top:.1}h{bar}V{bottom}z"), style);
                text(&mut out, left + bar / 2.0, top - 4.0, "middle", "", &format!("{percent:.2}"));
            }
        }
    }
    for (k, (_, style, label)) in styles.iter().enumerate() {
        let y = TOP + 16.0 * k as f64;
        line(&mut out, &format!("M{:.1} {y:.1}h16v10h-16z", right + 12.0), style);
        text(&mut out, right + 34.0, y + 9.0, "start", "", label);
    }
    out + "</svg>\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_as_high_as_its_number() {
        let row = |name: &str, ours, paper| Row { name: name.into(), ours, paper };
        let chart = svg("t", "y", &[row("a<b", Some(50.0), Some(100.0)), row("c", None, Some(5.0))]);
        // 100% is 302 high, from 354 up; the first row's middle is 60 + 55.
        assert!(chart.contains("M75.0 354V203.0h40V354z") && chart.contains("M115.0 354V52.0h40V354z"), "{chart}");
        assert!(chart.contains(">a&lt;b<") && chart.contains(">50.00<") && chart.contains(">100.00<"));
        // Two rows have three bars, and the legend two.
        assert_eq!(chart.matches("z\"").count(), 5);
    }
}
