//! `weber serve`.

use anyhow::Context;
use tokio::net::TcpListener;

use super::data::Data;
use crate::config::{DataArgs, ServeArgs};
use crate::web::{self, Site, WebState};

/// Runs the server until it is told to stop.
pub async fn run(args: &DataArgs, serve: &ServeArgs) -> anyhow::Result<()> {
    let Data { app, changes } = Data::open(args).await?;
    let listener = TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("cannot listen on {}; is another server running there?", serve.listen))?;
    let address = listener.local_addr()?;
    let public_url = serve.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let state = WebState::new(app.clone(), changes, Site { public_url: public_url.clone() });
    super::say(format!("Weber runs at {public_url}"));
    axum::serve(listener, web::router(state)).with_graceful_shutdown(stop_signal()).await?;
    app.pool.close().await;
    Ok(())
}

async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
