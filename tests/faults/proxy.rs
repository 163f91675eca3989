//! An HTTP proxy between people and the server that simulates faults of the network. Each request has its own connection.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha20Rng;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the proxy can do to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NetworkFault {
    /// The server gets a part of the request, and then the connection is cut.
    CutRequest,
    /// The server gets the request, but the reply is lost.
    LoseReply,
    /// The server gets the request, and the connection is cut in the middle of the reply.
    CutReply,
    /// Request and reply are delayed.
    Delay,
    /// The request reaches the server twice at the same time.
    Repeat,
    /// The client gets no reply, and the request reaches the server after later ones.
    HoldBack,
    /// The server gets a part of the body with a matching length, and the reply is lost.
    Truncate,
}

impl NetworkFault {
    pub const ALL: [Self; 7] = [
        Self::CutRequest,
        Self::LoseReply,
        Self::CutReply,
        Self::Delay,
        Self::Repeat,
        Self::HoldBack,
        Self::Truncate,
    ];
}

/// A request that is held back is sent on after so many later ones ...
const OVERTAKERS: u64 = 25;
/// ... or after this time, if fewer follow.
const LONGEST_DETOUR: Duration = Duration::from_secs(2);

/// The proxy; it ends with the test's runtime.
#[derive(Clone)]
pub struct Network {
    server: Arc<str>,
    share: f64,
    rng: Arc<Mutex<ChaCha20Rng>>,
    passed: watch::Sender<u64>,
    happened: Arc<Mutex<BTreeMap<NetworkFault, u32>>>,
}

impl Network {
    /// Starts a proxy in front of a server, which applies faults to a share of the requests. Returns it with its address.
    pub async fn before(server: &str, share: f64) -> (Self, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let network = Self {
            server: server.into(),
            share,
            rng: Arc::new(Mutex::new(ChaCha20Rng::seed_from_u64(3))),
            passed: watch::Sender::new(0),
            happened: Arc::default(),
        };
        let proxy = network.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let proxy = proxy.clone();
                // Errors are ignored, because cut connections are among the faults.
                tokio::spawn(async move { proxy.hand_on(client).await.ok() });
            }
        });
        (network, url)
    }

    /// How often each fault was applied.
    pub fn happened(&self) -> BTreeMap<NetworkFault, u32> {
        self.happened.lock().unwrap().clone()
    }

    fn draw(&self, request: &Request) -> Option<NetworkFault> {
        let mut rng = self.rng.lock().unwrap();
        let fault = rng.random_bool(self.share).then(|| *NetworkFault::ALL.choose(&mut rng).unwrap());
        // A repeated opening of the participation would look like a second tab, which takes over from the first.
        let opens_again =
            matches!(fault, Some(NetworkFault::Repeat | NetworkFault::HoldBack)) && request.opens();
        let fault = fault.filter(|_| !opens_again);
        *self.happened.lock().unwrap().entry(fault?).or_default() += 1;
        fault
    }

    async fn hand_on(&self, mut client: TcpStream) -> io::Result<()> {
        let request = Request::read(&mut client).await?;
        let Some(fault) = self.draw(&request) else { return self.answer(&mut client, &request).await };
        match fault {
            NetworkFault::CutRequest => {
                self.send(&request.bytes()[..request.bytes().len() * 2 / 3]).await.map(drop)
            }
            NetworkFault::LoseReply => self.ask(&request).await.map(drop),
            NetworkFault::CutReply => {
                let reply = self.ask(&request).await?;
                client.write_all(&reply[..reply.len() * 2 / 3]).await
            }
            NetworkFault::Delay => {
                tokio::time::sleep(Duration::from_millis(150)).await;
                let reply = self.ask(&request).await?;
                tokio::time::sleep(Duration::from_millis(150)).await;
                client.write_all(&reply).await
            }
            NetworkFault::Repeat => {
                let (one, other) = tokio::join!(self.ask(&request), self.ask(&request));
                other?;
                client.write_all(&one?).await
            }
            NetworkFault::HoldBack => {
                drop(client);
                let mut passed = self.passed.subscribe();
                let enough = *passed.borrow() + OVERTAKERS;
                let overtaken = passed.wait_for(|passed| *passed >= enough);
                let _ = tokio::time::timeout(LONGEST_DETOUR, overtaken).await;
                self.ask(&request).await.map(drop)
            }
            NetworkFault::Truncate => {
                let reply = self.ask(&request.truncated()).await?;
                let is_page = request.body.is_empty();
                assert!(is_page || reply.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&reply));
                Ok(())
            }
        }
    }

    async fn answer(&self, client: &mut TcpStream, request: &Request) -> io::Result<()> {
        let reply = self.ask(request).await?;
        self.passed.send_modify(|passed| *passed += 1);
        client.write_all(&reply).await
    }

    async fn send(&self, bytes: &[u8]) -> io::Result<TcpStream> {
        let mut server = TcpStream::connect(&*self.server).await?;
        server.write_all(bytes).await?;
        Ok(server)
    }

    async fn ask(&self, request: &Request) -> io::Result<Vec<u8>> {
        let mut reply = Vec::new();
        self.send(&request.bytes()).await?.read_to_end(&mut reply).await?;
        Ok(reply)
    }
}

/// A request with its headers except its length. It tells the server to close the connection after the reply.
#[derive(Debug, Clone)]
struct Request {
    head: String,
    body: Vec<u8>,
}

impl Request {
    async fn read(client: &mut TcpStream) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let end = loop {
            if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
                break at;
            }
            if client.read_buf(&mut bytes).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        };
        let mut body = bytes.split_off(end + 4);
        let head = String::from_utf8(bytes).unwrap();
        let (length, others): (Vec<&str>, Vec<&str>) = head
            .trim_end()
            .split("\r\n")
            .partition(|line| line.to_lowercase().starts_with("content-length:"));
        let length = length.first().map_or(0, |line| line["content-length:".len()..].trim().parse().unwrap());
        while body.len() < length {
            if client.read_buf(&mut body).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Ok(Self { head: others.join("\r\n") + "\r\nconnection: close", body })
    }

    fn opens(&self) -> bool {
        self.head.starts_with("POST /api/v1/open ")
    }

    fn truncated(&self) -> Self {
        Self { head: self.head.clone(), body: self.body[..self.body.len() / 2].into() }
    }

    fn bytes(&self) -> Vec<u8> {
        let head = format!("{}\r\ncontent-length: {}\r\n\r\n", self.head, self.body.len());
        [head.as_bytes(), &self.body].concat()
    }
}
