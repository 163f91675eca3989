//! Who did what, when: each entry holds the hash of the one before it.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::words;

words! {
    /// What somebody did.
    Action {
        /// Brought a study folder in as a new version.
        Imported = "imported",
        /// Started, paused or closed a study.
        StateChanged = "state_changed",
        /// Switched a link on or off.
        LinkSwitched = "link_switched",
        /// Gave out personal links.
        PersonalLinksMade = "personal_links_made",
        /// Saw the platform ids of those to be paid.
        PaymentsRead = "payments_read",
        /// Compared a platform's export with the data.
        Reconciled = "reconciled",
        /// Looked for a person by their platform id.
        PersonSought = "person_sought",
        /// Deleted a person's data at their request.
        Withdrawn = "withdrawn",
        /// Deleted all platform ids of a study.
        IdentitiesForgotten = "identities_forgotten",
        /// Added people to those not to admit.
        PeopleBarred = "people_barred",
        /// Decided about a person, beside the rule.
        Overridden = "overridden",
        /// Took such a decision back.
        OverrideLifted = "override_lifted",
        /// Opened the slot of somebody kept again.
        SlotReopened = "slot_reopened",
        /// Gave exhausted slots one more posting.
        PostingsAdded = "postings_added",
        /// Changed the number of places per condition.
        QuotaChanged = "quota_changed",
        /// Let results show which condition is which.
        Unblinded = "unblinded",
        /// Signed in.
        SignedIn = "signed_in",
        /// Set a password by a one-time link.
        PasswordSet = "password_set",
        /// Turned a second factor on or off.
        SecondFactorChanged = "second_factor_changed",
        /// Invited somebody, or made a new link for them.
        Invited = "invited",
        /// Changed what somebody may do.
        RoleChanged = "role_changed",
        /// Took somebody's access away.
        ResearcherRemoved = "researcher_removed",
        /// Made an API token.
        TokenMade = "token_made",
        /// Removed an API token.
        TokenRemoved = "token_removed",
        /// Saved an exclusion policy.
        PolicySaved = "policy_saved",
        /// Froze an exclusion policy as pre-registered.
        PolicyFrozen = "policy_frozen",
        /// Downloaded a study's data.
        Exported = "exported",
        /// Backed everything up: all data, and the secret key unless it was left out.
        BackedUp = "backed_up",
    }
}

/// An entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// From 1, without a gap.
    pub number: i64,
    /// When.
    pub at: DateTime<Utc>,
    /// A researcher's address, or `command line`.
    pub actor: String,
    /// What; as it was written, which may be a word that this program does not know any more.
    pub action: String,
    /// In which study, by its short name.
    pub study: Option<String>,
    /// With whom, by their pseudonym.
    pub participant: Option<String>,
    /// More, as JSON; it never holds a platform's ids.
    pub detail: String,
    /// The hash of the entry before; of nothing for the first.
    pub previous_sha256: Vec<u8>,
}

impl Entry {
    /// What the next entry holds: SHA-256 over every field with its length, in the order of this struct.
    pub fn sha256(&self) -> Vec<u8> {
        let mut hash = Sha256::new();
        let at = self.at.to_rfc3339_opts(SecondsFormat::Micros, true);
        let number = self.number.to_string();
        let optional =
            |text: &Option<String>| text.as_deref().map_or(String::new(), |text| format!("={text}"));
        let (study, participant) = (optional(&self.study), optional(&self.participant));
        let texts = [&number, &at, &self.actor, &self.action, &study, &participant, &self.detail];
        let fields = texts.into_iter().map(String::as_bytes).chain([self.previous_sha256.as_slice()]);
        for field in fields {
            hash.update((field.len() as u64).to_be_bytes());
            hash.update(field);
        }
        hash.finalize().to_vec()
    }
}

/// The newest entry: whoever keeps it can tell later whether the journal was changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number; 0 for an empty journal.
    pub entry: i64,
    /// Its hash, in hexadecimal.
    pub sha256: String,
}

impl Head {
    /// Whether it is part of a journal. A journal is only added to, so that whatever end it once had stays in it for ever.
    pub fn is_in(&self, entries: &[(Entry, Vec<u8>)]) -> bool {
        let same =
            |(entry, hash): &(Entry, Vec<u8>)| entry.number == self.entry && hex::encode(hash) == self.sha256;
        self.entry == 0 || entries.iter().any(same)
    }

    /// The newest entry by its number and hash, if there is one.
    pub fn of(newest: Option<(i64, Vec<u8>)>) -> Self {
        newest.map_or_else(Self::default, |(entry, sha256)| Self { entry, sha256: hex::encode(sha256) })
    }
}

/// The number of the first entry that does not follow from those before it; none if the chain is whole. Each entry comes
/// with the hash that was stored for it. Of a chain that ends too early, or was made anew throughout, only a [`Head`] that
/// was kept elsewhere can tell.
pub fn first_broken(entries: &[(Entry, Vec<u8>)]) -> Option<i64> {
    let mut previous: &[u8] = &[];
    for (expected, (entry, stored)) in (1..).zip(entries) {
        if entry.number != expected || entry.previous_sha256 != previous || entry.sha256() != *stored {
            return Some(expected);
        }
        previous = stored;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::at;

    fn chain(actor: &str) -> Vec<(Entry, Vec<u8>)> {
        let mut previous = Vec::new();
        (1..=3)
            .map(|number| {
                let entry = Entry {
                    number,
                    at: at(number as f64),
                    actor: actor.into(),
                    action: "withdrawn".into(),
                    study: Some("s".into()),
                    participant: None,
                    detail: "{}".into(),
                    previous_sha256: std::mem::take(&mut previous),
                };
                previous = entry.sha256();
                (entry, previous.clone())
            })
            .collect()
    }

    #[test]
    fn an_entry_that_was_changed_taken_out_or_added_is_found() {
        let chain = || chain("ada@example.org");
        assert_eq!(first_broken(&chain()), None);
        let mut changed = chain();
        changed[1].0.actor = "eve@example.org".into();
        assert_eq!(first_broken(&changed), Some(2));
        let mut rehashed = chain();
        rehashed[1].0.detail = "{\"a\":1}".into();
        rehashed[1].1 = rehashed[1].0.sha256();
        assert_eq!(first_broken(&rehashed), Some(3));
        let mut shorter = chain();
        shorter.remove(0);
        assert_eq!(first_broken(&shorter), Some(1));
        let mut moved = chain();
        (moved[0].0.study, moved[0].0.participant) = (None, Some("s".into()));
        assert_eq!(first_broken(&moved), Some(1));
    }

    #[test]
    fn an_end_that_was_kept_tells_of_entries_cut_off_and_of_a_chain_made_anew() {
        let head = |entries: &[(Entry, Vec<u8>)]| {
            Head::of(entries.last().map(|(entry, hash)| (entry.number, hash.clone())))
        };
        let whole = chain("ada@example.org");
        assert!(head(&whole).is_in(&whole) && head(&whole[..2]).is_in(&whole));
        assert!(!head(&whole).is_in(&whole[..2]) && !head(&whole).is_in(&[]));
        let anew = chain("eve@example.org");
        assert_eq!(first_broken(&anew), None);
        assert!(!head(&whole).is_in(&anew) && !head(&whole[..1]).is_in(&anew));
        assert!(Head::default().is_in(&whole), "an empty journal is the beginning of any");
    }
}
