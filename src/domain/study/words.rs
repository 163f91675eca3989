//! The words in which a study is described.

use crate::domain::words;

words! {
    /// What a study is open for.
    StudyState {
        /// Never started: live links say that it is not open yet.
        Draft = "draft",
        /// Rehearsed: pilot links let people in, live links do not yet.
        Pilot = "pilot",
        /// Open.
        Live = "live",
        /// New people are asked to come back later; whoever is inside may finish.
        Paused = "paused",
        /// Over for new people; whoever is inside may finish.
        Closed = "closed",
    }
}

impl StudyState {
    /// Whether a study in this state can get into that one.
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
    /// What a participation counts for. It comes from the entry link alone, and modes never share slots.
    Mode {
        /// Counts toward the study.
        Live = "live",
        /// A rehearsal by people; marked, and left out of exports unless asked for.
        Pilot = "pilot",
        /// A rehearsal by the simulator.
        Simulated = "simulated",
    }
}

words! {
    /// Who takes part.
    Group {
        /// Recruited participants, who hold slots.
        Crowd = "crowd",
        /// Experts, who may take part again, in a condition and image set of their choice, without slots.
        Expert = "expert",
    }
}

words! {
    /// Where people come from and go back to.
    Platform {
        /// A plain link.
        Direct = "direct",
        /// Amazon Mechanical Turk.
        Mturk = "mturk",
        /// Prolific.
        Prolific = "prolific",
        /// CloudResearch Connect.
        Connect = "connect",
        /// Sona Systems.
        Sona = "sona",
        /// Any other, by a parameter and a return address.
        Generic = "generic",
    }
}

words! {
    /// What kind of references a group holds.
    ReferenceKind {
        /// Photographs (in the demo: scenes).
        Natural = "natural",
        /// Feature visualisations.
        Synthetic = "synthetic",
        /// Photographs blurred but for one window.
        Blurred = "blurred",
    }
}
