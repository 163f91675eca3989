//! The fragments that open pages show, with their newest content.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::watch;

use crate::domain::study::Mode;
use crate::web::lab::choice::Choice;

/// A part of pages that changes while they are open.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Fragment {
    /// The list of studies.
    Studies,
    /// The study's state, enrolment, and who is taking part now; with the controls if the researcher may steer the study (true).
    Enrolment(String, Mode, bool),
    /// How the study is going.
    Progress(String, Mode),
    /// The flow of participants.
    Flow(String, Choice),
}

/// A JSON object: the HTML of each element, by the element's id.
pub type Fragments = Arc<str>;

/// The fragments that open pages show. None: not rendered yet.
#[derive(Default)]
pub struct ShownFragments(Mutex<HashMap<Fragment, watch::Sender<Option<Fragments>>>>);

impl ShownFragments {
    /// Follows a fragment. The first page that shows it also gets the sender, and has to keep the fragment up to date.
    pub fn follow(
        &self,
        fragment: &Fragment,
    ) -> (watch::Receiver<Option<Fragments>>, Option<watch::Sender<Option<Fragments>>>) {
        let mut shown = self.0.lock();
        if let Some(sender) = shown.get(fragment) {
            return (sender.subscribe(), None);
        }
        let (sender, receiver) = watch::channel(None);
        shown.insert(fragment.clone(), sender.clone());
        (receiver, Some(sender))
    }

    /// Removes a fragment unless a page shows it again; returns whether it was removed.
    pub fn forget(&self, fragment: &Fragment, sender: &watch::Sender<Option<Fragments>>) -> bool {
        let mut shown = self.0.lock();
        let unseen = sender.is_closed();
        if unseen {
            shown.remove(fragment);
        }
        unseen
    }
}
