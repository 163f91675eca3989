//! Each audited action writes an entry to the audit log in its own transaction: if the entry fails, the action changes nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use sqlx::{AssertSqlSafe, PgPool};
use weber::domain::audit_log::Action;
use weber::flow::audit::log::Actor;
use weber::flow::backup;
use weber::flow::secrets::Secrets;
use weber::flow::study::import::{import, import_and_start};
use weber::store;

use crate::rights::code;
use crate::support::browser::{Browser, PASSWORD};
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

/// An audit log that can be made to refuse entries.
struct AuditLog {
    pool: PgPool,
    /// The actions that were tried.
    tried: BTreeSet<Action>,
}

impl AuditLog {
    async fn new(pool: &PgPool) -> Self {
        let log = Self { pool: pool.clone(), tried: BTreeSet::new() };
        sqlx::query("create sequence refusals").execute(pool).await.unwrap();
        log.refuse("").await;
        let trigger = "create trigger refuse_entry before insert on journal for each row execute function refuse_entry()";
        sqlx::query(trigger).execute(pool).await.unwrap();
        log
    }

    /// Acts twice: while the entry is refused, which must leave every table unchanged, and when it is accepted.
    async fn audited(&mut self, action: Action, mut act: impl AsyncFnMut() -> u16) {
        let (before, refusals) = (self.content().await, self.refusals().await);
        self.refuse(action.as_str()).await;
        assert_eq!(act().await, 500, "{action} without an entry");
        self.refuse("").await;
        assert_eq!(self.refusals().await, refusals + 1, "the entry is why {action} failed");
        for (table, rows) in self.content().await {
            assert_eq!(rows, before[&table], "{action} without an entry changed {table}");
        }
        let status = act().await;
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
        self.audited(action, async || who.post(path, form).await.status.as_u16()).await;
    }

    /// Refuses entries of one kind. A sequence counts the refusals, because it is not rolled back with a transaction.
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

    /// The rows of every table except the tries to sign in, which are counted also when the sign-in fails.
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

/// A participant with this id at the platform, who has completed.
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
async fn an_action_without_its_audit_entry_changes_nothing(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool.clone(), clock.clone()).await;
    let mut log = AuditLog::new(&pool).await;
    import_study(&server, &mut log).await;
    let mut ada = Browser::signed_in(&server).await;
    control_study(&server, &mut log, &mut ada).await;
    handle_identities(&server, &mut log, &mut ada).await;
    decide(&server, &mut log, &mut ada).await;
    export_and_back_up(&server, &mut log, &mut ada).await;
    change_the_team(&server, &mut log, &mut ada).await;
    sign_in(&server, &mut log, &mut ada, &clock).await;
    close(&server, &mut log).await;
    let missing: Vec<_> = Action::ALL.iter().filter(|action| !log.tried.contains(action)).collect();
    assert!(missing.is_empty(), "actions that this test does not try: {missing:?}");
}

async fn import_study(server: &Server, log: &mut AuditLog) {
    let (app, actor, study) = (&server.app, Actor::command_line(), study());
    log.audited(Action::Imported, async || status(import(app, &actor, study.path()).await)).await;
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    log.audited(Action::Imported, async || status(import(app, &actor, study.path()).await)).await;
}

async fn control_study(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>) {
    let study = "/lab/studies/demo";
    let volunteers = server.count("select id from links where name = 'Volunteers'").await;
    let invited = server.count("select id from links where name = 'Invited'").await;
    let one_place_more = &[("per_condition", "2")];
    log.form(ada, Action::StateChanged, &format!("{study}/state"), &[("state", "live")]).await;
    let switch = format!("{study}/links/{volunteers}");
    for enabled in ["false", "true"] {
        log.form(ada, Action::LinkSwitched, &switch, &[("enabled", enabled)]).await;
    }
    let personal = format!("{study}/links/{invited}/personal");
    log.form(ada, Action::PersonalLinksMade, &personal, &[("more", "3")]).await;
    log.form(ada, Action::QuotaChanged, &format!("{study}/quota"), one_place_more).await;
    log.form(ada, Action::QuotaChanged, &format!("{study}/quota"), &[("per_condition", "1")]).await;
    log.form(ada, Action::Unblinded, &format!("{study}/unblind"), &[]).await;
    let policy = [("policy", "as-posted"), ("total_time.max", "800"), ("name", "mine")];
    log.form(ada, Action::PolicySaved, &format!("{study}/exclusion"), &policy).await;
    log.form(ada, Action::PolicyFrozen, &format!("{study}/exclusion/freeze"), &[("name", "mine")]).await;
}

async fn handle_identities(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>) {
    let people = "/lab/studies/demo/people";
    let failing = worker(server, "W1", false).await;
    log.form(ada, Action::PaymentsRead, &format!("{people}/pay/payments.csv"), &[]).await;
    let file = "AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\nW1,W1,Submitted,x\n";
    log.form(ada, Action::Reconciled, &format!("{people}/compare"), &[("text", file)]).await;
    log.form(ada, Action::PersonSought, &format!("{people}/seek"), &[("id", "W1")]).await;
    let whom = [("participant", failing.pseudonym())];
    log.form(ada, Action::Withdrawn, &format!("{people}/withdraw"), &whom).await;
    worker(server, "W2", true).await;
    log.form(ada, Action::IdentitiesForgotten, &format!("{people}/forget"), &[]).await;
    let whom = [("platform", "mturk"), ("text", "W3\nW4")];
    log.form(ada, Action::PeopleBarred, &format!("{people}/bar"), &whom).await;
}

async fn decide(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>) {
    let link = server.link("Volunteers").await;
    let reopening = [("decision", "exclude"), ("reason", "a bot"), ("reopen", "true")];
    for action in [Action::Overridden, Action::SlotReopened] {
        let person = Person::go_through(server, &link, true).await;
        let decision = format!("/lab/studies/demo/participants/{}/decision", person.pseudonym());
        log.form(ada, action, &decision, &reopening).await;
        log.form(ada, Action::OverrideLifted, &decision, &[("decision", "")]).await;
    }
    let condition = Person::go_through(server, &link, false).await.condition().await;
    let exhausted = [("mode", "live"), ("condition", &*condition)];
    log.form(ada, Action::PostingsAdded, "/lab/studies/demo/postings", &exhausted).await;
}

async fn export_and_back_up(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>) {
    for what in ["export", "export/trials.csv"] {
        let path = format!("/lab/studies/demo/{what}");
        log.audited(Action::Exported, async || ada.get(&path).await.status.as_u16()).await;
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
    log.audited(Action::BackedUp, back_up).await;
}

async fn change_the_team(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>) {
    let (mut link, mut bob) = (String::new(), Browser::new(server));
    let whom = [("email", "bob@example.org"), ("role", "viewer")];
    let invite = async || {
        let page = ada.post("/lab/team", &whom).await;
        link = page.texts("#made").pop().unwrap_or_default();
        page.status.as_u16()
    };
    log.audited(Action::Invited, invite).await;
    let token = link.split_once('#').unwrap().1;
    let password = [("token", token), ("password", PASSWORD), ("again", PASSWORD)];
    log.form(&mut bob, Action::PasswordSet, "/set-password", &password).await;
    let account = "/lab/account/second-factor";
    let secret = bob.post(account, &[]).await.texts("details code").remove(0);
    let first = [("code", &*code(server, &secret))];
    log.form(&mut bob, Action::SecondFactorChanged, &format!("{account}/confirm"), &first).await;
    let reset = [("email", "bob@example.org"), ("resets_second_factor", "true")];
    log.form(ada, Action::SecondFactorChanged, "/lab/team", &reset).await;
    let id = server.count("select id from researchers where email = 'bob@example.org'").await;
    let path = format!("/lab/team/{id}");
    log.form(ada, Action::RoleChanged, &path, &[("role", "researcher")]).await;
    log.form(ada, Action::ResearcherRemoved, &format!("{path}/remove"), &[]).await;
    let token = [("name", "nightly"), ("export", "true")];
    log.form(ada, Action::TokenMade, "/lab/team/tokens", &token).await;
    log.form(ada, Action::TokenRemoved, "/lab/team/tokens/remove", &token[..1]).await;
}

async fn sign_in(server: &Server, log: &mut AuditLog, ada: &mut Browser<'_>, clock: &TestClock) {
    let who = [("email", "ada@example.org"), ("password", PASSWORD)];
    log.form(&mut Browser::new(server), Action::SignedIn, "/sign-in", &who).await;
    let account = "/lab/account/second-factor";
    let secret = ada.post(account, &[]).await.texts("details code").remove(0);
    let next_code = || {
        clock.advance(30);
        code(server, &secret)
    };
    let mut form = async |who: &mut Browser<'_>, action, path: &str| {
        log.form(who, action, path, &[("code", &next_code())]).await;
    };
    form(ada, Action::SecondFactorChanged, &format!("{account}/confirm")).await;
    let mut phone = Browser::new(server);
    assert_eq!(phone.post("/sign-in", &who).await.location, "/sign-in/code");
    form(&mut phone, Action::SignedIn, "/sign-in/code").await;
    form(ada, Action::SecondFactorChanged, &format!("{account}/off")).await;
}

/// The participant who fills the last slot closes the study, and the program starts a study that comes with it.
async fn close(server: &Server, log: &mut AuditLog) {
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
    log.audited(Action::StateChanged, async || last.submit().await.0).await;
    let actor = Actor::program();
    for (slug, action) in [("second", Action::Imported), ("third", Action::StateChanged)] {
        let study = study();
        study.edit("study.toml", |text| text.replace("slug = \"demo\"", &format!("slug = \"{slug}\"")));
        let start = async || status(import_and_start(&server.app, &actor, study.path()).await);
        log.audited(action, start).await;
    }
}
