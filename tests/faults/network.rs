//! Faults of the network between people and the server.

use crate::proxy::{Network, NetworkFault};
use crate::support::Installation;

#[tokio::test(flavor = "multi_thread")]
async fn requests_are_cut_lost_late_repeated_overtaken_and_truncated() {
    let installation = Installation::shared().await.with_study(40);
    let server = installation.serve();
    let (network, url) = Network::before(server.address(), 0.25).await;
    let report = installation.crowd(&[&url], 50).all_complete().await;
    installation.account_for(&report);
    let happened = network.happened();
    assert!(NetworkFault::ALL.iter().all(|fault| happened.get(fault) > Some(&10)), "{happened:?}");
}
