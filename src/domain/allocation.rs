//! Decides which slot a new person gets, and what happens to a slot when a person completes or leaves.
//!
//! At most one person holds a slot at a time. The store counts under the study's lock, and this module decides.

use std::collections::BTreeMap;

use rand::Rng;
use rand::seq::IndexedRandom;

use super::study::Postings;
use super::words;

words! {
    /// The relation of a participation to its slot.
    Claim {
        /// The person holds the slot while taking part. The lease may have lapsed, as long as no other person needs the slot.
        Leased = "leased",
        /// The person held it until the lease had lapsed and another person needed it.
        Lost = "lost",
        /// The person completed, passed, and fills the slot for good.
        Kept = "kept",
        /// The person completed while holding the slot, and failed. A posting is used up, and the slot is free.
        Excluded = "excluded",
        /// The person completed without holding a slot.
        Surplus = "surplus",
        /// The person left, was screened out or withdrew. No posting is used up.
        Released = "released",
        /// The person is an expert and never has a slot.
        Without = "without",
    }
}

/// A slot as the store reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    /// The row's number in the database.
    pub id: i64,
    /// The name of its condition.
    pub condition: String,
    /// Its number within the condition, from 1.
    pub number: u32,
    /// The image set that it shows.
    pub image_set: u32,
    /// Whether the study has to fill it (`domain::quota`).
    pub in_design: bool,
    /// Whether a kept person fills it.
    pub kept: bool,
    /// Whether a person holds it whose lease has not lapsed.
    pub live_lease: bool,
    /// The number of participations that completed while holding it.
    pub postings_used: u32,
    /// The number of postings that researchers added to the study's limit.
    pub extra_postings: u32,
}

words! {
    /// Whether a new person can get a slot, and if not, why.
    SlotState {
        /// A kept person fills it.
        Kept = "kept",
        /// A person holds it who is taking part.
        Running = "running",
        /// It has no kept person and no live lease, and postings are left.
        Open = "open",
        /// It has no kept person, and no postings are left. Only a researcher's "one more posting" opens it again.
        Exhausted = "exhausted",
    }
}

impl Slot {
    /// The slot's current state.
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

/// The number of slots of a condition in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct SlotCounts {
    /// Slots that a kept person fills.
    pub kept: u32,
    /// Slots that a new person can get.
    pub open: u32,
    /// Slots held by people who are taking part.
    pub running: u32,
    /// Slots without a kept person whose postings are used up.
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

/// Whether no further person can be kept, because no slot is open and no person who is taking part holds one.
pub fn finished(slots: &[Slot], postings: Postings) -> bool {
    let over = |slot: &Slot| matches!(slot.state(postings), SlotState::Kept | SlotState::Exhausted);
    !slots.is_empty() && slots.iter().all(over)
}

/// Chooses the slot of a new person. First it chooses among the allowed conditions with an open slot one of those that have the fewest
/// occupied slots, then an image set in the same way, then an open slot at random. None if the study is full.
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

/// The slots of one group: a random one of the groups with an open slot that have the fewest occupied slots.
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

/// The effect of a completed participation on its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Completion {
    /// The new relation of the participation to its slot.
    pub claim: Claim,
    /// The slot in which a posting is used up, if any.
    pub posting_in: Option<i64>,
}

/// Decides the effect of a completed participation on slots.
///
/// `open_alternative` is an open slot of the same condition and image set, for a person who lost theirs.
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
    fn a_study_is_finished_when_no_slot_is_open_or_running() {
        let kept = Slot { kept: true, ..slot(1, "a", 0) };
        let exhausted = Slot { postings_used: 3, ..slot(2, "a", 1) };
        assert!(finished(&[kept.clone(), exhausted.clone()], THREE));
        assert!(!finished(&[kept.clone(), exhausted], Postings::UNLIMITED));
        assert!(!finished(&[kept.clone(), slot(3, "b", 0)], THREE));
        assert!(!finished(&[kept, Slot { live_lease: true, ..slot(3, "b", 0) }], THREE));
        assert!(!finished(&[], THREE), "a study without slots is never finished");
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
    fn an_emptier_condition_without_open_slots_is_skipped() {
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
    fn ties_are_broken_at_random() {
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
    fn completing_decides_what_happens_to_the_slot() {
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
