//! Pictures in the instructions, which Markdown names with `![...](figure:...)`.

use super::words;

words! {
    /// The part of a trial's screen that a picture shows.
    FigureKind {
        /// The reference images.
        References = "references",
        /// The base image alone.
        Base = "base",
        /// The base image with the references.
        BaseAndReferences = "base-and-references",
        /// The two queries.
        Queries = "queries",
        /// The queries with the rows of numbers.
        Buttons = "buttons",
        /// The queries after an answer, with the black frame around one of them.
        Answered = "answered",
        /// The whole trial screen.
        Trial = "trial",
    }
}

/// A picture made from the images of an instruction trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstructionPicture {
    /// The part of the screen that it shows.
    pub kind: FigureKind,
    /// The number of the instruction trial within the condition, from 1.
    pub example: usize,
}

/// The start of a picture's address in Markdown.
pub const PREFIX: &str = "figure:";

impl InstructionPicture {
    /// Parses `figure:KIND` or `figure:KIND/N`. The error says what is wrong.
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

/// The pages of a Markdown text. Lines of three or more hyphens separate them.
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
    fn lines_of_hyphens_separate_pages() {
        assert_eq!(pages("one\n\n---\ntwo\n-----\n\n---\nthree\n"), ["one\n\n", "two\n", "three\n"]);
        assert!(pages("---\n").is_empty());
    }

    #[test]
    fn the_shipped_instructions_have_fifteen_pages_and_those_without_references_fourteen() {
        assert_eq!(pages(include_str!("../../stimuli/demo/instructions/references.md")).len(), 15);
        assert_eq!(pages(include_str!("../../stimuli/demo/instructions/alone.md")).len(), 14);
    }
}
