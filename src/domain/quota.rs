//! Decides which of its slots a study has to fill, by the number of slots per condition.
//!
//! A researcher may change that number while people hold slots. A slot that is no longer to be filled is not deleted if a person holds
//! or held it.

use std::collections::{BTreeMap, BTreeSet};

use super::allocation::{Slot, SlotState};
use super::study::Postings;

/// The rank of a slot. Slots of a smaller rank are chosen first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum QuotaStatus {
    /// A kept person fills it, or a person who is taking part holds it. It is chosen even above the number.
    Occupied,
    /// It is part of the design, and open.
    Open,
    /// It is part of the design, and exhausted. A slot outside the design does not replace it.
    Exhausted,
    /// It is outside the design, and open.
    OutOpen,
    /// It is outside the design, and exhausted.
    OutExhausted,
}

fn standing(slot: &Slot, postings: Postings) -> QuotaStatus {
    match (slot.state(postings), slot.in_design) {
        (SlotState::Kept | SlotState::Running, _) => QuotaStatus::Occupied,
        (SlotState::Open, true) => QuotaStatus::Open,
        (SlotState::Exhausted, true) => QuotaStatus::Exhausted,
        (SlotState::Open, false) => QuotaStatus::OutOpen,
        (SlotState::Exhausted, false) => QuotaStatus::OutExhausted,
    }
}

/// The ids of the slots to fill. A condition has `per_condition` of them, or more as long as more are occupied. Image sets are kept as
/// equal as possible.
pub fn design(slots: &[Slot], postings: Postings, per_condition: impl Fn(&str) -> u32) -> BTreeSet<i64> {
    let mut conditions = BTreeMap::<&str, Vec<&Slot>>::new();
    for slot in slots {
        conditions.entry(&slot.condition).or_default().push(slot);
    }
    conditions
        .into_iter()
        .flat_map(|(condition, slots)| of_condition(slots, postings, per_condition(condition)))
        .collect()
}

fn of_condition(mut slots: Vec<&Slot>, postings: Postings, most: u32) -> Vec<i64> {
    slots.sort_by_key(|slot| (standing(slot, postings), slot.number));
    let mut of_image_set = BTreeMap::<u32, u32>::new();
    let mut ranked: Vec<_> = slots
        .into_iter()
        .map(|slot| {
            let nth = of_image_set.entry(slot.image_set).or_default();
            *nth += 1;
            (standing(slot, postings), *nth, slot.number, slot.id)
        })
        .collect();
    ranked.sort_unstable();
    let ranked = (0..).zip(ranked);
    ranked
        .filter(|(n, (standing, ..))| *standing == QuotaStatus::Occupied || *n < most)
        .map(|(_, slot)| slot.3)
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::fixture;

    const THREE: Postings = Postings::AtMost(3);

    fn slot(number: u32) -> Slot {
        Slot { id: number.into(), number, image_set: (number - 1) % 2, ..fixture::slot("a") }
    }

    fn chosen(slots: &[Slot], most: u32) -> Vec<i64> {
        design(slots, THREE, |_| most).into_iter().collect()
    }

    #[test]
    fn a_smaller_number_keeps_occupied_slots_and_then_open_ones() {
        let slots = [
            Slot { postings_used: 3, ..slot(1) },
            slot(2),
            Slot { live_lease: true, ..slot(3) },
            Slot { kept: true, ..slot(4) },
        ];
        assert_eq!(chosen(&slots, 4), [1, 2, 3, 4]);
        assert_eq!(chosen(&slots, 3), [2, 3, 4], "the exhausted slot is removed first");
        assert_eq!(chosen(&slots, 2), [3, 4]);
        assert_eq!(chosen(&slots, 1), [3, 4], "people who are kept or taking part keep their slots");
    }

    #[test]
    fn a_slot_above_the_number_that_becomes_free_is_not_given_out() {
        let slots = [slot(1), Slot { kept: true, ..slot(2) }];
        assert_eq!(chosen(&slots, 1), [2]);
    }

    #[test]
    fn a_slot_outside_the_design_does_not_replace_an_exhausted_one() {
        let slots = [Slot { postings_used: 3, ..slot(1) }, Slot { in_design: false, ..slot(2) }];
        assert_eq!(chosen(&slots, 1), [1]);
        assert_eq!(chosen(&slots, 2), [1, 2], "a larger number adds it again");
    }

    #[test]
    fn image_sets_stay_equal() {
        // The slots have the image sets 0, 1, 0, 1, 0, 1. Two people are in set 0.
        let mut slots: Vec<Slot> = (1..=6).map(slot).collect();
        (slots[0].kept, slots[4].live_lease) = (true, true);
        assert_eq!(chosen(&slots, 4), [1, 2, 4, 5]);
    }

    #[test]
    fn a_removed_condition_keeps_only_its_occupied_slots() {
        let slots = [slot(1), Slot { kept: true, ..slot(2) }, Slot { condition: "b".into(), ..slot(3) }];
        let chosen = design(&slots, THREE, |condition| if condition == "b" { 1 } else { 0 });
        assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [2, 3]);
    }

    proptest! {
        #[test]
        fn the_number_of_slots_is_exact_unless_more_are_occupied(
            states in prop::collection::vec((any::<bool>(), any::<bool>(), 0..4_u32, any::<bool>()), 1..40),
            most in 0..50_u32,
        ) {
            let slots: Vec<Slot> = (1..)
                .zip(states)
                .map(|(number, (kept, live_lease, postings_used, in_design))| {
                    Slot { kept, live_lease, postings_used, in_design, ..slot(number) }
                })
                .collect();
            let occupied = slots.iter().filter(|slot| slot.kept || slot.live_lease).count();
            let chosen = chosen(&slots, most);
            prop_assert_eq!(chosen.len(), slots.len().min((most as usize).max(occupied)));
            let again: Vec<Slot> = slots
                .iter()
                .map(|slot| Slot { in_design: chosen.contains(&slot.id), ..slot.clone() })
                .collect();
            prop_assert_eq!(self::chosen(&again, most), chosen, "deciding again changes nothing");
        }
    }
}
