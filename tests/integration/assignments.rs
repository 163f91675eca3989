//! Which assignment is paid if a person was seen with several.

use sqlx::PgPool;
use weber::domain::study::Platform;
use weber::flow::audit::log::Actor;
use weber::flow::study::identities;
use weber::recruitment::payment;
use weber::recruitment::reconciliation::Discrepancy;

use crate::platforms::{MTURK, study, task, worker};
use crate::support::person::Person;
use crate::support::server::Server;

async fn paid(server: &Server) -> Vec<payment::Payment> {
    identities::payments(&server.app, &Actor::command_line(), "demo").await.unwrap()
}

/// A stranger who knows a worker's id and HIT sends other assignments. The worker's own is paid; the others are only stored
/// beside it.
#[sqlx::test]
async fn a_stranger_cannot_change_which_assignment_is_paid(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    let link = server.link("Workers").await;
    let (_, reply) = server.enrol(&link, &worker("AVICTIM", "3OWN", "3HIT")).await;
    let mut victim = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    victim.reach_main().await;
    // The stranger sends one before the victim has completed ...
    assert_eq!(server.enrol(&link, &worker("AVICTIM", "3BEFORE", "3HIT")).await.0, 200);
    victim.answer_main(true).await;
    assert_eq!(victim.complete().await.0, 200);
    // ... and one afterwards.
    task(&server, &link, &worker("AVICTIM", "3ATTACKER", "3HIT")).await;
    server.enrol(&link, &worker("AVICTIM", "3LATER", "3HIT")).await;
    let payments = paid(&server).await;
    assert_eq!(payments[0].assignment_id.as_deref(), Some("3OWN"));
    assert_eq!(payments[0].other_assignments, ["3BEFORE", "3ATTACKER", "3LATER"]);
    let bulk = payment::bulk(Platform::Mturk, &payments).unwrap();
    assert!(bulk.ends_with("\n3HIT,3OWN,AVICTIM,x,\n"), "{bulk}");
    // Of many assignments only a few are stored.
    for n in 0..60 {
        task(&server, &link, &worker("AVICTIM", &format!("3MORE{n}"), "3HIT")).await;
    }
    assert_eq!(server.count("select count(*) from assignments").await, 50);
}

/// A task that was returned and accepted again is paid by the assignment with which the person finished, or by the one that
/// MTurk's own file says was handed in.
#[sqlx::test]
async fn the_assignment_that_was_finished_or_handed_in_is_paid(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    let link = server.link("Workers").await;
    server.enrol(&link, &worker("A1", "3FIRST", "3HIT")).await;
    let (_, reply) = server.enrol(&link, &worker("A1", "3SECOND", "3HIT2")).await;
    let mut person = Person::with_token(&server, reply["token"].as_str().unwrap()).await;
    person.reach_main().await;
    person.answer_main(true).await;
    person.complete().await;
    let first = &paid(&server).await[0];
    assert_eq!((first.assignment_id.as_deref(), first.hit_id.as_deref()), (Some("3SECOND"), Some("3HIT2")));
    let standing = task(&server, &link, &worker("A1", "3THIRD", "3HIT2")).await.1;
    assert_eq!(standing["state"], "done", "the task was accepted once more");
    let receipt = &first.receipt;
    let file = format!(
        "AssignmentId,WorkerId,AssignmentStatus,Answer.receipt\n3SECOND,A1,Returned,\n3THIRD,A1,Submitted,{receipt}\n\
         3FOREIGN,A2,Submitted,{receipt}\n"
    );
    let actor = Actor::command_line();
    let (_, lines) = identities::reconcile(&server.app, &actor, "demo", &file).await.unwrap();
    let found: Vec<_> = lines.iter().map(|line| line.finding).collect();
    assert_eq!(found, [Discrepancy::OnlyThere, Discrepancy::Agreed]);
    assert_eq!(paid(&server).await[0].assignment_id.as_deref(), Some("3THIRD"));
}

/// A person who has too many tokens gets a shared one. A stranger who had it first does not decide which assignment is paid.
#[sqlx::test]
async fn a_shared_token_says_nothing_about_assignments(pool: PgPool) {
    let server = study(pool, 2, MTURK).await;
    let link = server.link("Workers").await;
    server.enrol(&link, &worker("AVICTIM", "3OWN", "3HIT")).await;
    let mut shared = server.enrol(&link, &worker("AVICTIM", "3ATTACKER", "3HIT")).await.1;
    for _ in 0..weber::flow::participation::enroll::MOST_TOKENS {
        shared = server.enrol(&link, &worker("AVICTIM", "3ATTACKER", "3HIT")).await.1;
    }
    let own = server.enrol(&link, &worker("AVICTIM", "3OWN", "3HIT")).await.1;
    assert_eq!(own["token"], shared["token"]);
    let mut victim = Person::with_token(&server, own["token"].as_str().unwrap()).await;
    victim.reach_main().await;
    victim.answer_main(true).await;
    assert_eq!(victim.complete().await.0, 200);
    assert_eq!(paid(&server).await[0].assignment_id.as_deref(), Some("3OWN"));
}
