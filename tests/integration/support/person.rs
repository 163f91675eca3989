//! A participant who takes part by the API.

use serde_json::{Value, json};

use super::server::{Reply, Server};

/// A person who has consented.
pub struct Person<'a> {
    pub server: &'a Server,
    pub token: String,
    /// The last reply to `open`.
    pub opened: Value,
    /// The experiment clock that this person's browser reports, in ms.
    pub clock_ms: f64,
}

impl<'a> Person<'a> {
    /// Consents and opens the participation.
    pub async fn arrive(server: &'a Server, link: &str) -> Self {
        let (status, reply) = server.enrol(link, &[]).await;
        assert_eq!(status, 201, "{reply}");
        Self::with_token(server, reply["token"].as_str().unwrap()).await
    }

    /// Consents until one person is in a condition with practice, or without it.
    pub async fn arrive_where(server: &'a Server, practises: bool) -> Self {
        let link = server.link("Volunteers").await;
        loop {
            let person = Self::arrive(server, &link).await;
            if person.practises() == practises {
                return person;
            }
        }
    }

    pub async fn with_token(server: &'a Server, token: &str) -> Self {
        let mut person = Self { server, token: token.to_owned(), opened: Value::Null, clock_ms: 0.0 };
        person.open().await;
        person
    }

    pub async fn open(&mut self) -> &Value {
        let (status, opened) = self.server.post("/api/v1/open", Some(&self.token), json!({})).await;
        assert_eq!(status, 200, "{opened}");
        self.opened = opened;
        &self.opened
    }

    pub fn pseudonym(&self) -> &str {
        self.opened["participant"].as_str().unwrap()
    }

    pub fn practises(&self) -> bool {
        !self.opened["study"]["practice"].is_null()
    }

    pub async fn condition(&self) -> String {
        self.column("condition").await
    }

    /// A column of this person's row in the database, as text.
    pub async fn column(&self, name: &str) -> String {
        let sql = format!("select coalesce({name}::text, '') from participants where pseudonym = $1");
        let sql = sqlx::AssertSqlSafe(sql);
        sqlx::query_scalar(sql).bind(self.pseudonym()).fetch_one(&self.server.app.pool).await.unwrap()
    }

    pub async fn tell(&self, part: Value) -> Value {
        let (status, reply) = self.try_tell(part).await;
        assert_eq!(status, 200, "{reply}");
        reply
    }

    pub async fn try_tell(&self, part: Value) -> Reply {
        let mut record = json!({ "tab": self.opened["tab"], "clock_ms": self.clock_ms });
        record.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        self.server.post("/api/v1/records", Some(&self.token), record).await
    }

    pub async fn step(&self, step: &str) -> Value {
        let reply = self.tell(json!({ "steps": [{ "step": step, "clock_ms": self.clock_ms }] })).await;
        reply["steps"][0].clone()
    }

    pub fn answer_json(&self, block: &str, attempt: u64, trial_index: u64, response: u64) -> Value {
        json!({
            "block": block, "attempt": attempt, "trial_index": trial_index, "response": response, "rt": 1500.5,
            "time_elapsed": self.clock_ms, "input": "mouse", "presentations": 1, "hidden_ms": 0, "load_wait": 0,
            "display_scale": 1.0
        })
    }

    pub async fn answer(&self, block: &str, attempt: u64, trial_index: u64, response: u64) -> Value {
        self.tell(json!({ "answers": [self.answer_json(block, attempt, trial_index, response)] })).await
    }

    /// The outer button on the side of the max query, or on the other side.
    pub async fn button(&self, block: &str, attempt: u64, trial_index: u64, right: bool) -> u64 {
        let side: String = sqlx::query_scalar(
            "select max_side from schedule s join participants p on p.id = s.participant_id
             where p.pseudonym = $1 and block = $2 and attempt = $3 and trial_index = $4",
        )
        .bind(self.pseudonym())
        .bind(block)
        .bind(attempt as i16)
        .bind(trial_index as i16)
        .fetch_one(&self.server.app.pool)
        .await
        .unwrap();
        if (side == "left") == right { 0 } else { 5 }
    }

    /// Lets seconds pass for this person: the browser's clock goes ahead once it runs, and the times that the server stored go
    /// back.
    pub async fn spend(&mut self, seconds: f64) {
        let sql = "update participants set enrolled_at = enrolled_at - d, started_at = started_at - d,
                       clock_at = clock_at - d, instructed_at = instructed_at - d, practised_at = practised_at - d,
                       running_at = running_at - d
                   from make_interval(secs => $2) d where pseudonym = $1";
        let pool = &self.server.app.pool;
        sqlx::query(sql).bind(self.pseudonym()).bind(seconds).execute(pool).await.unwrap();
        self.clock_ms += seconds * 1000.0;
    }

    /// Answers all trials of a practice block.
    pub async fn practise(&self, attempt: u64, right: bool) -> Value {
        let mut reply = Value::Null;
        for index in 1..=4 {
            let button = self.button("practice", attempt, index, right).await;
            reply = self.answer("practice", attempt, index, button).await;
        }
        reply
    }

    /// Takes the steps up to the first main trial, in a time that passes every criterion.
    pub async fn reach_main(&mut self) {
        self.step("welcome").await;
        self.spend(60.0).await;
        self.step("instructed").await;
        if self.practises() {
            self.practise(1, true).await;
        }
        self.spend(40.0).await;
        let reply = self.step("main").await;
        assert_eq!(reply["taken"], true, "{reply}");
    }

    /// Answers all main trials, correctly or not.
    pub async fn answer_main(&self, right: bool) {
        self.answer_main_from(1, right).await;
    }

    /// Answers the main trials from the given one on.
    pub async fn answer_main_from(&self, first: u64, right: bool) {
        for index in first..=21 {
            let button = self.button("main", 1, index, right).await;
            let reply = self.answer("main", 1, index, button).await;
            assert_eq!(reply["answers"][0]["status"], "stored", "{reply}");
        }
    }

    /// Presses Submit 400 s after Welcome.
    pub async fn complete(&mut self) -> Reply {
        self.spend(400.0 - self.clock_ms / 1000.0).await;
        self.submit().await
    }

    /// Presses Submit now.
    pub async fn submit(&self) -> Reply {
        let body = json!({ "tab": self.opened["tab"], "clock_ms": self.clock_ms, "feedback": "" });
        self.server.post("/api/v1/complete", Some(&self.token), body).await
    }

    /// Takes part from consent to the end; passes every criterion, or fails the catch trials.
    pub async fn go_through(server: &'a Server, link: &str, pass: bool) -> Self {
        let mut person = Self::arrive(server, link).await;
        person.reach_main().await;
        person.answer_main(pass).await;
        let (status, reply) = person.complete().await;
        assert_eq!(status, 200, "{reply}");
        person
    }
}
