//! No deed without its entry in the journal: whatever cannot be noted does not happen.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use sqlx::{AssertSqlSafe, PgPool};
use weber::domain::audit_log::Action;
use weber::flow::audit::log::Actor;
use weber::flow::backup;
use weber::flow::secrets::Secrets;
use weber::flow::study::import::{import, import_and_start};
use weber::store;

use crate::lab::{Browser, PASSWORD};
use crate::rights::code;
use crate::support::person::Person;
use crate::support::server::{Server, TestClock};
use crate::support::tiny_study::TinyStudy;

const LINKS: &str = "
[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]

[[links]]
name = \"Invited\"
personal = true
";

/// A journal that can be made to refuse.
struct Journal {
    pool: PgPool,
    /// What was tried.
    tried: BTreeSet<Action>,
}

impl Journal {
    async fn new(pool: &PgPool) -> Self {
        let journal = Self { pool: pool.clone(), tried: BTreeSet::new() };
        sqlx::query("create sequence refusals").execute(pool).await.unwrap();
        journal.refuse("").await;
        let trigger = "create trigger refuse_entry before insert on journal for each row execute function refuse_entry()";
        sqlx::query(trigger).execute(pool).await.unwrap();
        journal
    }

    /// Does something twice: while its entry is refused, which leaves everything as it was, and when it is not.
    async fn deed(&mut self, action: Action, mut deed: impl AsyncFnMut() -> u16) {
        let (before, refusals) = (self.content().await, self.refusals().await);
        self.refuse(action.as_str()).await;
        assert_eq!(deed().await, 500, "{action} without an entry");
        self.refuse("").await;
        assert_eq!(self.refusals().await, refusals + 1, "the entry is why {action} failed");
        for (table, rows) in self.content().await {
            assert_eq!(rows, before[&table], "{action} without an entry changed {table}");
        }
        let status = deed().await;
        assert!(status < 400, "{action}: {status}");
        let entries = "select count(*) from journal where action = $1 and number > $2";
        let noted: i64 = sqlx::query_scalar(entries)
            .bind(action.as_str())
            .bind(before["journal"].len() as i64)
            .fetch_one(&self.pool)
            .await
            .unwrap();
        assert_eq!(noted, 1, "{action} is noted once");
        self.tried.insert(action);
    }

    async fn form(&mut self, who: &mut Browser<'_>, action: Action, path: &str, form: &[(&str, &str)]) {
        self.deed(action, async || who.post(path, form).await.status.as_u16()).await;
    }

    /// Refuses entries of one kind. The sequence counts them, for it does not go back when a transaction does.
    async fn refuse(&self, action: &str) {
        let function = format!(
            "create or replace function refuse_entry() returns trigger language plpgsql as $$
            begin
                if new.action = '{action}' then
                    perform nextval('refusals');
                    raise exception 'no entry today';
                end if;
                return new;
            end $$"
        );
        sqlx::query(AssertSqlSafe(function)).execute(&self.pool).await.unwrap();
    }

    async fn refusals(&self) -> i64 {
        let sql = "select case when is_called then last_value else 0 end from refusals";
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.unwrap()
    }

    /// The rows of every table, but for the tries to sign in: those count whatever comes of them.
    async fn content(&self) -> BTreeMap<String, Vec<String>> {
        let tables = "select tablename::text from pg_tables where schemaname = 'public'
                      and tablename <> 'sign_in_tries'";
        let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&self.pool).await.unwrap();
        let mut content = BTreeMap::new();
        for table in tables {
            let sql = AssertSqlSafe(format!("select md5(t::text) from {table} t order by 1"));
            content.insert(table, sqlx::query_scalar(sql).fetch_all(&self.pool).await.unwrap());
        }
        content
    }
}

fn status<T, E: Display>(done: Result<T, E>) -> u16 {
    done.map_or(500, |_| 200)
}

/// Somebody whom the platform knows by that id, at the end of the main block.
async fn worker<'a>(server: &'a Server, id: &str, pass: bool) -> Person<'a> {
    let parameters = [("workerId", id), ("assignmentId", id), ("hitId", "HIT")];
    let (_, reply) = server.enrol(&server.link("Workers").await, &parameters).await;
    let mut person = Person::with_token(server, reply["token"].as_str().unwrap()).await;
    person.reach_main().await;
    person.answer_main(pass).await;
    assert_eq!(person.complete().await.0, 200);
    person
}

fn study() -> TinyStudy {
    let study = TinyStudy::new(1);
    study.edit("study.toml", |text| text.replace("postings_per_slot = 3", "postings_per_slot = 1") + LINKS);
    study
}

#[sqlx::test]
async fn without_its_entry_nothing_is_changed(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool.clone(), clock.clone()).await;
    let mut journal = Journal::new(&pool).await;
    bring_in(&server, &mut journal).await;
    let mut ada = Browser::signed_in(&server).await;
    steer(&server, &mut journal, &mut ada).await;
    know_people(&server, &mut journal, &mut ada).await;
    decide(&server, &mut journal, &mut ada).await;
    take_out(&server, &mut journal, &mut ada).await;
    change_the_team(&server, &mut journal, &mut ada).await;
    sign_in(&server, &mut journal, &mut ada, &clock).await;
    close(&server, &mut journal).await;
    let missing: Vec<_> = Action::ALL.iter().filter(|action| !journal.tried.contains(action)).collect();
    assert!(missing.is_empty(), "deeds that this test does not know: {missing:?}");
}

async fn bring_in(server: &Server, journal: &mut Journal) {
    let (app, actor, study) = (&server.app, Actor::command_line(), study());
    journal.deed(Action::Imported, async || status(import(app, &actor, study.path()).await)).await;
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    journal.deed(Action::Imported, async || status(import(app, &actor, study.path()).await)).await;
}

async fn steer(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>) {
    let study = "/lab/studies/demo";
    let volunteers = server.count("select id from links where name = 'Volunteers'").await;
    let invited = server.count("select id from links where name = 'Invited'").await;
    let one_place_more = &[("per_condition", "2")];
    journal.form(ada, Action::StateChanged, &format!("{study}/state"), &[("state", "live")]).await;
    let switch = format!("{study}/links/{volunteers}");
    for enabled in ["false", "true"] {
        journal.form(ada, Action::LinkSwitched, &switch, &[("enabled", enabled)]).await;
    }
    let personal = format!("{study}/links/{invited}/personal");
    journal.form(ada, Action::PersonalLinksMade, &personal, &[("more", "3")]).await;
    journal.form(ada, Action::QuotaChanged, &format!("{study}/quota"), one_place_more).await;
    journal.form(ada, Action::QuotaChanged, &format!("{study}/quota"), &[("per_condition", "1")]).await;
    journal.form(ada, Action::Unblinded, &format!("{study}/unblind"), &[]).await;
    let policy = [("policy", "as-posted"), ("total_time.max", "800"), ("name", "mine")];
    journal.form(ada, Action::PolicySaved, &format!("{study}/exclusion"), &policy).await;
    journal.form(ada, Action::PolicyFrozen, &format!("{study}/exclusion/freeze"), &[("name", "mine")]).await;
}

async fn know_people(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>) {
    let people = "/lab/studies/demo/people";
    let failing = worker(server, "W1", false).await;
    journal.form(ada, Action::PaymentsRead, &format!("{people}/pay/payments.csv"), &[]).await;
    let file = "AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\nW1,W1,Submitted,x\n";
    journal.form(ada, Action::Reconciled, &format!("{people}/compare"), &[("text", file)]).await;
    journal.form(ada, Action::PersonSought, &format!("{people}/seek"), &[("id", "W1")]).await;
    let whom = [("participant", failing.pseudonym())];
    journal.form(ada, Action::Withdrawn, &format!("{people}/withdraw"), &whom).await;
    worker(server, "W2", true).await;
    journal.form(ada, Action::IdentitiesForgotten, &format!("{people}/forget"), &[]).await;
    let whom = [("platform", "mturk"), ("text", "W3\nW4")];
    journal.form(ada, Action::PeopleBarred, &format!("{people}/bar"), &whom).await;
}

async fn decide(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>) {
    let link = server.link("Volunteers").await;
    let reopening = [("decision", "exclude"), ("reason", "a bot"), ("reopen", "true")];
    for action in [Action::Overridden, Action::SlotReopened] {
        let person = Person::go_through(server, &link, true).await;
        let decision = format!("/lab/studies/demo/participants/{}/decision", person.pseudonym());
        journal.form(ada, action, &decision, &reopening).await;
        journal.form(ada, Action::OverrideLifted, &decision, &[("decision", "")]).await;
    }
    let condition = Person::go_through(server, &link, false).await.condition().await;
    let exhausted = [("mode", "live"), ("condition", &*condition)];
    journal.form(ada, Action::PostingsAdded, "/lab/studies/demo/postings", &exhausted).await;
}

async fn take_out(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>) {
    for what in ["export", "export/trials.csv"] {
        let path = format!("/lab/studies/demo/{what}");
        journal.deed(Action::Exported, async || ada.get(&path).await.status.as_u16()).await;
    }
    let (pool, now, key) = (&server.app.pool, server.app.now(), [7; 32]);
    let fingerprint = Secrets::new(key).fingerprint();
    store::installation::claim_key(&mut pool.acquire().await.unwrap(), &fingerprint).await.unwrap();
    let back_up = async || {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weber.zip");
        let manifest = backup::write(pool, Some(key), true, &file, now).await.unwrap();
        status(backup::note(pool, &Actor::command_line(), &manifest, now).await)
    };
    journal.deed(Action::BackedUp, back_up).await;
}

async fn change_the_team(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>) {
    let (mut link, mut bob) = (String::new(), Browser::new(server));
    let whom = [("email", "bob@example.org"), ("role", "viewer")];
    let invite = async || {
        let page = ada.post("/lab/team", &whom).await;
        link = page.texts("#made").pop().unwrap_or_default();
        page.status.as_u16()
    };
    journal.deed(Action::Invited, invite).await;
    let token = link.split_once('#').unwrap().1;
    let password = [("token", token), ("password", PASSWORD), ("again", PASSWORD)];
    journal.form(&mut bob, Action::PasswordSet, "/set-password", &password).await;
    let account = "/lab/account/second-factor";
    let secret = bob.post(account, &[]).await.texts("details code").remove(0);
    let first = [("code", &*code(server, &secret))];
    journal.form(&mut bob, Action::SecondFactorChanged, &format!("{account}/confirm"), &first).await;
    let reset = [("email", "bob@example.org"), ("resets_second_factor", "true")];
    journal.form(ada, Action::SecondFactorChanged, "/lab/team", &reset).await;
    let id = server.count("select id from researchers where email = 'bob@example.org'").await;
    let path = format!("/lab/team/{id}");
    journal.form(ada, Action::RoleChanged, &path, &[("role", "researcher")]).await;
    journal.form(ada, Action::ResearcherRemoved, &format!("{path}/remove"), &[]).await;
    let token = [("name", "nightly"), ("export", "true")];
    journal.form(ada, Action::TokenMade, "/lab/team/tokens", &token).await;
    journal.form(ada, Action::TokenRemoved, "/lab/team/tokens/remove", &token[..1]).await;
}

async fn sign_in(server: &Server, journal: &mut Journal, ada: &mut Browser<'_>, clock: &TestClock) {
    let who = [("email", "ada@example.org"), ("password", PASSWORD)];
    journal.form(&mut Browser::new(server), Action::SignedIn, "/sign-in", &who).await;
    let account = "/lab/account/second-factor";
    let secret = ada.post(account, &[]).await.texts("details code").remove(0);
    let next_code = || {
        clock.advance(30);
        code(server, &secret)
    };
    let mut form = async |who: &mut Browser<'_>, action, path: &str| {
        journal.form(who, action, path, &[("code", &next_code())]).await;
    };
    form(ada, Action::SecondFactorChanged, &format!("{account}/confirm")).await;
    let mut phone = Browser::new(server);
    assert_eq!(phone.post("/sign-in", &who).await.location, "/sign-in/code");
    form(&mut phone, Action::SignedIn, "/sign-in/code").await;
    form(ada, Action::SecondFactorChanged, &format!("{account}/off")).await;
}

/// Whoever takes the last place closes the study, and a study that comes with the program is started by it.
async fn close(server: &Server, journal: &mut Journal) {
    let link = server.link("Volunteers").await;
    let mut last = Person::arrive(server, &link).await;
    last.reach_main().await;
    last.answer_main(true).await;
    while let (201, reply) = server.enrol(&link, &[]).await {
        let mut person = Person::with_token(server, reply["token"].as_str().unwrap()).await;
        person.reach_main().await;
        person.answer_main(true).await;
        assert_eq!(person.complete().await.0, 200);
    }
    last.spend(300.0).await;
    journal.deed(Action::StateChanged, async || last.submit().await.0).await;
    let actor = Actor::program();
    for (slug, action) in [("second", Action::Imported), ("third", Action::StateChanged)] {
        let study = study();
        study.edit("study.toml", |text| text.replace("slug = \"demo\"", &format!("slug = \"{slug}\"")));
        let start = async || status(import_and_start(&server.app, &actor, study.path()).await);
        journal.deed(action, start).await;
    }
}
