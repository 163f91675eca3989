//! Which of its slots a study has to fill, so many per condition.
//!
//! Slots are never deleted: the number of places per condition may be changed while people are at work in any of them.

use std::collections::{BTreeMap, BTreeSet};

use super::allocation::{Slot, SlotState};
use super::study::Postings;

/// How much a slot belongs to the design; the smaller, the more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum QuotaStatus {
    /// Somebody is kept, or at work in it: it stays, whatever the number is.
    Occupied,
    /// Still to be filled.
    Open,
    /// Used up; a slot that was left out does not make up for it.
    Exhausted,
    /// Left out, and could be filled.
    OutOpen,
    /// Left out and used up.
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

/// The ids of the slots to be filled. `per_condition`: how many a condition is to have; it has more only as long as more
/// are occupied. Among those that could be left out, image sets are kept as equal as they can be.
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
    fn fewer_places_are_those_with_people_and_then_open_ones() {
        let slots = [
            Slot { postings_used: 3, ..slot(1) },
            slot(2),
            Slot { live_lease: true, ..slot(3) },
            Slot { kept: true, ..slot(4) },
        ];
        assert_eq!(chosen(&slots, 4), [1, 2, 3, 4]);
        assert_eq!(chosen(&slots, 3), [2, 3, 4], "the used up one goes first");
        assert_eq!(chosen(&slots, 2), [3, 4]);
        assert_eq!(chosen(&slots, 1), [3, 4], "nobody at work or kept loses their place");
    }

    #[test]
    fn a_place_that_gets_free_above_the_number_is_given_to_nobody() {
        let slots = [slot(1), Slot { kept: true, ..slot(2) }];
        assert_eq!(chosen(&slots, 1), [2]);
    }

    #[test]
    fn what_was_left_out_does_not_make_up_for_what_is_used_up() {
        let slots = [Slot { postings_used: 3, ..slot(1) }, Slot { in_design: false, ..slot(2) }];
        assert_eq!(chosen(&slots, 1), [1]);
        assert_eq!(chosen(&slots, 2), [1, 2], "more places bring it back");
    }

    #[test]
    fn image_sets_stay_equal() {
        // Sets 0, 1, 0, 1, 0, 1; two people in set 0.
        let mut slots: Vec<Slot> = (1..=6).map(slot).collect();
        (slots[0].kept, slots[4].live_lease) = (true, true);
        assert_eq!(chosen(&slots, 4), [1, 2, 4, 5]);
    }

    #[test]
    fn a_condition_that_is_no_more_keeps_only_whom_it_has() {
        let slots = [slot(1), Slot { kept: true, ..slot(2) }, Slot { condition: "b".into(), ..slot(3) }];
        let chosen = design(&slots, THREE, |condition| if condition == "b" { 1 } else { 0 });
        assert_eq!(chosen.into_iter().collect::<Vec<_>>(), [2, 3]);
    }

    proptest! {
        #[test]
        fn there_are_exactly_so_many_unless_more_are_occupied(
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
