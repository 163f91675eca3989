//! `weber serve` runs the server.

use std::time::Duration;

use anyhow::Context;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::data::Data;
use super::descriptors;
use crate::config::{DataArgs, ServeArgs};
use crate::flow::App;
use crate::flow::audit::log::Actor;
use crate::flow::lab::team;
use crate::flow::lab::team::Invitation;
use crate::store;
use crate::web::http::serve::ConnectionLimits;
use crate::web::http::startup::Startup;
use crate::web::{self, Site, WebState};

/// How long a server that was told to stop answers open requests: longer than any request may take.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(35);

/// Runs the server until it is told to stop.
pub async fn run(args: &DataArgs, serve: &ServeArgs) -> anyhow::Result<()> {
    let share = descriptors::share(
        serve.connections,
        args.database_connections + store::record_connection::CONNECTIONS,
    )?;
    share.tell(serve.connections);
    // The address is taken before anything is started, so that a second server fails at once.
    let listener = TcpListener::bind(serve.listen)
        .await
        .with_context(|| format!("cannot listen on {}: is another server running there?", serve.listen))?;
    let address = listener.local_addr()?;
    let public_url = serve.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let site = site(serve, &public_url);
    let bounds = ConnectionLimits::new(
        share.connections,
        serve.connections_per_address as usize,
        &site.trusted_proxies,
    );
    let stop = super::stop_token();
    // The server answers liveness checks from now on, and other requests once everything is ready.
    let entrance = Startup::default();
    let serving = web::http::serve::serve(listener, entrance.clone(), bounds, stop.clone().cancelled_owned());
    let mut serving = tokio::spawn(serving);
    let data = Data::open_to_serve(args).await?;
    data.during_all(async |app, changes| {
        tokio::select! {
            ready = super::demo::import_if_empty(app, args) => ready?,
            () = stop.cancelled() => return Ok(()),
        }
        let state = WebState::new(app.clone(), changes, site);
        let live = state.live.stop.clone();
        let stopping = stop.clone();
        // Streams of open pages end, since they would keep the server from stopping.
        tokio::spawn(async move {
            stopping.cancelled().await;
            live.cancel();
        });
        entrance.open(web::router(state));
        greet(app, &public_url).await?;
        tokio::select! {
            served = &mut serving => served?,
            () = store::keep_ready(&app.pool) => {}
            () = too_long_after(&stop) => tracing::warn!("Some clients did not finish their requests; the server stops without them"),
        }
        super::say("Weber has stopped.");
        Ok(())
    })
    .await
}

/// Ends when all complete requests are answered. Only clients that never finish a request are left then.
async fn too_long_after(stop: &CancellationToken) {
    stop.cancelled().await;
    tokio::time::sleep(SHUTDOWN_TIMEOUT).await;
}

fn site(serve: &ServeArgs, public_url: &str) -> Site {
    let mut site = Site::at(public_url.to_owned());
    site.mturk_origins.extend(serve.mturk_origin.iter().cloned());
    site.trusted_proxies.extend(&serve.trusted_proxy);
    site.newcomers_per_address = serve.newcomers_per_address as usize;
    if let Some(url) = &serve.prolific_keys_url {
        site.prolific_keys_url = url.to_string();
    }
    site
}

/// Prints all addresses at once, so that a program that waits for the first line gets the others with it.
async fn greet(app: &App, public_url: &str) -> anyhow::Result<()> {
    let line = |name: &str, path: &str| format!("  {name:<22} {public_url}{path}");
    let mut lines = vec![format!("\nWeber runs at {public_url} (Ctrl-C stops it)\n")];
    let mut conn = app.pool.acquire().await?;
    for study in store::studies::all(&mut conn).await? {
        for link in store::links::all(&mut conn, study.id).await?.iter().filter(|link| link.enabled) {
            let name = format!("{} ({})", study.slug, link.definition.name);
            lines.push(line(&name, &format!("/enter/{}", link.code)));
        }
    }
    lines.push(line("researchers", "/lab"));
    let (_, with_password) = store::researchers::counts(&mut conn).await?;
    drop(conn);
    if with_password == 0 {
        let rights = Invitation { sees_identities: true, ..Invitation::default() };
        let path = team::invite(app, &Actor::command_line(), "admin@localhost", rights).await?;
        lines.push(line("set first password", &path));
        lines.push(
            "\nThe first researcher signs in as admin@localhost; the link is good once, for 7 days.".into(),
        );
    }
    super::say(lines.join("\n"));
    Ok(())
}
