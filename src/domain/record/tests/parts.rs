//! A part that cannot be read is refused without the others.

use super::*;

/// The record as the server reads it.
fn read(record: Value) -> Record {
    serde_json::from_value(record).unwrap()
}

fn good() -> Value {
    serde_json::to_value(answer(Block::Main, 1, 1)).unwrap()
}

#[test]
fn an_answer_with_an_impossible_value_is_refused_with_the_name_of_the_field() {
    for (name, value) in [
        ("response", json!(256)),
        ("response", json!(-1)),
        ("response", json!(0.5)),
        ("attempt", json!(70_000)),
        ("trial_index", json!(-1)),
        ("presentations", json!(-1)),
        ("presentations", json!(1e12)),
        ("block", json!("x".repeat(1000))),
        ("input", json!("foot")),
        ("rt", json!("fast")),
        ("extra", json!(1)),
    ] {
        let mut story = Story::until_main("none");
        let mut bad = good();
        bad[name] = value.clone();
        let mut next = good();
        next["trial_index"] = json!(2);
        let outcome = story.tell(read(json!({ "tab": 1, "clock_ms": 0, "answers": [bad, next] })));
        let (refused, stored) = (&outcome.answers[0], &outcome.answers[1]);
        assert_eq!(refusal(refused), Some(Refusal::Invalid), "{name} {value}");
        let detail = refused.detail.as_deref().unwrap();
        assert!(detail.contains(&format!("`{name}`")) && detail.len() <= 200, "{name}: {detail}");
        assert_eq!(stored.status, AnswerStatus::Stored, "{name} {value}");
        let reply = serde_json::to_value(refused).unwrap();
        let expected = if value.is_number() && name != "response" { value } else { json!(1) };
        if ["attempt", "trial_index"].contains(&name) {
            assert_eq!(reply[name], expected, "the reply says which answer it is about");
        }
        assert_eq!(reply["code"], "invalid");
    }
}

#[test]
fn an_unknown_event_or_step_is_refused_without_the_others() {
    let mut story = Story::begin("none");
    let outcome = story.tell(read(json!({
        "tab": 1, "clock_ms": 0,
        "steps": [{ "step": "dance", "clock_ms": 0 }, { "step": "welcome", "clock_ms": 0 }, 7],
        "answers": [null],
        "events": [{ "seq": 1, "kind": "earthquake" }, { "seq": 2, "kind": "offline" }, { "seq": 1e10, "kind": "online" },
                   { "seq": 4, "kind": "reload" }],
    })));
    let steps = serde_json::to_value(&outcome.steps).unwrap();
    assert_eq!((&steps[0]["step"], &steps[0]["code"]), (&json!("dance"), &json!("invalid")));
    assert_eq!((&steps[1]["step"], &steps[1]["taken"]), (&json!("welcome"), &json!(true)));
    assert_eq!(steps[2]["step"], Value::Null);
    let replies = serde_json::to_value(&outcome.answers).unwrap();
    assert_eq!(replies[0]["status"], "refused");
    let refused: Vec<_> =
        outcome.refused_events.iter().map(|event| (event.seq.clone(), event.code)).collect();
    assert_eq!(refused, [json!(1), json!(1e10), json!(4)].map(|seq| (seq, Refusal::Invalid)));
    assert_eq!(outcome.events.iter().map(|event| event.kind).collect::<Vec<_>>(), [EventKind::Offline]);
    assert_eq!(story.person.events_dropped, 0);
}

#[test]
fn a_record_is_written_as_it_was_read() {
    let sent = json!({ "tab": 1, "clock_ms": 5.0, "screen": null, "steps": [], "answers": [good(), { "odd": 1 }], "events": [] });
    assert_eq!(serde_json::to_value(read(sent.clone())).unwrap(), sent);
}
