//! A client of the participants' API.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Mutex, MutexGuard};
use reqwest::StatusCode;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::flow::study::simulation::{AnswerKey, SimulationTarget};
use crate::simulate::meter::{Request, RequestMeter};

/// How often a request is tried that gets no answer, or an error of the server or a load balancer. A browser would not stop trying.
const TRIES: u32 = 9;

/// The pause after the first try. It doubles after each further try, up to a limit.
const FIRST_PAUSE: Duration = Duration::from_millis(400);
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// An error that stops a simulated person.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// The server refused, with the code of a reason.
    #[error("{path} was refused: {code} ({title})")]
    Refused {
        /// The path of the request.
        path: String,
        /// The code of the problem.
        code: String,
        /// The title of the problem.
        title: String,
    },
    /// The server could not be reached by any try.
    #[error("{path} got no answer: {error}")]
    Unreachable {
        /// The path of the request.
        path: String,
        /// The error of the last try.
        error: String,
    },
    /// The server's reply does not follow the API.
    #[error("{path} answered what the API does not allow: {error}")]
    Strange {
        /// The path of the request.
        path: String,
        /// What is wrong with the reply.
        error: String,
    },
    /// The abilities given for observers do not fit the study.
    #[error("the observers' abilities do not fit the study:\n{}", .0.join("\n"))]
    Abilities(Vec<String>),
}

/// A complete reply.
struct Whole {
    status: StatusCode,
    body: Vec<u8>,
}

/// The reply to a consent.
#[derive(Debug, Deserialize)]
pub struct EnrolledReply {
    /// The participant's token.
    pub token: String,
    /// Whether the participation existed before.
    pub resumed: bool,
}

/// The parameters of the address by which a person arrives.
pub type ArrivalParameters = BTreeMap<&'static str, String>;

/// A client of one or several servers of one installation, with an API token. Its requests go to the servers in turn.
#[derive(Debug)]
pub struct Client {
    http: reqwest::Client,
    urls: Arc<[String]>,
    api_token: Arc<str>,
    turn: AtomicUsize,
    meter: Arc<Mutex<RequestMeter>>,
}

impl Client {
    /// Makes a client of the servers at these addresses.
    pub fn new(urls: &[impl AsRef<str>], api_token: &str) -> reqwest::Result<Self> {
        let http = crate::outgoing::http_client(Duration::from_secs(30))?;
        let urls = urls.iter().map(|url| url.as_ref().trim_end_matches('/').to_owned()).collect();
        Ok(Self { http, urls, api_token: api_token.into(), turn: AtomicUsize::new(0), meter: Arc::default() })
    }

    /// A client for one person with turns of its own, so that consecutive requests go to different servers.
    pub fn of_person(&self, n: usize) -> Self {
        Self {
            http: self.http.clone(),
            urls: self.urls.clone(),
            api_token: self.api_token.clone(),
            turn: AtomicUsize::new(n),
            meter: self.meter.clone(),
        }
    }

    fn meter(&self) -> MutexGuard<'_, RequestMeter> {
        self.meter.lock()
    }

    /// Takes the measurements since the last call.
    pub fn take_meter(&self) -> RequestMeter {
        std::mem::take(&mut self.meter())
    }

    /// The link by which simulated people enter the study.
    pub async fn entrance(&self, study: &str) -> Result<SimulationTarget, Trouble> {
        self.post(Request::Entrance, &self.api_token, &json!({ "study": study })).await
    }

    /// The correct answers of a simulated person's trials.
    pub async fn answer_key(&self, token: &str) -> Result<AnswerKey, Trouble> {
        self.post(Request::Key, &self.api_token, &json!({ "participant_token": token })).await
    }

    /// Reads the page of consent as a browser would, and returns the hash of its text. None if the page offers no consent.
    pub async fn consent_page(
        &self,
        link: &str,
        parameters: &ArrivalParameters,
    ) -> Result<Option<String>, Trouble> {
        let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let path = format!("{}/{link}?{query}", Request::Page.path());
        let page =
            self.with_retries(Request::Page, |server| self.http.get(format!("{server}{path}"))).await?;
        if !page.status.is_success() {
            return Err(strange(Request::Page, page.status));
        }
        let text = String::from_utf8(page.body).map_err(|error| strange(Request::Page, error))?;
        let hash = text.split_once("data-consent=\"").and_then(|(_, rest)| rest.split_once('"'));
        Ok(hash.map(|(hash, _)| hash.to_owned()))
    }

    /// Consents to the text with this hash.
    pub async fn enrol(
        &self,
        link: &str,
        parameters: &ArrivalParameters,
        hash: &str,
    ) -> Result<EnrolledReply, Trouble> {
        let device = json!({ "browser": "Weber simulation" });
        let body =
            json!({ "link": link, "parameters": parameters, "consent_sha256": hash, "device": device });
        self.post(Request::Enrol, &self.api_token, &body).await
    }

    /// Posts JSON and reads JSON.
    pub async fn post<T: DeserializeOwned>(
        &self,
        request: Request,
        token: &str,
        body: &(impl Serialize + ?Sized),
    ) -> Result<T, Trouble> {
        let path = request.path();
        let send = |server: &str| self.http.post(format!("{server}{path}")).bearer_auth(token).json(body);
        let answer = self.with_retries(request, send).await?;
        if answer.status.is_success() {
            return serde_json::from_slice(&answer.body).map_err(|error| strange(request, error));
        }
        let problem: ServerProblem =
            serde_json::from_slice(&answer.body).map_err(|error| strange(request, error))?;
        self.meter().failed(request, &problem.code);
        Err(Trouble::Refused { path: path.to_owned(), code: problem.code, title: problem.title })
    }

    /// Sends a request again as a browser does: after growing pauses, and to the next server.
    async fn with_retries(
        &self,
        request: Request,
        send: impl Fn(&str) -> reqwest::RequestBuilder,
    ) -> Result<Whole, Trouble> {
        let mut error = "no server was given".to_owned();
        for attempt in 0..TRIES {
            if attempt > 0 {
                tokio::time::sleep(LONGEST_PAUSE.min(FIRST_PAUSE * 2_u32.pow(attempt - 1))).await;
            }
            let Some(server) = self.next_server() else { break };
            let sent = Instant::now();
            match whole(send(server)).await {
                Ok(answer) => {
                    self.meter().answered(request, sent.elapsed());
                    if !answer.status.is_server_error() {
                        return Ok(answer);
                    }
                    self.meter().failed(request, &format!("{}, tried again", answer.status.as_u16()));
                    error = answer.status.to_string();
                }
                Err(failure) => {
                    self.meter().failed(request, "no answer, tried again");
                    error = failure.to_string();
                }
            }
        }
        Err(Trouble::Unreachable { path: request.path().to_owned(), error })
    }

    fn next_server(&self) -> Option<&str> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        self.urls.get(turn.checked_rem(self.urls.len())?).map(String::as_str)
    }
}

async fn whole(request: reqwest::RequestBuilder) -> reqwest::Result<Whole> {
    let response = request.send().await?;
    Ok(Whole { status: response.status(), body: response.bytes().await?.to_vec() })
}

/// The body of a refusal.
#[derive(Deserialize)]
struct ServerProblem {
    code: String,
    title: String,
}

/// The error for a reply that does not follow the API.
pub fn strange(request: Request, error: impl std::fmt::Display) -> Trouble {
    Trouble::Strange { path: request.path().to_owned(), error: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_person_alternates_between_the_servers() {
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
