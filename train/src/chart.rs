//! Line charts as SVG, written by hand: a few dozen elements need no drawing library.

use std::fmt::Write;

pub struct Chart {
    pub title: String,
    pub x: String,
    pub y: String,
    pub log_x: bool,
    /// Side by side, with axes of one scale and one legend.
    pub panels: Vec<Panel>,
}

pub struct Panel {
    pub title: String,
    pub series: Vec<Series>,
}

pub struct Series {
    /// Series of one label have one colour.
    pub label: String,
    pub points: Vec<Point>,
    /// A paper's numbers, not ours: dashed, and said in the legend.
    pub paper: bool,
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

pub const COLOURS: [&str; 12] = [
    "#1b6ca8", "#d1495b", "#3c8d53", "#8d5a97", "#c98a1b", "#4b4b4b", "#2a9d8f", "#9c6644", "#5fb3e6", "#e08bb0",
    "#8fae2e", "#2b2d7c",
];
pub const HEIGHT: f64 = 400.0;
pub const LEFT: f64 = 60.0;
const RIGHT: f64 = 180.0;
pub const TOP: f64 = 52.0;
pub const BOTTOM: f64 = 46.0;
const GAP: f64 = 16.0;

/// Of the one panel, or of each of several.
const WIDTHS: [f64; 2] = [400.0, 240.0];

pub fn svg(chart: &Chart) -> String {
    let of_x = |x: f64| if chart.log_x { x.log10() } else { x };
    let all = || chart.panels.iter().flat_map(|p| &p.series);
    let points = || all().flat_map(|s| &s.points);
    let (x0, x1) = span(points().map(|p| of_x(p.x)));
    let (y0, y1) = span(points().flat_map(|p| p.ys.iter().copied()));
    let panel_width = WIDTHS[usize::from(chart.panels.len() > 1)];
    let right = LEFT + chart.panels.len() as f64 * (panel_width + GAP) - GAP;
    let (width, bottom) = (right + RIGHT, HEIGHT - BOTTOM);
    let place_x = |x: f64| (x - x0) / (x1 - x0) * panel_width;
    let place_y = |y: f64| bottom - (y - y0) / (y1 - y0) * (bottom - TOP);
    let x_ticks: Vec<(f64, String)> = match chart.log_x {
        true => decades(x0, x1),
        false => ticks(x0, x1).into_iter().map(|x| (x, number(x))).collect(),
    };
    let mut labels: Vec<&str> = Vec::new();
    let mut legend: Vec<(&str, bool)> = Vec::new();
    for s in all() {
        if !labels.contains(&s.label.as_str()) {
            labels.push(&s.label);
        }
        if !legend.contains(&(&s.label, s.paper)) {
            legend.push((&s.label, s.paper));
        }
    }
    let stroke = |label: &str, paper: bool| {
        let k = labels.iter().position(|l| *l == label).expect("listed");
        let (colour, width) = (COLOURS[k % COLOURS.len()], 1.5 * (1 + k / COLOURS.len()) as f64); // the thirteenth is the first, but wider
        let dash = if paper { " stroke-dasharray=\"5 4\"" } else { "" };
        format!("fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"{dash}")
    };

    let mut out = opened(width, &chart.title);
    text(&mut out, (LEFT + right) / 2.0, HEIGHT - 10.0, "middle", "", &chart.x);
    let middle = (TOP + bottom) / 2.0;
    text(&mut out, 14.0, middle, "middle", &format!(" transform=\"rotate(-90 14 {middle:.1})\""), &chart.y);
    for y in ticks(y0, y1) {
        text(&mut out, LEFT - 6.0, place_y(y) + 4.0, "end", "", &number(y));
    }
    for (k, panel) in chart.panels.iter().enumerate() {
        let left = LEFT + k as f64 * (panel_width + GAP);
        text(&mut out, left + panel_width / 2.0, TOP - 10.0, "middle", "", &panel.title);
        for y in ticks(y0, y1).into_iter().map(place_y) {
            line(&mut out, &format!("M{left:.1} {y:.1}h{panel_width}"), "stroke=\"#ddd\"");
        }
        for (tick, label) in &x_ticks {
            let x = left + place_x(*tick);
            line(&mut out, &format!("M{x:.1} {TOP}V{bottom}"), "stroke=\"#eee\"");
            text(&mut out, x, bottom + 15.0, "middle", "", label);
        }
        for series in &panel.series {
            let (stroke, mut path) = (stroke(&series.label, series.paper), String::new());
            for point in &series.points {
                let (x, y) = (left + place_x(of_x(point.x)), place_y(point.mean()));
                path += &format!("{}{x:.1} {y:.1}", if path.is_empty() { 'M' } else { 'L' });
                if !series.paper {
                    writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"2\" {stroke}/>").expect("text grows");
                }
                if point.ys.len() > 1 {
                    let (low, high) = point.range();
                    line(&mut out, &format!("M{x:.1} {:.1}V{:.1}", place_y(low), place_y(high)), &stroke);
                }
            }
            line(&mut out, &path, &stroke);
        }
    }
    for (k, (label, paper)) in legend.into_iter().enumerate() {
        let y = TOP + 8.0 + 16.0 * k as f64;
        line(&mut out, &format!("M{:.1} {y:.1}h24", right + 12.0), &stroke(label, paper));
        let label = if paper { format!("{label}, paper") } else { label.to_string() };
        text(&mut out, right + 42.0, y + 4.0, "start", "", &label);
    }
    out + "</svg>\n"
}

/// What every picture begins with.
pub fn opened(width: f64, title: &str) -> String {
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"11\">\n\
         <rect width=\"{width}\" height=\"{HEIGHT}\" fill=\"white\"/>\n"
    );
    text(&mut out, LEFT, 20.0, "start", " font-size=\"14\"", title);
    out
}

pub fn text(out: &mut String, x: f64, y: f64, anchor: &str, more: &str, text: &str) {
    if !text.is_empty() {
        let text = escaped(text);
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\"{more}>{text}</text>")
            .expect("text grows");
    }
}

pub fn line(out: &mut String, path: &str, stroke: &str) {
    writeln!(out, "<path d=\"{path}\" {stroke}/>").expect("text grows");
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

/// Powers of ten within a span of logarithms, each with its label; where there are fewer than two, three times them as well.
fn decades(low: f64, high: f64) -> Vec<(f64, String)> {
    let within = |factors: &[u8]| -> Vec<(f64, String)> {
        (low.floor() as i32..=(high + 1e-9).floor() as i32)
            .flat_map(|p| factors.iter().map(move |m| (f64::from(p) + f64::from(*m).log10(), format!("{m}e{p}"))))
            .filter(|(x, _)| (low - 1e-9..=high + 1e-9).contains(x))
            .collect()
    };
    let powers = within(&[1]);
    if powers.len() < 2 { within(&[1, 3]) } else { powers }
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
        let labels = |low: f64, high: f64| {
            decades(low.log10(), high.log10()).into_iter().map(|(_, label)| label).collect::<Vec<_>>()
        };
        assert_eq!(labels(1e-4, 0.2), ["1e-4", "1e-3", "1e-2", "1e-1"]);
        assert_eq!(labels(0.03, 0.1), ["3e-2", "1e-1"]);
        assert_eq!(labels(0.1, 1.0), ["1e-1", "1e0"]);
    }

    #[test]
    fn a_chart_holds_every_line_and_point() {
        let points = || vec![Point { x: 1.0, ys: vec![2.0] }, Point { x: 10.0, ys: vec![3.0, 5.0, 4.0] }];
        let series = |paper| Series { label: "votes <1>".into(), points: points(), paper };
        let panel = |title: &str| Panel { title: title.into(), series: vec![series(false), series(true)] };
        let chart = |panels| svg(&Chart { title: "t".into(), x: "x".into(), y: "y".into(), log_x: true, panels });
        let one = chart(vec![panel("")]);
        assert_eq!(one.matches("<circle").count(), 2);
        assert!(one.contains(">votes &lt;1&gt;<") && one.contains(">votes &lt;1&gt;, paper<") && one.contains("1e1"));
        // 2 to 5 span the height of 302; the mean of the three is 4, and their bar goes from 3 to 5.
        let [low, mean, high] = [3.0, 4.0, 5.0].map(|y| 354.0 - (y - 2.0) / 3.0 * 302.0);
        assert!(one.contains(&format!("cx=\"460.0\" cy=\"{mean:.1}\"")), "{one}");
        assert!(one.contains(&format!("<path d=\"M460.0 {low:.1}V{high:.1}\"")), "{one}");
        // A second panel stands beside the first, and shares colours and legend.
        let two = chart(vec![panel("a"), panel("b")]);
        assert_eq!((two.matches("<circle").count(), two.matches(", paper<").count()), (4, 1));
        assert!(two.contains(COLOURS[0]) && !two.contains(COLOURS[1]));
        assert!(two.contains("cx=\"300.0\"") && two.contains("cx=\"556.0\""), "{two}");
        assert!(chart(vec![]).contains("</svg>"));
        // No two of 24 lines look alike.
        let series = (0..24).map(|k| Series { label: k.to_string(), points: points(), paper: false }).collect();
        let many = chart(vec![Panel { title: "".into(), series }]);
        let looks = many
            .lines()
            .filter(|l| l.contains("h24"))
            .map(|l| l.split("fill=").nth(1))
            .collect::<std::collections::HashSet<_>>();
        assert_eq!(looks.len(), 24);
    }
}
