//! Reads the Markdown files, and checks the pictures that they name.

use std::path::Path;

use pulldown_cmark::{Event, Parser, Tag};

use super::{Problems, files};
use crate::domain::instruction_picture::InstructionPicture;
use crate::domain::study::StudyDefinition;

/// Largest Markdown file, in bytes.
const LARGEST: usize = 200_000;

/// Replaces the names of the files by their contents.
pub fn read(folder: &Path, definition: &mut StudyDefinition, problems: &mut Problems) {
    let pages = &mut definition.pages;
    for page in [&mut pages.consent, &mut pages.debrief, &mut pages.preview] {
        *page = text(folder, page, problems);
    }
    pages.instructions.clear();
    for condition in &definition.conditions {
        let instructions = text(folder, &condition.instructions, problems);
        check_figures(&condition.instructions, &instructions, problems);
        definition.pages.instructions.push(instructions);
    }
}

fn text(folder: &Path, name: &str, problems: &mut Problems) -> String {
    let (what, remedy) = match files::text(folder, name, LARGEST) {
        Ok(text) if !text.trim().is_empty() => return text,
        Ok(_) => ("is empty".to_owned(), "Write the page in Markdown"),
        Err(fault) => fault,
    };
    problems.add(name, None, what, remedy);
    String::new()
}

fn check_figures(name: &str, markdown: &str, problems: &mut Problems) {
    for (event, range) in Parser::new(markdown).into_offset_iter() {
        if let Event::Start(Tag::Image { dest_url, .. }) = event
            && let Err(what) = InstructionPicture::parse(&dest_url)
        {
            let line = markdown[..range.start].lines().count().max(1);
            problems.add(name, line, what, "Pictures in instructions are `![words](figure:KIND)`");
        }
    }
}

/// The highest number of an instruction trial that a text asks for.
pub fn examples_needed(markdown: &str) -> usize {
    let figures = Parser::new(markdown).filter_map(|event| match event {
        Event::Start(Tag::Image { dest_url, .. }) => InstructionPicture::parse(&dest_url).ok(),
        _ => None,
    });
    figures.map(|figure| figure.example).max().unwrap_or(0)
}
