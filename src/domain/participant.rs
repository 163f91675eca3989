//! A participation, with its stage, its lease and its clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::allocation::Claim;
use super::measures::Times;
use super::study::{ClockCheck, Group, Lease, Mode, Outcome, Platform};
use super::words;

words! {
    /// How far a participation is. `docs/architecture.md` shows the transitions.
    Stage {
        /// The person agreed to take part, and is before the end of the fullscreen page.
        Consented = "consented",
        /// The person has seen the instructions, and practises if the condition has practice.
        Instructed = "instructed",
        /// The person answered all trials of a practice block correctly.
        Practised = "practised",
        /// The person is in the main trials or on the feedback page after them.
        Running = "running",
        /// All answers are stored, and the person pressed Submit.
        Complete = "complete",
        /// The person pressed Leave, or was screened out.
        Abandoned = "abandoned",
        /// The lease lapsed. The person may return. This stage is never stored, see [`Stage::at`].
        Expired = "expired",
        /// The person's data were deleted at their request.
        Withdrawn = "withdrawn",
    }
}

impl Stage {
    /// Whether the participation has ended for good.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Complete | Self::Abandoned | Self::Withdrawn)
    }

    /// Whether the person's data were deleted at their request.
    pub const fn is_withdrawn(self) -> bool {
        matches!(self, Self::Withdrawn)
    }

    /// The stage at a time. A person whose lease has lapsed counts as expired until they return.
    pub fn at(self, lease_until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        self.with_lease(lease_until < now)
    }

    /// The stage of a person whose lease has lapsed or not.
    pub const fn with_lease(self, lapsed: bool) -> Self {
        if lapsed && !self.ended() { Self::Expired } else { self }
    }
}

words! {
    /// Why a participation ended before completion.
    EndReason {
        /// The person pressed Leave.
        Left = "left",
        /// The person did not pass practice, and the participation ended early with pay.
        ScreenedOut = "screened_out",
    }
}

/// The shortest time between two signs of life that are stored, in s. Each answer is a sign of life, and to store it would cost more than
/// the answer.
const NOTED_EVERY_S: u32 = 15;

/// The longest delay of a message, in s: a page gives up after 20 s, and its last try may still arrive. A clock that is further behind has
/// stopped.
const LONGEST_TRANSIT_S: f64 = 30.0;

/// A participation as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// Its id, which is never shown.
    pub id: Uuid,
    /// The study's number in the database.
    pub study_id: i64,
    /// The number in the database of the study version that the person sees.
    pub version_id: i64,
    /// The number in the database of the link by which the person came.
    pub link_id: i64,
    /// The person's name in all files and on all pages.
    pub pseudonym: String,
    /// What the participation counts for.
    pub mode: Mode,
    /// Crowd or expert.
    pub group: Group,
    /// The platform from which the person came.
    pub platform: Platform,
    /// The name of the person's condition.
    pub condition: String,
    /// The person's image set, from 0.
    pub image_set: u32,
    /// The number in the database of the slot that the person holds or held last.
    pub slot_id: Option<i64>,
    /// The relation of the participation to its slot.
    pub claim: Claim,
    /// How far the participation is.
    pub stage: Stage,
    /// Why the participation ended early.
    pub end_reason: Option<EndReason>,
    /// The last known screen.
    pub screen: Option<String>,
    /// The seed from which the schedule was drawn.
    pub seed: u64,
    /// The number of the newest page that opened the participation. Older pages are superseded.
    pub tab: i32,
    /// The current practice block, from 1.
    pub practice_attempt: u16,
    /// The time of consent.
    pub enrolled_at: DateTime<Utc>,
    /// The time when the person got the slot, or got it back.
    pub leased_at: DateTime<Utc>,
    /// The time until which no other person can get the slot.
    pub lease_until: DateTime<Utc>,
    /// The time of the last stored sign of life.
    pub last_seen_at: DateTime<Utc>,
    /// The time when Welcome was shown, by the server's clock.
    pub started_at: Option<DateTime<Utc>>,
    /// The time when the person ended the instructions.
    pub instructed_at: Option<DateTime<Utc>>,
    /// The time when the person passed practice.
    pub practised_at: Option<DateTime<Utc>>,
    /// The time when the main trials started.
    pub running_at: Option<DateTime<Utc>>,
    /// The time when the person completed or left.
    pub ended_at: Option<DateTime<Utc>>,
    /// The newest experiment clock (ms since Welcome) that the browser reported.
    pub clock_ms: Option<f64>,
    /// The time of that report.
    pub clock_at: Option<DateTime<Utc>>,
    /// How far the browser's clock ran ahead of the server's at most, in s, if that was too far. Below 0: how far it stayed behind.
    pub clock_discrepancy_s: Option<f64>,
    /// The time since consent that the server had measured at `clock_at`, in ms.
    pub seen_ms: f64,
    /// The experiment clock at the first end of the fullscreen page, in ms.
    pub instruction_ms: Option<f64>,
    /// The longest time that the server accepted at that moment, in ms. None if it accepts any.
    pub instruction_bound_ms: Option<f64>,
    /// The sum of waits for images until then, in ms.
    pub instruction_load_wait_ms: f64,
    /// The experiment clock at the press on Submit, in ms.
    pub total_ms: Option<f64>,
    /// The longest time that the server accepted at that moment, in ms. None if it accepts any.
    pub total_bound_ms: Option<f64>,
    /// The number of events that were only counted, because [`super::record::MOST_EVENTS`] were stored.
    pub events_dropped: u32,
    /// The order of completion in the slot, from 1.
    pub posting: Option<u32>,
    /// Whether the person passes the enrolment policy, once complete.
    pub passed: Option<bool>,
    /// Whether the person completed after another person had got the slot.
    pub late: bool,
}

impl Participant {
    /// Records a sign of life, which extends the lease.
    pub fn seen(&mut self, lease: &Lease, now: DateTime<Utc>) {
        self.last_seen_at = self.last_seen_at.max(now);
        let long = TimeDelta::seconds(lease.after_last_sign_s.into());
        let until = match self.started_at {
            None => self.leased_at + TimeDelta::seconds(lease.until_welcome_s.into()),
            Some(_) if self.is_at_work(lease) => now + long,
            Some(started_at) => {
                let short = TimeDelta::seconds(lease.until_work_s.into());
                (now + short).min(started_at.max(self.leased_at) + long)
            }
        };
        self.lease_until = self.lease_until.max(until);
    }

    /// Whether the person passed the instructions or a later part, by the server's clock, and not sooner than a person could have read
    /// until there. Signs of life alone do not count, because a program can send them at no cost.
    pub fn is_at_work(&self, lease: &Lease) -> bool {
        let passed = [self.instructed_at, self.practised_at, self.running_at].into_iter().flatten().max();
        let least = TimeDelta::seconds(lease.least_reading_s.into());
        passed.is_some_and(|passed| passed - self.enrolled_at >= least)
    }

    /// Whether the person holds a slot without having passed a part.
    pub fn is_idle(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        !self.is_at_work(lease) && !self.stage.ended() && self.lease_until >= now
    }

    /// Whether to store a sign of life that changes nothing else. A short lease is extended more often.
    pub fn is_to_be_noted(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        let lasts = if self.is_at_work(lease) { lease.after_last_sign_s } else { lease.until_work_s };
        let every = NOTED_EVERY_S.min(lasts / 20);
        now - self.last_seen_at >= TimeDelta::seconds(every.into())
    }

    /// Records the browser's experiment clock now, in ms since Welcome.
    pub fn hear_clock(&mut self, clock_ms: f64, check: &ClockCheck, now: DateTime<Utc>) {
        if self.started_at.is_some() {
            self.seen_ms = self.seen_ms_at(clock_ms, now);
            self.clock_ms = Some(clock_ms.max(self.clock_ms.unwrap_or(0.0)));
            self.clock_at = Some(now);
        }
        self.check_clock(clock_ms, check, now);
    }

    /// The time since consent that the server measured, in ms. If the server's own clock was set back, the browser's clock is used, because
    /// there is no other.
    fn seen_ms_at(&self, clock_ms: f64, now: DateTime<Utc>) -> f64 {
        let passed = seconds_between(self.clock_at.unwrap_or(self.enrolled_at), now) * 1000.0;
        let claimed = (clock_ms - self.clock_ms.unwrap_or(0.0)).max(0.0);
        self.seen_ms + if passed < 0.0 { claimed } else { passed }
    }

    /// The longest time since Welcome that the server accepts now, in ms: the time since consent that it measured, plus the allowed
    /// discrepancy of clocks. An honest browser never reports more, even if its messages are late. None for simulated people, who do not
    /// wait.
    pub fn believable_ms(&self, clock_ms: f64, check: &ClockCheck, now: DateTime<Utc>) -> Option<f64> {
        let believable = self.seen_ms_at(clock_ms, now) + check.discrepancy_s * 1000.0;
        (self.mode != Mode::Simulated).then_some(believable)
    }

    /// Records that the browser reports more time than the server measured. Otherwise it records that the browser's clock stopped, as it
    /// does in some browsers while the computer sleeps. The clocks of simulated people are not checked, because they do not wait.
    pub fn check_clock(&mut self, clock_ms: f64, check: &ClockCheck, now: DateTime<Utc>) {
        let Some(started_at) = self.started_at.filter(|_| self.mode != Mode::Simulated) else { return };
        let seen_s = self.seen_ms_at(clock_ms, now) / 1000.0 - seconds_between(self.enrolled_at, started_at);
        let ahead_s = clock_ms / 1000.0 - seen_s;
        let worst = self.clock_discrepancy_s.unwrap_or(0.0);
        if ahead_s > check.discrepancy_s {
            self.clock_discrepancy_s = Some(ahead_s.max(worst));
        } else if ahead_s < -LONGEST_TRANSIT_S && worst <= 0.0 {
            self.clock_discrepancy_s = Some(ahead_s.min(worst));
        }
    }

    /// The outcome that the platform is told. None if the person is still taking part, or left.
    pub const fn outcome(&self) -> Option<Outcome> {
        match (self.stage, self.end_reason) {
            (Stage::Complete, _) if self.late => Some(Outcome::TimedOut),
            (Stage::Complete, _) => Some(Outcome::Complete),
            (Stage::Abandoned, Some(EndReason::ScreenedOut)) => Some(Outcome::ScreenedOut),
            _ => None,
        }
    }

    /// The times from which criteria are measured.
    pub const fn times(&self) -> Times {
        Times {
            instruction_ms: self.instruction_ms,
            instruction_bound_ms: self.instruction_bound_ms,
            instruction_load_wait_ms: self.instruction_load_wait_ms,
            total_ms: self.total_ms,
            total_bound_ms: self.total_bound_ms,
            clock_discrepancy_s: self.clock_discrepancy_s,
        }
    }

    /// Starts the experiment clock. The browser reports how long ago Welcome was shown; a time before consent is not accepted.
    pub fn start(&mut self, clock_ms: f64, now: DateTime<Utc>) {
        if self.started_at.is_none() {
            let ago = Duration::try_from_secs_f64(clock_ms / 1000.0).unwrap_or_default();
            self.started_at = Some((now - ago).max(self.enrolled_at));
        }
    }

    /// The start of the experiment clock of a page that opens now, in ms. The server measures the time since the browser's last report.
    /// None before Welcome.
    pub fn resumed_clock_ms(&self, now: DateTime<Utc>) -> Option<f64> {
        let started_at = self.started_at?;
        let (known, at) = (self.clock_ms.unwrap_or(0.0), self.clock_at.unwrap_or(started_at));
        let gap = if self.mode == Mode::Simulated { 0.0 } else { seconds_between(at, now) * 1000.0 };
        Some(known + gap.max(0.0))
    }
}

/// The seconds from one time to another.
pub fn seconds_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{at, participant};

    const LEASE: Lease =
        Lease { until_welcome_s: 300, until_work_s: 300, least_reading_s: 20, after_last_sign_s: 1800 };
    const CHECK: ClockCheck = ClockCheck { discrepancy_s: 5.0 };

    #[test]
    fn the_lease_is_short_until_a_person_passes_a_part() {
        let mut person = participant();
        person.seen(&LEASE, at(200.0));
        assert_eq!(person.lease_until, at(300.0));
        person.start(0.0, at(250.0));
        person.seen(&LEASE, at(250.0));
        assert_eq!(person.lease_until, at(550.0), "Welcome alone does not count");
        person.instructed_at = Some(at(300.0));
        person.seen(&LEASE, at(300.0));
        assert_eq!(person.lease_until, at(2100.0));
    }

    #[test]
    fn a_slow_reader_keeps_the_slot_while_the_page_is_open_but_not_for_ever() {
        let mut person = participant();
        person.start(0.0, at(10.0));
        for now in (10..3000_u32).step_by(20) {
            person.seen(&LEASE, at(now.into()));
            assert!(person.is_idle(&LEASE, at(now.into())) || now > 1810, "{now}");
        }
        assert_eq!(person.lease_until, at(1810.0));
        person.leased_at = at(3000.0);
        person.seen(&LEASE, at(3000.0));
        assert_eq!(person.lease_until, at(3300.0), "the lease of a slot that they got back starts anew");
    }

    #[test]
    fn parts_that_are_passed_too_soon_do_not_count() {
        let mut person = participant();
        person.start(0.0, at(0.0));
        person.instructed_at = Some(at(19.9));
        person.seen(&LEASE, at(19.9));
        assert!(person.is_idle(&LEASE, at(100.0)) && !person.is_idle(&LEASE, at(320.0)));
        person.practised_at = Some(at(60.0));
        person.seen(&LEASE, at(60.0));
        assert!(!person.is_idle(&LEASE, at(60.0)));
        assert_eq!(person.lease_until, at(1860.0));
    }

    #[test]
    fn signs_of_life_are_stored_every_15_s_or_twenty_times_in_a_lease() {
        let person = participant();
        assert!(!person.is_to_be_noted(&LEASE, at(14.9)));
        assert!(person.is_to_be_noted(&LEASE, at(15.0)));
        let short = Lease { until_work_s: 100, ..LEASE };
        assert!(!person.is_to_be_noted(&short, at(4.9)));
        assert!(person.is_to_be_noted(&short, at(5.0)));
    }

    #[test]
    fn a_person_whose_lease_has_lapsed_counts_as_expired_until_they_return() {
        let person = participant();
        assert_eq!(person.stage.at(person.lease_until, at(300.0)), Stage::Consented);
        assert_eq!(person.stage.at(person.lease_until, at(300.1)), Stage::Expired);
        assert_eq!(Stage::Complete.at(person.lease_until, at(9999.0)), Stage::Complete);
    }

    #[test]
    fn the_clock_starts_at_welcome_but_not_before_consent() {
        let mut person = participant();
        person.start(4000.0, at(10.0));
        assert_eq!(person.started_at, Some(at(6.0)));
        person.start(0.0, at(50.0));
        assert_eq!(person.started_at, Some(at(6.0)), "the first Welcome counts");
        let mut liar = participant();
        liar.start(3_600_000.0, at(10.0));
        assert_eq!(liar.started_at, Some(at(0.0)));
    }

    #[test]
    fn people_who_completed_or_were_screened_out_have_an_outcome_and_people_who_left_have_none() {
        let mut person = participant();
        assert_eq!(person.outcome(), None);
        (person.stage, person.end_reason) = (Stage::Abandoned, Some(EndReason::Left));
        assert_eq!(person.outcome(), None);
        person.end_reason = Some(EndReason::ScreenedOut);
        assert_eq!(person.outcome(), Some(Outcome::ScreenedOut));
        (person.stage, person.end_reason) = (Stage::Complete, None);
        assert_eq!(person.outcome(), Some(Outcome::Complete));
        person.late = true;
        assert_eq!(person.outcome(), Some(Outcome::TimedOut));
    }

    #[test]
    fn the_largest_discrepancy_of_a_browser_that_reports_too_much_time_is_recorded() {
        let mut person = participant();
        person.start(0.0, at(0.0));
        person.hear_clock(15_000.0, &CHECK, at(10.0));
        assert_eq!(person.clock_discrepancy_s, None, "exactly 5 s is still allowed");
        person.hear_clock(27_000.0, &CHECK, at(20.0));
        person.hear_clock(36_000.0, &CHECK, at(30.0));
        assert_eq!(person.clock_discrepancy_s, Some(7.0));
        let mut simulated = participant();
        simulated.mode = Mode::Simulated;
        simulated.start(0.0, at(0.0));
        simulated.hear_clock(600_000.0, &CHECK, at(1.0));
        assert_eq!(simulated.clock_discrepancy_s, None);
    }

    #[test]
    fn the_server_measures_the_time_of_a_reload() {
        let mut person = participant();
        assert_eq!(person.resumed_clock_ms(at(5.0)), None);
        person.start(0.0, at(10.0));
        person.hear_clock(29_500.0, &CHECK, at(40.0));
        assert_eq!(person.resumed_clock_ms(at(100.0)), Some(89_500.0));
    }
}
