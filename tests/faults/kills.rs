//! The server, or PostgreSQL, is ended by SIGKILL.

use std::time::Duration;

use crate::support::Installation;

const MOMENT: Duration = Duration::from_millis(700);

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_in_the_middle_of_a_crowd() {
    let installation = Installation::private().with_study(20);
    let mut server = installation.serve();
    let crowd = installation.crowd(&[&server.url], 50);
    for _ in 0..2 {
        tokio::time::sleep(MOMENT).await;
        let address = server.address().to_owned();
        server.kill();
        server = installation.serve_at(&address);
    }
    installation.account_for(&crowd.all_complete().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_is_killed_in_the_middle_of_a_crowd() {
    let installation = Installation::private().with_study(20);
    let server = installation.serve();
    let crowd = installation.crowd(&[&server.url], 50);
    for _ in 0..2 {
        tokio::time::sleep(MOMENT).await;
        installation.kill_postgres().await;
    }
    installation.account_for(&crowd.all_complete().await);
}
