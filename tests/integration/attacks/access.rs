//! The least right that each address needs. The addresses are read from the sources: the test fails if one is not listed
//! here, answers a client with less, or refuses a client with enough.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use sqlx::PgPool;
use weber::domain::rights::{Role, Scope};
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::flow::lab::team::Invitation;

use super::routes::{addresses, routes};
use super::world::{Answer, World, ask};
use crate::support::browser::Browser;
use crate::support::server::Server;

/// The least right that a client needs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Least {
    /// No right.
    Nothing,
    /// A token of a participation.
    Participation,
    /// A session of a researcher with this role or a higher one.
    Signed(Role),
    /// A session with the right to see who participants are, in any role.
    Identities,
    /// An API token with this scope.
    Token(Scope),
    /// A session of a researcher, or an API token for exports.
    MayExport,
}

use Least::{Identities, MayExport, Nothing, Participation, Signed, Token};

const VIEWER: Least = Signed(Role::Viewer);
const RESEARCHER: Least = Signed(Role::Researcher);
const ADMINISTRATOR: Least = Signed(Role::Administrator);

/// Method, address, the least right, and a body that is valid, so that only the right can be missing. They are requested in
/// this order.
const ADDRESSES: [(&str, &str, Least, &str); 69] = [
    ("get", "/", Nothing, ""),
    ("get", "/sign-in", Nothing, ""),
    ("post", "/sign-in", Nothing, ""),
    ("get", "/sign-in/code", Nothing, ""),
    ("post", "/sign-in/code", Nothing, ""),
    ("post", "/sign-out", Nothing, ""),
    ("get", "/set-password", Nothing, ""),
    ("post", "/set-password", Nothing, ""),
    ("get", "/enter/{link}", Nothing, ""),
    ("get", "/enter/{link}/", Nothing, ""),
    ("get", "/enter/{link}/window", Nothing, ""),
    ("get", "/run", Nothing, ""),
    ("get", "/static/{version}/{*name}", Nothing, ""),
    ("get", "/images/{address}", Nothing, ""),
    ("get", "/healthz", Nothing, ""),
    ("get", "/readyz", Nothing, ""),
    ("post", "/api/v1/task", Nothing, ""),
    ("post", "/api/v1/enrolments", Nothing, ""),
    ("post", "/api/v1/declines", Nothing, ""),
    ("post", "/api/v1/open", Participation, "{}"),
    ("post", "/api/v1/records", Participation, r#"{"tab":1,"clock_ms":0}"#),
    ("post", "/api/v1/complete", Participation, r#"{"tab":1,"clock_ms":0}"#),
    ("post", "/api/v1/leave", Participation, r#"{"reason":"left"}"#),
    ("get", "/metrics", Token(Scope::Metrics), ""),
    ("post", "/api/v1/simulation/link", Token(Scope::Simulate), r#"{"study":"demo"}"#),
    ("post", "/api/v1/simulation/answer-key", Token(Scope::Simulate), r#"{"participant_token":"x"}"#),
    ("get", "/lab", VIEWER, ""),
    ("get", "/lab/live", VIEWER, ""),
    ("get", "/lab/account", VIEWER, ""),
    ("post", "/lab/account/second-factor", VIEWER, ""),
    ("post", "/lab/account/second-factor/confirm", VIEWER, "code=1"),
    ("post", "/lab/account/second-factor/off", VIEWER, "code=1"),
    ("get", "/lab/studies/{slug}", VIEWER, ""),
    ("get", "/lab/studies/{slug}/live", VIEWER, ""),
    ("get", "/lab/studies/{slug}/recruiting", VIEWER, ""),
    ("get", "/lab/studies/{slug}/participants", VIEWER, ""),
    ("get", "/lab/studies/{slug}/participants/{name}", VIEWER, ""),
    ("get", "/lab/studies/{slug}/results", VIEWER, ""),
    ("get", "/lab/studies/{slug}/flow", VIEWER, ""),
    ("get", "/lab/studies/{slug}/flow/live", VIEWER, ""),
    ("get", "/lab/studies/{slug}/figures/{file}", VIEWER, ""),
    ("get", "/lab/studies/{slug}/report", VIEWER, ""),
    ("get", "/lab/studies/{slug}/exclusion", VIEWER, ""),
    ("get", "/lab/studies/{slug}/people", VIEWER, ""),
    ("get", "/lab/journal", RESEARCHER, ""),
    ("get", "/lab/studies/{slug}/export", MayExport, ""),
    ("get", "/lab/studies/{slug}/export/{file}", MayExport, ""),
    ("get", "/lab/studies/{slug}/links/{id}/personal.csv", RESEARCHER, ""),
    ("post", "/lab/studies/{slug}/links/{id}/personal", RESEARCHER, "more=1"),
    ("post", "/lab/studies/{slug}/links/{id}", RESEARCHER, "enabled=false"),
    ("post", "/lab/studies/{slug}/participants/{name}/decision", RESEARCHER, "decision=exclude&reason=x"),
    ("post", "/lab/studies/{slug}/postings", RESEARCHER, "mode=live&condition=none"),
    ("post", "/lab/studies/{slug}/quota", RESEARCHER, "per_condition=3"),
    ("post", "/lab/studies/{slug}/unblind", RESEARCHER, ""),
    ("post", "/lab/studies/{slug}/exclusion", RESEARCHER, "policy=as-posted&name=strict"),
    ("post", "/lab/studies/{slug}/exclusion/freeze", RESEARCHER, "name=strict"),
    ("post", "/lab/studies/{slug}/state", RESEARCHER, "state=paused"),
    ("post", "/lab/studies/{slug}/people/pay/{file}", Identities, ""),
    ("post", "/lab/studies/{slug}/people/compare", Identities, "text=AssignmentId,WorkerId,AssignmentStatus"),
    ("post", "/lab/studies/{slug}/people/seek", Identities, "id=A1"),
    ("post", "/lab/studies/{slug}/people/withdraw", Identities, "participant=p-x"),
    ("post", "/lab/studies/{slug}/people/forget", Identities, ""),
    ("post", "/lab/studies/{slug}/people/bar", Identities, "platform=mturk&text=A1"),
    ("get", "/lab/team", ADMINISTRATOR, ""),
    ("post", "/lab/team", ADMINISTRATOR, "email=new@example.org&role=viewer"),
    ("post", "/lab/team/tokens", ADMINISTRATOR, "name=nightly&export=true"),
    ("post", "/lab/team/tokens/remove", ADMINISTRATOR, "name=nightly"),
    ("post", "/lab/team/{id}", ADMINISTRATOR, "role=researcher"),
    ("post", "/lab/team/{id}/remove", ADMINISTRATOR, ""),
];

/// A client that requests addresses.
enum Asker {
    Stranger,
    Person { cookie: String, role: Role, sees_identities: bool },
    Script { token: String, scope: Scope },
}

impl Asker {
    async fn person(server: &Server, role: Role, sees_identities: bool) -> Self {
        let email = format!("{role}-{sees_identities}@example.org");
        let mut browser = Browser::new(server);
        browser.set_password(&invite(server, &email, role, sees_identities).await).await;
        Self::Person { cookie: browser.cookie.unwrap(), role, sees_identities }
    }

    async fn script(server: &Server, scope: Scope) -> Self {
        let token = team::make_token(&server.app, &Actor::command_line(), scope.as_str(), &[scope]).await;
        Self::Script { token: token.unwrap(), scope }
    }

    fn may(&self, least: Least) -> bool {
        match (self, least) {
            (_, Nothing) => true,
            (Self::Person { role, .. }, Signed(least)) => *role >= least,
            (Self::Person { role, .. }, MayExport) => *role >= Role::Researcher,
            (Self::Person { sees_identities, .. }, Identities) => *sees_identities,
            (Self::Script { scope, .. }, Token(least)) => *scope == least,
            (Self::Script { scope, .. }, MayExport) => *scope == Scope::Export,
            _ => false,
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Stranger => "a stranger".into(),
            Self::Person { role, sees_identities: true, .. } => format!("a {role} who sees identities"),
            Self::Person { role, .. } => format!("a {role}"),
            Self::Script { scope, .. } => format!("a token for {scope}"),
        }
    }

    async fn ask(&self, server: &Server, method: &str, address: &str, body: &'static str) -> Answer {
        let is_json = address.starts_with("/api/");
        let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
        let request = Request::builder().method(method.to_uppercase().as_str()).uri(address);
        let request = request.header("content-type", kind).header("sec-fetch-site", "same-origin");
        let request = match self {
            Self::Stranger => request,
            Self::Person { cookie, .. } => request.header("cookie", cookie),
            Self::Script { token, .. } => request.header("authorization", format!("Bearer {token}")),
        };
        ask(server, request.body(Body::from(body)).unwrap()).await
    }
}

/// The token of a one-time link that invites a researcher.
async fn invite(server: &Server, email: &str, role: Role, sees_identities: bool) -> String {
    let invitation = Invitation { role: Some(role), sees_identities, ..Invitation::default() };
    let path = team::invite(&server.app, &Actor::command_line(), email, invitation).await.unwrap();
    path.split_once('#').unwrap().1.to_owned()
}

async fn askers(server: &Server) -> Vec<Asker> {
    let mut askers = vec![Asker::Stranger];
    for (role, sees_identities) in [
        (Role::Viewer, false),
        (Role::Viewer, true),
        (Role::Researcher, false),
        (Role::Administrator, false),
        (Role::Administrator, true),
    ] {
        askers.push(Asker::person(server, role, sees_identities).await);
    }
    for scope in Scope::ALL {
        askers.push(Asker::script(server, *scope).await);
    }
    askers
}

fn is_refused(answer: &Answer, least: Least) -> bool {
    match least {
        Participation => answer.text.contains("unknown_token"),
        _ => {
            answer.status == StatusCode::FORBIDDEN
                || answer.header("location") == "/sign-in"
                || answer.text.contains("needs an API token")
        }
    }
}

#[test]
fn every_address_is_listed_with_its_right() {
    let mut found: Vec<(String, &str)> = Vec::new();
    for route in routes() {
        found.extend(route.methods.iter().map(|method| (route.path.clone(), *method)));
    }
    let mut listed: Vec<(String, &str)> =
        ADDRESSES.iter().map(|(method, path, ..)| ((*path).to_owned(), *method)).collect();
    found.sort();
    listed.sort();
    assert_eq!(found, listed);
    let open = |listed: &&(&str, &str, Least, &str)| listed.1.starts_with("/lab") && listed.2 == Nothing;
    assert_eq!(ADDRESSES.iter().find(open), None, "every address of the lab needs a session");
}

#[sqlx::test]
async fn every_address_answers_the_least_right_and_refuses_less(pool: PgPool) {
    let world = World::new(pool).await;
    let server = &world.server;
    let askers = askers(server).await;
    invite(server, "leaving@example.org", Role::Viewer, false).await;
    let mut listed = Vec::new();
    for (method, path, least, body) in ADDRESSES.into_iter().filter(|listed| listed.2 != Nothing) {
        for address in addresses(&world, path).await {
            listed.push((method, address, least, body));
        }
    }
    let entries = "select count(*) from journal";
    let before = server.count(entries).await;
    for (method, address, least, body) in &listed {
        for asker in askers.iter().filter(|asker| !asker.may(*least)) {
            let answer = asker.ask(server, method, address, body).await;
            let what = format!("{method} {address} as {}: {} {}", asker.name(), answer.status, answer.text);
            assert!(is_refused(&answer, *least), "{what}");
            if matches!(asker, Asker::Person { .. }) && address.starts_with("/lab") {
                let is_page_of_the_lab = answer.text.contains(r#"<nav aria-label="Lab">"#);
                assert!(is_page_of_the_lab && !answer.text.contains('`'), "{what}");
            }
        }
    }
    assert_eq!(server.count(entries).await, before, "nothing was done");
    for (method, address, least, body) in &listed {
        for asker in askers.iter().filter(|asker| asker.may(*least)) {
            let answer = asker.ask(server, method, address, body).await;
            let is_open = !is_refused(&answer, *least) && !answer.text.contains("could not be read");
            assert!(is_open, "{method} {address} as {}: {} {}", asker.name(), answer.status, answer.text);
        }
    }
    assert!(server.count(entries).await > before);
}
