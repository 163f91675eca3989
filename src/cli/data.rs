//! Opens the data: connects to the database, migrates it, and reads the installation's key.

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

/// The opened data.
pub struct Data {
    /// The state that flows need.
    pub app: App,
    /// The ids of studies that changed.
    pub changes: UnboundedReceiver<i64>,
    database: Database,
}

/// The server that runs the database.
pub enum Database {
    /// Another PostgreSQL, given by `DATABASE_URL`.
    Elsewhere(Box<PgConnectOptions>),
    /// A private PostgreSQL that this server runs.
    Own(local_postgres::Server),
    /// A private PostgreSQL, started for this command or used together with the server that runs it.
    Borrowed(local_postgres::Borrowed),
}

impl Database {
    /// Connects to the database. Starts it if it is private and does not run.
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

    /// The options with which clients connect to it.
    pub fn options(&self) -> PgConnectOptions {
        match self {
            Self::Elsewhere(options) => (**options).clone(),
            Self::Own(server) => server.options(),
            Self::Borrowed(borrowed) => borrowed.options(),
        }
    }

    /// The folders in which a private PostgreSQL stores data. They may be on another disk than the other data.
    fn folders(&self, args: &DataArgs) -> Vec<PathBuf> {
        match self {
            Self::Elsewhere(_) => Vec::new(),
            Self::Own(_) | Self::Borrowed(_) => {
                self.options().get_socket().cloned().into_iter().chain([args.data.clone()]).collect()
            }
        }
    }

    /// Works with the database without migrating it, and closes it even if the work fails. Ctrl-C and SIGTERM end the work early.
    pub async fn during<T>(self, work: impl AsyncFnOnce(&PgPool) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let pool = store::pool(self.options(), 2);
        let result = interruptible(work(&pool)).await;
        close(&pool, self).await?;
        result
    }

    /// Stops a private PostgreSQL, unless another program uses it.
    pub async fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Elsewhere(_) => Ok(()),
            Self::Own(server) => Ok(server.stop().await?),
            Self::Borrowed(borrowed) => Ok(borrowed.finish().await?),
        }
    }
}

impl Data {
    /// Opens the data for the server. A private PostgreSQL runs until the server ends.
    pub async fn open_to_serve(args: &DataArgs) -> anyhow::Result<Self> {
        let mut data = Self::open_in(args, Database::open(args, true).await?).await?;
        let folders = data.database.folders(args);
        data.app.readiness = Readiness::with_folders(folders);
        Ok(data)
    }

    /// Opens the data for a command, even while a server runs on them.
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

    /// Works with the data, and closes them even if the work fails. Ctrl-C and SIGTERM end the work early.
    pub async fn during<T>(self, work: impl AsyncFnOnce(&App) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let Self { app, database, .. } = self;
        let result = interruptible(work(&app)).await;
        close(&app.pool, database).await?;
        result
    }

    /// Like [`Self::during`], for work that handles the end itself and receives changes.
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
    // The wait is limited: PostgreSQL closes a connection that is still busy.
    let _ = tokio::time::timeout(std::time::Duration::from_secs(5), pool.close()).await;
    database.close().await
}

/// Refuses another key than the database's: it would break the once-only rule and the addresses of images.
async fn check_key(pool: &PgPool, secrets: &Secrets) -> anyhow::Result<()> {
    let mut conn = pool.acquire().await?;
    if store::installation::claim_key(&mut conn, &secrets.fingerprint()).await? != secrets.fingerprint() {
        bail!(
            "the database was made with another secret key. Give the key that it was made with, as WEBER_SECRET_KEY or \
             as the file `secret` in the data folder; without it people who took part already cannot be recognised"
        );
    }
    Ok(())
}

/// The installation's key, from the settings or the data folder. It is made if it is missing.
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

/// The file that holds the key, unless the settings give the key.
pub fn key_path(args: &DataArgs) -> PathBuf {
    args.data.join("secret")
}

/// The installation's key, from the settings or the data folder.
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

/// Puts the key into the data folder, readable by its owner only, and returns the key that is kept. If several programs do so at
/// the same time, all use the key of the first.
pub fn keep_key(args: &DataArgs, key: [u8; 32]) -> anyhow::Result<[u8; 32]> {
    let path = key_path(args);
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(&args.data)?;
        // The file gets its name only when it is complete, so that a crash leaves no half-written key.
        let mut draft = tempfile::NamedTempFile::new_in(&args.data)?;
        writeln!(draft, "{}", hex::encode(key))?;
        draft.as_file().sync_all()?;
        match draft.persist_noclobber(&path) {
            Err(refused) if refused.error.kind() != std::io::ErrorKind::AlreadyExists => Err(refused.error),
            _ => Ok(()),
        }
    };
    write().with_context(|| format!("{} cannot be written", path.display()))?;
    existing_key(args)?.context("the secret key was removed just after it was made")
}
