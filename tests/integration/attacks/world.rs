//! A study whose texts all contain markup, and participants who send such texts in every field.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use axum::response::Response;
use futures::StreamExt;
use serde_json::{Value, json};
use sqlx::PgPool;
use tower::ServiceExt;
use weber::domain::study::StudyState;

use crate::support::browser::Browser;
use crate::support::person::Person;
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// A text that would break out of HTML text, attributes with either quotes, SQL and formulas if it were not escaped.
pub const EVIL: &str = "='\"><x-evil onx=1>&amp;{{7*7}}'; drop table participants; --";

/// A similar text of characters that an id may have.
pub const EVIL_ID: &str = "='\"x-evil/onx=1&amp;';--";

const LINKS: &str = "
[[links]]
name = \"Panel <x-evil onx=1>\"
platform = \"generic\"
conditions = [\"none\"]
generic = { parameter = \"pid\", return_url = \"https://panel.example/back?id={id}\" }

[[links]]
name = \"Workers\"
platform = \"mturk\"
conditions = [\"none\"]

[[links]]
name = \"Invited\"
personal = true
";

pub struct World {
    pub server: Server,
    /// The session cookie of a researcher with all rights.
    pub cookie: String,
    /// The pseudonym of a participant who has completed and sent such texts in every field.
    pub writer: String,
    /// This participant's token.
    pub token: String,
}

/// A reply to a request without a socket.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

/// Sends a request without a socket. Only the beginning of an endless reply is read.
pub async fn ask(server: &Server, request: Request<Body>) -> Answer {
    let Ok(response) = server.router.clone().oneshot(request).await;
    read(response).await
}

/// Reads a reply.
pub async fn read(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let endless = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
    let mut stream = body.into_data_stream();
    let mut bytes = Vec::new();
    while let Some(chunk) = stream.next().await {
        bytes.extend_from_slice(&chunk.unwrap());
        if endless {
            break;
        }
    }
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8_lossy(&bytes).into_owned(),
    }
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        let server = Server::empty(pool).await;
        let study = TinyStudy::new(2);
        study.edit("study.toml", |text| {
            text.replace("\"Which image does the machine favor?\"", "'''Title '\"><x-evil onx=1>'''")
                .replace("\"the Weber demonstration lab\"", "'''Lab '\"><x-evil onx=1>'''")
                .replace("title = \"None\"", "title = '''None '\"><x-evil onx=1>'''")
                + LINKS
        });
        server.import(&study).await;
        server.set_state(StudyState::Live).await;
        let mut browser = Browser::signed_in(&server).await;
        let (writer, token) = write_everywhere(&server).await;
        let decision = format!("/lab/studies/demo/participants/{writer}/decision");
        browser.post(&decision, &[("decision", "exclude"), ("reason", EVIL)]).await;
        browser.post("/lab/team/tokens", &[("name", EVIL), ("export", "true")]).await;
        browser.post("/lab/team", &[("email", "'\"><x-evil onx=1>@x.org"), ("role", "viewer")]).await;
        let link = server.count("select id from links where name = 'Invited'").await;
        browser.post(&format!("/lab/studies/demo/links/{link}/personal"), &[("more", "2")]).await;
        let exclusion = [("policy", "as-posted"), ("name", "mine"), ("total_time.max", "800")];
        browser.post("/lab/studies/demo/exclusion", &exclusion).await;
        let cookie = browser.cookie.clone().unwrap();
        Self { server, cookie, writer, token }
    }

    /// Requests a page as the researcher.
    pub async fn get(&self, path: &str) -> Answer {
        let request = Request::get(path).header("cookie", &self.cookie).body(Body::empty()).unwrap();
        ask(&self.server, request).await
    }
}

/// Adds a participant who has completed and one who is taking part. Returns pseudonym and token of the first.
async fn write_everywhere(server: &Server) -> (String, String) {
    let link: String = sqlx::query_scalar("select code from links where name like 'Panel%'")
        .fetch_one(&server.app.pool)
        .await
        .unwrap();
    let mut writer = enrol(server, &link, "1").await;
    tell_all(&writer).await;
    writer.reach_main().await;
    writer.answer_main(true).await;
    tell_all(&writer).await;
    let body = json!({ "tab": writer.opened["tab"], "clock_ms": 400_000.0, "feedback": EVIL });
    let (status, reply) = server.post("/api/v1/complete", Some(&writer.token), body).await;
    assert_eq!(status, 200, "{reply}");
    let other = enrol(server, &link, "2").await;
    tell_all(&other).await;
    (writer.pseudonym().to_owned(), writer.token.clone())
}

async fn enrol<'a>(server: &'a Server, link: &str, number: &str) -> Person<'a> {
    let definition = server.definition().await;
    let consent = hex::encode(weber::domain::study::text_sha256(&definition.pages.consent));
    let device = json!({ "browser": EVIL, "system": EVIL, "screen_width": -1, "pixel_ratio": 1e308 });
    let parameters = json!({ "pid": format!("{EVIL_ID}{number}"), EVIL: EVIL });
    let body = json!({ "link": link, "consent_sha256": consent, "parameters": parameters, "device": device });
    let (status, reply) = server.post("/api/v1/enrolments", None, body).await;
    assert_eq!(status, 201, "{reply}");
    let mut person = Person::with_token(server, reply["token"].as_str().unwrap()).await;
    let body = json!({ "navigation": EVIL });
    person.opened = server.post("/api/v1/open", Some(&person.token), body).await.1;
    person
}

async fn tell_all(person: &Person<'_>) {
    let detail = json!({ EVIL: EVIL, "message": EVIL });
    let event = |seq: i32, kind: &str| json!({ "seq": seq, "kind": kind, "at": 1.0, "detail": detail });
    let events: Vec<Value> =
        [(i32::MAX, "program_error"), (i32::MIN, "screen")].map(|(seq, kind)| event(seq, kind)).into();
    person.tell(json!({ "screen": &EVIL[4..], "events": events })).await;
}
