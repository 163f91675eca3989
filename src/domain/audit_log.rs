//! The audit log: who did what, when. Each entry contains the hash of the previous one.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::words;

words! {
    /// The actions that are recorded.
    Action {
        /// Imported a study folder as a new version.
        Imported = "imported",
        /// Started, paused or closed a study.
        StateChanged = "state_changed",
        /// Switched a link on or off.
        LinkSwitched = "link_switched",
        /// Made personal links.
        PersonalLinksMade = "personal_links_made",
        /// Saw the platform ids of people to be paid.
        PaymentsRead = "payments_read",
        /// Compared a platform's export with the data.
        Reconciled = "reconciled",
        /// Searched for a person by their platform id.
        PersonSought = "person_sought",
        /// Deleted a person's data at their request.
        Withdrawn = "withdrawn",
        /// Deleted all platform ids of a study.
        IdentitiesForgotten = "identities_forgotten",
        /// Added people to those who are not admitted.
        PeopleBarred = "people_barred",
        /// Decided about a person against the rule.
        Overridden = "overridden",
        /// Took back a decision about a person.
        OverrideLifted = "override_lifted",
        /// Opened the slot of a kept person again.
        SlotReopened = "slot_reopened",
        /// Gave exhausted slots one more posting.
        PostingsAdded = "postings_added",
        /// Changed the number of places per condition.
        QuotaChanged = "quota_changed",
        /// Revealed which condition is which.
        Unblinded = "unblinded",
        /// Signed in to the lab.
        SignedIn = "signed_in",
        /// Set a password by a one-time link.
        PasswordSet = "password_set",
        /// Turned a second factor on or off.
        SecondFactorChanged = "second_factor_changed",
        /// Invited a researcher, or made a new link for them.
        Invited = "invited",
        /// Changed a researcher's role.
        RoleChanged = "role_changed",
        /// Removed a researcher's access.
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
        /// Backed up all data, and the secret key unless it was left out.
        BackedUp = "backed_up",
    }
}

/// An entry of the audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number, from 1 without gaps.
    pub number: i64,
    /// The time of the action.
    pub at: DateTime<Utc>,
    /// A researcher's address, or `command line`.
    pub actor: String,
    /// The action's word as it was stored. A newer or older version may have stored a word that this program does not know.
    pub action: String,
    /// The short name of the study.
    pub study: Option<String>,
    /// The pseudonym of the participant.
    pub participant: Option<String>,
    /// Further details as JSON, without platform ids.
    pub detail: String,
    /// The hash of the previous entry. For the first entry it is empty.
    pub previous_sha256: Vec<u8>,
}

impl Entry {
    /// The hash of this entry, which the next one contains: SHA-256 over every field with its length, in the order of this struct.
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

/// The newest entry at some time. If it was kept elsewhere, it later shows whether the audit log was changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Its number. 0 for an empty audit log.
    pub entry: i64,
    /// Its hash, in hexadecimal.
    pub sha256: String,
}

impl Head {
    /// Whether it is part of an audit log. Entries are only added, so each former newest entry must still be there.
    pub fn is_in(&self, entries: &[(Entry, Vec<u8>)]) -> bool {
        let same =
            |(entry, hash): &(Entry, Vec<u8>)| entry.number == self.entry && hex::encode(hash) == self.sha256;
        self.entry == 0 || entries.iter().any(same)
    }

    /// The newest entry, if there is one, from its number and hash.
    pub fn of(newest: Option<(i64, Vec<u8>)>) -> Self {
        newest.map_or_else(Self::default, |(entry, sha256)| Self { entry, sha256: hex::encode(sha256) })
    }
}

/// The number of the first entry that does not follow from the previous ones. None if the chain is intact. Each entry comes with
/// its stored hash. If a chain was cut at the end or replaced as a whole, only a [`Head`] that was kept elsewhere shows it.
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
    fn a_changed_removed_or_added_entry_is_found() {
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
    fn a_kept_newest_entry_reveals_a_cut_and_a_replaced_chain() {
        let head = |entries: &[(Entry, Vec<u8>)]| {
            Head::of(entries.last().map(|(entry, hash)| (entry.number, hash.clone())))
        };
        let whole = chain("ada@example.org");
        assert!(head(&whole).is_in(&whole) && head(&whole[..2]).is_in(&whole));
        assert!(!head(&whole).is_in(&whole[..2]) && !head(&whole).is_in(&[]));
        let anew = chain("eve@example.org");
        assert_eq!(first_broken(&anew), None);
        assert!(!head(&whole).is_in(&anew) && !head(&whole[..1]).is_in(&anew));
        assert!(Head::default().is_in(&whole), "every audit log starts empty");
    }
}
