//! No data that a participant's browser receives tells the max query from the min query, or a catch trial from a main one,
//! except the pixels of the images.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sqlx::PgPool;

use crate::support::person::Person;
use crate::support::server::Server;

/// Words that name the correct answer or the purpose of a trial.
const FORBIDDEN: [&str; 14] = [
    "max_query",
    "min_query",
    "max_side",
    "maxside",
    "\"kind\":\"main\"",
    "\"kind\":\"catch\"",
    "catch_trial",
    "unit-",
    "layer-",
    "\"branch\"",
    "activation",
    "image_set",
    "obvious",
    "_correct\":true",
];

struct Trial {
    left: String,
    right: String,
    max_is_left: bool,
    is_catch: bool,
    index: i64,
    /// The text of the reply up to this trial.
    before: String,
}

/// Main blocks of people of every condition, with the truth from the database.
async fn trials(server: &Server, people: usize) -> Vec<Trial> {
    let link = server.link("Volunteers").await;
    let mut trials = Vec::new();
    for _ in 0..people {
        let person = Person::arrive(server, &link).await;
        let truth: Vec<(String, String)> = sqlx::query_as(
            "select s.max_side, t.kind from schedule s join trials t on t.id = s.trial_id
             join participants p on p.id = s.participant_id
             where p.pseudonym = $1 and s.block = 'main' order by s.trial_index",
        )
        .bind(person.pseudonym())
        .fetch_all(&server.app.pool)
        .await
        .unwrap();
        let all = person.opened.to_string();
        let blocks = person.opened["blocks"].as_array().unwrap();
        let main = blocks.iter().find(|block| block["block"] == "main").unwrap();
        for (trial, (side, kind)) in main["trials"].as_array().unwrap().iter().zip(truth) {
            let text = |name: &str| trial[name].as_str().unwrap().to_owned();
            trials.push(Trial {
                before: all[..all.find(&trial.to_string()).unwrap()].to_owned(),
                left: text("left"),
                right: text("right"),
                max_is_left: side == "left",
                is_catch: kind == "catch",
                index: trial["trial_index"].as_i64().unwrap(),
            });
        }
    }
    trials
}

/// The two-sided probability that n fair coins show so many or so few heads, by summing the binomial distribution.
fn chance(heads: usize, n: usize) -> f64 {
    let tail = heads.min(n - heads);
    let mut term = 0.5f64.powi(n as i32);
    let mut sum = term;
    for k in 0..tail {
        term *= (n - k) as f64 / (k + 1) as f64;
        sum += term;
    }
    (2.0 * sum).min(1.0)
}

#[test]
fn the_chance_is_that_of_the_binomial_distribution() {
    assert!((chance(0, 10) - 2.0 / 1024.0).abs() < 1e-12);
    assert!((chance(9, 10) - 22.0 / 1024.0).abs() < 1e-12);
    assert_eq!(chance(5, 10), 1.0);
}

/// A property that a browser sees, from which a trial's answer might be guessed: true for left, None if it says nothing.
type Guess = (&'static str, fn(&Trial, Option<&Trial>) -> Option<bool>);

const GUESSES: [Guess; 7] = [
    ("always left", |_, _| Some(true)),
    ("the address that sorts first", |t, _| Some(t.left < t.right)),
    ("the longer address", |t, _| (t.left.len() != t.right.len()).then_some(t.left.len() > t.right.len())),
    ("the address with the larger last digit", |t, _| {
        let (left, right) = (t.left.chars().last(), t.right.chars().last());
        (left != right).then(|| left > right)
    }),
    ("the image that came up before", |t, _| {
        let (left, right) = (t.before.contains(&t.left), t.before.contains(&t.right));
        (left != right).then_some(left)
    }),
    ("left in odd trials", |t, _| Some(t.index % 2 == 1)),
    ("the side of the trial before", |_, before| before.map(|b| b.max_is_left)),
];

#[sqlx::test]
async fn only_the_images_tell_the_answer(pool: PgPool) {
    let server = Server::live(pool, 4).await;
    let trials = trials(&server, 20).await;
    assert!(trials.len() >= 400);
    for (name, guess) in GUESSES {
        let (mut heads, mut n) = (0, 0);
        for (at, trial) in trials.iter().enumerate() {
            let before = at.checked_sub(1).map(|at| &trials[at]).filter(|_| trial.index > 1);
            if let Some(left) = guess(trial, before) {
                heads += usize::from(left == trial.max_is_left);
                n += 1;
            }
        }
        let chance = if n == 0 { 1.0 } else { chance(heads, n) };
        assert!(chance > 0.001, "{name}: right in {heads} of {n} trials");
    }
    // An image is not always on the same side.
    let number = |address: &str| {
        let address = address.trim_start_matches("/images/");
        server.app.secrets.addresses().read(address).unwrap().number
    };
    let mut sides: BTreeMap<i64, BTreeSet<bool>> = BTreeMap::new();
    for trial in &trials {
        sides.entry(number(&trial.left)).or_default().insert(true);
        sides.entry(number(&trial.right)).or_default().insert(false);
    }
    let both = sides.values().filter(|sides| sides.len() == 2).count();
    assert!(both * 10 > sides.len() * 6, "{both} of {} images were seen on both sides", sides.len());
    // Catch trials occur at all positions.
    let places: BTreeSet<i64> =
        trials.iter().filter(|trial| trial.is_catch).map(|trial| trial.index).collect();
    assert!(places.len() > 15, "{places:?}");
}

#[sqlx::test]
async fn no_word_of_any_reply_tells_the_answer(pool: PgPool) {
    let server = Server::live(pool, 2).await;
    let link = server.link("Volunteers").await;
    let mut heard = vec![server.get(&format!("/enter/{link}")).await.1, server.get("/run").await.1];
    for pass in [true, false, true, false, true] {
        let mut person = Person::arrive(&server, &link).await;
        heard.push(person.opened.to_string());
        heard.push(person.step("welcome").await.to_string());
        person.clock_ms = 60_000.0;
        heard.push(person.step("instructed").await.to_string());
        if person.practises() {
            heard.push(person.practise(1, false).await.to_string());
            heard.push(person.practise(2, true).await.to_string());
        }
        heard.push(person.step("main").await.to_string());
        for index in 1..=21 {
            let button = person.button("main", 1, index, pass).await;
            let reply = person.answer("main", 1, index, button).await;
            assert_eq!(reply["answers"][0].get("correct"), None, "{reply}");
            heard.push(reply.to_string());
        }
        heard.push(person.open().await.to_string());
        let answers = person.opened["answers"].as_array().unwrap();
        let of_main = |answer: &&Value| answer["block"] == "main";
        assert!(answers.iter().filter(of_main).all(|answer| answer.get("correct").is_none()));
        let conflict = person.answer("main", 1, 1, 2).await;
        assert_eq!(conflict["answers"][0]["code"], "conflict");
        heard.push(conflict.to_string());
        heard.push(person.complete().await.1.to_string());
        heard.push(person.open().await.to_string());
    }
    for text in heard {
        for word in FORBIDDEN {
            assert!(!text.to_lowercase().contains(word), "{word:?} in {text}");
        }
    }
}

#[sqlx::test]
async fn all_images_have_the_same_headers(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut headers = BTreeSet::new();
    for trial in trials(&server, 2).await {
        for address in [trial.left, trial.right] {
            let response = server.client.get(format!("{}{address}", server.url)).send().await.unwrap();
            let mut told: BTreeMap<String, String> = response
                .headers()
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect();
            let tag = told.remove("etag").unwrap();
            assert_eq!(
                tag.trim_matches('"'),
                address.trim_start_matches("/images/"),
                "the ETag depends on the address only"
            );
            told.remove("date");
            headers.insert(told);
        }
    }
    assert_eq!(headers.len(), 1, "{headers:?}");
}
