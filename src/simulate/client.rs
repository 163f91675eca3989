//! The participants' API, from a client's side.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
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

/// A client of one or several servers of one installation, with an API token. Requests go to the servers by turns.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    urls: Arc<[String]>,
    api_token: Arc<str>,
    turn: AtomicUsize,
}

impl Client {
    /// A client of the servers at these addresses.
    pub fn new(urls: &[impl AsRef<str>], api_token: &str) -> reqwest::Result<Self> {
        let http = crate::outgoing::http_client(Duration::from_secs(30))?;
        let urls = urls.iter().map(|url| url.as_ref().trim_end_matches('/').to_owned()).collect();
        Ok(Self { http, urls, api_token: api_token.into(), turn: AtomicUsize::new(0) })
    }

    /// The same for one person, who takes turns alone, so that each of their requests goes to another server than the last.
    pub fn of_person(&self, n: usize) -> Self {
        let Self { http, urls, api_token, .. } = self;
        Self {
            http: http.clone(),
            urls: urls.clone(),
            api_token: api_token.clone(),
            turn: AtomicUsize::new(n),
        }
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
        let page = self.with_retries(&path, |url| self.http.get(url)).await?;
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
        let request = |url| self.http.post(url).bearer_auth(token).json(body);
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

    /// Tries again as a browser does, with growing pauses, and at the next server.
    async fn with_retries(
        &self,
        path: &str,
        request: impl Fn(String) -> reqwest::RequestBuilder,
    ) -> Result<reqwest::Response, Trouble> {
        let mut error = "no server was named".to_owned();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(Duration::from_millis(200 << attempt)).await;
            }
            let Some(server) = self.next_server() else { break };
            match request(format!("{server}{path}")).send().await {
                Ok(response) if response.status() == reqwest::StatusCode::SERVICE_UNAVAILABLE => {
                    error = "503 Service Unavailable".into();
                }
                Ok(response) => return Ok(response),
                Err(failure) => error = failure.to_string(),
            }
        }
        Err(Trouble::Unreachable { path: path.to_owned(), error })
    }

    fn next_server(&self) -> Option<&str> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.urls.get(turn.checked_rem(self.urls.len())?).map(String::as_str)
    }
}

fn strange(path: &str, error: impl std::fmt::Display) -> Trouble {
    Trouble::Strange { path: path.to_owned(), error: error.to_string() }
}

fn text(reply: &Value, field: &str) -> Result<String, Trouble> {
    let value = reply.get(field).and_then(Value::as_str);
    value.map(str::to_owned).ok_or_else(|| strange("the server", format!("`{field}` is missing")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_goes_to_the_servers_by_turns() {
        let client = Client::new(&["http://a/", "http://b"], "t").unwrap();
        for (n, order) in [["http://a", "http://b", "http://a"], ["http://b", "http://a", "http://b"]]
            .into_iter()
            .enumerate()
        {
            let person = client.of_person(n);
            assert_eq!(order.map(Some), [(); 3].map(|()| person.next_server()));
        }
        assert_eq!(Client::new(&[""; 0], "t").unwrap().next_server(), None);
    }
}
