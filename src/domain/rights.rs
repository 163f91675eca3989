//! What researchers may do in the lab, and scripts by their tokens.

use super::words;

words! {
    /// A researcher's role; each may do what those before it may.
    Role {
        /// Looks at studies, people and results.
        Viewer = "viewer",
        /// Steers studies: starts and stops them, decides about people, saves policies, downloads data.
        Researcher = "researcher",
        /// Invites people, gives them roles, and takes them away.
        Administrator = "administrator",
    }
}

words! {
    /// What an API token is good for.
    Scope {
        /// Sending simulated people.
        Simulate = "simulate",
        /// Downloading data.
        Export = "export",
        /// Reading metrics.
        Metrics = "metrics",
    }
}
