//! Pictures in the instructions: what `![...](figure:...)` can name.

use super::words;

words! {
    /// Which part of a trial's screen is shown.
    FigureKind {
        /// The references.
        References = "references",
        /// The base image.
        Base = "base",
        /// Both.
        BaseAndReferences = "base-and-references",
        /// The two queries.
        Queries = "queries",
        /// The queries with the rows of numbers.
        Buttons = "buttons",
        /// The queries after an answer: one has the black frame.
        Answered = "answered",
        /// The whole screen.
        Trial = "trial",
    }
}

/// A picture made of the images of one of the study's instruction trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionPicture {
    /// What is shown.
    pub kind: FigureKind,
    /// Which of the condition's instruction trials, from 1.
    pub example: usize,
}

/// How a picture is named in Markdown.
pub const PREFIX: &str = "figure:";

impl InstructionPicture {
    /// Reads `figure:KIND` or `figure:KIND/N`; the error says what was wrong.
    pub fn parse(address: &str) -> Result<Self, String> {
        let name = address
            .strip_prefix(PREFIX)
            .ok_or_else(|| format!("`{address}` does not begin with `{PREFIX}`"))?;
        let (kind, example) = name.split_once('/').unwrap_or((name, "1"));
        let kind = kind.parse().map_err(|error: super::UnknownWord| error.to_string())?;
        let example = example.parse().ok().filter(|n| *n >= 1);
        let example =
            example.ok_or_else(|| format!("`{address}` must end in the number of an instruction trial"))?;
        Ok(Self { kind, example })
    }
}

/// The pages of a Markdown text: lines of three or more hyphens part them.
pub fn pages(markdown: &str) -> Vec<String> {
    let mut pages = vec![String::new()];
    for line in markdown.lines() {
        let rule = line.trim();
        if rule.len() >= 3 && rule.bytes().all(|byte| byte == b'-') {
            pages.push(String::new());
        } else if let Some(page) = pages.last_mut() {
            page.push_str(line);
            page.push('\n');
        }
    }
    pages.retain(|page| !page.trim().is_empty());
    pages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_names_its_kind_and_example() {
        assert_eq!(
            InstructionPicture::parse("figure:base"),
            Ok(InstructionPicture { kind: FigureKind::Base, example: 1 })
        );
        let third = InstructionPicture { kind: FigureKind::BaseAndReferences, example: 3 };
        assert_eq!(InstructionPicture::parse("figure:base-and-references/3"), Ok(third));
        for wrong in ["base", "figure:bse", "figure:base/0", "figure:base/x"] {
            assert!(InstructionPicture::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rules_part_pages() {
        assert_eq!(pages("one\n\n---\ntwo\n-----\n\n---\nthree\n"), ["one\n\n", "two\n", "three\n"]);
        assert!(pages("---\n").is_empty());
    }

    #[test]
    fn the_shipped_instructions_have_fifteen_pages_and_none_fourteen() {
        assert_eq!(pages(include_str!("../../stimuli/demo/instructions/references.md")).len(), 15);
        assert_eq!(pages(include_str!("../../stimuli/demo/instructions/alone.md")).len(), 14);
    }
}
