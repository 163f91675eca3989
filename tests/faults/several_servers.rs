//! Several servers on one database.

use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use weber::simulate::Ending;

use crate::support::{Installation, Running, endless_study, http};

#[tokio::test(flavor = "multi_thread")]
async fn three_hundred_people_on_two_servers_fill_every_slot_once() {
    let installation = Installation::shared().await.with_study(50);
    let (one, other) = (installation.serve(), installation.serve());
    let crowd = installation.crowd_of(&[&one.url, &other.url], 300, "honest=0.95,careless=0.05", 0.0);
    let report = crowd.report().await;
    assert_eq!(report.troubles, Default::default());
    assert_eq!(installation.account_for(&report), [50; 5], "{:?}", report.endings);
    assert!(report.endings[&Ending::Full] > 0, "more people came than there are slots");
}

/// Stops a server by SIGTERM, starts it again at the same address, and returns once it is ready.
async fn restart(installation: &Installation, server: Running) -> Running {
    let address = server.address().to_owned();
    tokio::task::block_in_place(|| {
        server.stop("-TERM");
        installation.serve_at(&address)
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_loses_no_answer_and_ends_no_session() {
    let installation = Installation::shared().await.with_study(20);
    let (mut one, mut other) = (installation.serve(), installation.serve());
    let cookie = sign_in(&installation, &one).await;
    let crowd = installation.crowd(&[&one.url, &other.url], 80);
    tokio::time::sleep(Duration::from_millis(500)).await;
    one = restart(&installation, one).await;
    other = restart(&installation, other).await;
    assert!(!crowd.is_finished(), "people were answering during the restart");
    installation.account_for(&crowd.all_complete().await);
    for server in [&one, &other] {
        let lab = http().get(format!("{}/lab", server.url)).header(COOKIE, &cookie);
        let lab = lab.send().await.unwrap();
        assert!(lab.status().is_success(), "still signed in");
    }
}

/// Adds a researcher and sets the password. Returns the session's cookies.
async fn sign_in(installation: &Installation, server: &Running) -> String {
    let said = installation.weber(&["researcher", "add", "ada@example.org"]);
    let (_, token) = said.split_once("/set-password#").unwrap();
    let token = token.split_whitespace().next().unwrap();
    let password = "correct horse battery";
    let form = [("token", token), ("password", password), ("again", password)];
    let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = http().post(format!("{}/set-password", server.url)).body(body);
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let response = request.header("sec-fetch-site", "same-origin").send().await.unwrap();
    let cookies = response.headers().get_all(SET_COOKIE).iter().map(|cookie| cookie.to_str().unwrap());
    cookies.map(|cookie| cookie.split(';').next().unwrap()).collect::<Vec<_>>().join("; ")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_programs_that_start_at_once_on_an_empty_database_make_one_key_and_one_study() {
    let installation = Installation::shared().await;
    let study = endless_study(2);
    let import = || {
        let mut command = installation.command();
        command.args(["import", study.path().to_str().unwrap()]).output().unwrap()
    };
    let outputs = std::thread::scope(|scope| {
        let others: Vec<_> = (0..3).map(|_| scope.spawn(import)).collect();
        others.into_iter().map(|other| other.join().unwrap()).collect::<Vec<_>>()
    });
    for output in outputs {
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let server = installation.serve();
    let report = installation.crowd(&[&server.url], 10).all_complete().await;
    // An honest simulated person may be excluded, and then the slot is opened again.
    installation.account_for(&report);
    assert_eq!(installation.slots(), [2; 5]);
}
