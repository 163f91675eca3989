//! A researcher's browser: requests with its cookies, and the pages that come back.

use reqwest::StatusCode;
use scraper::{Html, Selector};
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::flow::lab::team::Invitation;

use crate::support::server::Server;

pub const PASSWORD: &str = "a long password";

/// A researcher's browser.
pub struct Browser<'a> {
    server: &'a Server,
    pub client: reqwest::Client,
    pub cookie: Option<String>,
    /// The mark by which the server knows this browser. It is sent only if a test does so.
    pub mark: Option<String>,
}

pub struct Page {
    pub status: StatusCode,
    pub location: String,
    /// The body; of a page, with single spaces.
    pub text: String,
    pub headers: reqwest::header::HeaderMap,
}

/// A text with single spaces: a browser shows a line break of a template as one.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Page {
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let selector = Selector::parse(selector).unwrap();
        let page = Html::parse_document(&self.text);
        page.select(&selector).map(|element| squeezed(&element.text().collect::<String>())).collect()
    }

    /// The links: text and address of each.
    pub fn links(&self, selector: &str) -> Vec<(String, String)> {
        let selector = Selector::parse(selector).unwrap();
        let page = Html::parse_document(&self.text);
        let links = page.select(&selector);
        links.map(|link| (link.text().collect(), link.attr("href").unwrap().to_owned())).collect()
    }
}

impl<'a> Browser<'a> {
    pub fn new(server: &'a Server) -> Self {
        crate::support::server::client();
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { server, client, cookie: None, mark: None }
    }

    /// Signed in as a new researcher.
    pub async fn signed_in(server: &'a Server) -> Self {
        let mut browser = Self::new(server);
        browser.set_password(&invitation(server).await).await;
        browser
    }

    /// Signs in by a one-time link's token.
    pub async fn set_password(&mut self, token: &str) {
        let form = [("token", token), ("password", PASSWORD), ("again", PASSWORD)];
        let page = self.post("/set-password", &form).await;
        assert_eq!((page.status, page.location.as_str()), (StatusCode::SEE_OTHER, "/lab"));
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.server.url));
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Page {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self
            .client
            .post(format!("{}{path}", self.server.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(body);
        self.send(request).await
    }

    async fn send(&mut self, request: reqwest::RequestBuilder) -> Page {
        let request = match &self.cookie {
            Some(cookie) => request.header("cookie", cookie),
            None => request,
        };
        let response = request.send().await.unwrap();
        let headers = response.headers().clone();
        for cookie in headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            assert!(text.contains("HttpOnly") && text.contains("Path=/"), "{text}");
            let pair = text.split(';').next().unwrap();
            if pair.starts_with("weber-browser=") {
                self.mark = Some(pair.to_owned());
            } else {
                self.cookie = (!pair.ends_with('=')).then(|| pair.to_owned());
            }
        }
        let location = headers.get("location").map(|l| l.to_str().unwrap().to_owned()).unwrap_or_default();
        let status = response.status();
        let is_page =
            headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
        let text = response.text().await.unwrap();
        Page { status, location, text: if is_page { squeezed(&text) } else { text }, headers }
    }
}

/// The token of a one-time link for a researcher.
pub async fn invitation(server: &Server) -> String {
    let rights = Invitation { sees_identities: true, ..Invitation::default() };
    let path = team::invite(&server.app, &Actor::command_line(), "ada@example.org", rights).await.unwrap();
    path.split_once('#').unwrap().1.to_owned()
}

/// An open page that receives a stream of changes.
pub struct OpenPage {
    response: reqwest::Response,
    pub heard: String,
    /// A test fails after this time.
    give_up_at: tokio::time::Instant,
}

impl OpenPage {
    pub async fn at(browser: &Browser<'_>, path: &str) -> Self {
        let request = browser.client.get(format!("{}{path}", browser.server.url));
        let response = request.header("cookie", browser.cookie.clone().unwrap()).send().await.unwrap();
        let give_up_at = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        Self { response, heard: String::new(), give_up_at }
    }

    pub async fn hears(&mut self, words: &str) {
        while !self.heard.contains(words) {
            assert!(self.listens().await, "the page did not receive {words}");
        }
    }

    /// Waits for the next part; false at the end of the stream.
    pub async fn listens(&mut self) -> bool {
        let next = tokio::time::timeout_at(self.give_up_at, self.response.chunk()).await;
        let chunk = next.expect("the page hears something, or its end").unwrap();
        let goes_on = chunk.is_some();
        self.heard.push_str(&String::from_utf8_lossy(&chunk.unwrap_or_default()));
        goes_on
    }
}
