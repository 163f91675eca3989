//! The problems of a study folder: where each is, what is wrong, and how to solve it.

use std::fmt;

/// One problem.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FolderProblem {
    /// The file's path, relative to the study folder.
    pub file: String,
    /// The line, counted from 1, if one can be named.
    pub line: Option<usize>,
    pub what: String,
    /// How to solve it.
    pub remedy: String,
}

impl fmt::Display for FolderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, what, remedy } = self;
        match line {
            Some(line) => write!(f, "{file}:{line}: {what}. {remedy}."),
            None => write!(f, "{file}: {what}. {remedy}."),
        }
    }
}

/// All problems of a study folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<FolderProblem>);

impl Problems {
    /// Adds a problem.
    pub fn add(
        &mut self,
        file: &str,
        line: impl Into<Option<usize>>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let problem =
            FolderProblem { file: file.into(), line: line.into(), what: what.into(), remedy: remedy.into() };
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All problems, in the order of files and lines.
    pub fn sorted(&self) -> Vec<&FolderProblem> {
        let mut problems: Vec<_> = self.0.iter().collect();
        problems.sort_by_key(|problem| (&problem.file, problem.line));
        problems
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.len();
        write!(f, "the study folder has {n} problem{}:", if n == 1 { "" } else { "s" })?;
        self.sorted().iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

impl std::error::Error for Problems {}
