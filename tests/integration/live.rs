//! Live pages: a change is shown on every open page within a second, and nothing is sent while nothing changes.

use std::time::Duration;

use serde_json::json;
use sqlx::PgPool;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use weber::domain::participant::EndReason;
use weber::domain::study::{Mode, StudyState};
use weber::flow::study::results;

use crate::simulation::{plan, simulate};
use crate::support::browser::{Browser, OpenPage};
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

const STUDY: &str = "/lab/studies/demo/live";
const FLOW: &str = "/lab/studies/demo/flow/live";

/// Texts that occur in a part, by which a test recognises that it was sent.
const ENROLMENT: &str = r#""enrolment":"#;
const PROGRESS: &str = r#""progress":"#;
const FLOW_FIGURE: &str = r#""flow-figure":"#;

/// Longer than a change needs to arrive, and shorter than the interval at which the server looks for changes by itself.
const SOON: Duration = Duration::from_secs(8);

impl OpenPage {
    fn count(&self, words: &str) -> usize {
        self.heard.matches(words).count()
    }

    /// Waits until the words arrive once more.
    async fn hears_again(&mut self, words: &str) {
        let before = self.count(words);
        while self.count(words) == before {
            assert!(self.listens().await, "the page hears no more of {words}");
        }
    }

    /// Waits until the words arrive because of a change, before the server looks for changes by itself.
    async fn soon_hears(&mut self, words: &str) {
        let heard = timeout(SOON, self.hears(words)).await;
        assert!(heard.is_ok(), "the page does not hear of {words}: {}", self.heard);
    }

    /// Whether no event begins for a while. The rest of an earlier event may still arrive.
    async fn is_quiet(&mut self) -> bool {
        let before = self.count("event: fragments");
        let listening = async { while self.listens().await {} };
        timeout(Duration::from_secs(2), listening).await.is_err() && self.count("event: fragments") == before
    }
}

/// A live study with many slots, and a clock that the test sets.
async fn live(pool: PgPool, slots: u32) -> (Server, std::sync::Arc<TestClock>) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(slots)).await;
    server.set_state(StudyState::Live).await;
    (server, clock)
}

/// The time until the second of two changes arrives that are 0.6 s apart: the best of a few tries, since a machine may be busy.
async fn second_change_after(server: &Server, page: &mut OpenPage, part: &str) -> Duration {
    let link = server.link("Volunteers").await;
    let mut best = Duration::MAX;
    for _ in 0..4 {
        let first = Instant::now();
        assert_eq!(server.enrol(&link, &[]).await.0, 201);
        page.hears_again(part).await;
        sleep_until(first + Duration::from_millis(600)).await;
        let second = Instant::now();
        assert_eq!(server.enrol(&link, &[]).await.0, 201);
        page.hears_again(part).await;
        best = best.min(second.elapsed());
    }
    best
}

#[sqlx::test]
async fn each_of_two_changes_arrives_within_a_second(pool: PgPool) {
    let server = Server::live(pool, 8).await;
    let browser = Browser::signed_in(&server).await;
    for (path, part) in [(STUDY, PROGRESS), (STUDY, ENROLMENT), (FLOW, FLOW_FIGURE)] {
        let mut page = OpenPage::at(&browser, path).await;
        page.hears(part).await;
        let best = second_change_after(&server, &mut page, part).await;
        assert!(best < Duration::from_secs(1), "{part} took {best:?}");
    }
}

#[sqlx::test]
async fn visits_declines_and_refusals_are_shown_in_the_flow_at_once(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut page = OpenPage::at(&Browser::signed_in(&server).await, FLOW).await;
    page.hears("Visits (n = 0)").await;
    let link = server.link("Volunteers").await;
    assert_eq!(server.get(&format!("/enter/{link}")).await.0, 200);
    page.soon_hears("no decision: 1").await;
    let decline = json!({ "link": link, "reason": "declined" });
    assert_eq!(server.post("/api/v1/declines", None, decline).await.0, 204);
    page.soon_hears("declined: 1").await;
    for _ in 0..5 {
        assert_eq!(server.enrol(&link, &[]).await.0, 201);
    }
    page.soon_hears("Consented (n = 5)").await;
    assert_eq!(server.enrol(&link, &[]).await.1["code"], "full");
    page.soon_hears("found every place taken: 1").await;
}

#[sqlx::test]
async fn nothing_is_sent_while_nothing_changes(pool: PgPool) {
    let (server, clock) = live(pool, 2).await;
    Person::go_through(&server, &server.link("Volunteers").await, true).await;
    let study_id = server.count("select id from studies").await;
    clock.advance(301);
    let browser = Browser::signed_in(&server).await;
    let mut study = OpenPage::at(&browser, STUDY).await;
    let mut flow = OpenPage::at(&browser, FLOW).await;
    study.hears(ENROLMENT).await;
    study.hears(PROGRESS).await;
    flow.hears(FLOW_FIGURE).await;
    for _ in 0..4 {
        clock.advance(60);
        // The server looks for changes by itself, as it does every 15 s.
        server.app.changed(study_id);
        assert!(study.is_quiet().await && flow.is_quiet().await);
    }
    clock.advance(60);
    server.app.changed(study_id);
    study.hears_again(PROGRESS).await;
    assert_eq!((study.count(ENROLMENT), study.count(PROGRESS), flow.count(FLOW_FIGURE)), (1, 2, 1));
}

#[sqlx::test]
async fn a_part_is_rendered_only_while_a_page_shows_it(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let browser = Browser::signed_in(&server).await;
    let link = server.link("Volunteers").await;
    let mut pages = Vec::new();
    for _ in 0..3 {
        pages.push(OpenPage::at(&browser, FLOW).await);
    }
    for page in &mut pages {
        page.hears("Consented (n = 0)").await;
    }
    drop(pages.drain(1..));
    server.enrol(&link, &[]).await;
    pages[0].soon_hears("Consented (n = 1)").await;
    pages.clear();
    // The server needs this time to notice that the last page has gone.
    sleep(Duration::from_secs(1)).await;
    server.enrol(&link, &[]).await;
    let mut late = OpenPage::at(&browser, FLOW).await;
    late.soon_hears("Consented (n = 2)").await;
    assert_eq!(late.count("Consented (n = 1)"), 0, "the page shows no outdated part");
}

#[sqlx::test]
async fn every_page_shows_the_same_number_of_people_who_left(pool: PgPool) {
    let (server, clock) = live(pool, 4).await;
    let link = server.link("Volunteers").await;
    for _ in 0..2 {
        Person::arrive(&server, &link).await;
    }
    let mut left = Person::arrive(&server, &link).await;
    left.reach_main().await;
    left.tell(json!({ "screen": "main:7" })).await;
    let gone = Person::arrive(&server, &link).await;
    gone.step("welcome").await;
    let body = json!({ "reason": EndReason::Left });
    assert_eq!(server.post("/api/v1/leave", Some(&gone.token), body).await.0, 200);
    let mut browser = Browser::signed_in(&server).await;
    let left_now = async |browser: &mut Browser<'_>| {
        browser.get("/lab/studies/demo").await.texts("#enrolment tfoot td").last().cloned().unwrap()
    };
    assert_eq!(left_now(&mut browser).await, "1", "the others may still return");
    clock.advance(2 * 3600);
    let material = results::load(&server.app, "demo", Mode::Live, None).await.unwrap();
    let (flow, progress) = (material.flow().0, material.progress());
    assert_eq!(flow.gone, progress.gone);
    assert_eq!((flow.gone.never_started, flow.gone.after_welcome(), flow.gone.in_all()), (2, 2, 4));
    assert_eq!(left_now(&mut browser).await, "4");
    let page = browser.get("/lab/studies/demo").await;
    let rows = page.texts("#progress .columns div:first-child tr");
    assert_eq!(rows, ["never started 2", "main trials 1", "trial 7 1", "elsewhere 1", "no screen told 1"]);
}

#[sqlx::test]
async fn the_list_of_studies_shows_how_many_are_taking_part(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    Person::go_through(&server, &link, false).await;
    Person::arrive(&server, &link).await;
    let page = Browser::signed_in(&server).await.get("/lab").await;
    let count = page.texts(".study-count").concat();
    assert_eq!(count, "1 of 5 kept1 running · 3 open · 1 excluded");
}

#[sqlx::test]
async fn simulated_people_report_their_screens(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    server.import(&TinyStudy::new(6)).await;
    let report = simulate(&server, &plan(30, "drop-out=0.7,honest=0.3")).await;
    clock.advance(2 * 3600);
    let flow = results::load(&server.app, "demo", Mode::Simulated, None).await.unwrap().flow().0;
    let screens: Vec<String> =
        flow.gone.left.values().flat_map(|screens| screens.keys().map(ToString::to_string)).collect();
    assert!(screens.iter().any(|screen| screen.starts_with("trial ")), "{screens:?}");
    assert!(screens.len() > 5 && !screens.contains(&"no screen told".into()), "{screens:?}");
    // Every trial is shown once, and reported with its answer.
    let shown = "select count(*) from events where kind = 'screen' and detail->>'screen' = 'main:21'";
    let answered = "select count(*) from responses where block = 'main' and trial_index = 21";
    assert!(server.count(shown).await >= server.count(answered).await && server.count(answered).await > 0);
    let untold = "select count(*) from responses r where not exists (select 1 from events e
        where e.participant_id = r.participant_id and e.kind = 'screen' and e.detail->>'screen' = case r.block
            when 'main' then 'main:' || r.trial_index else 'practice:' || r.attempt || ':' || r.trial_index end)";
    assert_eq!(server.count(untold).await, 0);
    let requests = report.meter.latencies().find(|(request, _)| *request == weber::simulate::Request::Record);
    let people = report.endings.values().sum::<u32>() as usize;
    // There is one record per answer, and further ones for steps, Submit, and the last report of people who drop out.
    assert!(requests.unwrap().1.count <= report.acknowledged.len() + 4 * people);
}
