//! Which slot a new person gets, and what becomes of a slot when a person finishes or goes.
//!
//! A slot holds one person at a time. The store counts; this module decides, under the study's lock.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::study::Postings;
use super::words;

words! {
    /// How a participation stands toward its slot.
    Claim {
        /// Holds the slot while taking part. The lease may have lapsed without anybody needing the slot.
        Leased = "leased",
        /// Held it, until somebody else needed it after the lease had lapsed.
        Lost = "lost",
        /// Completed, passed, fills the slot for good.
        Kept = "kept",
        /// Completed while holding the slot and failed: a posting is used up, the slot is free.
        Excluded = "excluded",
        /// Completed without holding a slot.
        Surplus = "surplus",
        /// Left, was screened out or withdrew: no posting is used up.
        Released = "released",
        /// Never had a slot: experts.
        Without = "without",
    }
}

/// A slot as the store finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// Its number in the database.
    pub id: i64,
    /// Its condition.
    pub condition: String,
    /// Its place in the condition, from 1.
    pub number: u32,
    /// The image set that it shows.
    pub image_set: u32,
    /// Whether the study has to fill it (`domain::quota`).
    pub in_design: bool,
    /// Whether a kept person fills it.
    pub kept: bool,
    /// Whether somebody holds it whose lease has not lapsed.
    pub live_lease: bool,
    /// Participations that completed while holding it.
    pub postings_used: u32,
    /// Postings added by researchers to the study's bound.
    pub extra_postings: u32,
}

words! {
    /// What a slot is, from the point of view of somebody who would like to have it.
    SlotState {
        /// Filled by a kept person.
        Kept = "kept",
        /// Held by somebody who is taking part.
        Running = "running",
        /// Nobody kept, no live lease, postings left.
        Open = "open",
        /// Nobody kept, no postings left: only a researcher's "one more posting" opens it again.
        Exhausted = "exhausted",
    }
}

impl Slot {
    /// What it is now.
    pub fn state(&self, postings: Postings) -> SlotState {
        let left = postings.limit().is_none_or(|limit| self.postings_used < limit + self.extra_postings);
        match (self.kept, self.live_lease, left) {
            (true, ..) => SlotState::Kept,
            (false, true, _) => SlotState::Running,
            (false, false, true) => SlotState::Open,
            (false, false, false) => SlotState::Exhausted,
        }
    }

    /// Whether it can be given out.
    pub fn is_open(&self, postings: Postings) -> bool {
        self.state(postings) == SlotState::Open
    }

    /// Whether it can be given to a person of this condition and image set.
    pub fn is_open_for(&self, condition: &str, image_set: u32, postings: Postings) -> bool {
        self.condition == condition && self.image_set == image_set && self.is_open(postings)
    }

    const fn occupied(&self) -> bool {
        self.kept || self.live_lease
    }
}

/// How many slots of a condition are in which state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct SlotCounts {
    /// Filled by a kept person.
    pub kept: u32,
    /// To be had.
    pub open: u32,
    /// Held by somebody who is taking part.
    pub running: u32,
    /// Postings used up, nobody kept.
    pub exhausted: u32,
}

/// Counts the slots of each condition.
pub fn count_by_condition(slots: &[Slot], postings: Postings) -> BTreeMap<String, SlotCounts> {
    let mut counts = BTreeMap::<String, SlotCounts>::new();
    for slot in slots {
        let counts = counts.entry(slot.condition.clone()).or_default();
        *match slot.state(postings) {
            SlotState::Kept => &mut counts.kept,
            SlotState::Open => &mut counts.open,
            SlotState::Running => &mut counts.running,
            SlotState::Exhausted => &mut counts.exhausted,
        } += 1;
    }
    counts
}

/// Whether nobody can be kept any more: no slot is open, and nobody is at work in one.
pub fn finished(slots: &[Slot], postings: Postings) -> bool {
    let over = |slot: &Slot| matches!(slot.state(postings), SlotState::Kept | SlotState::Exhausted);
    !slots.is_empty() && slots.iter().all(over)
}

/// Chooses the slot of a new person: among the allowed conditions that have an open slot one of those with the fewest
/// occupied slots, then an image set likewise, then an open slot at random. None: the study is full.
pub fn choose<'a>(
    slots: &'a [Slot],
    postings: Postings,
    allowed: impl Fn(&str) -> bool,
    rng: &mut impl Rng,
) -> Option<&'a Slot> {
    let slots: Vec<_> = slots.iter().filter(|slot| allowed(&slot.condition)).collect();
    let of_condition = least_occupied(&slots, postings, |slot| slot.condition.as_str(), rng)?;
    let of_set = least_occupied(&of_condition, postings, |slot| slot.image_set, rng)?;
    let open: Vec<_> = of_set.into_iter().filter(|slot| slot.is_open(postings)).collect();
    open.choose(rng).copied()
}

/// The slots of one group: of the groups with an open slot, one of those with the fewest occupied slots.
fn least_occupied<'a, K: Ord + Copy>(
    slots: &[&'a Slot],
    postings: Postings,
    key: impl Fn(&'a Slot) -> K,
    rng: &mut impl Rng,
) -> Option<Vec<&'a Slot>> {
    let mut groups = BTreeMap::<K, (usize, bool)>::new();
    for slot in slots {
        let (occupied, any_open) = groups.entry(key(slot)).or_default();
        *occupied += usize::from(slot.occupied());
        *any_open |= slot.is_open(postings);
    }
    groups.retain(|_, (_, any_open)| *any_open);
    let fewest = groups.values().map(|(occupied, _)| *occupied).min()?;
    let candidates: Vec<K> = groups.iter().filter(|(_, (n, _))| *n == fewest).map(|(key, _)| *key).collect();
    let chosen = *candidates.choose(rng)?;
    Some(slots.iter().copied().filter(|slot| key(slot) == chosen).collect())
}

/// What a completed participation does to its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// How it stands from now on.
    pub claim: Claim,
    /// The slot that it holds or held, if a posting is used up.
    pub posting_in: Option<i64>,
}

/// Decides what a completed participation does to slots.
///
/// `open_alternative` is an open slot of the same condition and image set, for somebody who lost theirs.
pub fn complete(claim: Claim, slot: Option<i64>, passed: bool, open_alternative: Option<i64>) -> Completion {
    match (claim, passed, open_alternative) {
        (Claim::Without, ..) => Completion { claim: Claim::Without, posting_in: None },
        (Claim::Leased, true, _) => Completion { claim: Claim::Kept, posting_in: slot },
        (Claim::Leased, false, _) => Completion { claim: Claim::Excluded, posting_in: slot },
        (_, true, Some(open)) => Completion { claim: Claim::Kept, posting_in: Some(open) },
        _ => Completion { claim: Claim::Surplus, posting_in: None },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha20Rng;

    use super::*;

    const THREE: Postings = Postings::AtMost(3);

    fn slot(id: i64, condition: &str, image_set: u32) -> Slot {
        Slot {
            id,
            condition: condition.into(),
            number: id as u32,
            image_set,
            in_design: true,
            kept: false,
            live_lease: false,
            postings_used: 0,
            extra_postings: 0,
        }
    }

    fn rng() -> ChaCha20Rng {
        ChaCha20Rng::seed_from_u64(1)
    }

    #[test]
    fn a_slot_is_open_until_kept_held_or_used_up() {
        let open = slot(1, "a", 0);
        assert_eq!(open.state(THREE), SlotState::Open);
        assert_eq!(Slot { kept: true, ..open.clone() }.state(THREE), SlotState::Kept);
        assert_eq!(Slot { live_lease: true, ..open.clone() }.state(THREE), SlotState::Running);
        let twice = Slot { postings_used: 2, ..open.clone() };
        assert_eq!(twice.state(THREE), SlotState::Open);
        let thrice = Slot { postings_used: 3, ..open };
        assert_eq!(thrice.state(THREE), SlotState::Exhausted);
        assert_eq!(thrice.state(Postings::UNLIMITED), SlotState::Open);
        assert_eq!(Slot { extra_postings: 1, ..thrice }.state(THREE), SlotState::Open);
    }

    #[test]
    fn a_study_is_finished_when_no_slot_is_open_or_at_work() {
        let kept = Slot { kept: true, ..slot(1, "a", 0) };
        let exhausted = Slot { postings_used: 3, ..slot(2, "a", 1) };
        assert!(finished(&[kept.clone(), exhausted.clone()], THREE));
        assert!(!finished(&[kept.clone(), exhausted], Postings::UNLIMITED));
        assert!(!finished(&[kept.clone(), slot(3, "b", 0)], THREE));
        assert!(!finished(&[kept, Slot { live_lease: true, ..slot(3, "b", 0) }], THREE));
        assert!(!finished(&[], THREE), "a study without slots never is");
    }

    #[test]
    fn the_condition_with_the_fewest_people_comes_first() {
        let slots = [
            Slot { kept: true, ..slot(1, "a", 0) },
            slot(2, "a", 1),
            Slot { live_lease: true, ..slot(3, "b", 0) },
            slot(4, "b", 1),
            slot(5, "c", 0),
            slot(6, "c", 1),
        ];
        for seed in 0..20 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            assert_eq!(choose(&slots, THREE, |_| true, &mut rng).unwrap().condition, "c");
        }
    }

    #[test]
    fn the_image_set_with_the_fewest_people_comes_second() {
        let slots =
            [Slot { kept: true, ..slot(1, "a", 0) }, slot(2, "a", 0), slot(3, "a", 1), slot(4, "a", 1)];
        for seed in 0..20 {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            assert_eq!(choose(&slots, THREE, |_| true, &mut rng).unwrap().image_set, 1);
        }
    }

    #[test]
    fn an_emptier_condition_without_open_slots_is_passed_over() {
        let slots = [
            Slot { postings_used: 3, ..slot(1, "a", 0) },
            Slot { kept: true, ..slot(2, "b", 0) },
            slot(3, "b", 0),
        ];
        assert_eq!(choose(&slots, THREE, |_| true, &mut rng()).unwrap().id, 3);
    }

    #[test]
    fn a_link_leads_only_to_its_conditions() {
        let slots = [slot(1, "a", 0), Slot { kept: true, ..slot(2, "b", 0) }, slot(3, "b", 0)];
        assert_eq!(choose(&slots, THREE, |c| c == "b", &mut rng()).unwrap().id, 3);
        assert_eq!(choose(&slots, THREE, |c| c == "z", &mut rng()), None);
    }

    #[test]
    fn ties_are_broken_by_chance() {
        let slots: Vec<_> =
            (0..10).map(|id| slot(id, if id < 5 { "a" } else { "b" }, id as u32 % 5)).collect();
        let chosen: std::collections::BTreeSet<_> = (0..200)
            .map(|seed| choose(&slots, THREE, |_| true, &mut ChaCha20Rng::seed_from_u64(seed)).unwrap().id)
            .collect();
        assert_eq!(chosen.len(), 10);
    }

    proptest! {
        #[test]
        fn a_study_fills_exactly_and_evenly(seed: u64) {
            let mut rng = ChaCha20Rng::seed_from_u64(seed);
            let mut slots: Vec<_> = (0..60).map(|id| slot(id, ["a", "b", "c"][id as usize % 3], (id / 3) as u32 % 5)).collect();
            for arrivals in 1..=60usize {
                let id = choose(&slots, THREE, |_| true, &mut rng).map(|slot| slot.id);
                prop_assert!(id.is_some());
                let chosen = slots.iter_mut().find(|slot| Some(slot.id) == id).unwrap();
                prop_assert!(!chosen.occupied());
                chosen.live_lease = true;
                for condition in ["a", "b", "c"] {
                    let n = slots.iter().filter(|s| s.condition == condition && s.occupied()).count();
                    prop_assert!(n == arrivals / 3 || n == arrivals.div_ceil(3));
                }
            }
            prop_assert_eq!(choose(&slots, THREE, |_| true, &mut rng), None);
        }
    }

    #[test]
    fn completing_decides_the_slot() {
        let complete = |claim, passed, open| {
            let done = complete(claim, Some(7), passed, open);
            (done.claim, done.posting_in)
        };
        assert_eq!(complete(Claim::Leased, true, None), (Claim::Kept, Some(7)));
        assert_eq!(complete(Claim::Leased, false, None), (Claim::Excluded, Some(7)));
        assert_eq!(complete(Claim::Lost, true, Some(9)), (Claim::Kept, Some(9)));
        assert_eq!(complete(Claim::Lost, true, None), (Claim::Surplus, None));
        assert_eq!(complete(Claim::Lost, false, Some(9)), (Claim::Surplus, None));
        assert_eq!(complete(Claim::Without, true, Some(9)), (Claim::Without, None));
    }
}
