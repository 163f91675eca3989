//! Tests of all figures with invented studies: small ones, empty ones, and one that is larger than the demo in everything.

mod whom;

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::allocation::Slot;
use crate::domain::analysis::{JudgedPerson, apart};
use crate::domain::consort::ConsortFlow;
use crate::domain::fixture;
use crate::domain::progress::Progress;
use crate::domain::results::MainAnswer;
use crate::domain::study::Group;
use crate::domain::workbench::preview;

/// A person's answer about a unit; person 4 is an expert.
fn answer(person: u128, condition: &str, unit: u32) -> MainAnswer {
    MainAnswer {
        person: uuid::Uuid::from_u128(person),
        group: if person == 4 { Group::Expert } else { Group::Crowd },
        condition: condition.into(),
        image_set: (person % 2) as i32,
        place: i64::from(unit),
        unit: format!("u<{unit}"),
        layer: format!("l{unit}"),
        branch: "3x3".into(),
        correct: !(person as u32 + unit).is_multiple_of(3),
        confidence: (1 + unit % 3) as u8,
        rt: Some(1000.0 + 100.0 * f64::from(unit)),
        difference: Some(f64::from(unit) - 1.0),
        baselines: [Some(true), Some(unit == 1), None, None],
    }
}

fn answers() -> Vec<MainAnswer> {
    let people = [(1, "natural"), (2, "natural"), (3, "natural"), (4, "natural"), (5, "none")];
    people.iter().flat_map(|(n, condition)| (0..4).map(move |unit| answer(*n, condition, unit))).collect()
}

fn people() -> Vec<JudgedPerson> {
    let mut failing = fixture::person("natural");
    failing.measures.catch_correct = 0;
    let mut expert = fixture::person("natural");
    (expert.group, expert.measures.total_time) = (Group::Expert, Some(5000.0));
    let people = [fixture::person("natural"), failing, fixture::person("none"), expert];
    people.into_iter().map(|person| JudgedPerson::new(person, &fixture::policy("as-posted"))).collect()
}

fn slot(condition: &str, postings_used: u32) -> Slot {
    Slot { postings_used, ..fixture::slot(condition) }
}

/// An invented study.
struct TestStudy {
    conditions: Vec<String>,
    titles: Vec<String>,
    people: Vec<JudgedPerson>,
    answers: Vec<MainAnswer>,
    slots: Vec<Slot>,
    blinded: bool,
}

impl TestStudy {
    fn small() -> Self {
        let conditions = ["natural", "none", "empty & odd"].map(str::to_owned).to_vec();
        let titles = conditions.clone();
        Self { conditions, titles, people: people(), answers: answers(), slots: Vec::new(), blinded: false }
    }

    /// A study of seven conditions with titles of 30 letters, two branches of 12 layers, 30 image sets, experts and all baselines.
    fn large() -> Self {
        let conditions: Vec<String> = (0..7).map(|n| format!("c{n}")).collect();
        let titles = [
            "Natural images, strongly blurred",
            "Referenzbildbeschreibungswörter",
            "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
            "Nine of the synthetic examples",
            "Mixed: five natural, four made!",
            "None at all, only the 2 queries",
            "Übersättigte Aufmerksamkeitsbilder",
        ];
        let of = |(n, condition): (u128, &String)| {
            let of_unit = |unit: u32| MainAnswer {
                group: if n > 28 { Group::Expert } else { Group::Crowd },
                image_set: (n % 30) as i32,
                unit: format!("a unit with quite a long name {unit}"),
                layer: format!("layer {} of many", unit / 2),
                branch: if unit.is_multiple_of(2) { "fine branch".into() } else { "coarse".into() },
                baselines: [Some(true), Some(unit == 1), Some(unit > 2), Some(unit.is_multiple_of(5))],
                rt: Some(90.0),
                ..answer(n, condition, unit)
            };
            (0..24).map(of_unit).collect::<Vec<_>>()
        };
        let answers = (1..).zip(conditions.iter().cycle().take(35)).flat_map(of).collect();
        let slots = conditions.iter().enumerate().map(|(n, condition)| slot(condition, n as u32)).collect();
        let titles = titles.map(str::to_owned).to_vec();
        Self { conditions, titles, people: people(), answers, slots, blinded: false }
    }

    /// The same study with letters in place of the conditions' names.
    fn blinded(self) -> Self {
        let titles = ('A'..).zip(&self.titles).map(|(letter, _)| letter.to_string()).collect();
        Self { titles, blinded: true, ..self }
    }

    fn crowd(&self) -> Vec<JudgedPerson> {
        apart(self.people.clone()).0
    }

    fn experts(&self) -> Vec<JudgedPerson> {
        apart(self.people.clone()).1
    }

    fn has_experts(&self) -> bool {
        !self.experts().is_empty()
    }

    fn figures(&self) -> Vec<Figure> {
        let label = |title: &String| Label { title: title.clone(), colour: "#47789e".into() };
        of_results(&Input {
            labels: &self.titles.iter().map(label).collect::<Vec<_>>(),
            results: &Results::new(&self.answers, &self.conditions, 3),
            preview: &preview(&self.crowd(), &self.conditions),
            experts: self.has_experts().then_some(&preview(&self.experts(), &self.conditions)),
            quality: &Quality::new(&self.crowd(), &self.slots, &self.conditions),
            policy: &fixture::policy("as-posted"),
            image_sets: 30,
            blinded: self.blinded,
        })
    }

    /// All figures, with the CONSORT flow and the progress.
    fn all_figures(&self) -> Vec<Figure> {
        let mut figures = self.figures();
        let of = |people: &[JudgedPerson]| ConsortFlow::new(BTreeMap::new(), people, &self.conditions);
        let experts = self.has_experts().then(|| of(&self.experts()));
        figures.push(flow(&of(&self.crowd()), experts.as_ref(), &self.titles));
        let definition = fixture::definition();
        let going = Progress::new(&self.crowd(), &self.experts(), &definition, &[], fixture::at(100.0));
        figures.extend(progress(&going));
        figures
    }
}

fn named<'a>(figures: &'a [Figure], name: &str) -> &'a Figure {
    figures.iter().find(|figure| figure.name == name).unwrap()
}

#[test]
fn every_figure_has_a_name_of_its_own_a_title_and_a_table() {
    let figures = TestStudy::small().all_figures();
    let names: BTreeSet<_> = figures.iter().map(|figure| figure.name).collect();
    assert_eq!((names.len(), figures.len()), (17, 17));
    for figure in &figures {
        assert!(!figure.table.rows.is_empty(), "{}", figure.name);
        let header = figure.table.header.len();
        assert!(figure.table.rows.iter().all(|row| row.len() == header), "{}", figure.name);
        let Some(svg) = &figure.svg else { continue };
        assert!(svg.contains("role=\"img\"") && svg.contains("<title>"), "{}", figure.name);
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{}", figure.name);
        assert!(!svg.contains("u<") && !svg.contains("empty & odd"), "names are escaped in {}", figure.name);
        assert!(!svg.contains("style="), "a strict content security policy forbids inline styles");
    }
}

#[test]
fn a_study_without_people_is_drawn_without_numbers() {
    let empty = TestStudy { people: Vec::new(), answers: Vec::new(), ..TestStudy::small() };
    for figure in empty.all_figures() {
        let csv = figure.table.to_csv();
        assert!(!csv.contains("NaN") && !csv.contains("inf"), "{}: {csv}", figure.name);
    }
}

#[test]
fn tables_contain_the_numbers_of_the_results() {
    let figures = TestStudy::small().all_figures();
    let csv = |name: &str| named(&figures, name).table.to_csv();
    let line = csv("accuracy").lines().nth(1).unwrap().to_owned();
    assert!(line.starts_with("natural,crowd,3,12,0.6666666666666666,"), "{line}");
    assert!(csv("accuracy").contains("\nnatural,experts,1,4,0.75,"), "{}", csv("accuracy"));
    assert!(csv("flow").contains("completed,excluded: catch trials,1,0\n"));
    let rho = csv("rho");
    assert!(rho.starts_with("Condition,Spearman’s rho,Points,Left out\nnatural,"), "{rho}");
    assert!(
        rho.contains("\nempty & odd,,0,0\nall, pooled,".replace("all, pooled", "\"all, pooled\"").as_str()),
        "{rho}"
    );
    assert!(rho.trim_end().ends_with(",12,0"), "{rho}");
    let tests = csv("tests");
    assert!(tests.contains("\nFriedman χ²,mean accuracies of 4 units,0,"), "{tests}");
    let kappa = csv("kappa");
    let total: Vec<&str> = kappa.lines().last().unwrap().split(',').collect();
    assert_eq!((total[..3].to_vec(), total.len()), (vec!["all", "all", ""], 8), "{kappa}");
}

#[test]
fn with_letters_for_conditions_nothing_is_counted_by_letter() {
    /// Columns of numbers that identify a row.
    const KEYS: [&str; 2] = ["Confidence", "Image set"];
    let counted = |study: &TestStudy| {
        let mut counted = BTreeSet::new();
        for figure in study.figures() {
            let of_letters = |row: &Vec<TableCell>| {
                row.iter().any(|cell| study.titles.iter().any(|title| *cell == title.as_str().into()))
            };
            let in_header = |name: &String| {
                study.titles.iter().any(|title| name == title || name.starts_with(&format!("{title}:")))
            };
            for row in &figure.table.rows {
                for (name, cell) in figure.table.header.iter().zip(row) {
                    let by_letter = of_letters(row) || in_header(name);
                    if by_letter && matches!(cell, TableCell::Count(_)) && !KEYS.contains(&name.as_str()) {
                        counted.insert(figure.name);
                    }
                }
            }
        }
        counted
    };
    assert_eq!(counted(&TestStudy::large().blinded()), BTreeSet::new());
    let open = TestStudy { blinded: false, ..TestStudy::large().blinded() };
    let expected = [
        "accuracy",
        "reaction-time",
        "confidence",
        "accuracy-by-confidence",
        "units",
        "image-sets",
        "kappa",
        "difficulty",
        "rho",
        "exclusion",
        "postings",
    ];
    assert_eq!(counted(&open), BTreeSet::from(expected), "the test recognises counts");
}

#[test]
fn with_letters_for_conditions_shares_have_no_more_places_than_on_the_page() {
    let csv = named(&TestStudy::large().blinded().figures(), "accuracy").table.to_csv();
    let cells = csv.lines().skip(1).flat_map(|line| line.split(',')).filter_map(|cell| cell.split_once('.'));
    assert!(cells.clone().count() > 20 && cells.into_iter().all(|(_, places)| places.len() <= 3), "{csv}");
}

#[test]
fn postings_are_counted_for_all_conditions_together_while_these_are_hidden() {
    let csv = named(&TestStudy::large().blinded().figures(), "postings").table.to_csv();
    assert_eq!(csv.lines().nth(1), Some("All conditions,1,1,1,1,1,1,1"));
    let open = TestStudy::large();
    let svg = named(&open.figures(), "postings").svg.clone().unwrap();
    let squares = svg.matches("stroke-width=\"2\"").count();
    assert_eq!(squares, 2, "the seventh condition's symbol is open: in the legend and over its bar");
}

/// Each text of a drawing with its estimated rectangle: (left, top, right, bottom) in px.
fn texts(svg: &str) -> Vec<(String, [f64; 4])> {
    let one = |text: &str| {
        let (tag, rest) = text.split_once('>').unwrap();
        let attribute =
            |name: &str| tag.split_once(&format!("{name}=\"")).unwrap().1.split('"').next().unwrap();
        let number = |name: &str| attribute(name).parse::<f64>().unwrap();
        let content = rest.split("</text>").next().unwrap().trim();
        let content = content.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let size = number("font-size").round();
        let width = f64::from(text_layout::width(&content, size as i32));
        let left = match attribute("text-anchor") {
            "start" => 0.0,
            "middle" => -width / 2.0,
            _ => -width,
        };
        let top = match attribute(" dy") {
            "0.76em" => 0.0,
            "0.5ex" => -size / 2.0,
            _ => -size,
        };
        let (x, y) = (number(" x"), number(" y"));
        let (right, bottom) = (left + width, top + size);
        // Text beside a vertical axis is turned upwards.
        let turned = tag.contains("rotate(270");
        let [left, top, right, bottom] =
            if turned { [top, -right, bottom, -left] } else { [left, top, right, bottom] };
        (content, [x + left, y + top, x + right, y + bottom])
    };
    svg.split("<text").skip(1).map(one).collect()
}

fn size(svg: &str) -> (f64, f64) {
    let view = svg.split_once("viewBox=\"0 0 ").unwrap().1.split('"').next().unwrap();
    let (width, height) = view.split_once(' ').unwrap();
    (width.parse().unwrap(), height.parse().unwrap())
}

#[test]
fn all_text_lies_within_its_drawing_and_covers_no_other() {
    for study in [TestStudy::small(), TestStudy::large(), TestStudy::large().blinded()] {
        for figure in study.figures() {
            let Some(svg) = figure.svg else { continue };
            let (width, height) = size(&svg);
            let texts = texts(&svg);
            assert!(texts.len() > 3, "{}", figure.name);
            for (at, (text, [left, top, right, bottom])) in texts.iter().enumerate() {
                let within = *left >= 0.0 && *top >= 0.0 && *right <= width && *bottom <= height;
                assert!(
                    within,
                    "{}: {text:?} at {left} {top} {right} {bottom} of {width} {height}",
                    figure.name
                );
                for (other, [from, over, to, under]) in &texts[..at] {
                    let apart =
                        right - 2.0 < *from || to - 2.0 < *left || bottom - 2.0 < *over || under - 2.0 < *top;
                    assert!(apart, "{}: {text:?} and {other:?}", figure.name);
                }
            }
        }
    }
}

#[test]
fn no_two_numbers_on_an_axis_read_the_same() {
    for study in [TestStudy::small(), TestStudy::large()] {
        for figure in study.all_figures() {
            let single =
                ["accuracy", "reaction-time", "accuracy-by-confidence", "postings", "practice", "progress"];
            let Some(svg) = figure.svg.filter(|_| single.contains(&figure.name)) else { continue };
            let beside = texts(&svg)
                .into_iter()
                .filter(|(text, [_, _, right, _])| *right < 54.0 && text.parse::<f64>().is_ok());
            let numbers: Vec<String> = beside.map(|(text, _)| text).collect();
            let distinct: BTreeSet<&String> = numbers.iter().collect();
            assert!(numbers.len() > 1 && numbers.len() == distinct.len(), "{}: {numbers:?}", figure.name);
            if ["postings", "practice", "progress"].contains(&figure.name) {
                assert!(
                    numbers.iter().all(|number| number.parse::<u32>().is_ok()),
                    "{}: {numbers:?}",
                    figure.name
                );
            }
        }
    }
}

#[test]
fn ratings_have_a_key() {
    let figures = TestStudy::small().figures();
    let words: BTreeSet<String> =
        texts(named(&figures, "confidence").svg.as_ref().unwrap()).into_iter().map(|text| text.0).collect();
    assert!((1..=3).all(|n| words.contains(&format!("rating {n}"))), "{words:?}");
}

#[test]
fn a_baseline_without_any_pair_is_left_out_and_named() {
    let figures = TestStudy::small().figures();
    let kappa = named(&figures, "kappa");
    let words: BTreeSet<String> = texts(kappa.svg.as_ref().unwrap()).into_iter().map(|text| text.0).collect();
    assert!(words.contains("Center") && words.contains("Variance"), "{words:?}");
    assert!(!words.contains("Saliency") && !words.contains("Object"), "{words:?}");
    assert!(kappa.caption.contains("Saliency, Object."), "{}", kappa.caption);
    let figures = TestStudy::large().figures();
    assert!(!named(&figures, "kappa").caption.contains("Object"));
}

#[test]
fn histograms_draw_the_policys_bounds() {
    let study = TestStudy::small();
    let lines = |study: &TestStudy| {
        named(&study.figures(), "criteria").svg.as_ref().unwrap().matches("stroke-width=\"2\"").count()
    };
    // 0.6 lies between the two values of catch trials, 0 and 1. For every other criterion all people have one value.
    assert_eq!(lines(&study), 1);
    let only_passing = TestStudy { people: people().into_iter().take(1).collect(), ..study };
    assert_eq!(lines(&only_passing), 0);
}
