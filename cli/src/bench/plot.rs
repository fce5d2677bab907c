//! Latency over rate as a plain SVG: p50 and p99 of each workload at every rate that was tried. Nothing but text is needed to
//! draw it, and nothing but a browser to read it.

use std::fmt::Write;

use serde_json::Value;

/// Size of the picture.
const SIZE: (f64, f64) = (860.0, 520.0);
/// The frame of the axes: left, top, right, bottom.
const FRAME: (f64, f64, f64, f64) = (70.0, 60.0, 690.0, 460.0);
/// One colour a workload, again from the first after the last.
const COLOURS: [&str; 6] = ["#1b6ca8", "#c0392b", "#27803b", "#8e44ad", "#b9770e", "#34495e"];
/// The bound that a rate must keep, ms.
const BOUND_MS: f64 = super::P99_BOUND_MS;

/// A rate that was tried, with its latencies in ms.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point {
    rate: f64,
    p50: f64,
    p99: f64,
}

/// Where rates and latencies lie: rates linear from 0, latencies by powers of ten.
struct Scale {
    most_rate: f64,
    decades: (i32, i32),
}

impl Scale {
    fn of(points: &[Point]) -> Self {
        let most_rate = points.iter().map(|point| point.rate).fold(1.0, f64::max);
        let least = points.iter().map(|point| point.p50).fold(BOUND_MS, f64::min).max(0.1);
        let most = points.iter().map(|point| point.p99).fold(BOUND_MS, f64::max);
        Self { most_rate, decades: (least.log10().floor() as i32, most.log10().ceil() as i32) }
    }

    fn x(&self, rate: f64) -> f64 {
        FRAME.0 + (FRAME.2 - FRAME.0) * rate / self.most_rate
    }

    fn y(&self, ms: f64) -> f64 {
        let (least, most) = (f64::from(self.decades.0), f64::from(self.decades.1));
        let share = (ms.max(0.01).log10() - least) / (most - least);
        FRAME.3 - (FRAME.3 - FRAME.1) * share.clamp(0.0, 1.0)
    }

    /// Rates at round distances.
    fn rates(&self) -> Vec<f64> {
        let rough = self.most_rate / 6.0;
        let power = 10f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough);
        let step = step.unwrap_or(self.most_rate);
        (0..).map(|number| f64::from(number) * step).take_while(|rate| *rate <= self.most_rate).collect()
    }
}

/// The picture of a run's figures.
pub fn svg(figures: &Value) -> String {
    let workloads: Vec<(&String, Vec<Point>)> = figures["workloads"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, row)| (name, points(row)))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    let all: Vec<Point> = workloads.iter().flat_map(|(_, points)| points.iter().copied()).collect();
    let scale = Scale::of(&all);
    let mut out = String::new();
    let _ = writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>",
        SIZE.0, SIZE.1
    );
    title(&mut out, &figures["machine"]);
    axes(&mut out, &scale);
    for (place, (name, points)) in workloads.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        line(&mut out, &scale, points, |point| point.p99, colour, "");
        line(&mut out, &scale, points, |point| point.p50, colour, " stroke-dasharray=\"5 4\"");
        let y = FRAME.1 + 20.0 + 40.0 * place as f64;
        legend(&mut out, y, colour, "", &format!("{name} p99"));
        legend(&mut out, y + 18.0, colour, " stroke-dasharray=\"5 4\"", &format!("{name} p50"));
    }
    out.push_str("</svg>\n");
    out
}

/// The rates that were tried, in ascending order.
fn points(row: &Value) -> Vec<Point> {
    let tried = row["tried"].as_array().into_iter().flatten();
    let point = |tried: &Value| {
        Some(Point { rate: tried["rate"].as_f64()?, p50: tried["p50_ms"].as_f64()?, p99: tried["p99_ms"].as_f64()? })
    };
    let mut points: Vec<Point> = tried.filter_map(point).collect();
    points.sort_by(|left, right| left.rate.total_cmp(&right.rate));
    points
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn title(out: &mut String, machine: &Value) {
    let cpu = escaped(machine["cpu"].as_str().unwrap_or("unknown"));
    let cores = machine["cores"].as_u64().unwrap_or_default();
    let memory = machine["memory_mib"].as_u64().unwrap_or_default();
    text(out, FRAME.0, 26.0, "start", "Latency to finality over rate, four validators and the load on one machine", 15);
    text(out, FRAME.0, 44.0, "start", &format!("{cores} cores, {cpu}, {memory} MiB"), 12);
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, words: &str, size: u32) {
    let _ =
        writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" font-size=\"{size}\">{words}</text>");
}

fn stroke(out: &mut String, from: (f64, f64), to: (f64, f64), colour: &str, dashes: &str) {
    let _ = writeln!(
        out,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"{dashes}/>",
        from.0, from.1, to.0, to.1
    );
}

fn axes(out: &mut String, scale: &Scale) {
    for rate in scale.rates() {
        let x = scale.x(rate);
        stroke(out, (x, FRAME.1), (x, FRAME.3), "#e4e4e4", "");
        text(out, x, FRAME.3 + 18.0, "middle", &format!("{rate}"), 12);
    }
    for decade in scale.decades.0..=scale.decades.1 {
        let ms = 10f64.powi(decade);
        let y = scale.y(ms);
        stroke(out, (FRAME.0, y), (FRAME.2, y), "#e4e4e4", "");
        text(out, FRAME.0 - 8.0, y + 4.0, "end", &format!("{ms}"), 12);
    }
    let bound = scale.y(BOUND_MS);
    stroke(out, (FRAME.0, bound), (FRAME.2, bound), "#888888", " stroke-dasharray=\"2 3\"");
    stroke(out, (FRAME.0, FRAME.3), (FRAME.2, FRAME.3), "#000000", "");
    stroke(out, (FRAME.0, FRAME.1), (FRAME.0, FRAME.3), "#000000", "");
    text(out, (FRAME.0 + FRAME.2) / 2.0, FRAME.3 + 42.0, "middle", "transactions a second, offered", 12);
    text(out, 16.0, FRAME.1 - 4.0, "start", "ms", 12);
}

fn line(out: &mut String, scale: &Scale, points: &[Point], of: fn(&Point) -> f64, colour: &str, dashes: &str) {
    let places: Vec<(f64, f64)> = points.iter().map(|point| (scale.x(point.rate), scale.y(of(point)))).collect();
    let list: Vec<String> = places.iter().map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let list = list.join(" ");
    let _ = writeln!(out, "<polyline points=\"{list}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"{dashes}/>");
    for (x, y) in places {
        let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
    }
}

fn legend(out: &mut String, y: f64, colour: &str, dashes: &str, words: &str) {
    stroke(out, (FRAME.2 + 20.0, y), (FRAME.2 + 50.0, y), colour, &format!(" stroke-width=\"2\"{dashes}"));
    text(out, FRAME.2 + 58.0, y + 4.0, "start", &escaped(words), 12);
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn tried(rate: u32, p50: f64, p99: f64) -> Value {
        json!({ "rate": rate, "p50_ms": p50, "p99_ms": p99 })
    }

    #[test]
    fn each_workload_has_two_lines_through_all_its_rates_in_order() {
        let figures = json!({
            "machine": { "cpu": "A <B> & C", "cores": 2, "memory_mib": 8000 },
            "workloads": { "split": { "tried": [tried(1000, 100.0, 200.0), tried(500, 50.0, 60.0)] }, "read": {} },
        });
        let svg = svg(&figures);
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("<circle").count(), 4);
        // 500 lies in the middle, 1,000 at the right; 100 ms one decade of two (10 to 1,000) up.
        assert!(svg.contains("points=\"380.0,320.2 690.0,260.0\""), "{svg}");
        for words in ["2 cores, A &lt;B&gt; &amp; C, 8000 MiB", "split p99", "split p50", ">1000</text>", ">10</text>"]
        {
            assert!(svg.contains(words), "{words} in {svg}");
        }
    }

    #[test]
    fn nothing_tried_is_an_empty_frame() {
        let svg = svg(&json!({ "machine": {}, "workloads": {} }));
        assert!(svg.ends_with("</svg>\n") && !svg.contains("<polyline"), "{svg}");
    }

    #[test]
    fn ticks_are_round_and_within_the_axis() {
        let scale = Scale { most_rate: 3_400.0, decades: (0, 3) };
        assert_eq!(scale.rates(), [0.0, 1_000.0, 2_000.0, 3_000.0]);
        assert_eq!((scale.x(0.0), scale.x(3_400.0)), (FRAME.0, FRAME.2));
        assert_eq!((scale.y(1.0), scale.y(1_000.0)), (FRAME.3, FRAME.1));
    }
}
