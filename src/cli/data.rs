//! Opening the data: the database, migrated, and the installation's key.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context, bail};
use secrecy::ExposeSecret;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::mpsc::UnboundedReceiver;

use crate::config::DataArgs;
use crate::flow::App;
use crate::flow::app::SystemClock;
use crate::flow::secrets::Secrets;
use crate::store;

/// The data, open.
pub struct Data {
    /// What flows need.
    pub app: App,
    /// Studies in which something changed.
    pub changes: UnboundedReceiver<i64>,
}

impl Data {
    /// Opens the data for a command.
    pub async fn open(args: &DataArgs) -> anyhow::Result<Self> {
        let url = args.database_url.as_deref().context("DATABASE_URL is not set")?;
        let options =
            PgConnectOptions::from_str(url).context("DATABASE_URL is not the address of a PostgreSQL")?;
        let pool = store::pool(options, args.database_connections);
        store::migrate(&pool).await?;
        let secrets = Secrets::new(key(args)?);
        check_key(&pool, &secrets).await?;
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).context("the operating system gives no random numbers")?;
        let (app, changes) = App::new(pool, secrets, Arc::new(SystemClock), seed);
        Ok(Self { app, changes })
    }

    /// Closes the data.
    pub async fn close(self) {
        self.app.pool.close().await;
    }
}

/// A database belongs to one key: another one would break the once-only rule and every image's address.
async fn check_key(pool: &sqlx::PgPool, secrets: &Secrets) -> anyhow::Result<()> {
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
    if let Some(key) = &args.secret_key {
        return parse_key(key.expose_secret()).context("WEBER_SECRET_KEY must be 64 hexadecimal digits");
    }
    let path = args.data.join("secret");
    match fs::read_to_string(&path) {
        Ok(text) => parse_key(text.trim())
            .with_context(|| format!("{} must hold 64 hexadecimal digits", path.display())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make_key(&args.data, &path),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn parse_key(text: &str) -> anyhow::Result<[u8; 32]> {
    Ok(<[u8; 32]>::try_from(hex::decode(text)?.as_slice())?)
}

fn make_key(folder: &Path, path: &Path) -> anyhow::Result<[u8; 32]> {
    let mut key = [0; 32];
    getrandom::fill(&mut key).context("the operating system gives no random numbers")?;
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        // Under its own name only when it is complete, so that a crash leaves no half a key.
        let draft = path.with_extension("tmp");
        let _ = fs::remove_file(&draft);
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        writeln!(file, "{}", hex::encode(key))?;
        file.sync_all()?;
        fs::rename(&draft, path)
    };
    write().with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(key)
}
