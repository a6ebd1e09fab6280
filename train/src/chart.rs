//! Line charts as SVG, written by hand: a few dozen elements need no drawing library.

use std::fmt::Write;

pub struct Chart {
    pub title: String,
    pub x: String,
    pub y: String,
    pub log_x: bool,
    pub series: Vec<Series>,
}

pub struct Series {
    pub label: String,
    pub points: Vec<Point>,
    /// For numbers that are not ours: a paper's.
    pub dashed: bool,
}

/// The mean of `ys` is drawn, with a bar from the lowest to the highest of several.
pub struct Point {
    pub x: f64,
    pub ys: Vec<f64>,
}

impl Point {
    fn mean(&self) -> f64 {
        self.ys.iter().sum::<f64>() / self.ys.len() as f64
    }

    /// Lowest and highest.
    fn range(&self) -> (f64, f64) {
        self.ys.iter().fold((f64::MAX, f64::MIN), |(low, high), y| (low.min(*y), high.max(*y)))
    }
}

const COLOURS: [&str; 8] = ["#1b6ca8", "#d1495b", "#3c8d53", "#8d5a97", "#c98a1b", "#4b4b4b", "#2a9d8f", "#9c6644"];
const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 400.0;
const LEFT: f64 = 60.0;
const RIGHT: f64 = 170.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = 46.0;

pub fn svg(chart: &Chart) -> String {
    let of_x = |x: f64| if chart.log_x { x.log10() } else { x };
    let points = || chart.series.iter().flat_map(|s| &s.points);
    let (x0, x1) = span(points().map(|p| of_x(p.x)));
    let (y0, y1) = span(points().flat_map(|p| p.ys.iter().copied()));
    let place_x = |x: f64| LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT);
    let place_y = |y: f64| HEIGHT - BOTTOM - (y - y0) / (y1 - y0) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    let mut text = |x: f64, y: f64, anchor: &str, more: &str, t: &str| {
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{}</text>", escaped(t))
            .expect("text grows");
    };
    text(LEFT, 20.0, "start", " font-size=\"14\"", &chart.title);
    text((LEFT + WIDTH - RIGHT) / 2.0, HEIGHT - 10.0, "middle", "", &chart.x);
    let middle = (TOP + HEIGHT - BOTTOM) / 2.0;
    text(14.0, middle, "middle", &format!(" transform=\"rotate(-90 14 {middle:.1})\""), &chart.y);
    for y in ticks(y0, y1) {
        text(LEFT - 6.0, place_y(y) + 4.0, "end", "", &number(y));
    }
    let x_ticks: Vec<f64> = match chart.log_x {
        true => (x0.ceil() as i32..=x1.floor() as i32).map(f64::from).collect(),
        false => ticks(x0, x1),
    };
    for x in &x_ticks {
        let label = if chart.log_x { format!("1e{x}") } else { number(*x) };
        text(place_x(*x), HEIGHT - BOTTOM + 15.0, "middle", "", &label);
    }
    for (k, series) in chart.series.iter().enumerate() {
        let y = TOP + 12.0 + 16.0 * k as f64;
        text(WIDTH - RIGHT + 34.0, y + 4.0, "start", "", &series.label);
    }
    for y in ticks(y0, y1) {
        let (y, right) = (place_y(y), WIDTH - RIGHT);
        writeln!(out, "<path d=\"M{LEFT} {y:.1}H{right}\" stroke=\"#ddd\"/>").expect("text grows");
    }
    for x in x_ticks {
        let (x, bottom) = (place_x(x), HEIGHT - BOTTOM);
        writeln!(out, "<path d=\"M{x:.1} {TOP}V{bottom}\" stroke=\"#eee\"/>").expect("text grows");
    }
    for (k, series) in chart.series.iter().enumerate() {
        let colour = COLOURS[k % COLOURS.len()];
        let dash = if series.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
        let mut path = String::new();
        for (i, point) in series.points.iter().enumerate() {
            let command = if i == 0 { 'M' } else { 'L' };
            let (x, y) = (place_x(of_x(point.x)), place_y(point.mean()));
            write!(path, "{command}{x:.1} {y:.1}").expect("text grows");
            if !series.dashed {
                writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2.2\" fill=\"{colour}\"/>").expect("text grows");
            }
            if point.ys.len() > 1 {
                let (low, high) = point.range();
                let (low, high) = (place_y(low), place_y(high));
                writeln!(out, "<path d=\"M{x:.1} {low:.1}V{high:.1}\" stroke=\"{colour}\"/>").expect("text grows");
            }
        }
        let y = TOP + 12.0 + 16.0 * k as f64;
        writeln!(
            out,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>\n\
             <path d=\"M{} {y}h24\" stroke=\"{colour}\" stroke-width=\"1.5\"{dash}/>",
            WIDTH - RIGHT + 6.0
        )
        .expect("text grows");
    }
    out + "</svg>\n"
}

/// Smallest and largest, a little apart where they are one.
fn span(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = values.filter(|v| v.is_finite()).fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
    match low.total_cmp(&high) {
        std::cmp::Ordering::Less => (low, high),
        std::cmp::Ordering::Equal => (low - 0.5, high + 0.5),
        std::cmp::Ordering::Greater => (0.0, 1.0),
    }
}

/// Round numbers within a span: steps of 1, 2 or 5 times a power of ten, at most nine of them.
fn ticks(low: f64, high: f64) -> Vec<f64> {
    let step = (-6..9)
        .flat_map(|p| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(p)))
        .find(|step| (high - low) / step <= 8.0)
        .unwrap_or(high - low);
    ((low / step - 1e-9).ceil() as i64..=(high / step + 1e-9).floor() as i64).map(|k| k as f64 * step).collect()
}

fn number(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    format!("{}", if rounded == 0.0 { 0.0 } else { rounded })
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_few() {
        assert_eq!(ticks(0.0, 10.0), [0.0, 2.0, 4.0, 6.0, 8.0, 10.0]);
        assert_eq!(ticks(97.3, 98.8).iter().map(|t| number(*t)).collect::<Vec<_>>().len(), 8);
        assert_eq!(number(0.30000000000000004), "0.3");
    }

    #[test]
    fn a_chart_holds_every_line_and_point() {
        let points = || vec![Point { x: 1.0, ys: vec![2.0] }, Point { x: 10.0, ys: vec![3.0, 5.0, 4.0] }];
        let line = |label: &str, dashed| Series { label: label.into(), points: points(), dashed };
        let series = vec![line("ours", false), line("paper <1>", true)];
        let text = svg(&Chart { title: "t".into(), x: "x".into(), y: "y".into(), log_x: true, series });
        assert_eq!(text.matches("<circle").count(), 2);
        assert_eq!(text.matches("stroke-dasharray").count(), 2);
        // 2 to 5 span the height; the mean of the three is 4, and their bar goes from 3 to 5.
        let [low, mean, high] = [3.0, 4.0, 5.0].map(|y| 354.0 - (y - 2.0) / 3.0 * 318.0);
        assert!(text.contains(&format!("cx=\"470.0\" cy=\"{mean:.1}\"")), "{text}");
        assert!(text.contains(&format!("<path d=\"M470.0 {low:.1}V{high:.1}\"")), "{text}");
        assert!(text.contains("paper &lt;1&gt;") && text.contains("1e1"));
        assert!(
            svg(&Chart { title: "empty".into(), x: "".into(), y: "".into(), log_x: false, series: vec![] })
                .contains("</svg>")
        );
    }
}
