//! Which fragments of pages are shown now, and what each held last.

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
    /// The study's state, enrolment, and who is taking part now; for a researcher who may steer the study (true), also the controls.
    Enrolment(String, Mode, bool),
    /// How the study is going.
    Progress(String, Mode),
    /// The flow of participants.
    Flow(String, Choice),
}

/// JSON: HTML by the id of the element that holds it.
pub type Fragments = Arc<str>;

/// The fragments that pages show now. None: not rendered yet.
#[derive(Default)]
pub struct ShownFragments(Mutex<HashMap<Fragment, watch::Sender<Option<Fragments>>>>);

impl ShownFragments {
    /// Follows a fragment. The first page that shows it gets the sender, too, and has to keep the fragment up to date.
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

    /// Forgets a fragment unless a page has come to show it again; returns whether it did.
    pub fn forget(&self, fragment: &Fragment, sender: &watch::Sender<Option<Fragments>>) -> bool {
        let mut shown = self.0.lock();
        let unseen = sender.is_closed();
        if unseen {
            shown.remove(fragment);
        }
        unseen
    }
}
