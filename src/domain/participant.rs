//! A participation: its stages, its lease, its clock.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::allocation::Claim;
use super::measures::Times;
use super::study::{ClockCheck, Group, Lease, Mode, Outcome, Platform};
use super::words;

words! {
    /// How far a participation has come. `docs/architecture.md` draws the transitions.
    Stage {
        /// Agreed to take part; loading, Welcome, instructions, fullscreen.
        Consented = "consented",
        /// Read the instructions; practises, if the condition has practice.
        Instructed = "instructed",
        /// Had a practice block all correct.
        Practised = "practised",
        /// In the main trials or the feedback after them.
        Running = "running",
        /// All answers are there and Submit was pressed.
        Complete = "complete",
        /// Said that they leave, or were screened out.
        Abandoned = "abandoned",
        /// The lease lapsed without a word; may return. Never stored: see [`Stage::at`].
        Expired = "expired",
        /// Asked for their data to be deleted.
        Withdrawn = "withdrawn",
    }
}

impl Stage {
    /// Whether nothing more will come.
    pub const fn ended(self) -> bool {
        matches!(self, Self::Complete | Self::Abandoned | Self::Withdrawn)
    }

    /// Whether the person's data were deleted at their request.
    pub const fn is_withdrawn(self) -> bool {
        matches!(self, Self::Withdrawn)
    }

    /// The stored stage as a reader sees it: somebody whose lease has lapsed counts as expired until they return.
    pub fn at(self, lease_until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        self.with_lease(lease_until < now)
    }

    /// The same, where it is known whether the lease has lapsed.
    pub const fn with_lease(self, lapsed: bool) -> Self {
        if lapsed && !self.ended() { Self::Expired } else { self }
    }
}

words! {
    /// Why somebody ended before completing.
    EndReason {
        /// Pressed Leave.
        Left = "left",
        /// Took the offer to end after too many practice blocks; is paid.
        ScreenedOut = "screened_out",
    }
}

/// How often a sign of life is noted at most, in s: one comes with every answer, and to note it costs more than the answer.
const NOTED_EVERY_S: u32 = 15;

/// How long a message may be under way, in s: a page gives up after 20 s, and its last try may still come. A clock that is
/// further behind stood still.
const LONGEST_TRANSIT_S: f64 = 30.0;

/// A participation as it is stored.
#[derive(Debug, Clone, PartialEq)]
pub struct Participant {
    /// Its number, never shown.
    pub id: Uuid,
    /// The study.
    pub study_id: i64,
    /// The version of the study that this person sees.
    pub version_id: i64,
    /// The link they came by.
    pub link_id: i64,
    /// Name in every file and on every page.
    pub pseudonym: String,
    /// What the participation counts for.
    pub mode: Mode,
    /// Who they are.
    pub group: Group,
    /// Where they came from.
    pub platform: Platform,
    /// Their condition.
    pub condition: String,
    /// Their image set, 0-based.
    pub image_set: u32,
    /// The slot they hold or held last, by its number in the database.
    pub slot_id: Option<i64>,
    /// How they stand toward it.
    pub claim: Claim,
    /// How far they have come.
    pub stage: Stage,
    /// Why they ended early.
    pub end_reason: Option<EndReason>,
    /// The screen they were last seen on.
    pub screen: Option<String>,
    /// What their schedule was drawn from.
    pub seed: u64,
    /// Number of the newest page that opened the participation; older ones are superseded.
    pub tab: i32,
    /// The practice block they are in, from 1.
    pub practice_attempt: u16,
    /// Consent.
    pub enrolled_at: DateTime<Utc>,
    /// When the slot was given to them, or given back.
    pub leased_at: DateTime<Utc>,
    /// Until when nobody else gets the slot.
    pub lease_until: DateTime<Utc>,
    /// Last sign of life.
    pub last_seen_at: DateTime<Utc>,
    /// Welcome shown, in the server's time.
    pub started_at: Option<DateTime<Utc>>,
    /// Instructions done.
    pub instructed_at: Option<DateTime<Utc>>,
    /// Practice passed.
    pub practised_at: Option<DateTime<Utc>>,
    /// Main trials begun.
    pub running_at: Option<DateTime<Utc>>,
    /// Completed, or left.
    pub ended_at: Option<DateTime<Utc>>,
    /// The experiment clock (ms since Welcome) as the browser last told it ...
    pub clock_ms: Option<f64>,
    /// ... and when it did.
    pub clock_at: Option<DateTime<Utc>>,
    /// How far the browser's clock ran ahead of the server's at the worst, in s, where that was too far; below 0, how far it
    /// stayed behind.
    pub clock_discrepancy_s: Option<f64>,
    /// How long it is since consent by what the server saw, as of `clock_at`, in ms.
    pub seen_ms: f64,
    /// The experiment clock at the first end of the fullscreen page, in ms.
    pub instruction_ms: Option<f64>,
    /// The longest that the server believed it to be then, in ms; none where it believes all.
    pub instruction_bound_ms: Option<f64>,
    /// Wait for images until then, in ms.
    pub instruction_load_wait_ms: f64,
    /// The experiment clock at the press on Submit, in ms.
    pub total_ms: Option<f64>,
    /// The longest that the server believed it to be then, in ms; none where it believes all.
    pub total_bound_ms: Option<f64>,
    /// Events that came when there was no more room for any.
    pub events_dropped: u32,
    /// Order of completion in the slot, from 1.
    pub posting: Option<u32>,
    /// The verdict under the enrolment policy, once complete.
    pub passed: Option<bool>,
    /// Finished after the slot had gone to somebody else.
    pub late: bool,
}

impl Participant {
    /// Notes a sign of life, which prolongs the lease.
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

    /// Whether they have passed the instructions or a later part, as seen by the server, and not sooner than anybody could have
    /// read so far. A page that only says that it is there costs nothing.
    pub fn is_at_work(&self, lease: &Lease) -> bool {
        let passed = [self.instructed_at, self.practised_at, self.running_at].into_iter().flatten().max();
        let least = TimeDelta::seconds(lease.least_reading_s.into());
        passed.is_some_and(|passed| passed - self.enrolled_at >= least)
    }

    /// Whether they hold a place, and are not at work.
    pub fn is_idle(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        !self.is_at_work(lease) && !self.stage.ended() && self.lease_until >= now
    }

    /// Whether a sign of life that changes nothing else is to be noted. A short lease is prolonged more often.
    pub fn is_to_be_noted(&self, lease: &Lease, now: DateTime<Utc>) -> bool {
        let lasts = if self.is_at_work(lease) { lease.after_last_sign_s } else { lease.until_work_s };
        let every = NOTED_EVERY_S.min(lasts / 20);
        now - self.last_seen_at >= TimeDelta::seconds(every.into())
    }

    /// Notes what the browser's experiment clock shows now, in ms since Welcome.
    pub fn hear_clock(&mut self, clock_ms: f64, check: &ClockCheck, now: DateTime<Utc>) {
        if self.started_at.is_some() {
            self.seen_ms = self.seen_ms_at(clock_ms, now);
            self.clock_ms = Some(clock_ms.max(self.clock_ms.unwrap_or(0.0)));
            self.clock_at = Some(now);
        }
        self.check_clock(clock_ms, check, now);
    }

    /// How long it is since consent by what the server saw, in ms. While the server's own clock was set back, the browser is
    /// believed: nobody else knows.
    fn seen_ms_at(&self, clock_ms: f64, now: DateTime<Utc>) -> f64 {
        let passed = seconds_between(self.clock_at.unwrap_or(self.enrolled_at), now) * 1000.0;
        let claimed = (clock_ms - self.clock_ms.unwrap_or(0.0)).max(0.0);
        self.seen_ms + if passed < 0.0 { claimed } else { passed }
    }

    /// The longest time since Welcome that can be believed now, in ms: all that the server saw pass since consent, and what
    /// clocks may differ by. Nobody who is honest claims more, however late their messages come. Simulated people do not wait,
    /// so they are believed.
    pub fn believable_ms(&self, clock_ms: f64, check: &ClockCheck, now: DateTime<Utc>) -> Option<f64> {
        let believable = self.seen_ms_at(clock_ms, now) + check.discrepancy_s * 1000.0;
        (self.mode != Mode::Simulated).then_some(believable)
    }

    /// Records a claim of more time than the server saw pass; otherwise, that the clock stood still, as it does in some browsers
    /// while the computer sleeps. Simulated people do not wait, so theirs is not looked at.
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

    /// How the visit ended, as the platform is told. None: still inside, or left.
    pub const fn outcome(&self) -> Option<Outcome> {
        match (self.stage, self.end_reason) {
            (Stage::Complete, _) if self.late => Some(Outcome::TimedOut),
            (Stage::Complete, _) => Some(Outcome::Complete),
            (Stage::Abandoned, Some(EndReason::ScreenedOut)) => Some(Outcome::ScreenedOut),
            _ => None,
        }
    }

    /// The times that the criteria are measured on.
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

    /// Starts the experiment clock: the browser says how long ago Welcome was shown, but not before consent.
    pub fn start(&mut self, clock_ms: f64, now: DateTime<Utc>) {
        if self.started_at.is_none() {
            let ago = Duration::try_from_secs_f64(clock_ms / 1000.0).unwrap_or_default();
            self.started_at = Some((now - ago).max(self.enrolled_at));
        }
    }

    /// What the experiment clock of a page that opens now starts from, in ms: the gap since the browser was last heard
    /// is measured by the server. None before Welcome.
    pub fn resumed_clock_ms(&self, now: DateTime<Utc>) -> Option<f64> {
        let started_at = self.started_at?;
        let (known, at) = (self.clock_ms.unwrap_or(0.0), self.clock_at.unwrap_or(started_at));
        let gap = if self.mode == Mode::Simulated { 0.0 } else { seconds_between(at, now) * 1000.0 };
        Some(known + gap.max(0.0))
    }
}

/// Seconds from one time to another.
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
    fn the_lease_is_short_until_somebody_is_at_work() {
        let mut person = participant();
        person.seen(&LEASE, at(200.0));
        assert_eq!(person.lease_until, at(300.0));
        person.start(0.0, at(250.0));
        person.seen(&LEASE, at(250.0));
        assert_eq!(person.lease_until, at(550.0), "Welcome alone is no work");
        person.instructed_at = Some(at(300.0));
        person.seen(&LEASE, at(300.0));
        assert_eq!(person.lease_until, at(2100.0));
    }

    #[test]
    fn whoever_reads_slowly_keeps_the_place_while_the_page_is_open_and_not_for_ever() {
        let mut person = participant();
        person.start(0.0, at(10.0));
        for now in (10..3000_u32).step_by(20) {
            person.seen(&LEASE, at(now.into()));
            assert!(person.is_idle(&LEASE, at(now.into())) || now > 1810, "{now}");
        }
        assert_eq!(person.lease_until, at(1810.0));
        person.leased_at = at(3000.0);
        person.seen(&LEASE, at(3000.0));
        assert_eq!(person.lease_until, at(3300.0), "a place that they got back is theirs anew");
    }

    #[test]
    fn parts_that_are_passed_too_soon_are_no_work() {
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
    fn signs_of_life_are_noted_every_15_s_or_twenty_times_in_a_lease() {
        let person = participant();
        assert!(!person.is_to_be_noted(&LEASE, at(14.9)));
        assert!(person.is_to_be_noted(&LEASE, at(15.0)));
        let short = Lease { until_work_s: 100, ..LEASE };
        assert!(!person.is_to_be_noted(&short, at(4.9)));
        assert!(person.is_to_be_noted(&short, at(5.0)));
    }

    #[test]
    fn a_lapsed_person_reads_as_expired_until_they_return() {
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
    fn whoever_completed_late_or_was_screened_out_has_an_outcome_and_whoever_left_has_none() {
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
    fn a_browser_that_claims_too_much_time_is_recorded_at_its_worst() {
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
    fn over_a_reload_the_gap_is_measured_by_the_server() {
        let mut person = participant();
        assert_eq!(person.resumed_clock_ms(at(5.0)), None);
        person.start(0.0, at(10.0));
        person.hear_clock(29_500.0, &CHECK, at(40.0));
        assert_eq!(person.resumed_clock_ms(at(100.0)), Some(89_500.0));
    }
}
