//! What some people do besides answering: reloading, agreeing twice, using two tabs, coming back. The server promises to handle
//! each, and these people check the promise.

use serde_json::json;

use crate::domain::observer::Behaviour;
use crate::domain::record::{Answer, AnswerStatus, Refusal};
use crate::domain::schedule::Place;
use crate::domain::trial::Block;
use crate::simulate::client::strange;
use crate::simulate::open_reply::OpenedPage;
use crate::simulate::person::{Arrival, SimulatedPerson, assignment, status_of};
use crate::simulate::{Incident, Request, Trouble};

/// The time from reloading a page until it shows the trial, in ms.
const RELOAD_MS: f64 = 2_500.0;

impl SimulatedPerson<'_> {
    /// Whether the person does something special at this trial.
    fn is_moment(&self, place: Place) -> bool {
        let moment = self.moments[usize::from(place.block == Block::Main)];
        place.attempt == 1 && place.trial_index == moment
    }

    /// What the person does when a trial is shown, before answering.
    pub async fn before(&mut self, place: Place, arrival: &Arrival) -> Result<(), Trouble> {
        if !self.is_moment(place) {
            return Ok(());
        }
        match (self.observer.behaviour, place.block) {
            (Behaviour::Reloader, _) => self.reload().await,
            (Behaviour::Duplicate, Block::Main) => self.consent_again(arrival).await,
            (Behaviour::TwoTab, Block::Main) => {
                let older_tab = self.tab;
                self.open_again("navigate").await?;
                self.older_tab = Some(older_tab);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// What the person does after an answer.
    pub async fn after(&mut self, answer: &Answer) -> Result<(), Trouble> {
        if self.older_tab.is_some() && self.is_moment(answer.place()) {
            return self.contradict(answer).await;
        }
        Ok(())
    }

    /// Opens the participation in a new page, which must know every answer.
    async fn open_again(&mut self, navigation: &str) -> Result<(), Trouble> {
        let body = json!({ "navigation": navigation });
        let opened: OpenedPage = self.client.post(Request::Open, &self.token, &body).await?;
        if opened.participant != self.participant {
            return Err(strange(Request::Open, "it opened another participation"));
        }
        let is_current =
            |place: &&Place| place.block == Block::Main || place.attempt == opened.practice_attempt;
        let expected = self.answered.iter().filter(is_current).count();
        if opened.answers.len() != expected {
            let error = format!("{} of {expected} answers are there", opened.answers.len());
            return Err(strange(Request::Open, error));
        }
        self.tab = opened.tab;
        self.presentations = 2;
        self.show("welcome_back".into());
        // Without think time the server's clock is behind the person's.
        self.clock_ms = self.clock_ms.max(opened.clock_ms.unwrap_or_default());
        self.spend(RELOAD_MS).await
    }

    /// Reloads, and sends again what the outbox kept because its confirmation was lost.
    async fn reload(&mut self) -> Result<(), Trouble> {
        self.open_again("reload").await?;
        self.crowd.note(Incident::Reload);
        if let Some(last) = self.unfinished.clone() {
            let reply = self.tell(Vec::new(), vec![last.clone()]).await?;
            if status_of(&reply, last.place())?.status != AnswerStatus::Same {
                return Err(strange(
                    Request::Record,
                    "an answer that was sent again was taken for another one",
                ));
            }
        }
        Ok(())
    }

    /// Opens the link again and agrees, which must lead into the same participation.
    async fn consent_again(&mut self, arrival: &Arrival) -> Result<(), Trouble> {
        let Arrival { link, parameters, .. } = arrival;
        let hash = self.client.consent_page(link, parameters).await?;
        let hash =
            hash.ok_or_else(|| strange(Request::Page, "a person who is taking part may not return"))?;
        let enrolled = self.client.enrol(link, parameters, &hash).await?;
        if !enrolled.resumed {
            return Err(strange(Request::Enrol, "a person who is taking part got a second participation"));
        }
        self.token = enrolled.token;
        self.crowd.note(Incident::Resumed);
        self.open_again("navigate").await
    }

    /// Gives a different answer to the same trial in the other tab. The server must keep the first.
    async fn contradict(&mut self, answer: &Answer) -> Result<(), Trouble> {
        let other = self.buttons.count() - 1 - answer.response;
        let contradiction = Answer { response: other, ..answer.clone() };
        let reply = self.tell(Vec::new(), vec![contradiction]).await?;
        if status_of(&reply, answer.place())?.code != Some(Refusal::Conflict) {
            return Err(strange(Request::Record, "a second, different answer was not refused"));
        }
        self.crowd.note(Incident::Conflict);
        Ok(())
    }

    /// Duplicates come back after the end with the assignment of another task. The page of consent does not reveal whether an id is
    /// known; when they agree, they are refused.
    pub async fn come_back(&self, name: &str, arrival: &Arrival) -> Result<(), Trouble> {
        if self.observer.behaviour != Behaviour::Duplicate {
            return Ok(());
        }
        let parameters = assignment(name, 2);
        if self.client.consent_page(&arrival.link, &parameters).await?.is_none() {
            return Err(strange(Request::Page, "the page reveals that a person took part"));
        }
        match self.client.enrol(&arrival.link, &parameters, &arrival.consent_sha256).await {
            Err(Trouble::Refused { code, .. }) if code == "already_took_part" => {
                self.crowd.note(Incident::Refused);
                Ok(())
            }
            Err(trouble) => Err(trouble),
            Ok(_) => Err(strange(Request::Enrol, "a person took part twice")),
        }
    }
}
