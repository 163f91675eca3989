//! The screens of the trial program, by the names that it reports, such as `practice:2:3`: the part of the study to which each belongs,
//! and its name for researchers.

use std::fmt;

use super::words;

words! {
    /// A part of the study, by the name on pages.
    Part {
        /// The screens from loading to the end of the instructions.
        Instructions = "instructions",
        /// The page before fullscreen.
        Fullscreen = "fullscreen",
        /// The practice trials.
        Practice = "practice",
        /// The main and catch trials.
        Main = "main trials",
        /// The page of comments, and the press on Submit.
        Feedback = "feedback",
        /// Any other or unknown screen.
        Elsewhere = "elsewhere",
    }
}

/// All screens in the order of the study: the name without numbers, the part, and the words for researchers.
const SCREENS: [(&str, Part, &str); 14] = [
    ("window", Part::Instructions, "window too small"),
    ("load", Part::Instructions, "loading"),
    ("welcome", Part::Instructions, "Welcome"),
    ("instructions", Part::Instructions, "page"),
    ("fullscreen", Part::Fullscreen, "before fullscreen"),
    ("practice", Part::Practice, "block"),
    ("main", Part::Main, "before the first trial"),
    ("feedback", Part::Feedback, "comments"),
    ("submit", Part::Feedback, "handing in"),
    ("welcome_back", Part::Elsewhere, "back after a reload"),
    ("leave", Part::Elsewhere, "about to leave"),
    ("superseded", Part::Elsewhere, "opened in another window"),
    ("error", Part::Elsewhere, "after a fault"),
    ("unknown", Part::Elsewhere, "address not known"),
];

/// A screen. Screens sort in the order of the study.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Screen {
    /// Its index in [`SCREENS`], or their number if the screen is unknown.
    place: usize,
    /// The numbers after its name: a page, a block and a trial, or a trial.
    numbers: Vec<u32>,
}

impl Screen {
    /// The screen of that name. A client may send any name.
    pub fn new(name: Option<&str>) -> Self {
        let mut pieces = name.unwrap_or_default().split(':');
        let kind = pieces.next().unwrap_or_default();
        let place = SCREENS.iter().position(|(name, ..)| *name == kind);
        let numbers = pieces.map_while(|piece| piece.parse().ok()).take(2);
        match place {
            Some(place) => Self { place, numbers: numbers.collect() },
            None => Self { place: SCREENS.len(), numbers: Vec::new() },
        }
    }

    /// The part of the study to which it belongs.
    pub fn part(&self) -> Part {
        SCREENS.get(self.place).map_or(Part::Elsewhere, |(_, part, _)| *part)
    }
}

impl fmt::Display for Screen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((_, part, words)) = SCREENS.get(self.place) else { return f.write_str("no screen told") };
        match (part, self.numbers.as_slice()) {
            (Part::Main, [trial, ..]) => write!(f, "trial {trial}"),
            (Part::Practice, [block]) => write!(f, "before block {block}"),
            (Part::Practice, [block, trial, ..]) => write!(f, "block {block}, trial {trial}"),
            (Part::Instructions, [page, ..]) => write!(f, "{words} {page}"),
            _ => f.write_str(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn screens_have_parts_and_words_for_researchers() {
        for (name, part, words) in [
            ("welcome", Part::Instructions, "Welcome"),
            ("instructions:12", Part::Instructions, "page 12"),
            ("practice:2", Part::Practice, "before block 2"),
            ("practice:2:3", Part::Practice, "block 2, trial 3"),
            ("main", Part::Main, "before the first trial"),
            ("main:7", Part::Main, "trial 7"),
            ("superseded", Part::Elsewhere, "opened in another window"),
            ("<b>", Part::Elsewhere, "no screen told"),
        ] {
            let screen = Screen::new(Some(name));
            assert_eq!((screen.part(), screen.to_string().as_str()), (part, words));
        }
        assert_eq!(Screen::new(None), Screen::new(Some("other:3")), "all unknown screens are the same");
    }

    #[test]
    fn screens_sort_in_the_order_of_the_study() {
        let names = ["window", "load", "welcome", "instructions:2", "instructions:12", "fullscreen"];
        let rest = ["practice:1:4", "practice:2", "practice:2:1", "main", "main:3", "main:21", "feedback"];
        let screens: Vec<Screen> = names.iter().chain(&rest).map(|name| Screen::new(Some(name))).collect();
        assert!(screens.is_sorted());
        assert!(screens.iter().map(Screen::part).is_sorted());
    }
}
