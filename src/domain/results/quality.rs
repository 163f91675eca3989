//! Data quality: how many people were kept, how often slots were posted, and how long people practised.

use std::collections::BTreeMap;

use crate::domain::allocation::Slot;
use crate::domain::analysis::JudgedPerson;
use crate::domain::exclusion::Verdict;

/// Counts that a paper reports in addition to the results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quality {
    /// Slots by condition and the number of postings that they used.
    pub postings: Vec<BTreeMap<u32, u32>>,
    /// Completed people by the number of practice blocks: first those who passed all criteria, then the others.
    pub practice: BTreeMap<u32, (u32, u32)>,
}

impl Quality {
    /// Counts slots and people.
    pub fn new(people: &[JudgedPerson], slots: &[Slot], conditions: &[String]) -> Self {
        let mut quality = Self { postings: vec![BTreeMap::new(); conditions.len()], ..Self::default() };
        for slot in slots {
            if let Some(at) = conditions.iter().position(|name| *name == slot.condition) {
                *quality.postings[at].entry(slot.postings_used).or_default() += 1;
            }
        }
        for person in people {
            let blocks = person.person.measures.practice_blocks;
            if let (Some(verdict), Some(blocks)) = (&person.verdict, blocks) {
                let counts = quality.practice.entry(blocks).or_default();
                *(if Verdict::passed(verdict) { &mut counts.0 } else { &mut counts.1 }) += 1;
            }
        }
        quality
    }

    /// The most postings that any slot used.
    pub fn most_postings(&self) -> u32 {
        self.postings.iter().filter_map(|counts| counts.keys().max()).max().copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture;

    #[test]
    fn slots_are_counted_by_postings_and_people_by_blocks() {
        let slot = |condition: &str, postings_used| Slot { postings_used, ..fixture::slot(condition) };
        let judged = |condition: &str, blocks| {
            let mut person = fixture::person(condition);
            person.measures.practice_blocks = blocks;
            JudgedPerson::new(person, &fixture::policy("as-posted"))
        };
        let people = [judged("natural", Some(1)), judged("natural", Some(6)), judged("none", None)];
        let slots = [slot("natural", 0), slot("natural", 3), slot("natural", 3)];
        let quality = Quality::new(&people, &slots, &["natural".into(), "none".into()]);
        assert_eq!(quality.postings, [BTreeMap::from([(0, 1), (3, 2)]), BTreeMap::new()]);
        assert_eq!(quality.practice, BTreeMap::from([(1, (1, 0)), (6, (0, 1))]));
        assert_eq!(quality.most_postings(), 3);
    }
}
