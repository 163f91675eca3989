//! Words that describe studies, participations and links.

use crate::domain::words;

words! {
    /// The state of a study, which decides whether links admit new people.
    StudyState {
        /// The study has not been started. Live links say that it is not open yet.
        Draft = "draft",
        /// Pilot links admit people. Live links do not yet.
        Pilot = "pilot",
        /// Live links admit people.
        Live = "live",
        /// Live links ask new people to come back later. People who are taking part may finish.
        Paused = "paused",
        /// No link admits new people. People who are taking part may finish.
        Closed = "closed",
    }
}

impl StudyState {
    /// Whether a study may change from this state to the next.
    pub const fn may_become(self, next: Self) -> bool {
        matches!(
            (self, next),
            (Self::Draft | Self::Pilot | Self::Paused | Self::Closed, Self::Live)
                | (Self::Draft, Self::Pilot)
                | (Self::Pilot, Self::Draft)
                | (Self::Live, Self::Paused)
                | (Self::Live | Self::Paused, Self::Closed)
        )
    }
}

words! {
    /// What a participation counts for. Only the entry link decides it, and modes never share slots.
    Mode {
        /// The participation counts for the study.
        Live = "live",
        /// A test by people. It is marked, and exports contain it only on request.
        Pilot = "pilot",
        /// A test by simulated people.
        Simulated = "simulated",
    }
}

words! {
    /// The group of a participant.
    Group {
        /// Recruited participants, who hold slots.
        Crowd = "crowd",
        /// Experts, who may take part again, in a condition and image set of their choice, without slots.
        Expert = "expert",
    }
}

words! {
    /// The platform from which people come and to which they return.
    Platform {
        /// A link without a platform.
        Direct = "direct",
        /// Amazon Mechanical Turk.
        Mturk = "mturk",
        /// Prolific.
        Prolific = "prolific",
        /// CloudResearch Connect.
        Connect = "connect",
        /// Sona Systems.
        Sona = "sona",
        /// Any other platform, described by a parameter and a return address.
        Generic = "generic",
    }
}

words! {
    /// The kind of references in a group.
    ReferenceKind {
        /// Photographs (in the demo: scenes).
        Natural = "natural",
        /// Feature visualisations.
        Synthetic = "synthetic",
        /// Photographs that are blurred except for one window.
        Blurred = "blurred",
    }
}
