//! Makes people who have read all instructions and are about to answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::http::Connection;
use super::server::Server;

/// The screen of the first main trial.
const FIRST: &str = "main:1";

/// A person at the first main trial.
pub struct Person {
    pub token: String,
    tab: i64,
    trials: i64,
    answered: i64,
}

impl Person {
    /// The body of the next answer, sent at the click. None when all are given. It names the screen that the server knows from the
    /// record that was sent when the trial was shown.
    pub fn next(&mut self) -> Option<String> {
        if self.answered == self.trials {
            return None;
        }
        self.answered += 1;
        Some(format!(
            "{{\"tab\":{},\"clock_ms\":{},\"screen\":\"{FIRST}\",\"steps\":[],\"answers\":[{}],\"events\":[]}}",
            self.tab,
            self.clock(),
            self.answer("null"),
        ))
    }

    /// The body of the record after an answer: when Continue was pressed, and that the next trial is shown.
    pub fn shown(&self) -> String {
        let (clock, n) = (self.clock() + 2_000.0, self.answered);
        format!(
            "{{\"tab\":{},\"clock_ms\":{clock},\"screen\":\"main:{}\",\"steps\":[],\"answers\":[{}],\
             \"events\":[{{\"seq\":{n},\"kind\":\"screen\",\"at\":{clock},\"detail\":{{\"screen\":\"main:{}\"}}}}]}}",
            self.tab,
            n + 1,
            self.answer("800.5"),
            n + 1,
        )
    }

    /// The experiment clock at the last answer, in ms.
    fn clock(&self) -> f64 {
        60_000.0 + 4_000.0 * self.answered as f64
    }

    fn answer(&self, continue_rt: &str) -> String {
        format!(
            "{{\"block\":\"main\",\"attempt\":1,\"trial_index\":{},\"response\":{},\"rt\":2345.6,\"continue_rt\":{continue_rt},\
             \"time_elapsed\":{},\"input\":\"mouse\",\"presentations\":1,\"hidden_ms\":0.0,\"load_wait\":0.0,\"display_scale\":1.0,\
             \"device_scale\":1.0,\"frame_ms\":16.7,\"pointerdown_rt\":2255.6}}",
            self.answered,
            self.answered % 6,
            self.clock(),
        )
    }
}

/// The link for simulated people, and the hash that its consent needs.
pub async fn door(server: &Server) -> (String, String) {
    let mut connection = server.connect().await;
    let body = json!({ "study": "demo" }).to_string();
    let answer = connection.post("/api/v1/simulation/link", &server.token, &body).await.expect("an answer");
    let link = answer.json()["link"].as_str().expect("a link").to_owned();
    // In a condition without practice all people reach the main trials at once.
    server.sql("update links set definition = jsonb_set(definition, '{conditions}', '[\"none\"]') where mode = 'simulated'");
    let page = connection.get(&format!("/enter/{link}")).await.expect("the page");
    let page = String::from_utf8_lossy(&page.body).into_owned();
    let consent = page.split("data-consent=\"").nth(1).and_then(|rest| rest.split('"').next());
    (link, consent.expect("a consent page").to_owned())
}

pub fn enrolment(link: &str, consent: &str) -> String {
    json!({ "link": link, "consent_sha256": consent, "device": { "browser": "bench" } }).to_string()
}

/// Makes slots for this many people, with all image sets in turn.
pub fn make_room(server: &Server, count: usize) {
    server.sql(&format!(
        "insert into slots (study_id, mode, condition, number, image_set)
         select min(study_id), 'simulated', 'none', max(number) + n, n % (max(image_set) + 1) from slots, generate_series(1, {count}) n
         group by n"
    ));
    server.sql("update studies set slots_per_condition = (select max(number) from slots where study_id = studies.id)");
}

/// Enrols a person. Returns their token and the reply to their page.
pub async fn open(connection: &mut Connection, api_token: &str, enrolment: &str) -> (String, Value) {
    let enrolled = connection.post("/api/v1/enrolments", api_token, enrolment).await.expect("an answer");
    assert_eq!(enrolled.status, 201, "{}", String::from_utf8_lossy(&enrolled.body));
    let token = enrolled.json()["token"].as_str().expect("a token").to_owned();
    let opened = connection.post("/api/v1/open", &token, "{}").await.expect("an answer").json();
    (token, opened)
}

/// Brings this many people to their first main trial.
pub async fn prepare(server: &Arc<Server>, count: usize) -> Vec<Person> {
    let (link, consent) = door(server).await;
    make_room(server, count);
    let body = Arc::new(enrolment(&link, &consent));
    let left = Arc::new(AtomicUsize::new(count));
    let workers = (0..16).map(|_| {
        let (server, body, left) = (server.clone(), body.clone(), left.clone());
        tokio::spawn(async move {
            let mut connection = server.connect().await;
            let mut people = Vec::new();
            while left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok() {
                people.push(reach_main(&mut connection, &server.token, &body).await);
            }
            people
        })
    });
    let mut people = Vec::new();
    for worker in workers.collect::<Vec<_>>() {
        people.extend(worker.await.expect("people are prepared"));
    }
    people
}

async fn reach_main(connection: &mut Connection, api_token: &str, enrolment: &str) -> Person {
    let (token, opened) = open(connection, api_token, enrolment).await;
    let tab = opened["tab"].as_i64().expect("a tab");
    let main =
        opened["blocks"].as_array().and_then(|blocks| blocks.iter().find(|block| block["block"] == "main"));
    let trials = main.and_then(|block| block["trials"].as_array()).map_or(0, Vec::len) as i64;
    let steps: Vec<Value> = [("welcome", 0.0), ("instructed", 50_000.0), ("main", 60_000.0)]
        .iter()
        .map(|(step, clock)| json!({ "step": step, "clock_ms": clock }))
        .collect();
    let record = json!({ "tab": tab, "clock_ms": 60_000.0, "screen": FIRST, "steps": steps }).to_string();
    let told = connection.post("/api/v1/records", &token, &record).await.expect("an answer");
    assert_eq!(told.status, 200, "{}", String::from_utf8_lossy(&told.body));
    assert!(trials > 0, "{opened}");
    Person { token, tab, trials, answered: 0 }
}
