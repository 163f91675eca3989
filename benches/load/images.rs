//! Measures images from memory, against nginx on the same files.

use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::Line;
use super::http::Connection;
use super::people;
use super::server::Server;

const CONNECTIONS: usize = 32;
const SECONDS: u64 = 5;
const LIMIT: f64 = 0.7;
const IMAGES: usize = 400;

pub async fn measure(server: &Arc<Server>) -> Vec<Line> {
    let addresses = Arc::new(addresses(server).await);
    let folder = tempfile::tempdir().expect("a folder");
    save(server, &addresses, &folder.path().join("images")).await;
    let port =
        std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a port").port();
    let mut nginx = nginx(folder.path(), port);
    let theirs = rate(&format!("127.0.0.1:{port}"), &addresses).await;
    let ours = rate(&server.host, &addresses).await;
    // nginx ends its workers only if it is asked to end, not if it is killed.
    let _ = Command::new("kill").arg(nginx.id().to_string()).status();
    let _ = nginx.wait();
    let share = ours / theirs;
    vec![Line::new(
        format!("(e) images per second, {CONNECTIONS} connections"),
        format!("{ours:.0}, {share:.2} of nginx's {theirs:.0}"),
        format!("at least {LIMIT} of nginx"),
        share >= LIMIT,
    )]
}

/// Addresses of images as several people load them.
async fn addresses(server: &Server) -> Vec<String> {
    let (link, consent) = people::door(server).await;
    people::make_room(server, IMAGES);
    let enrolment = people::enrolment(&link, &consent);
    let mut connection = server.connect().await;
    let mut addresses = Vec::new();
    while addresses.len() < IMAGES {
        let (_, opened) = people::open(&mut connection, &server.token, &enrolment).await;
        let text = opened["blocks"].to_string();
        let found = text.split("/images/").skip(1).filter_map(|rest| rest.split('"').next());
        addresses.extend(found.map(str::to_owned));
    }
    addresses.truncate(IMAGES);
    addresses
}

async fn save(server: &Server, addresses: &[String], folder: &std::path::Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let mut connection = server.connect().await;
    for address in addresses {
        let image = connection.get(&format!("/images/{address}")).await.expect("an image");
        assert_eq!(image.status, 200);
        std::fs::write(folder.join(address), image.body).expect("a file");
    }
}

/// Starts nginx with as many workers as processors, with the usual settings for files.
fn nginx(folder: &std::path::Path, port: u16) -> Child {
    let root = folder.display();
    let settings = format!(
        "daemon off; worker_processes auto; pid {root}/pid; error_log {root}/errors;
         events {{ worker_connections 1024; }}
         http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; open_file_cache max=1000;
                client_body_temp_path {root}/a; proxy_temp_path {root}/b; fastcgi_temp_path {root}/c;
                uwsgi_temp_path {root}/d; scgi_temp_path {root}/e;
                server {{ listen 127.0.0.1:{port}; root {root}; default_type image/jpeg; }} }}"
    );
    let file = folder.join("nginx.conf");
    std::fs::write(&file, settings).expect("a file");
    // Its workers do not run as root and must be able to read the files.
    said_ok(Command::new("chmod").args(["-R", "a+rX"]).arg(folder));
    let child = Command::new("nginx")
        .arg("-c")
        .arg(&file)
        .arg("-e")
        .arg(folder.join("errors"))
        .spawn()
        .expect("nginx");
    std::thread::sleep(Duration::from_millis(500));
    child
}

fn said_ok(command: &mut Command) {
    assert!(command.status().expect("it runs").success(), "{command:?}");
}

async fn rate(host: &str, addresses: &Arc<Vec<String>>) -> f64 {
    let count = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let until = began + Duration::from_secs(SECONDS);
    let workers = (0..CONNECTIONS).map(|n| {
        let (host, addresses, count) = (host.to_owned(), addresses.clone(), count.clone());
        tokio::spawn(async move {
            let mut connection = Connection::open(&host).await.expect("a connection");
            let mut at = n * 7;
            while Instant::now() < until {
                let image = connection.get(&format!("/images/{}", addresses[at % addresses.len()])).await;
                assert_eq!(image.expect("an image").status, 200);
                count.fetch_add(1, Ordering::Relaxed);
                at += 1;
            }
        })
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.expect("a worker");
    }
    count.load(Ordering::Relaxed) as f64 / began.elapsed().as_secs_f64()
}
