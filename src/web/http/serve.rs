//! Accepts connections, a limited number in all and per network. Connections of clients that send no request, or that do not
//! read the response, are closed.

use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
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
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use crate::web::http::connections::Connections;
use crate::web::http::startup::Startup;
use crate::web::http::write_progress::Progressing;

/// Limits on the connections of clients.
#[derive(Debug, Clone)]
pub struct ConnectionLimits {
    /// Connections at the same time, at most; further ones wait to be accepted.
    pub connections: usize,
    /// How long a client may take to send a request's head, and how long a connection may be idle. It is longer than the
    /// interval between two signs of life of the trial program, so that these use one connection.
    pub head: Duration,
    /// How long a client may read nothing of a response.
    pub write: Duration,
    /// Connections of one network at the same time, at most; further ones are closed at once.
    pub per_network: usize,
    /// Networks that may have more: proxies, and this machine.
    pub exempt: Vec<IpNet>,
}

impl ConnectionLimits {
    /// Limits all connections and those of one network, which gets half of all at most, so that others can still connect.
    pub fn new(connections: usize, per_network: usize, proxies: &[IpNet]) -> Self {
        let exempt = THIS_MACHINE.iter().chain(proxies).copied().collect();
        Self { connections, per_network: per_network.min(connections / 2), exempt, ..Self::default() }
    }
}

/// The addresses of this machine.
const THIS_MACHINE: [IpNet; 2] = [
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(127, 0, 0, 0), 8)),
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128)),
];

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            connections: 8192,
            head: Duration::from_secs(30),
            write: Duration::from_secs(30),
            per_network: 1024,
            exempt: THIS_MACHINE.into(),
        }
    }
}

/// Answers requests until `stop` resolves; then it finishes the requests that have begun.
pub async fn serve(
    mut listener: TcpListener,
    entrance: impl Into<Startup>,
    bounds: ConnectionLimits,
    stop: impl Future<Output = ()>,
) {
    let entrance = entrance.into();
    let networks = Connections::new(bounds.per_network, &bounds.exempt);
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
        let Some(place_of_network) = networks.admit(client.ip()) else { continue };
        let connection = under_way.watch(connection(stream, client, &entrance, &bounds));
        tokio::spawn(async move {
            // An error here means that the client closed the connection: nothing is left to do.
            let _ = connection.await;
            drop((place, place_of_network));
        });
    }
    drop(listener);
    under_way.shutdown().await;
}

fn connection(
    stream: TcpStream,
    client: SocketAddr,
    entrance: &Startup,
    bounds: &ConnectionLimits,
) -> impl GracefulConnection + Send + use<> {
    let entrance = entrance.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(client));
        let entrance = entrance.clone();
        async move { Ok::<_, Infallible>(entrance.answer(request).await) }
    });
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(bounds.head)
        .serve_connection(TokioIo::new(Progressing::new(stream, bounds.write)), service)
}
