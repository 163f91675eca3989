//! Makes a cluster, starts its server, and examines the server's state.

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

/// The role that owns all objects of PostgreSQL itself. Weber's own role has no special rights.
const SUPERUSER: &str = "postgres";

/// The name of Weber's role and database.
const WEBER: &str = "weber";

/// How long a server may take to accept connections. After a crash it first replays its log.
const START_TIMEOUT: Duration = Duration::from_secs(300);

/// How long processes of a crashed server may keep a new one from starting.
const LINGER_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a living server may take to reply to one connection.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// The longest path of a unix socket, in bytes, on any system (Linux allows 107).
const LONGEST_SOCKET: usize = 103;

/// Settings that override `postgresql.conf`. All other settings may be changed there.
const SETTINGS: [&str; 25] = [
    // The server is reached only through a socket in the cluster's folder. Other users can open neither. The path is relative to
    // the cluster, since an absolute one may be too long or closed to the server's user.
    "listen_addresses=",
    "unix_socket_directories=.",
    "unix_socket_permissions=0700",
    "port=5432",
    "ssl=off",
    // An acknowledged answer is on disk.
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "restart_after_crash=on",
    // For a small machine: no parallel workers (their shared memory also exceeds what containers allow), no compiler.
    "max_connections=120",
    "max_parallel_workers_per_gather=0",
    "max_wal_size=512MB",
    "jit=off",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    // The log contains no personal data: neither statements nor values. Weber receives errors of statements itself.
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

/// A cluster and the user who runs it.
#[derive(Debug)]
pub(super) struct Cluster {
    pub(super) place: Place,
    pub(super) settings: LocalPostgres,
    account: Account,
    /// The open `place.folder`. Through it the socket has a short name, however long its path is.
    opened: File,
}

/// The state of the server.
enum State {
    /// No server runs.
    Absent,
    /// The server does not accept connections now. It may have given a reason.
    Busy(Option<String>),
    /// The server accepts connections.
    Ready,
}

impl Cluster {
    /// Reads where the cluster of a data folder is. It starts nothing.
    pub(super) async fn at(settings: &LocalPostgres) -> Result<Self, Error> {
        let place = Place::prepare(&settings.data)?;
        let account = Account::choose(&place.data, &place.cluster()).await?;
        let opened = File::open(&place.folder).map_err(cannot("open", &place.folder))?;
        Ok(Self { place, settings: settings.clone(), account, opened })
    }

    /// The options of a connection to Weber's database, valid as long as this value lives.
    pub(super) fn options(&self) -> Result<PgConnectOptions, Error> {
        self.options_for(WEBER, WEBER)
    }

    /// The options of a connection as superuser.
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

    /// A name of the cluster's folder that is short enough for the address of a unix socket.
    fn socket_folder(&self) -> Result<PathBuf, Error> {
        let cluster = self.place.cluster();
        let length = cluster.as_os_str().len() + "/.s.PGSQL.5432".len();
        // sqlx needs the path as text.
        if length <= LONGEST_SOCKET && cluster.to_str().is_some() {
            return Ok(cluster);
        }
        if cfg!(target_os = "linux") {
            return Ok(format!("/proc/self/fd/{}/cluster", self.opened.as_raw_fd()).into());
        }
        Err(Error::PathTooLong { socket: cluster, length, limit: LONGEST_SOCKET })
    }

    /// Makes sure that a server runs and accepts connections. If it started one, it returns the child, and dropping the child stops
    /// the server. The caller holds the gate.
    pub(super) async fn ensure_running(&self) -> Result<Option<Starting>, Error> {
        let begun = Instant::now();
        let logged = log::length(&self.place);
        let mut starting: Option<Starting> = None;
        let mut last = None;
        let mut after_crash = false; // noted at the first attempt, since later ones cannot see it
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
                // It does not matter whether the end of the connection arrives.
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

    /// Starts the server. Makes a cluster if none exists.
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

    /// Sets owner and mode, which PostgreSQL checks. A cluster copied back from a backup may belong to root and be open to others.
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

    /// Makes a new cluster. It gets its name only when it is complete and on disk, so a cluster with this name is complete.
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
        // Only the owner and root can reach the socket; see SETTINGS. C: texts are sorted the same way on every machine.
        command.args(["--auth-local=trust", "--auth-host=reject", "--username", SUPERUSER]);
        command.args(["--encoding=UTF8", "--locale=C", "--data-checksums"]).arg("-D").arg(&folder.path);
        let output =
            command.kill_on_drop(true).output().await.map_err(cannot("start", &programs.initdb()))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            let output_tail = log::last_lines(&String::from_utf8_lossy(&said));
            let _ = fs::remove_dir_all(&fresh); // otherwise the next attempt removes it
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

    /// Removes what remained of an `initdb` when its Weber was killed. If it still runs, it fails soon without its folder, and it cannot
    /// harm a new one, which gets a new name.
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

    /// Makes Weber's role and database if they are missing. The role is no superuser; it only owns its database.
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

    /// Stops the server if it runs. The caller holds the gate and has checked that no process uses the server.
    pub(super) fn stop(&self) -> Result<(), Error> {
        postmaster::stop(&self.place.cluster(), self.settings.stop_patience)
    }
}

/// The prefix of the names of incomplete clusters.
const FRESH: &str = "cluster.init-";

/// Whether a file exists. An error if that cannot be determined.
fn exists(path: &Path) -> Result<bool, Error> {
    path.try_exists().map_err(cannot("look at", path))
}

/// The major version of the PostgreSQL that made a cluster.
fn major_of(cluster: &Path) -> Result<u32, Error> {
    let path = cluster.join("PG_VERSION");
    let not_a_cluster = |problem| Error::NotACluster { folder: cluster.to_owned(), problem };
    let text = fs::read_to_string(&path)
        .map_err(|e| not_a_cluster(format!("{} cannot be read: {e}", path.display())))?;
    let major = text.trim().split('.').next().and_then(|major| major.parse().ok());
    major.ok_or_else(|| not_a_cluster(format!("{} holds no version: {:?}", path.display(), text.trim())))
}

/// Whether to retry a refused connection: the server is starting or stopping (57P03), or has too many connections (53300).
fn passes_by_itself(sqlstate: Option<&str>) -> bool {
    matches!(sqlstate, Some("57P03" | "53300"))
}

/// A server that Weber has just started. If the value is dropped, because a later step failed, the server stops.
#[derive(Debug)]
pub(super) struct Starting {
    child: Option<Child>,
    /// The length of the log at the start, in bytes.
    logged: u64,
    /// Whether the previous server crashed.
    after_crash: bool,
}

impl Starting {
    fn ended(&mut self) -> Result<Option<ExitStatus>, Error> {
        let Some(child) = &mut self.child else { return Ok(None) };
        child.try_wait().map_err(cannot("wait for", Path::new("postgres")))
    }

    /// Lets the server run independently of this value.
    pub(super) fn settle(mut self) {
        if let Some(mut child) = self.child.take() {
            // Waiting for it prevents a zombie when the server ends while Weber runs.
            tokio::spawn(async move { child.wait().await });
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let id = self.child.as_ref().and_then(Child::id).and_then(|id| Pid::from_raw(id.cast_signed()));
        if let Some(pid) = id {
            // The child was not waited for, so no other process can have its number.
            let _ = kill_process(pid, Signal::INT);
        }
    }
}
