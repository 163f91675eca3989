//! Opening the data: the database, migrated, and the installation's key.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::DataArgs;
use crate::flow::App;
use crate::flow::app::{Clock, SystemClock};
use crate::flow::readiness::Readiness;
use crate::flow::secrets::Secrets;
use crate::store;
use weber_local_postgres::{self as local_postgres, LocalPostgres};

/// The data, open.
pub struct Data {
    /// What flows need.
    pub app: App,
    /// Studies in which something changed.
    pub changes: UnboundedReceiver<i64>,
    database: Database,
}

/// Where the database runs.
pub enum Database {
    /// Somewhere else, by `DATABASE_URL`.
    Elsewhere(Box<PgConnectOptions>),
    /// Here, for this server.
    Own(local_postgres::Server),
    /// Here, for this command or for the server that runs beside it.
    Borrowed(local_postgres::Borrowed),
}

impl Database {
    /// Reaches the database, and starts it if it is a private one.
    pub async fn open(args: &DataArgs, serve: bool) -> anyhow::Result<Self> {
        match &args.database_url {
            Some(url) => {
                let options = PgConnectOptions::from_str(url.expose_secret());
                Ok(Self::Elsewhere(Box::new(
                    options.context("DATABASE_URL is not the address of a PostgreSQL")?,
                )))
            }
            None if serve => Ok(Self::Own(LocalPostgres::new(&args.data).serve(SystemClock.now()).await?)),
            None => Ok(Self::Borrowed(LocalPostgres::new(&args.data).borrow().await?)),
        }
    }

    /// How to connect to it.
    pub fn options(&self) -> PgConnectOptions {
        match self {
            Self::Elsewhere(options) => (**options).clone(),
            Self::Own(server) => server.options(),
            Self::Borrowed(borrowed) => borrowed.options(),
        }
    }

    /// Where a private one keeps what it is given; it may be on another disk than the rest of the data.
    fn folders(&self, args: &DataArgs) -> Vec<PathBuf> {
        match self {
            Self::Elsewhere(_) => Vec::new(),
            Self::Own(_) | Self::Borrowed(_) => {
                self.options().get_socket().cloned().into_iter().chain([args.data.clone()]).collect()
            }
        }
    }

    /// Does something with the database as it is, without bringing its schema up to date, and closes it, whatever comes of
    /// it; Ctrl-C and SIGTERM end it early.
    pub async fn during<T>(self, work: impl AsyncFnOnce(&PgPool) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let pool = store::pool(self.options(), 2);
        let result = interruptible(work(&pool)).await;
        close(&pool, self).await?;
        result
    }

    /// Ends a private one, unless somebody else uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Elsewhere(_) => Ok(()),
            Self::Own(server) => Ok(server.stop().await?),
            Self::Borrowed(borrowed) => Ok(borrowed.finish().await?),
        }
    }
}

impl Data {
    /// Opens the data for the server: a private PostgreSQL runs as long as it does.
    pub async fn open_to_serve(args: &DataArgs) -> anyhow::Result<Self> {
        let mut data = Self::open_in(args, Database::open(args, true).await?).await?;
        let folders = data.database.folders(args);
        data.app.readiness = Readiness::with_folders(folders);
        Ok(data)
    }

    /// Opens the data for a command, whether a server runs on them or not.
    pub async fn open(args: &DataArgs) -> anyhow::Result<Self> {
        Self::open_in(args, Database::open(args, false).await?).await
    }

    async fn open_in(args: &DataArgs, database: Database) -> anyhow::Result<Self> {
        let opened = async {
            let pool = store::pool(database.options(), args.database_connections);
            if let Database::Elsewhere(_) = database {
                store::pooler::check(&pool).await?;
            }
            store::migrate(&pool).await?;
            let secrets = Secrets::new(key(args)?);
            check_key(&pool, &secrets).await?;
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).context("the operating system gives no random numbers")?;
            anyhow::Ok(App::new(pool, secrets, Arc::new(SystemClock), seed))
        };
        match opened.await {
            Ok((app, changes)) => Ok(Self { app, changes, database }),
            Err(error) => {
                database.close().await?;
                Err(error)
            }
        }
    }

    /// Does something with the data and closes them, whatever comes of it; Ctrl-C and SIGTERM end it early.
    pub async fn during<T>(self, work: impl AsyncFnOnce(&App) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let Self { app, database, .. } = self;
        let result = interruptible(work(&app)).await;
        close(&app.pool, database).await?;
        result
    }

    /// Like [`Self::during`], for work that sees to its own end and hears of changes.
    pub async fn during_all<T>(
        self,
        work: impl AsyncFnOnce(&App, UnboundedReceiver<i64>) -> anyhow::Result<T>,
    ) -> anyhow::Result<T> {
        let Self { app, changes, database } = self;
        let result = work(&app, changes).await;
        close(&app.pool, database).await?;
        result
    }
}

async fn interruptible<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let stop = super::stop_token();
    tokio::select! {
        result = work => result,
        () = stop.cancelled() => Err(anyhow::anyhow!("stopped")),
    }
}

async fn close(pool: &PgPool, database: Database) -> anyhow::Result<()> {
    // A connection that is still busy must not hold up the end for ever: PostgreSQL cuts it.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), pool.close()).await;
    database.close().await
}

/// A database belongs to one key: another one would break the once-only rule and every image's address.
async fn check_key(pool: &PgPool, secrets: &Secrets) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    if store::installation::claim_key(&mut conn, &secrets.fingerprint()).await? != secrets.fingerprint() {
        bail!(
            "the database was made with another secret key. Give the one it was made with, as WEBER_SECRET_KEY or as \
             the file `secret` in the data folder; without it nobody can be recognised who already took part"
        );
    }
    Ok(())
}

/// The installation's key: as given, or from the data folder, where it is made when it is missing.
fn key(args: &DataArgs) -> anyhow::Result<[u8; 32]> {
    match existing_key(args)? {
        Some(key) => Ok(key),
        None => {
            let mut key = [0; 32];
            getrandom::fill(&mut key).context("the operating system gives no random numbers")?;
            keep_key(args, key)
        }
    }
}

/// The file that holds the key, unless it is given otherwise.
pub fn key_path(args: &DataArgs) -> PathBuf {
    args.data.join("secret")
}

/// The installation's key as given, or from the data folder.
pub fn existing_key(args: &DataArgs) -> anyhow::Result<Option<[u8; 32]>> {
    if let Some(key) = &args.secret_key {
        let key = parse_key(key.expose_secret()).context("WEBER_SECRET_KEY must be 64 hexadecimal digits")?;
        return Ok(Some(key));
    }
    let path = key_path(args);
    match fs::read_to_string(&path) {
        Ok(text) => Ok(Some(
            parse_key(text.trim())
                .with_context(|| format!("{} must hold 64 hexadecimal digits", path.display()))?,
        )),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn parse_key(text: &str) -> anyhow::Result<[u8; 32]> {
    Ok(<[u8; 32]>::try_from(hex::decode(text)?.as_slice())?)
}

/// Puts the key into the data folder, readable by its owner only. Returns the key that is kept: of programs that do so at
/// once, one is the first and all go by its key.
pub fn keep_key(args: &DataArgs, key: [u8; 32]) -> anyhow::Result<[u8; 32]> {
    let path = key_path(args);
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&args.data)?;
        // Under its own name only when it is complete, so that a crash leaves no half a key.
        let mut draft = tempfile::NamedTempFile::new_in(&args.data)?;
        writeln!(draft, "{}", hex::encode(key))?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(&path) {
            Err(refused) if refused.error.kind() != std::io::ErrorKind::AlreadyExists => Err(refused.error),
            _ => Ok(()),
        }
    };
    write().with_context(|| format!("{} cannot be written", path.display()))?;
    existing_key(args)?.context("the secret key vanished as soon as it was made")
}
