//! The rows of `trials.csv`.

use std::cmp::Ordering;

use csv::{QuoteStyle, Writer, WriterBuilder};
use serde::{Deserialize, Serialize};

/// Which references a participant sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Condition {
    /// Nine synthetic images.
    Synthetic,
    /// Nine natural images (here: scenes).
    Natural,
    /// Five natural and four synthetic images.
    Mixed,
    /// Nine natural images, blurred except for one window.
    Blur,
    /// No references.
    None,
}

impl Condition {
    pub const ALL: [Self; 5] = [Self::Synthetic, Self::Natural, Self::Mixed, Self::Blur, Self::None];

    /// The name in `trials.csv`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Synthetic => "synthetic",
            Self::Natural => "natural",
            Self::Mixed => "mixed",
            Self::Blur => "blur",
            Self::None => "none",
        }
    }
}

/// The difficulty of a practice trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Difficulty {
    /// The easiest kind: a block begins with three of these.
    Obvious,
    /// The kind of the remaining practice trials.
    Easy,
}

/// The kind of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Kind {
    /// A trial that is analysed.
    Main,
    /// A trial that tests whether a participant pays attention.
    Catch,
    /// A practice trial.
    Practice(Difficulty),
    /// A trial that the instructions show.
    Instruction,
}

impl Kind {
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Main => ("main", ""),
            Self::Catch => ("catch", ""),
            Self::Practice(Difficulty::Obvious) => ("practice", "obvious"),
            Self::Practice(Difficulty::Easy) => ("practice", "easy"),
            Self::Instruction => ("instruction", ""),
        }
    }
}

/// Whether a rule answers a trial correctly; `None` if that is not known.
pub type Baseline = Option<bool>;

/// One trial of one condition. Images are paths relative to the folder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrialRow {
    /// The condition that shows it.
    pub condition: Condition,
    pub kind: Kind,
    /// The image set it comes from, counted from 0.
    pub image_set: usize,
    /// The unit's index in the machine.
    pub unit_index: usize,
    /// The unit's name, e.g. `orientation-fine-1`.
    pub unit: String,
    /// The unit's layer.
    pub layer: String,
    /// The unit's branch.
    pub branch: String,
    /// The base image's path.
    pub base: String,
    /// The base image occluded where the response stays highest: the correct answer.
    pub max_query: String,
    /// The wrong answer.
    pub min_query: String,
    /// The references in groups, within which they may be permuted.
    pub references: Vec<Vec<String>>,
    /// Response to the base image.
    pub base_activation: f64,
    /// Response to the max query.
    pub max_activation: f64,
    /// Response to the min query.
    pub min_activation: f64,
    /// Whether the rules center, variance and saliency answer correctly.
    pub baselines: [Baseline; 3],
}

/// The columns of `trials.csv`, in order. The server's reader of study folders takes them from here.
pub const COLUMNS: [&str; 18] = [
    "condition",
    "kind",
    "difficulty",
    "image_set",
    "unit",
    "layer",
    "branch",
    "base",
    "max_query",
    "min_query",
    "references",
    "base_activation",
    "max_activation",
    "min_activation",
    "center_correct",
    "variance_correct",
    "saliency_correct",
    "object_correct",
];

impl TrialRow {
    /// Orders rows by kind, condition, image set and unit.
    pub(crate) fn in_order(a: &Self, b: &Self) -> Ordering {
        // Units of other kinds have one trial each, of any image set.
        let set = |row: &Self| if row.kind == Kind::Main { row.image_set } else { 0 };
        let key = |row: &Self| (row.kind, row.condition, set(row), row.unit_index);
        key(a).cmp(&key(b))
    }

    /// The paths of all images of the row.
    pub(crate) fn images(&self) -> impl Iterator<Item = &str> {
        let named = [&self.base, &self.max_query, &self.min_query].into_iter();
        named.chain(self.references.iter().flatten()).map(String::as_str)
    }

    fn fields(&self) -> [String; 18] {
        let (kind, difficulty) = self.kind.names();
        let groups: Vec<String> = self.references.iter().map(|group| group.join(";")).collect();
        let [center, variance, saliency] =
            self.baselines.map(|known| known.map_or(String::new(), |yes| yes.to_string()));
        [
            self.condition.name().into(),
            kind.into(),
            difficulty.into(),
            self.image_set.to_string(),
            self.unit.clone(),
            self.layer.clone(),
            self.branch.clone(),
            self.base.clone(),
            self.max_query.clone(),
            self.min_query.clone(),
            groups.join("|"),
            self.base_activation.to_string(),
            self.max_activation.to_string(),
            self.min_activation.to_string(),
            center,
            variance,
            saliency,
            String::new(),
        ]
    }
}

/// The table with its header. Lines end in a line feed.
pub(crate) fn to_csv(rows: &[TrialRow]) -> Vec<u8> {
    let mut writer: Writer<Vec<u8>> =
        WriterBuilder::new().quote_style(QuoteStyle::Necessary).from_writer(Vec::new());
    writer.write_record(COLUMNS).expect("writing to memory cannot fail");
    for row in rows {
        writer.write_record(row.fields()).expect("every row has as many fields as there are columns");
    }
    writer.into_inner().expect("flushing to memory cannot fail")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row() -> TrialRow {
        TrialRow {
            condition: Condition::Mixed,
            kind: Kind::Practice(Difficulty::Easy),
            image_set: 3,
            unit_index: 7,
            unit: "colour-fine-2".into(),
            layer: "colour".into(),
            branch: "fine".into(),
            base: "images/a.jpg".into(),
            max_query: "images/b.jpg".into(),
            min_query: "images/c.jpg".into(),
            references: vec![vec!["images/d.jpg".into(), "images/e.jpg".into()], vec!["images/f.jpg".into()]],
            base_activation: 0.5,
            max_activation: 0.25,
            min_activation: 0.125,
            baselines: [Some(true), Some(false), None],
        }
    }

    #[test]
    fn a_row_is_written_as_the_format_says() {
        let mut none = row();
        none.condition = Condition::None;
        none.kind = Kind::Main;
        none.references = Vec::new();
        let text = String::from_utf8(to_csv(&[row(), none])).unwrap();
        let expected = "condition,kind,difficulty,image_set,unit,layer,branch,base,max_query,min_query,references,\
            base_activation,max_activation,min_activation,center_correct,variance_correct,saliency_correct,object_correct\n\
            mixed,practice,easy,3,colour-fine-2,colour,fine,images/a.jpg,images/b.jpg,images/c.jpg,\
            images/d.jpg;images/e.jpg|images/f.jpg,0.5,0.25,0.125,true,false,,\n\
            none,main,,3,colour-fine-2,colour,fine,images/a.jpg,images/b.jpg,images/c.jpg,,0.5,0.25,0.125,true,false,,\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn rows_are_sorted_by_kind_condition_set_and_unit() {
        let with = |kind, condition, image_set, unit_index| TrialRow {
            kind,
            condition,
            image_set,
            unit_index,
            ..row()
        };
        let mut rows = [
            with(Kind::Instruction, Condition::Natural, 0, 0),
            with(Kind::Catch, Condition::Natural, 9, 1),
            with(Kind::Catch, Condition::Natural, 2, 4),
            with(Kind::Main, Condition::Natural, 1, 0),
            with(Kind::Main, Condition::Natural, 0, 5),
            with(Kind::Main, Condition::Synthetic, 1, 5),
        ];
        rows.sort_by(TrialRow::in_order);
        let order: Vec<(usize, usize)> = rows.iter().map(|row| (row.image_set, row.unit_index)).collect();
        assert_eq!(order, [(1, 5), (0, 5), (1, 0), (9, 1), (2, 4), (0, 0)]);
    }
}
