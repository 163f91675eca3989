//! Rules that hold at every address. The addresses are read from the sources, so that a new one is tested, too. The test fails
//! if it has no value for a parameter of an address.

use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use scraper::{Html, Selector};
use sqlx::PgPool;

use super::world::{Answer, World, ask};

/// An address with its methods.
#[derive(Debug)]
pub struct Route {
    pub path: String,
    pub methods: Vec<&'static str>,
}

impl Route {
    fn is_for_researchers(&self) -> bool {
        self.path == "/lab" || self.path.starts_with("/lab/")
    }
}

/// Every address that the sources of `web` list.
pub fn routes() -> Vec<Route> {
    let mut text = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/web"), &mut text);
    for other in [".nest(", ".nest_service(", ".route_service(", ".fallback_service("] {
        assert!(!text.contains(other), "teach this test about {other}");
    }
    let routes: Vec<Route> = text.split(".route(\"").skip(1).map(route).collect();
    assert!(routes.len() > 50, "the routes were found");
    routes
}

fn read(folder: &Path, text: &mut String) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read(&path, text);
        } else {
            text.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
}

fn route(text: &str) -> Route {
    let (path, rest) = text.split_once('"').unwrap();
    let mut depth = 1;
    let handlers: String = rest
        .chars()
        .take_while(|c| {
            depth += i32::from(*c == '(') - i32::from(*c == ')');
            depth > 0
        })
        .collect();
    let known = ["get", "post", "put", "delete", "patch", "any"];
    let called = |method: &&str| {
        let call = format!("{method}(");
        handlers.match_indices(&call).any(|(at, _)| handlers[..at].ends_with([' ', '.', '\n']))
    };
    let methods: Vec<_> = known.into_iter().filter(called).collect();
    assert!(!methods.is_empty(), "this test found no method of {path}");
    Route { path: path.to_owned(), methods }
}

/// The addresses of a route in this world, with a value for every parameter.
pub async fn addresses(world: &World, path: &str) -> Vec<String> {
    let server = &world.server;
    let text = async |sql: &'static str| -> String {
        sqlx::query_scalar(sql).fetch_one(&server.app.pool).await.unwrap()
    };
    let links: Vec<String> =
        sqlx::query_scalar("select code from links order by id").fetch_all(&server.app.pool).await.unwrap();
    let personal = text("select id::text from links where name = 'Invited'").await;
    let mut addresses = vec![path.to_owned()];
    let fills: Vec<(&str, Vec<String>)> = vec![
        ("/static/{version}/{*name}", vec![weber::web::http::page::asset("lab.css")]),
        ("/enter/{link}", links.iter().map(|code| format!("/enter/{code}")).collect()),
        ("/images/{address}", vec![world.server.image(1)]),
        ("/studies/{slug}", vec!["/studies/demo".into()]),
        ("/links/{id}", vec![format!("/links/{personal}")]),
        ("/team/{id}", vec![format!("/team/{}", text("select max(id)::text from researchers").await)]),
        ("/participants/{name}", vec![format!("/participants/{}", world.writer)]),
        ("/pay/{file}", vec!["/pay/payments.csv".into(), "/pay/generic.txt".into()]),
        (
            "/export/{file}",
            ["participants.csv", "trials.csv", "trials_cleaned.csv", "events.csv", "manifest.json"]
                .map(|file| format!("/export/{file}"))
                .into(),
        ),
        ("/figures/{file}", figures(world).await),
    ];
    for (pattern, values) in fills {
        addresses = addresses
            .into_iter()
            .flat_map(|address| match address.contains(pattern) {
                true => values.iter().map(|value| address.replace(pattern, value)).collect(),
                false => vec![address],
            })
            .collect();
    }
    assert!(!addresses.iter().any(|a| a.contains('{')), "this test has no value for the parameter in {path}");
    addresses
}

/// The addresses of figures' files that the pages link to.
async fn figures(world: &World) -> Vec<String> {
    let mut found = BTreeSet::new();
    for page in ["results", "flow"] {
        let page = world.get(&format!("/lab/studies/demo/{page}")).await;
        for piece in page.text.split("/figures/").skip(1) {
            let name: String = piece.chars().take_while(|c| !"?\"".contains(*c)).collect();
            found.insert(format!("/figures/{name}"));
        }
    }
    assert!(found.len() > 2, "{found:?}");
    found.into_iter().collect()
}

/// Every GET address, without parameters and with a text in every parameter that any page reads. A parameter that may make a
/// page refuse is used alone.
async fn pages(world: &World, text: &str) -> Vec<String> {
    let together = [
        "search",
        "sort",
        "condition",
        "verdict",
        "failed",
        "study",
        "participant",
        "pid",
        "workerId",
        "assignmentId",
        "hitId",
        "turkSubmitTo",
        "person",
        "weber_proof",
        "PROLIFIC_PID",
        "x",
    ];
    let queries = [&together[..], &["policy"], &["mode"], &["total_time.min"]];
    let mut pages = Vec::new();
    for route in routes().iter().filter(|route| route.methods.contains(&"get")) {
        for address in addresses(world, &route.path).await {
            pages.push(address.clone());
            for names in queries {
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("done", "found")
                    .extend_pairs(names.iter().map(|name| (name, text)))
                    .finish();
                pages.push(format!("{address}?{query}"));
            }
        }
    }
    pages
}

/// The faults of a reply's headers, or of a page's markup.
fn faults(answer: &Answer) -> Vec<String> {
    let mut faults = Vec::new();
    let policy = answer.header("content-security-policy");
    let strict = ["default-src 'none'", "script-src 'self'", "style-src 'self'", "base-uri 'none'"];
    if !strict.iter().all(|part| policy.contains(part)) || policy.contains("unsafe") || policy.contains('*') {
        faults.push(format!("the content security policy is {policy:?}"));
    }
    for (name, value) in [("x-content-type-options", "nosniff"), ("referrer-policy", "no-referrer")] {
        if answer.header(name) != value {
            faults.push(format!("{name} is {:?}", answer.header(name)));
        }
    }
    let kind = answer.header("content-type");
    let is_file = answer.header("content-disposition").starts_with("attachment");
    if kind.starts_with("text/html") || kind == "image/svg+xml" {
        faults.extend(markup_faults(&answer.text, is_file));
    }
    if kind == "text/event-stream" {
        let data = answer.text.lines().find_map(|line| line.strip_prefix("data: ")).unwrap_or("{}");
        let parts: std::collections::BTreeMap<String, String> = serde_json::from_str(data).unwrap();
        faults.extend(parts.values().flat_map(|part| markup_faults(part, false)));
    }
    faults
}

/// The faults of markup. A file for download may contain its own style.
fn markup_faults(text: &str, is_file: bool) -> Vec<String> {
    let page = Html::parse_document(text);
    let mut faults = Vec::new();
    for element in page.select(&Selector::parse("*").unwrap()) {
        let (name, element) = (element.value().name(), element.value());
        let is_inline = match name {
            "script" => element.attr("src").is_none() && element.attr("type") != Some("application/json"),
            "style" => !is_file,
            "x-evil" => true,
            _ => false,
        };
        if is_inline {
            faults.push(format!("<{name}> stands in the page"));
        }
        for (attribute, value) in element.attrs() {
            let runs = value.trim_start().to_lowercase().starts_with("javascript:");
            if runs || attribute.starts_with("on") || attribute == "style" && !is_file {
                faults.push(format!("<{name} {attribute}={value:?}>"));
            }
        }
    }
    faults
}

#[sqlx::test]
async fn every_page_has_strict_headers_and_escapes_texts(pool: PgPool) {
    let world = World::new(pool).await;
    let evil = "'\"><x-evil onx=1>\r\nSet-Cookie: a=b";
    let mut seen = 0;
    for address in pages(&world, evil).await {
        let as_researcher = world.get(&address).await;
        let anonymous = ask(&world.server, Request::get(&address).body(Body::empty()).unwrap()).await;
        for answer in [as_researcher, anonymous] {
            assert!(!answer.status.is_server_error(), "{address}: {} {}", answer.status, answer.text);
            assert_eq!(faults(&answer), Vec::<String>::new(), "{address}");
            assert!(!answer.headers.contains_key("set-cookie"), "{address}");
            assert!(!answer.header("location").contains("//"), "{address} leads to another site");
            seen += 1;
        }
    }
    assert!(seen > 300);
}

#[sqlx::test]
async fn every_page_of_the_lab_needs_a_session(pool: PgPool) {
    let world = World::new(pool).await;
    for route in routes().iter().filter(|route| route.is_for_researchers()) {
        for address in addresses(&world, &route.path).await {
            for method in &route.methods {
                for cookie in ["", "weber=guessed", &format!("weber={}", world.token)] {
                    let request = Request::builder()
                        .method(method.to_uppercase().as_str())
                        .uri(&address)
                        .header("cookie", cookie)
                        .header("sec-fetch-site", "same-origin")
                        .header("content-type", "application/x-www-form-urlencoded");
                    let answer = ask(&world.server, request.body(Body::empty()).unwrap()).await;
                    let to = (answer.status, answer.header("location"));
                    assert_eq!(to, (StatusCode::SEE_OTHER, "/sign-in"), "{method} {address}");
                }
            }
        }
    }
}

/// The forms: all POST addresses that use a cookie.
fn forms() -> Vec<Route> {
    let is_form = |route: &Route| !route.path.starts_with("/api/") && route.methods.contains(&"post");
    routes().into_iter().filter(is_form).collect()
}

#[sqlx::test]
async fn forms_of_another_site_are_refused(pool: PgPool) {
    let world = World::new(pool).await;
    let count = "select (select count(*) from journal) + (select count(*) from sessions)";
    let before = world.server.count(count).await;
    for route in forms() {
        for address in addresses(&world, &route.path).await {
            for (name, value) in [
                ("sec-fetch-site", "cross-site"),
                ("sec-fetch-site", "same-site"),
                ("origin", "https://evil.example"),
            ] {
                let request = Request::post(&address)
                    .header("cookie", &world.cookie)
                    .header("host", "weber.example")
                    .header("content-type", "application/x-www-form-urlencoded")
                    .header(name, value);
                let answer = ask(&world.server, request.body(Body::empty()).unwrap()).await;
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{address} with {name}: {value}");
            }
        }
    }
    assert_eq!(world.server.count(count).await, before, "nothing was changed");
}

/// Forms with only a button, whose body is not read.
const BUTTONS: [&str; 5] = [
    "/sign-out",
    "/lab/account/second-factor",
    "/lab/team/{id}/remove",
    "/lab/studies/{slug}/unblind",
    "/lab/studies/{slug}/people/forget",
];

#[sqlx::test]
async fn every_address_limits_the_body(pool: PgPool) {
    let world = World::new(pool).await;
    for route in routes().iter().filter(|route| route.methods.contains(&"post")) {
        if BUTTONS.contains(&route.path.as_str()) || route.path.contains("/people/pay/") {
            continue;
        }
        // Files of platforms may be long.
        let takes_files = route.path.ends_with("/people/compare") || route.path.ends_with("/people/bar");
        let size = if takes_files { 21 << 20 } else { 300_000 };
        for address in addresses(&world, &route.path).await {
            let is_json = address.starts_with("/api/");
            let kind = if is_json { "application/json" } else { "application/x-www-form-urlencoded" };
            let body = if is_json { " ".repeat(size) } else { format!("text={}", "a".repeat(size)) };
            let request = Request::post(&address)
                .header("cookie", &world.cookie)
                .header("authorization", format!("Bearer {}", world.token))
                .header("sec-fetch-site", "same-origin")
                .header("content-type", kind);
            let answer = ask(&world.server, request.body(Body::from(body)).unwrap()).await;
            let expected = if is_json { StatusCode::BAD_REQUEST } else { StatusCode::PAYLOAD_TOO_LARGE };
            assert_eq!(answer.status, expected, "{address}: {}", answer.text);
        }
    }
}

#[sqlx::test]
async fn the_api_accepts_no_cookie_and_no_token_in_an_address(pool: PgPool) {
    let world = World::new(pool).await;
    let token = &world.token;
    for path in ["open", "records", "complete", "leave"] {
        for address in [format!("/api/v1/{path}?token={token}"), format!("/api/v1/{path}#{token}")] {
            let body = match path {
                "open" => "{}",
                "leave" => r#"{"reason":"left"}"#,
                _ => r#"{"tab":1,"clock_ms":0}"#,
            };
            let request = Request::post(&address)
                .header("cookie", format!("weber={token}; token={token}"))
                .header("content-type", "application/json");
            let answer = ask(&world.server, request.body(Body::from(body)).unwrap()).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{address}");
        }
    }
}
