//! The participant's screens as fragments, one template per stage, for the version and condition of the person.

use askama::Template;
use serde::Serialize;

use crate::domain::instruction_picture;
use crate::domain::instruction_picture::{FigureKind, InstructionPicture};
use crate::domain::participant::Participant;
use crate::domain::study::{Condition, StudyDefinition, StudyVersion, Texts};
use crate::domain::trial::{Side, Trial, TrialKind};
use crate::flow::image_addresses::Viewer;
use crate::flow::secrets::Secrets;
use crate::web::http::markdown;
use crate::web::http::page;
use crate::web::image_addresses::Gallery;

/// Every screen but the trial itself, as HTML.
#[derive(Debug, Serialize)]
pub struct ScreenFragments {
    welcome: String,
    instructions: Vec<String>,
    fullscreen: String,
    welcome_back: String,
    practice_again: String,
    main: String,
    feedback: String,
    done: String,
    left: String,
    /// The images of the instructions, in the order in which they are needed.
    #[serde(skip)]
    pub instruction_images: Vec<String>,
}

impl ScreenFragments {
    /// Renders the screens of a participant.
    pub fn new(gallery: &Gallery<'_>, version: &StudyVersion, person: &Participant) -> Self {
        let definition = &version.definition;
        let mut instructions = Instructions::new(gallery, version, &person.condition);
        let pages = instructions.pages();
        Self {
            welcome: page::text(&Welcome { title: &definition.title }),
            instructions: pages,
            fullscreen: page::text(&Fullscreen {}),
            welcome_back: page::text(&WelcomeBack {}),
            practice_again: page::text(&PracticeAgain {}),
            main: page::text(&MainIntro { texts: &definition.texts }),
            feedback: page::text(&Feedback {}),
            done: page::text(&DoneScreen {
                debrief: &markdown::render(&definition.pages.debrief),
                contact: &definition.contact,
            }),
            left: page::text(&LeftScreen { contact: &definition.contact }),
            instruction_images: instructions.images,
        }
    }
}

/// A picture of the trial screen, for people who only preview the task.
pub fn picture(secrets: &Secrets, version: &StudyVersion, condition: &str) -> String {
    let figure = InstructionPicture { kind: FigureKind::Trial, example: 1 };
    let gallery = Gallery::new(secrets, version, Viewer::Preview);
    Instructions::new(&gallery, version, condition).figure(figure, "The screen of a trial")
}

#[derive(Template)]
#[template(path = "study/welcome.html")]
struct Welcome<'a> {
    title: &'a str,
}

#[derive(Template)]
#[template(path = "study/fullscreen.html")]
struct Fullscreen {}

#[derive(Template)]
#[template(path = "study/welcome_back.html")]
struct WelcomeBack {}

#[derive(Template)]
#[template(path = "study/practice_again.html")]
struct PracticeAgain {}

#[derive(Template)]
#[template(path = "study/main.html")]
struct MainIntro<'a> {
    texts: &'a Texts,
}

#[derive(Template)]
#[template(path = "study/feedback.html")]
struct Feedback {}

#[derive(Template)]
#[template(path = "study/done.html")]
struct DoneScreen<'a> {
    debrief: &'a str,
    contact: &'a str,
}

#[derive(Template)]
#[template(path = "study/left.html")]
struct LeftScreen<'a> {
    contact: &'a str,
}

/// A picture of the trial screen or of a part of it.
#[derive(Template)]
#[template(path = "study/figure.html")]
struct FigureView<'a> {
    kind: FigureKind,
    words: &'a str,
    texts: &'a Texts,
    references: Vec<String>,
    columns: usize,
    base: String,
    left: String,
    right: String,
    left_labels: Vec<u8>,
    right_labels: Vec<u8>,
}

impl FigureView<'_> {
    const fn shows_references(&self) -> bool {
        matches!(self.kind, FigureKind::References | FigureKind::BaseAndReferences | FigureKind::Trial)
            && !self.references.is_empty()
    }

    const fn shows_base(&self) -> bool {
        matches!(self.kind, FigureKind::Base | FigureKind::BaseAndReferences | FigureKind::Trial)
    }

    const fn shows_queries(&self) -> bool {
        !matches!(self.kind, FigureKind::References | FigureKind::Base | FigureKind::BaseAndReferences)
    }

    const fn shows_buttons(&self) -> bool {
        matches!(self.kind, FigureKind::Buttons | FigureKind::Answered | FigureKind::Trial)
    }

    fn base_title(&self) -> &str {
        if self.references.is_empty() { &self.texts.base_title_alone } else { &self.texts.base_title }
    }
}

struct Instructions<'a> {
    gallery: &'a Gallery<'a>,
    definition: &'a StudyDefinition,
    condition: Option<&'a Condition>,
    examples: Vec<&'a Trial>,
    /// Addresses in the order of need.
    images: Vec<String>,
}

impl<'a> Instructions<'a> {
    fn new(gallery: &'a Gallery<'a>, version: &'a StudyVersion, condition: &str) -> Self {
        let examples = version.trials_of(condition, TrialKind::Instruction).map(|row| &row.trial).collect();
        let definition = &version.definition;
        Self { gallery, definition, condition: definition.condition(condition), examples, images: Vec::new() }
    }

    fn pages(&mut self) -> Vec<String> {
        let index =
            self.definition.conditions.iter().position(|c| Some(&c.name) == self.condition.map(|c| &c.name));
        let text = index
            .and_then(|index| self.definition.pages.instructions.get(index))
            .cloned()
            .unwrap_or_default();
        instruction_picture::pages(&text)
            .iter()
            .map(|page| markdown::render_with_figures(page, |figure, words| self.figure(figure, words)))
            .collect()
    }

    fn figure(&mut self, figure: InstructionPicture, words: &str) -> String {
        let Some(trial) = self.examples.get(figure.example - 1).copied() else { return String::new() };
        let buttons = self.definition.buttons();
        let label = |response| buttons.press(response).map(|press| press.confidence);
        let references: Vec<String> =
            trial.all_references().map(|image| self.gallery.address(image)).collect();
        let (left, right) = self.gallery.queries(trial, Side::Left);
        let view = FigureView {
            kind: figure.kind,
            words,
            texts: &self.definition.texts,
            columns: columns(references.len()),
            references,
            base: self.gallery.address(&trial.base),
            left,
            right,
            left_labels: (0..buttons.levels).filter_map(label).collect(),
            right_labels: (buttons.levels..buttons.count()).filter_map(label).collect(),
        };
        self.need(&view);
        page::text(&view)
    }

    fn need(&mut self, view: &FigureView<'_>) {
        let references = view.references.iter().filter(|_| view.shows_references());
        let base = std::iter::once(&view.base).filter(|_| view.shows_base());
        let queries = [&view.left, &view.right].into_iter().filter(|_| view.shows_queries());
        for address in references.chain(base).chain(queries) {
            if !self.images.contains(address) {
                self.images.push(address.clone());
            }
        }
    }
}

/// Columns of a grid of n images: ceil(sqrt(n)).
fn columns(n: usize) -> usize {
    (1..).find(|columns| columns * columns >= n).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use crate::web::participant::screens::*;

    #[test]
    fn grids_are_as_square_as_can_be() {
        assert_eq!([0, 1, 2, 4, 5, 9, 10].map(columns), [1, 1, 2, 2, 3, 3, 4]);
    }
}
