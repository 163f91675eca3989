//! The people behind the workbench's numbers.

use std::fmt::{Display, Formatter};
use std::str::FromStr;

use crate::domain::UnknownWord;
use crate::domain::analysis::JudgedPerson;
use crate::domain::exclusion::Criterion;

/// Selects completed people by the criteria that they fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failing {
    /// People who fail no criterion.
    None,
    /// People who fail at least one criterion.
    Any,
    /// People who fail this criterion, alone or with others.
    One(Criterion),
    /// People who fail this criterion and none before it, in the order of [`Criterion::ALL`].
    First(Criterion),
}

const NONE: &str = "none";
const ANY: &str = "any";
const FIRST: &str = "first-";

impl Failing {
    /// Whether a person is selected.
    pub fn admits(&self, person: &JudgedPerson) -> bool {
        let Some(verdict) = &person.verdict else { return false };
        match self {
            Self::None => verdict.passed(),
            Self::Any => !verdict.passed(),
            Self::One(criterion) => verdict.pass(*criterion) == Some(false),
            Self::First(criterion) => verdict.failed().next() == Some(*criterion),
        }
    }
}

impl Display for Failing {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => f.write_str(NONE),
            Self::Any => f.write_str(ANY),
            Self::One(criterion) => write!(f, "{criterion}"),
            Self::First(criterion) => write!(f, "{FIRST}{criterion}"),
        }
    }
}

impl FromStr for Failing {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match (word, word.strip_prefix(FIRST)) {
            (NONE, _) => Ok(Self::None),
            (ANY, _) => Ok(Self::Any),
            (_, Some(criterion)) => criterion.parse().map(Self::First),
            (criterion, None) => criterion.parse().map(Self::One),
        }
    }
}

/// The pseudonyms of people for whom two policies decide differently.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// People whom only the first policy keeps.
    pub leave: Vec<String>,
    /// People whom only the second policy keeps.
    pub join: Vec<String>,
}

impl Moved {
    /// Compares two judgements of the same people.
    pub fn between(before: &[JudgedPerson], after: &[JudgedPerson]) -> Self {
        let mut moved = Self::default();
        for (before, after) in before.iter().zip(after) {
            let list = match (before.kept(), after.kept()) {
                (true, false) => &mut moved.leave,
                (false, true) => &mut moved.join,
                _ => continue,
            };
            list.push(after.person.participant.clone());
        }
        moved
    }

    /// Whether the two policies keep the same people.
    pub const fn is_empty(&self) -> bool {
        self.leave.is_empty() && self.join.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::analysis::{AnalysedPerson, Decision, Override};
    use crate::domain::fixture;
    use crate::domain::participant::Stage;

    fn person(name: &str, total_time: f64, catch_correct: u32) -> AnalysedPerson {
        let mut person = fixture::person("natural");
        person.participant = name.into();
        person.measures.total_time = Some(total_time);
        person.measures.catch_correct = catch_correct;
        person
    }

    fn judged(people: &[AnalysedPerson], policy: &str) -> Vec<JudgedPerson> {
        people.iter().map(|person| JudgedPerson::new(person.clone(), &fixture::policy(policy))).collect()
    }

    #[test]
    fn completed_people_are_selected_by_what_they_fail() {
        let mut running = person("running", 1000.0, 0);
        running.stage = Stage::Running;
        let people =
            [person("good", 400.0, 3), person("both", 1000.0, 0), person("catch", 400.0, 0), running];
        let found = |which: Failing| {
            assert_eq!(which.to_string().parse(), Ok(which), "it reads as it is written");
            let people = judged(&people, "as-posted");
            let admitted = people.iter().filter(|person| which.admits(person));
            admitted.map(|person| person.person.participant.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(found(Failing::None), "good");
        assert_eq!(found(Failing::Any), "both catch");
        assert_eq!(found(Failing::One(Criterion::CatchTrials)), "both catch");
        assert_eq!(found(Failing::First(Criterion::CatchTrials)), "catch");
        assert_eq!(found(Failing::First(Criterion::TotalTime)), "both");
        assert!("".parse::<Failing>().is_err() && "first-".parse::<Failing>().is_err());
    }

    #[test]
    fn people_leave_and_join_under_another_policy() {
        // Only the policy as posted has bounds for catch trials; only the one as analysed requires 15 s in None.
        let mut decided = person("decided", 400.0, 0);
        decided.overridden = Some(Override { decision: Decision::Include, reason: "because".into() });
        let people = [person("good", 400.0, 3), person("catch", 400.0, 0), decided];
        let strict = judged(&people, "as-posted");
        let mut lenient = fixture::policy("as-posted");
        lenient.criteria.remove(&Criterion::CatchTrials);
        let lenient: Vec<_> =
            people.iter().map(|person| JudgedPerson::new(person.clone(), &lenient)).collect();
        assert_eq!(Moved::between(&strict, &lenient).join, ["catch"]);
        assert_eq!(Moved::between(&lenient, &strict).leave, ["catch"]);
        assert!(Moved::between(&strict, &strict).is_empty());
    }
}
