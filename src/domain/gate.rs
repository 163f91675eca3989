//! Who is let in, before anything is known of them but their link and how they stand to the study.

use uuid::Uuid;

use super::study::{Mode, StudyState};
use super::words;

words! {
    /// How an arrival ended before consent.
    Arrival {
        /// Saw the consent page.
        Arrived = "arrived",
        /// Only previewed the task.
        Preview = "preview",
        /// Did not agree.
        Declined = "declined",
        /// Came with a device or window that cannot show the study.
        Unsuitable = "unsuitable",
        /// Had taken part before.
        AlreadyTookPart = "already_took_part",
        /// Is on a list of people not to admit, or took part in an earlier study that excludes this one.
        Barred = "barred",
        /// Found no open slot.
        Full = "full",
        /// Came while the study was paused or not open yet.
        Paused = "paused",
        /// Came after the study was closed, or by a link that is switched off.
        Closed = "closed",
        /// Came by an address in which the platform's parameters are missing, not filled in, or no ids.
        Incomplete = "incomplete",
        /// Came by a personal link that was never given out.
        UnknownPerson = "unknown_person",
        /// Came without a good signature to a link that wants one.
        NotSigned = "not_signed",
        /// Agreed while many others of the same network did, and was asked to wait a minute.
        Crowded = "crowded",
    }
}

impl Arrival {
    /// How a visit ended without consent, in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Arrived => "no decision",
            Self::Preview => "previewed the task",
            Self::Declined => "declined",
            Self::Unsuitable => "device or window unsuitable",
            Self::AlreadyTookPart => "had taken part before",
            Self::Barred => "not to be admitted",
            Self::Full => "found every place taken",
            Self::Paused => "came while the study was paused",
            Self::Closed => "came when the study was closed",
            Self::Incomplete => "came by an incomplete address",
            Self::UnknownPerson => "came by an unknown personal link",
            Self::NotSigned => "came without a good signature",
            Self::Crowded => "asked to wait a minute",
        }
    }

    /// Whether people come like that when a study was set up wrongly, here or on the platform.
    pub const fn hints_at_a_fault(self) -> bool {
        matches!(self, Self::Incomplete | Self::UnknownPerson | Self::NotSigned)
    }

    /// Whether it counts as having seen the consent page; otherwise the way ended at the door. People who took part before, or
    /// are barred, count at the door, although they hear of it only when they agree: anybody could ask with an id of others.
    pub const fn saw_consent(self) -> bool {
        match self {
            Self::Arrived | Self::Declined | Self::Unsuitable | Self::Full | Self::Crowded => true,
            Self::Preview
            | Self::AlreadyTookPart
            | Self::Barred
            | Self::Paused
            | Self::Closed
            | Self::Incomplete
            | Self::UnknownPerson
            | Self::NotSigned => false,
        }
    }
}

/// Why nobody is let in by a link now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shut {
    /// The study has not been started.
    NotOpenYet,
    /// The study is paused.
    Paused,
    /// The study is over, or the link is switched off.
    Closed,
}

impl Shut {
    /// How a person who finds it like that is counted.
    const fn counted_as(self) -> Arrival {
        match self {
            Self::NotOpenYet | Self::Paused => Arrival::Paused,
            Self::Closed => Arrival::Closed,
        }
    }
}

/// How a person whom the platform names stands before consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnStatus {
    /// Not known in the study's family, and not barred.
    New,
    /// Takes part in this very study and may go on, or see the end again.
    MayReturn(Uuid),
    /// Took part in it, or in another one of its family.
    NotAgain,
    /// Is on a list, or took part in an earlier study that excludes this one.
    Barred,
}

/// What a visitor finds at a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// The page on which they agree to take part, or the task that leads to it.
    Admitted,
    /// The reason why the link lets no new people in.
    Shut(Shut),
    /// A request to come back: what they would do could not be stored now.
    NotNow,
}

/// Decides what a visitor finds, and how the visit is counted: not at all if they return, since their first visit was, nor if they
/// are to come back. People who cannot take part again find what new people find, and hear of it when they agree: otherwise
/// strangers who come with the id of another person would learn whether that person took part.
pub fn receive(
    status: ReturnStatus,
    gate: Result<(), Shut>,
    can_store: bool,
) -> (Reception, Option<Arrival>) {
    let counted = match status {
        ReturnStatus::MayReturn(_) => return (Reception::Admitted, None),
        ReturnStatus::New => Arrival::Arrived,
        ReturnStatus::NotAgain => Arrival::AlreadyTookPart,
        ReturnStatus::Barred => Arrival::Barred,
    };
    match gate {
        Err(shut) => (Reception::Shut(shut), Some(shut.counted_as())),
        Ok(()) if !can_store => (Reception::NotNow, None),
        Ok(()) => (Reception::Admitted, Some(counted)),
    }
}

/// Whether a link lets new people in. Pilots run from the state of that name on, also while the study is paused; simulations
/// at any time until it is closed.
pub const fn admits(state: StudyState, link_enabled: bool, mode: Mode) -> Result<(), Shut> {
    match (link_enabled, state, mode) {
        (false, ..) | (_, StudyState::Closed, _) => Err(Shut::Closed),
        (_, StudyState::Live, _) | (_, _, Mode::Simulated) => Ok(()),
        (_, StudyState::Pilot | StudyState::Paused, Mode::Pilot) => Ok(()),
        (_, StudyState::Draft | StudyState::Pilot, _) => Err(Shut::NotOpenYet),
        (_, StudyState::Paused, Mode::Live) => Err(Shut::Paused),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn live_links_need_a_live_study() {
        assert_eq!(admits(StudyState::Live, true, Mode::Live), Ok(()));
        assert_eq!(admits(StudyState::Draft, true, Mode::Live), Err(Shut::NotOpenYet));
        assert_eq!(admits(StudyState::Paused, true, Mode::Live), Err(Shut::Paused));
        assert_eq!(admits(StudyState::Closed, true, Mode::Live), Err(Shut::Closed));
        assert_eq!(admits(StudyState::Pilot, true, Mode::Live), Err(Shut::NotOpenYet));
    }

    #[test]
    fn pilots_run_from_their_state_on_until_the_study_is_closed() {
        assert_eq!(admits(StudyState::Draft, true, Mode::Pilot), Err(Shut::NotOpenYet));
        for state in [StudyState::Pilot, StudyState::Live, StudyState::Paused] {
            assert_eq!(admits(state, true, Mode::Pilot), Ok(()), "{state}");
        }
        assert_eq!(admits(StudyState::Draft, true, Mode::Simulated), Ok(()));
        assert_eq!(admits(StudyState::Closed, true, Mode::Pilot), Err(Shut::Closed));
    }

    #[test]
    fn a_link_that_is_switched_off_lets_nobody_in() {
        for state in StudyState::ALL {
            for mode in Mode::ALL {
                assert_eq!(admits(*state, false, *mode), Err(Shut::Closed));
            }
        }
    }

    const GATES: [(Result<(), Shut>, Arrival); 3] = [
        (Err(Shut::NotOpenYet), Arrival::Paused),
        (Err(Shut::Paused), Arrival::Paused),
        (Err(Shut::Closed), Arrival::Closed),
    ];

    #[test]
    fn people_who_return_always_go_on_and_are_not_counted_again() {
        let gates = GATES.map(|(gate, _)| gate).into_iter().chain([Ok(())]);
        for (gate, can_store) in gates.flat_map(|gate| [(gate, true), (gate, false)]) {
            let found = receive(ReturnStatus::MayReturn(Uuid::nil()), gate, can_store);
            assert_eq!(found, (Reception::Admitted, None), "{gate:?}, {can_store}");
        }
    }

    #[test]
    fn all_others_find_the_same_and_are_told_apart_in_the_counts_only() {
        for (status, counted) in [
            (ReturnStatus::New, Arrival::Arrived),
            (ReturnStatus::NotAgain, Arrival::AlreadyTookPart),
            (ReturnStatus::Barred, Arrival::Barred),
        ] {
            assert_eq!(receive(status, Ok(()), true), (Reception::Admitted, Some(counted)));
            assert_eq!(receive(status, Ok(()), false), (Reception::NotNow, None));
            for (gate, counted) in GATES {
                let found = (Reception::Shut(gate.unwrap_err()), Some(counted));
                assert_eq!((receive(status, gate, true), receive(status, gate, false)), (found, found));
            }
        }
    }
}
