//! One cluster: making it, starting its server, and finding out how it is.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{Connection, PgConnection};
use tokio::process::Child;
use tokio::time::{sleep, timeout};

use super::account::Account;
use super::error::{Error, cannot};
use super::place::Place;
use super::postmaster::{self, PidFile};
use super::programs::Programs;
use super::{LocalPostgres, log};

/// The role that owns everything of PostgreSQL itself. Weber's own role is an ordinary one.
const SUPERUSER: &str = "postgres";

/// Role and database of Weber.
const WEBER: &str = "weber";

/// How long a server may take until it accepts connections: after a crash it first replays its log.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// After a crash, how long processes of the dead server may linger and keep a new one from starting.
const LINGER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a living server may take to answer one connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Longest path of a unix socket, bytes, on any system (Linux allows 107).
const LONGEST_SOCKET: usize = 103;

/// Settings that always hold, whatever `postgresql.conf` says; everything else may be tuned there.
const SETTINGS: [&str; 25] = [
    // Reached only through a socket in the cluster's folder, which is closed to other users, as is the socket. The
    // path is relative to the cluster: an absolute one may be too long, or the server may not walk it.
    "listen_addresses=",
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "port=5432",
    "ssl=off",
    // An answer that was acknowledged is on the disk.
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "restart_after_crash=on",
    // One small machine: no parallel workers (their shared memory also exceeds what containers allow), no compiler.
    "max_connections=120",
    "max_parallel_workers_per_gather=0",
    "max_wal_size=512MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    // Nothing personal in the log: neither statements nor values. Errors of statements go to Weber, not here.
    "logging_collector=off",
    "log_destination=stderr",
    "log_min_messages=log",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_statement=none",
    "log_min_duration_statement=-1",
    "log_parameter_max_length=0",
    "log_parameter_max_length_on_error=0",
];

/// One cluster and who runs it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) place: Place,
    pub(super) settings: LocalPostgres,
    account: Account,
    /// `place.folder`, kept open: through it the socket has a short name however long its path is.
    opened: File,
}

/// How the server is.
enum State {
    /// No server.
    Absent,
    /// A server that does not take connections now, with its reason if it gave one.
    Busy(Option<String>),
    /// It takes connections.
    Ready,
}

impl Cluster {
    /// Looks at the cluster of a data folder; starts nothing.
    pub(super) async fn at(settings: &LocalPostgres) -> Result<Self, Error> {
        let place = Place::prepare(&settings.data)?;
        let account = Account::choose(&place.data, &place.cluster()).await?;
        let opened = File::open(&place.folder).map_err(cannot("open", &place.folder))?;
        Ok(Self { place, settings: settings.clone(), account, opened })
    }

    /// How Weber connects to its database, as long as this value lives.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Error> {
        self.options_for(WEBER, WEBER)
    }

    /// How to connect to the server itself.
    pub(super) fn superuser(&self) -> Result<PgConnectOptions, Error> {
        self.options_for(SUPERUSER, "postgres")
    }

    fn options_for(&self, role: &str, database: &str) -> Result<PgConnectOptions, Error> {
        Ok(PgConnectOptions::new_without_pgpass()
            .socket(self.socket_folder()?)
            .port(5432)
            .ssl_mode(PgSslMode::Disable)
            .username(role)
            .database(database)
            .application_name("weber"))
    }

    /// The cluster's folder by a name that fits into the address of a unix socket.
    fn socket_folder(&self) -> Result<PathBuf, Error> {
        let cluster = self.place.cluster();
        let length = cluster.as_os_str().len() + "/.s.PGSQL.5432".len();
        // sqlx passes the path on as text.
        if length <= LONGEST_SOCKET && cluster.to_str().is_some() {
            return Ok(cluster);
        }
        if cfg!(target_os = "linux") {
            return Ok(format!("/proc/self/fd/{}/cluster", self.opened.as_raw_fd()).into());
        }
        Err(Error::PathTooLong { socket: cluster, length, limit: LONGEST_SOCKET })
    }

    /// Makes sure that a server runs and takes connections. If that needed a start, the child is returned; dropping it
    /// stops the server again. To be called behind the gate.
    pub(super) async fn ensure_running(&self) -> Result<Option<Starting>, Error> {
        let begun = Instant::now();
        let logged = log::length(&self.place);
        let mut starting: Option<Starting> = None;
        let mut last = None;
        let mut after_crash = false; // of the first attempt: the later ones find no trace any more
        loop {
            match (self.state().await?, &mut starting) {
                (State::Ready, _) => return Ok(starting),
                (State::Busy(reason), _) => last = reason,
                (State::Absent, None) => {
                    let child = self.start().await?;
                    after_crash |= child.after_crash;
                    starting = Some(child);
                }
                (State::Absent, Some(child)) => {
                    if let Some(status) = child.ended()? {
                        if !after_crash || begun.elapsed() > LINGER_TIMEOUT {
                            return Err(self.ended_at_start(status, child.logged));
                        }
                        starting = None;
                        sleep(Duration::from_millis(250)).await;
                    }
                }
            }
            if begun.elapsed() > START_TIMEOUT {
                return Err(self.not_ready(last, logged));
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    async fn state(&self) -> Result<State, Error> {
        let cluster = self.place.cluster();
        let Some(file) = PidFile::read(&cluster) else { return Ok(State::Absent) };
        let unreachable = |reason| match postmaster::has(file.pid, &cluster) {
            true => State::Busy(reason),
            false => State::Absent,
        };
        if !file.ready {
            return Ok(unreachable(None));
        }
        match timeout(ANSWER_TIMEOUT, PgConnection::connect_with(&self.superuser()?)).await {
            Ok(Ok(connection)) => {
                // Whether the goodbye arrives does not matter.
                let _ = connection.close().await;
                Ok(State::Ready)
            }
            Ok(Err(sqlx::Error::Io(error))) => Ok(unreachable(Some(error.to_string()))),
            Ok(Err(sqlx::Error::Database(error))) if passes_by_itself(error.code().as_deref()) => {
                Ok(State::Busy(Some(error.to_string())))
            }
            Ok(Err(source)) => Err(self.refused("take connections", source)),
            Err(_) => Ok(unreachable(Some(format!("no answer for {} s", ANSWER_TIMEOUT.as_secs())))),
        }
    }

    /// Starts the server, on a new cluster if there is none.
    async fn start(&self) -> Result<Starting, Error> {
        let cluster = self.place.cluster();
        let programs = self.programs().await?;
        if !exists(&cluster)? {
            self.init(&programs).await?;
        }
        let after_crash = exists(&cluster.join(postmaster::PID_FILE))?;
        self.put_in_order()?;
        postmaster::remove_misleading_files(&cluster)?;
        let output = log::open(&self.place)?;
        let logged = log::length(&self.place);
        let errors = output.try_clone().map_err(cannot("open", &self.place.log()))?;
        let folder = self.account.hand_over(&cluster)?;
        let mut command = self.account.command(&programs.postgres());
        command.arg("-D").arg(&folder.path).stdout(output).stderr(errors);
        for setting in SETTINGS.into_iter().map(str::to_owned).chain([postmaster::mark(&cluster)?]) {
            command.arg("-c").arg(setting);
        }
        let child = command.spawn().map_err(cannot("start", &programs.postgres()))?;
        tracing::info!(pid = child.id(), major = programs.major, folder = %cluster.display(), "private PostgreSQL starts");
        Ok(Starting { child: Some(child), logged, after_crash })
    }

    async fn programs(&self) -> Result<Programs, Error> {
        let cluster = self.place.cluster();
        let major = if exists(&cluster)? { Some(major_of(&cluster)?) } else { None };
        self.settings.search.find(&self.account, major.map(|major| (&*cluster, major))).await
    }

    /// A cluster that was copied back from a backup may belong to root and be open to others, which PostgreSQL refuses.
    fn put_in_order(&self) -> Result<(), Error> {
        let cluster = self.place.cluster();
        let found = fs::metadata(&cluster).map_err(cannot("look at", &cluster))?;
        if found.uid() == 0 {
            self.account.take_over(&cluster)?;
        }
        if found.mode() & 0o777 != 0o700 {
            let closed = fs::set_permissions(&cluster, Permissions::from_mode(0o700));
            closed.map_err(cannot("close to other users", &cluster))?;
        }
        Ok(())
    }

    /// Makes a new cluster. It gets its name only when it is complete and on the disk, so what bears the name is one.
    async fn init(&self, programs: &Programs) -> Result<(), Error> {
        self.check_space()?;
        self.remove_leftovers().await;
        let suffix =
            getrandom::u32().map_err(|error| cannot("name", &self.place.folder)(io::Error::from(error)))?;
        let fresh = self.place.folder.join(format!("{FRESH}{suffix:08x}"));
        fs::create_dir(&fresh).map_err(cannot("make the folder", &fresh))?;
        self.account.take_over(&fresh)?;
        let folder = self.account.hand_over(&fresh)?;
        let mut command = self.account.command(&programs.initdb());
        // Whoever reaches the socket is the owner or root; see SETTINGS. C: the same order of texts on every machine.
        command.args(["--auth-local=trust", "--auth-host=reject", "--username", SUPERUSER]);
        command.args(["--encoding=UTF8", "--locale=C", "--data-checksums"]).arg("-D").arg(&folder.path);
        let output =
            command.kill_on_drop(true).output().await.map_err(cannot("start", &programs.initdb()))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let output_tail = log::last_lines(&String::from_utf8_lossy(&said));
            let _ = fs::remove_dir_all(&fresh); // else the next attempt does
            let status = output.status.to_string();
            return Err(Error::Init { folder: fresh, status, output: output_tail });
        }
        fs::rename(&fresh, self.place.cluster()).map_err(cannot("name", &fresh))?;
        self.opened.sync_all().map_err(cannot("write", &self.place.folder))
    }

    fn check_space(&self) -> Result<(), Error> {
        let folder = &self.place.folder;
        let disk = rustix::fs::statvfs(folder).map_err(cannot("measure the space for", folder))?;
        let free = disk.f_bavail.saturating_mul(disk.f_frsize);
        if free < self.settings.min_free_bytes {
            let needed_mb = self.settings.min_free_bytes / 1_000_000;
            return Err(Error::DiskFull { folder: folder.clone(), free_mb: free / 1_000_000, needed_mb });
        }
        Ok(())
    }

    /// Removes what was left of an `initdb` whose Weber was killed. It may still be running; without its folder it soon
    /// gives up, and since a new folder gets a new name, it can do no harm.
    async fn remove_leftovers(&self) {
        for entry in fs::read_dir(&self.place.folder).into_iter().flatten().flatten() {
            if !entry.file_name().to_string_lossy().starts_with(FRESH) {
                continue;
            }
            let path = entry.path();
            for _ in 0..10 {
                if fs::remove_dir_all(&path).is_ok() {
                    break;
                }
                sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// Makes Weber's role and database if they are missing. The role is no superuser: it owns its database, no more.
    pub(super) async fn prepare_database(&self) -> Result<(), Error> {
        let refused = |source| self.refused("make Weber's role and database", source);
        let mut connection = PgConnection::connect_with(&self.superuser()?).await.map_err(refused)?;
        let missing = [
            ("select count(*) from pg_roles where rolname = 'weber'", "create role weber login"),
            (
                "select count(*) from pg_database where datname = 'weber'",
                "create database weber owner weber template template0",
            ),
        ];
        for (count, create) in missing {
            let found: i64 = sqlx::query_scalar(count).fetch_one(&mut connection).await.map_err(refused)?;
            if found == 0 {
                sqlx::query(create).execute(&mut connection).await.map_err(refused)?;
            }
        }
        connection.close().await.map_err(refused)
    }

    fn refused(&self, action: &'static str, source: sqlx::Error) -> Error {
        Error::Refused { action, folder: self.place.cluster(), source }
    }

    fn ended_at_start(&self, status: ExitStatus, logged: u64) -> Error {
        let (folder, log) = (self.place.cluster(), self.place.log());
        Error::Start { folder, status: status.to_string(), log, tail: log::tail(&self.place, logged) }
    }

    fn not_ready(&self, last: Option<String>, logged: u64) -> Error {
        let (folder, log) = (self.place.cluster(), self.place.log());
        let seconds = START_TIMEOUT.as_secs();
        Error::NotReady { folder, seconds, last, log, tail: log::tail(&self.place, logged) }
    }

    /// Stops the server if it runs. To be called behind the gate, when nobody uses it.
    pub(super) fn stop(&self) -> Result<(), Error> {
        postmaster::stop(&self.place.cluster(), self.settings.stop_patience)
    }
}

/// Beginning of the name of a cluster that is not complete yet.
const FRESH: &str = "cluster.init-";

/// Whether a file exists; an error if that cannot be found out.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(cannot("look at", path))
}

/// The major version that made a cluster.
fn major_of(cluster: &Path) -> Result<u32, Error> {
    let path = cluster.join("PG_VERSION");
    let not_a_cluster = |problem| Error::NotACluster { folder: cluster.to_owned(), problem };
    let text = fs::read_to_string(&path)
        .map_err(|e| not_a_cluster(format!("{} cannot be read: {e}", path.display())))?;
    let major = text.trim().split('.').next().and_then(|major| major.parse().ok());
    major.ok_or_else(|| not_a_cluster(format!("{} holds no version: {:?}", path.display(), text.trim())))
}

/// Whether a refused connection is worth another attempt: starting or stopping (57P03), too many connections (53300).
fn passes_by_itself(sqlstate: Option<&str>) -> bool {
    matches!(sqlstate, Some("57P03" | "53300"))
}

/// A server that Weber has just started. Dropped, it stops again: whatever was to follow has failed or was given up.
#[derive(Debug)]
pub(super) struct Starting {
    child: Option<Child>,
    /// Where its part of the log begins, bytes.
    logged: u64,
    /// Whether its predecessor had not ended in order.
    after_crash: bool,
}

impl Starting {
    fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        let Some(child) = &mut self.child else { return Ok(None) };
        child.try_wait().map_err(cannot("wait for", Path::new("postgres")))
    }

    /// Lets the server run on, on its own.
    pub(super) fn settle(mut self) {
        if let Some(mut child) = self.child.take() {
            // Waiting keeps it from staying as a zombie when it ends while Weber runs.
            tokio::spawn(async move { child.wait().await });
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let id = self.child.as_ref().and_then(Child::id).and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = id {
            // Not yet waited for, so the number is still its own.
            let _ = kill_process(pid, Signal::INT);
        }
    }
}
