//! The rights of researchers in the lab, and of scripts with API tokens.

use super::words;

words! {
    /// A researcher's role. Each role includes the rights of the previous ones.
    Role {
        /// Reads studies, people and results.
        Viewer = "viewer",
        /// Runs studies: starts and stops them, decides about people, saves policies, downloads data.
        Researcher = "researcher",
        /// Invites researchers, changes their roles, and removes them.
        Administrator = "administrator",
    }
}

words! {
    /// What an API token allows.
    Scope {
        /// Sends simulated people.
        Simulate = "simulate",
        /// Downloads data.
        Export = "export",
        /// Reads metrics.
        Metrics = "metrics",
    }
}
