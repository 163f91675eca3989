//! The participants' API, from a client's side.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::flow::simulation::KeyEntry;

/// Tries of a request that gets no answer or a 503.
const TRIES: u32 = 6;

/// What can go wrong for a simulated person.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server refused, for a reason that has a code.
    #[error("{path} was refused: {code} ({title})")]
    Refused {
        /// What was asked for.
        path: String,
        /// The problem's code.
        code: String,
        /// The problem in words.
        title: String,
    },
    /// The server could not be reached, again and again.
    #[error("{path} got no answer: {error}")]
    Unreachable {
        /// What was asked for.
        path: String,
        /// Why.
        error: String,
    },
    /// The server answered something else than the API says.
    #[error("{path} answered what the API does not allow: {error}")]
    Strange {
        /// What was asked for.
        path: String,
        /// What was wrong with it.
        error: String,
    },
}

/// A client of a server, with an API token.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    url: String,
    api_token: String,
}

impl Client {
    /// A client of the server at this address.
    pub fn new(url: &str, api_token: &str) -> reqwest::Result<Self> {
        let http = crate::outgoing::http_client(Duration::from_secs(30))?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned(), api_token: api_token.to_owned() })
    }

    /// The link for simulated people.
    pub async fn simulation_link(&self, study: &str) -> Result<String, Trouble> {
        let reply: Value =
            self.post("/api/v1/simulation/link", &self.api_token, &json!({ "study": study })).await?;
        text(&reply, "link")
    }

    /// The truth about a simulated person's trials.
    pub async fn answer_key(&self, token: &str) -> Result<Vec<KeyEntry>, Trouble> {
        self.post("/api/v1/simulation/answer-key", &self.api_token, &json!({ "participant_token": token }))
            .await
    }

    /// Reads the consent page as a browser would, and consents. Returns the person's token.
    pub async fn consent(&self, link: &str) -> Result<String, Trouble> {
        let path = format!("/enter/{link}");
        let page = self.with_retries(&path, || self.http.get(format!("{}{path}", self.url))).await?;
        let page = page.text().await.map_err(|error| strange(&path, error))?;
        let hash = page.split_once("data-consent=\"").and_then(|(_, rest)| rest.split_once('"'));
        let (hash, _) = hash.ok_or_else(|| strange(&path, "there is no consent on the page"))?;
        let body =
            json!({ "link": link, "consent_sha256": hash, "device": { "browser": "Weber simulation" } });
        text(&self.post("/api/v1/enrolments", &self.api_token, &body).await?, "token")
    }

    /// Posts JSON and reads JSON.
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        token: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Trouble> {
        let request = || self.http.post(format!("{}{path}", self.url)).bearer_auth(token).json(body);
        let response = self.with_retries(path, request).await?;
        if response.status().is_success() {
            return response.json().await.map_err(|error| strange(path, error));
        }
        let problem: Value = response.json().await.map_err(|error| strange(path, error))?;
        Err(Trouble::Refused {
            path: path.to_owned(),
            code: text(&problem, "code")?,
            title: text(&problem, "title")?,
        })
    }

    /// Tries again as a browser does, with growing pauses.
    async fn with_retries(
        &self,
        path: &str,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Trouble> {
        let mut error = String::new();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
            match request().send().await {
                Ok(response) if response.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE => {
                    error = "503 Service Unavailable".into();
                }
                Ok(response) => return Ok(response),
                Err(failure) => error = failure.to_string(),
            }
        }
        Err(Trouble::Unreachable { path: path.to_owned(), error })
    }
}

fn strange(path: &str, error: impl std::fmt::Display) -> Trouble {
    Trouble::Strange { path: path.to_owned(), error: error.to_string() }
}

fn text(reply: &Value, field: &str) -> Result<String, Trouble> {
    let value = reply.get(field).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| strange("the server", format!("`{field}` is missing")))
}
