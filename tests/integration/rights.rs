//! Rights in the lab: roles, invitations, the second factor, and API tokens. The right that each address needs is tested in
//! `attacks::access`.

use sqlx::PgPool;
use totp_rs::{Builder, Secret};
use weber::domain::rights::{Role, Scope};
use weber::flow::audit::log::Actor;
use weber::flow::lab::team;
use weber::flow::lab::team::Invitation;

use crate::support::browser::{Browser, PASSWORD, Page};
use crate::support::server::{Server, TestClock};

/// A browser of a researcher with this role; an administrator exists already.
async fn signed_in_as<'a>(server: &'a Server, email: &str, role: Role) -> Browser<'a> {
    let invitation = Invitation { role: Some(role), ..Invitation::default() };
    let path = team::invite(&server.app, &Actor::command_line(), email, invitation).await.unwrap();
    let mut browser = Browser::new(server);
    browser.set_password(path.split_once('#').unwrap().1).await;
    browser
}

#[sqlx::test]
async fn viewers_see_no_controls(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let mut viewer = signed_in_as(&server, "eve@example.org", Role::Viewer).await;
    let study = viewer.get("/lab/studies/demo").await;
    assert_eq!(study.status.as_u16(), 200);
    for word in ["Pause", "Switch off", "Download all", "/lab/team", "/lab/journal", "Places per condition"] {
        assert!(!study.text.contains(word), "{word}");
    }
}

#[sqlx::test]
async fn researchers_control_studies_and_do_not_administer(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    Browser::signed_in(&server).await;
    let mut researcher = signed_in_as(&server, "rosa@example.org", Role::Researcher).await;
    assert_eq!(researcher.post("/lab/studies/demo/state", &[("state", "paused")]).await.status.as_u16(), 303);
    assert_eq!(researcher.get("/lab/journal").await.status.as_u16(), 200);
    assert_eq!(researcher.get("/lab/team").await.status.as_u16(), 403);
    assert_eq!(
        researcher.post("/lab/team/tokens", &[("name", "t"), ("export", "true")]).await.status.as_u16(),
        403
    );
}

#[sqlx::test]
async fn administrators_invite_change_and_remove_researchers_but_not_the_last_administrator(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let invited = ada.post("/lab/team", &[("email", "bob@example.org"), ("role", "viewer")]).await;
    let link = invited.texts("#made").remove(0);
    assert!(link.starts_with(&format!("{}/set-password#", server.url)), "{link}");
    let mut bob = Browser::new(&server);
    bob.set_password(link.split_once('#').unwrap().1).await;
    let id = |email: &'static str| {
        let pool = server.app.pool.clone();
        async move {
            sqlx::query_scalar::<_, i64>("select id from researchers where email = $1")
                .bind(email)
                .fetch_one(&pool)
                .await
                .unwrap()
        }
    };
    let (ada_id, bob_id) = (id("ada@example.org").await, id("bob@example.org").await);
    let not_the_last = ada.post(&format!("/lab/team/{ada_id}"), &[("role", "viewer")]).await;
    assert_eq!(not_the_last.status.as_u16(), 409);
    assert_eq!(ada.post(&format!("/lab/team/{ada_id}/remove"), &[]).await.status.as_u16(), 409);
    assert_eq!(
        ada.post("/lab/team", &[("email", "ada@example.org"), ("role", "viewer")]).await.status.as_u16(),
        409
    );
    ada.post(&format!("/lab/team/{bob_id}"), &[("role", "administrator"), ("sees_identities", "true")]).await;
    assert_eq!(bob.get("/lab/team").await.status.as_u16(), 200);
    assert_eq!(bob.post(&format!("/lab/team/{ada_id}/remove"), &[]).await.status.as_u16(), 303);
    assert_eq!(ada.get("/lab").await.location, "/sign-in", "the session ended when access was removed");
    assert_eq!(
        bob.post("/lab/team", &[("email", "no-address"), ("role", "viewer")]).await.status.as_u16(),
        422
    );
    let journal = bob.get("/lab/journal").await;
    assert!(
        journal.text.contains("researcher removed") && journal.text.contains("is whole"),
        "{}",
        journal.text
    );
}

/// The second factor's code for a secret at the server's time.
pub fn code(server: &Server, secret: &str) -> String {
    let totp = Builder::new().with_secret(Secret::try_from_base32(secret).unwrap()).build().unwrap();
    totp.generate(server.app.now().timestamp() as u64).to_string()
}

#[sqlx::test]
async fn sign_in_asks_for_the_second_factor_and_a_code_works_once(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut ada = Browser::signed_in(&server).await;
    let setup = ada.post("/lab/account/second-factor", &[]).await;
    assert!(setup.text.contains("<svg"));
    let secret = setup.texts("details code").remove(0);
    let confirm = "/lab/account/second-factor/confirm";
    let mistyped = ada.post(confirm, &[("code", "000000")]).await;
    assert_eq!(mistyped.status.as_u16(), 422);
    assert_eq!(mistyped.texts("details code"), [secret.as_str()], "the secret is unchanged");
    assert!(mistyped.texts("[role=alert]")[0].starts_with("The code is wrong."));
    assert!(!mistyped.text.contains("recovery code"), "recovery codes are shown only after confirmation");
    let confirmed = ada.post(confirm, &[("code", &code(&server, &secret))]).await;
    let recovery = confirmed.texts(".codes code");
    assert_eq!(recovery.len(), 10);
    assert_eq!(
        ada.post("/lab/account/second-factor", &[]).await.status.as_u16(),
        409,
        "the second factor is on already"
    );
    ada.post("/sign-out", &[]).await;
    let sign_in = [("email", "ada@example.org"), ("password", PASSWORD)];
    assert_eq!(ada.post("/sign-in", &sign_in).await.location, "/sign-in/code");
    assert_eq!(ada.get("/lab").await.location, "/sign-in", "the session opens no page before the code");
    let old = ada.post("/sign-in/code", &[("code", &code(&server, &secret))]).await;
    assert_eq!(old.status.as_u16(), 422, "the code was used for the confirmation");
    clock.advance(30);
    let fresh = code(&server, &secret);
    let before = ada.cookie.clone();
    assert_eq!(ada.post("/sign-in/code", &[("code", &fresh)]).await.location, "/lab");
    assert_ne!(ada.cookie, before, "the session has a new token");
    assert_eq!(ada.get("/lab").await.status.as_u16(), 200);
    let (start, end) = recovery[4].split_at(5);
    let in_groups = format!(" {} - {end} ", start.to_uppercase());
    let tries =
        [(&fresh, ""), (&recovery[3], "/lab"), (&recovery[3], ""), (&in_groups, "/lab"), (&recovery[4], "")];
    for (code, location) in tries {
        ada.post("/sign-out", &[]).await;
        ada.post("/sign-in", &sign_in).await;
        assert_eq!(ada.post("/sign-in/code", &[("code", code)]).await.location, location, "{code}");
    }
    clock.advance(60);
    ada.post("/sign-in/code", &[("code", &code(&server, &secret))]).await;
    assert!(ada.get("/lab/account").await.text.contains("8 recovery codes are left"));
    let wrong = ada.post("/lab/account/second-factor/off", &[("code", "1")]).await;
    assert_eq!(wrong.status.as_u16(), 422);
    assert!(wrong.texts("main button").contains(&"Turn off".to_owned()), "the form allows another try");
    ada.post("/lab/account/second-factor/off", &[("code", &recovery[0])]).await;
    ada.post("/sign-out", &[]).await;
    assert_eq!(ada.post("/sign-in", &sign_in).await.location, "/lab");
}

#[sqlx::test]
async fn setting_it_up_again_makes_a_new_secret_and_says_so(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let begin = "/lab/account/second-factor";
    let (first, second) = (ada.post(begin, &[]).await, ada.post(begin, &[]).await);
    let secret = |page: &Page| page.texts("details code").remove(0);
    assert_ne!(secret(&first), secret(&second));
    assert!(!first.text.contains("This is a new secret") && second.text.contains("This is a new secret"));
    let old = code(&server, &secret(&first));
    let refused = ada.post("/lab/account/second-factor/confirm", &[("code", &old)]).await;
    assert_eq!(refused.status.as_u16(), 422);
}

#[sqlx::test]
async fn recovery_codes_cannot_be_found_without_the_key(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let secret = ada.post("/lab/account/second-factor", &[]).await.texts("details code").remove(0);
    let first = code(&server, &secret);
    let confirmed = ada.post("/lab/account/second-factor/confirm", &[("code", &first)]).await;
    let codes = confirmed.texts(".codes code");
    let stored: Vec<Vec<u8>> =
        sqlx::query_scalar("select hmac from recovery_codes").fetch_all(&server.app.pool).await.unwrap();
    assert_eq!((codes.len(), stored.len()), (10, 10));
    let id = server.count("select id from researchers").await;
    for code in &codes {
        assert!(stored.contains(&server.app.secrets.recovery_hmac(id, code)), "the server has the key");
        assert!(!stored.contains(&weber::flow::secrets::token_sha256(code)));
    }
}

#[sqlx::test]
async fn codes_cannot_be_guessed_and_a_new_password_does_not_replace_them(pool: PgPool) {
    let clock = TestClock::new();
    let server = Server::with_clock(pool, clock.clone()).await;
    let mut ada = Browser::signed_in(&server).await;
    let secret = ada.post("/lab/account/second-factor", &[]).await.texts("details code").remove(0);
    ada.post("/lab/account/second-factor/confirm", &[("code", &code(&server, &secret))]).await;
    let invitation = Invitation::default();
    let link =
        team::invite(&server.app, &Actor::command_line(), "ada@example.org", invitation).await.unwrap();
    let token = link.split_once('#').unwrap().1;
    let form = [("token", token), ("password", PASSWORD), ("again", PASSWORD)];
    assert_eq!(ada.post("/set-password", &form).await.location, "/sign-in/code");
    clock.advance(60);
    for _ in 0..8 {
        assert_eq!(ada.post("/sign-in/code", &[("code", "123456")]).await.status.as_u16(), 422);
    }
    let right = code(&server, &secret);
    assert_eq!(ada.post("/sign-in/code", &[("code", &right)]).await.status.as_u16(), 429);
    let reset = Invitation { resets_second_factor: true, ..Invitation::default() };
    let link = team::invite(&server.app, &Actor::command_line(), "ada@example.org", reset).await.unwrap();
    let mut anew = Browser::new(&server);
    anew.set_password(link.split_once('#').unwrap().1).await;
}

#[sqlx::test]
async fn api_tokens_work_for_their_scopes_until_they_are_removed(pool: PgPool) {
    let server = Server::live(pool, 1).await;
    let mut ada = Browser::signed_in(&server).await;
    let made = ada.post("/lab/team/tokens", &[("name", "nightly"), ("export", "true")]).await;
    let token = made.texts("#made").remove(0);
    assert_eq!(
        ada.post("/lab/team/tokens", &[("name", "nightly"), ("export", "true")]).await.status.as_u16(),
        422
    );
    assert_eq!(ada.post("/lab/team/tokens", &[("name", "nothing")]).await.status.as_u16(), 422);
    let simulate =
        team::make_token(&server.app, &Actor::command_line(), "s", &[Scope::Simulate]).await.unwrap();
    let export = async |token: &str| {
        let url = format!("{}/lab/studies/demo/export/trials.csv", server.url);
        server.client.get(url).bearer_auth(token).send().await.unwrap().status().as_u16()
    };
    assert_eq!((export(&token).await, export(&simulate).await, export("guessed").await), (200, 401, 401));
    let noted = "select count(*) from journal where actor = 'token nightly' and action = 'exported'";
    assert_eq!(server.count(noted).await, 1);
    let link =
        server.post("/api/v1/simulation/link", Some(&token), serde_json::json!({ "study": "demo" })).await;
    assert_eq!(link.0, 401, "the token has no scope for simulations");
    ada.post("/lab/team/tokens/remove", &[("name", "nightly")]).await;
    assert_eq!(export(&token).await, 401);
}
