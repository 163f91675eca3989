//! Accepting connections: a bounded number of them, and none that is held open by a client who never asks for anything.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::serve::Listener;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulConnection, GracefulShutdown};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::responder::Responder;

/// What clients may take up.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Connections at the same time, at most; whoever comes then waits to be accepted.
    pub connections: usize,
    /// How long a client may take to say what it wants, and how long a connection may stand idle. Longer than the trial
    /// program's silence between two signs of life, so that these go by one connection.
    pub head: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { connections: 8192, head: Duration::from_secs(30) }
    }
}

/// Answers until it is told to stop; then it lets what is under way come to its end.
pub async fn serve(
    mut listener: TcpListener,
    responder: Responder,
    bounds: Bounds,
    stop: impl Future<Output = ()>,
) {
    let places = Arc::new(Semaphore::new(bounds.connections));
    let under_way = GracefulShutdown::new();
    let mut stop = pin!(stop);
    loop {
        let next = async {
            let place = places.clone().acquire_owned().await;
            (place, Listener::accept(&mut listener).await)
        };
        let (place, (stream, client)) = tokio::select! {
            next = next => next,
            () = &mut stop => break,
        };
        let connection = under_way.watch(connection(stream, client, &responder, bounds));
        tokio::spawn(async move {
            // A client that breaks off has no one to be told about it.
            let _ = connection.await;
            drop(place);
        });
    }
    drop(listener);
    under_way.shutdown().await;
}

fn connection(
    stream: TcpStream,
    client: SocketAddr,
    responder: &Responder,
    bounds: Bounds,
) -> impl GracefulConnection + Send + 'static {
    let responder = responder.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(client));
        let responder = responder.clone();
        async move { Ok::<_, Infallible>(responder.answer(request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .serve_connection(TokioIo::new(stream), service)
}
