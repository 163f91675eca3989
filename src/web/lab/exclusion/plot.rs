//! The small histograms of the workbench, with the bounds in them.

use crate::domain::exclusion::Bounds;
use crate::domain::workbench::Histogram;

/// Size of the drawing, in px.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 60.0;

/// The bounds of a criterion: for all conditions, or for the condition with this title.
pub struct Bound {
    pub condition: Option<String>,
    /// None if the criterion is off there.
    pub bounds: Option<Bounds>,
}

/// A histogram as it is drawn, from the lowest to the highest of its values and bounds.
#[derive(Debug, PartialEq)]
pub struct Plot {
    pub from: f64,
    pub to: f64,
    pub bars: Vec<Bar>,
    pub marks: Vec<Mark>,
    /// A description for screen readers.
    pub words: String,
}

/// A part of a bar, in px.
#[derive(Debug, PartialEq)]
pub struct Bar {
    pub class: &'static str,
    pub x: f64,
    pub y: f64,
    pub width: f64,
    pub height: f64,
}

/// A bound as a vertical line; dashed if it belongs to one condition.
#[derive(Debug, PartialEq)]
pub struct Mark {
    pub x: f64,
    pub dashed: bool,
}

impl Plot {
    /// Draws values with all bounds of their criterion.
    pub fn new(histogram: &Histogram, bounds: &[Bound]) -> Self {
        let marks = || {
            let dashed = |of: &Bound| of.condition.is_some();
            let at = |of: &Bound| of.bounds.map(|bounds| histogram.marks(bounds));
            bounds.iter().flat_map(move |of| at(of).into_iter().flatten().map(move |at| (at, dashed(of))))
        };
        let left = marks().fold(histogram.edges.0, |left, (at, _)| left.min(at));
        let right = marks().fold(histogram.edges.1, |right, (at, _)| right.max(at));
        let place = |value: f64| (value - left) / (right - left) * WIDTH;
        // A line at the very edge would be cut in half.
        let mark = |(at, dashed)| Mark { x: place(at).clamp(1.0, WIDTH - 1.0), dashed };
        let numbers = || bounds.iter().filter_map(|of| of.bounds).flat_map(|of| [of.min, of.max]).flatten();
        Self {
            bars: bars(histogram, place),
            marks: marks().map(mark).collect(),
            words: words(histogram, bounds),
            from: numbers().fold(histogram.from, f64::min),
            to: numbers().fold(histogram.to, f64::max),
        }
    }
}

fn bars(histogram: &Histogram, place: impl Fn(f64) -> f64) -> Vec<Bar> {
    let highest = histogram.bins.iter().map(|(kept, excluded)| kept + excluded).max().unwrap_or(1).max(1);
    let height = |n: u32| f64::from(n) / f64::from(highest) * (HEIGHT - 4.0);
    let step = histogram.width();
    let bar = |(n, (kept, excluded)): (usize, &(u32, u32))| {
        let from = histogram.edges.0 + step * n as f64;
        let (x, wide) = (place(from), place(from + step) - place(from));
        // The gap between bars is narrow enough that each bar stays visible.
        let width = wide - (wide / 10.0).min(1.0);
        let (low, high) = (height(*kept), height(*excluded));
        [
            Bar { class: "kept", x, y: HEIGHT - low, width, height: low },
            Bar { class: "exhausted", x, y: HEIGHT - low - high, width, height: high },
        ]
    };
    histogram.bins.iter().enumerate().flat_map(bar).filter(|bar| bar.height > 0.0).collect()
}

fn words(histogram: &Histogram, bounds: &[Bound]) -> String {
    let mut words = format!("Values from {:.1} to {:.1}", histogram.from, histogram.to);
    for Bound { condition, bounds } in bounds {
        let place = condition.as_ref().map_or_else(|| "bounds".into(), |title| format!("in {title}"));
        let bounds = bounds.map_or_else(|| "off".into(), |bounds| bounds.in_words());
        words += &format!("; {place}: {bounds}");
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(condition: Option<&str>, min: Option<f64>, max: Option<f64>) -> Bound {
        Bound { condition: condition.map(Into::into), bounds: Some(Bounds { min, max }) }
    }

    fn of_times(from: f64, to: f64, bins: Vec<(u32, u32)>) -> Histogram {
        Histogram { from, to, edges: (from, to), step: None, bins }
    }

    #[test]
    fn bounds_beyond_the_values_are_drawn_and_those_of_a_condition_are_dashed() {
        let histogram = of_times(100.0, 200.0, vec![(2, 0), (1, 1)]);
        let off = Bound { condition: Some("Blur".into()), bounds: None };
        let bounds = [within(None, Some(150.0), Some(900.0)), within(Some("None"), Some(40.0), None), off];
        let plot = Plot::new(&histogram, &bounds);
        assert_eq!((plot.from, plot.to), (40.0, 900.0));
        let dashed: Vec<bool> = plot.marks.iter().map(|mark| mark.dashed).collect();
        assert_eq!(dashed, [false, false, true]);
        let at: Vec<i64> = plot.marks.iter().map(|mark| mark.x.round() as i64).collect();
        assert_eq!(at, [31, 239, 1], "at its place, or just inside the edge");
        assert!(plot.bars.iter().all(|bar| bar.width > 0.0 && bar.x >= 0.0 && bar.x + bar.width <= WIDTH));
        assert_eq!(
            plot.words,
            "Values from 100.0 to 200.0; bounds: at least 150 and at most 900; in None: at least 40; in Blur: off"
        );
    }

    #[test]
    fn without_bounds_the_values_fill_the_drawing() {
        let histogram = of_times(0.0, 2.0, vec![(1, 1), (0, 0)]);
        let plot = Plot::new(&histogram, &[]);
        assert_eq!((plot.from, plot.to, plot.marks.len(), plot.bars.len()), (0.0, 2.0, 0, 2));
        assert_eq!((plot.bars[0].x, plot.bars[0].width), (0.0, 119.0));
        assert_eq!(plot.words, "Values from 0.0 to 2.0");
    }
}
