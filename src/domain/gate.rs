//! Decides what a visitor gets at a link, and how the visit is counted.

use uuid::Uuid;

use super::study::{Mode, StudyState};
use super::words;

words! {
    /// How an arrival without consent ended.
    Arrival {
        /// The person saw the consent page.
        Arrived = "arrived",
        /// The person only previewed the task on the platform.
        Preview = "preview",
        /// The person did not agree to take part.
        Declined = "declined",
        /// The person's device or window cannot show the study.
        Unsuitable = "unsuitable",
        /// The person had taken part before.
        AlreadyTookPart = "already_took_part",
        /// The person is on a list of people not to admit, or took part in an earlier study that excludes this one.
        Barred = "barred",
        /// No slot was open.
        Full = "full",
        /// The study was paused or not open yet.
        Paused = "paused",
        /// The study was closed, or the link was switched off.
        Closed = "closed",
        /// The platform's parameters were missing in the address, not filled in, or not ids.
        Incomplete = "incomplete",
        /// The personal link was never given out.
        UnknownPerson = "unknown_person",
        /// The link requires a signature, and the address had no valid one.
        NotSigned = "not_signed",
        /// The person was asked to wait a minute, because many people of the same network consented at the same time.
        Crowded = "crowded",
    }
}

impl Arrival {
    /// How the visit ended, in words for pages.
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

    /// Whether the likely cause is an error in the study's settings, here or on the platform.
    pub const fn hints_at_a_fault(self) -> bool {
        matches!(self, Self::Incomplete | Self::UnknownPerson | Self::NotSigned)
    }

    /// Whether the person counts as having seen the consent page, or as turned away at the link. People who took part before or are barred
    /// count as turned away. They are told only when they agree, because otherwise any visitor could look up other people's ids.
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

/// Why a link does not admit new people now.
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
    /// How the visit is counted.
    const fn counted_as(self) -> Arrival {
        match self {
            Self::NotOpenYet | Self::Paused => Arrival::Paused,
            Self::Closed => Arrival::Closed,
        }
    }
}

/// Whether a person whom the platform identifies is new, may continue, or cannot take part again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnStatus {
    /// The person is not known in the study's family, and not barred.
    New,
    /// The person takes part in this study, and may continue or see the end again.
    MayReturn(Uuid),
    /// The person took part in this study, or in another one of its family.
    NotAgain,
    /// The person is on a list of people not to admit, or took part in an earlier study that excludes this one.
    Barred,
}

/// What a visitor gets at a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// The page of consent, or the task that leads to it.
    Admitted,
    /// The reason why the link admits no new people.
    Shut(Shut),
    /// A request to come back later, because nothing can be stored now.
    NotNow,
}

/// Decides what a visitor gets, and how the visit is counted. It is not counted if the visitor returns, because their first visit was, or
/// is asked to come back later. People who cannot take part again get the same as new people, and are told when they agree. Otherwise a
/// stranger with another person's id could learn whether that person took part.
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

/// Whether a link admits new people. Pilot links admit people from the state `pilot` on, also while the study is paused. Links for
/// simulations admit people until the study is closed.
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
    fn pilot_links_admit_people_from_the_state_pilot_until_the_study_is_closed() {
        assert_eq!(admits(StudyState::Draft, true, Mode::Pilot), Err(Shut::NotOpenYet));
        for state in [StudyState::Pilot, StudyState::Live, StudyState::Paused] {
            assert_eq!(admits(state, true, Mode::Pilot), Ok(()), "{state}");
        }
        assert_eq!(admits(StudyState::Draft, true, Mode::Simulated), Ok(()));
        assert_eq!(admits(StudyState::Closed, true, Mode::Pilot), Err(Shut::Closed));
    }

    #[test]
    fn a_link_that_is_switched_off_admits_no_people() {
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
    fn people_who_return_may_always_continue_and_are_not_counted_again() {
        let gates = GATES.map(|(gate, _)| gate).into_iter().chain([Ok(())]);
        for (gate, can_store) in gates.flat_map(|gate| [(gate, true), (gate, false)]) {
            let result = receive(ReturnStatus::MayReturn(Uuid::nil()), gate, can_store);
            assert_eq!(result, (Reception::Admitted, None), "{gate:?}, {can_store}");
        }
    }

    #[test]
    fn all_others_get_the_same_and_differ_only_in_the_counts() {
        for (status, counted) in [
            (ReturnStatus::New, Arrival::Arrived),
            (ReturnStatus::NotAgain, Arrival::AlreadyTookPart),
            (ReturnStatus::Barred, Arrival::Barred),
        ] {
            assert_eq!(receive(status, Ok(()), true), (Reception::Admitted, Some(counted)));
            assert_eq!(receive(status, Ok(()), false), (Reception::NotNow, None));
            for (gate, counted) in GATES {
                let expected = (Reception::Shut(gate.unwrap_err()), Some(counted));
                assert_eq!((receive(status, gate, true), receive(status, gate, false)), (expected, expected));
            }
        }
    }
}
