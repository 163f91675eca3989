//! A backup is one file with all data. A restore brings all of it back, or changes nothing and says why.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use tempfile::TempDir;
use weber::domain::audit_log::first_broken;
use weber::domain::backup::BackupManifest;
use weber::domain::study::{Mode, StudyState};
use weber::flow::app::{Clock, SystemClock};
use weber::flow::audit::log::Actor;
use weber::flow::backup::{self, Archive, BackupError};
use weber::flow::secrets::Secrets;
use weber::flow::study::control;
use weber::flow::study::export::PolicyChoice;
use weber::store;

use crate::export::Exported;
use crate::support::person::Person;
use crate::support::program::{Program, path};
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// The installation key of the tests' servers.
const KEY: [u8; 32] = [7; 32];

/// A second, empty database: a schema of its own works like one.
async fn empty_place(pool: &PgPool) -> PgPool {
    sqlx::query("create schema restored").execute(pool).await.unwrap();
    let options = (*pool.connect_options()).clone().options([("search_path", "restored")]);
    store::pool(options, 5)
}

async fn is_empty(pool: &PgPool) -> bool {
    store::backup::is_empty(&mut pool.acquire().await.unwrap()).await.unwrap()
}

/// Stores the fingerprint of the key, as every program does when it opens a database.
async fn claim(pool: &PgPool) {
    let fingerprint = Secrets::new(KEY).fingerprint();
    let mut conn = pool.acquire().await.unwrap();
    assert_eq!(store::installation::claim_key(&mut conn, &fingerprint).await.unwrap(), fingerprint);
}

struct Saved {
    folder: TempDir,
    manifest: BackupManifest,
}

impl Saved {
    async fn of(pool: &PgPool) -> Self {
        claim(pool).await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("weber.zip");
        let manifest = backup::write(pool, Some(KEY), true, &file, SystemClock.now()).await.unwrap();
        Self { folder, manifest }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("weber.zip")
    }

    async fn restore(&self, pool: &PgPool) -> Result<Option<i64>, BackupError> {
        restore(&self.file(), pool).await
    }

    /// The same backup with one of its files changed. If it is a table, the manifest's hash is changed to match.
    fn forged(&self, name: &str, change: impl Fn(String) -> String) -> PathBuf {
        let mut archive = zip::ZipArchive::new(File::open(self.file()).unwrap()).unwrap();
        let mut texts: Vec<(String, String)> = (0..archive.len())
            .map(|n| {
                let mut entry = archive.by_index(n).unwrap();
                let mut text = String::new();
                entry.read_to_string(&mut text).unwrap();
                (entry.name().unwrap().into_owned(), text)
            })
            .collect();
        let (_, text) = texts.iter_mut().find(|(other, _)| other == name).unwrap();
        let changed = change(text.clone());
        assert_ne!(*text, changed, "the change of {name} changed nothing");
        *text = changed.clone();
        if let Some(table) = name.strip_prefix("tables/").and_then(|name| name.strip_suffix(".txt")) {
            let mut manifest = self.manifest.clone();
            let entry = manifest.tables.iter_mut().find(|entry| entry.layout.name == table).unwrap();
            entry.measure.rows = changed.lines().count() as u64;
            entry.measure.bytes = changed.len() as u64;
            entry.measure.sha256 = hex::encode(Sha256::digest(&changed));
            texts.last_mut().unwrap().1 = serde_json::to_string(&manifest).unwrap();
        }
        let forged = self.folder.path().join("forged.zip");
        let mut output = zip::ZipWriter::new(File::create(&forged).unwrap());
        for (name, text) in texts {
            output.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            output.write_all(text.as_bytes()).unwrap();
        }
        output.finish().unwrap();
        forged
    }
}

async fn restore(file: &Path, pool: &PgPool) -> Result<Option<i64>, BackupError> {
    backup::restore(pool, &mut Archive::open(file)?).await
}

/// A study with participants in every stage, decisions and an audit log.
async fn busy_lab(pool: PgPool) -> Server {
    let server = Server::live(pool, 1).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    Person::go_through(&server, &link, false).await;
    let mut at_work = Person::arrive(&server, &link).await;
    at_work.reach_main().await;
    at_work.answer("main", 1, 1, 2).await;
    let actor = Actor::command_line();
    for state in [StudyState::Paused, StudyState::Live] {
        control::set_state(&server.app, &actor, "demo", state).await.unwrap();
    }
    server
}

async fn export(server: &Server) -> (Exported, serde_json::Value) {
    let exported = Exported::of(server, PolicyChoice::Enrolment, Mode::ALL).await;
    let mut manifest = exported.manifest.clone();
    manifest.as_object_mut().unwrap().remove("exported_at").unwrap();
    (exported, manifest)
}

#[sqlx::test]
async fn a_restore_brings_back_all_data_unchanged(pool: PgPool) {
    let server = busy_lab(pool.clone()).await;
    let (before, manifest_before) = export(&server).await;
    let saved = Saved::of(&pool).await;
    let place = empty_place(&pool).await;
    assert_eq!(saved.restore(&place).await.unwrap(), None);

    let again = Saved::of(&place).await;
    assert_eq!(again.manifest.tables, saved.manifest.tables, "every table has the same rows");
    assert_eq!(again.manifest.sequences, saved.manifest.sequences);
    let restored = Server::empty(place.clone()).await;
    let (after, manifest_after) = export(&restored).await;
    assert_eq!(manifest_after, manifest_before);
    for file in ["trials.csv", "trials_cleaned.csv", "participants.csv", "events.csv", "codebook.csv"] {
        assert_eq!(after.bytes(file), before.bytes(file), "{file}");
    }
    for number in 1..=5 {
        let address = server.image(number);
        let image = async |server: &Server| {
            let reply = server.client.get(format!("{}{address}", server.url)).send().await.unwrap();
            (reply.status(), reply.bytes().await.unwrap())
        };
        let (status, bytes) = image(&restored).await;
        assert_eq!((status.as_u16(), &bytes), (200, &image(&server).await.1));
    }
    let entries = store::audit_log::all(&mut place.acquire().await.unwrap()).await.unwrap();
    assert_eq!(first_broken(&entries), None);
    assert_eq!(saved.manifest.journal.sha256, hex::encode(&entries.last().unwrap().1));
    // Numbering continues, the audit log is append-only again, and people can take part.
    Person::go_through(&restored, &restored.link("Volunteers").await, true).await;
    control::set_state(&restored.app, &Actor::command_line(), "demo", StudyState::Paused).await.unwrap();
    assert!(sqlx::query("delete from journal").execute(&place).await.is_err());
}

#[sqlx::test]
async fn a_backup_is_one_snapshot_while_people_take_part(pool: PgPool) {
    let server = Server::live(pool.clone(), 10).await;
    let link = server.link("Volunteers").await;
    let arrivals = async {
        for _ in 0..30 {
            assert_eq!(server.enrol(&link, &[]).await.0, 201);
        }
    };
    let saving = async {
        while server.count("select count(*) from participants").await < 5 {
            tokio::task::yield_now().await;
        }
        Saved::of(&pool).await
    };
    let ((), saved) = tokio::join!(arrivals, saving);
    let place = empty_place(&pool).await;
    saved.restore(&place).await.unwrap();
    let (people, enrolled, seats): (i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from participants), (select sum(enrolled)::bigint from enrolment_counters),
                (select count(distinct participant_id) from schedule)",
    )
    .fetch_one(&place)
    .await
    .unwrap();
    assert!((5..=30).contains(&people), "{people}");
    assert_eq!((enrolled, seats), (people, people));
}

#[sqlx::test]
async fn backup_and_restore_overwrite_nothing(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let saved = Saved::of(&pool).await;
    assert!(matches!(saved.restore(&pool).await, Err(BackupError::NotEmpty)));
    assert_eq!(server.count("select count(*) from studies").await, 1);
    let again = backup::write(&pool, Some(KEY), true, &saved.file(), SystemClock.now()).await;
    assert!(matches!(again, Err(BackupError::Exists(_))));
    // The backup fails in the middle, because one table cannot be read.
    let mut other = pool.begin().await.unwrap();
    sqlx::query("lock table responses in access exclusive mode").execute(&mut *other).await.unwrap();
    let impatient = (*pool.connect_options()).clone().options([("lock_timeout", "100ms")]);
    let file = saved.folder.path().join("second.zip");
    let failed = backup::write(&store::pool(impatient, 1), Some(KEY), true, &file, SystemClock.now()).await;
    assert!(matches!(failed, Err(BackupError::Store(_))));
    assert_eq!(fs::metadata(saved.file()).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(saved.folder.path()).unwrap().count(), 1, "no temporary file is left");
}

#[sqlx::test]
async fn a_damaged_file_is_found_before_the_database_changes(pool: PgPool) {
    Server::live(pool.clone(), 1).await;
    let saved = Saved::of(&pool).await;
    let whole = fs::read(saved.file()).unwrap();
    let damaged = saved.folder.path().join("damaged.zip");
    for broken in [whole[..whole.len() / 2].to_vec(), Vec::new(), b"not a backup".to_vec()] {
        fs::write(&damaged, broken).unwrap();
        assert!(matches!(Archive::open(&damaged), Err(BackupError::Damaged { .. })));
    }
    let place = empty_place(&pool).await;
    // Any changed byte of the content is found; here one of the images, which are nearly all of it.
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&damaged, flipped).unwrap();
    let refused = restore(&damaged, &place).await.unwrap_err();
    assert!(matches!(refused, BackupError::Damaged { .. }), "{refused}");
    let forged = saved.forged("manifest.json", |text| text.replacen("\"rows\": 1,", "\"rows\": 2,", 1));
    assert!(matches!(restore(&forged, &place).await, Err(BackupError::Damaged { .. })));
    let forged = saved.forged("secret", |text| text.replace("07", "08"));
    assert!(matches!(restore(&forged, &place).await, Err(BackupError::Damaged { .. })));
    assert!(is_empty(&place).await);
}

#[sqlx::test]
async fn a_backup_of_a_newer_program_is_refused(pool: PgPool) {
    Server::live(pool.clone(), 1).await;
    let saved = Saved::of(&pool).await;
    let place = empty_place(&pool).await;
    let schema = saved.manifest.schema_version.to_string();
    let newer = saved.forged("manifest.json", |text| text.replace(&schema, "29990101000001"));
    let refused = restore(&newer, &place).await.unwrap_err().to_string();
    assert!(refused.contains("schema 29990101000001, which this program does not know"), "{refused}");
    let newer = saved.forged("manifest.json", |text| text.replace("\"format\": 1", "\"format\": 2"));
    let refused = restore(&newer, &place).await.unwrap_err().to_string();
    assert!(refused.contains("newer than this program"), "{refused}");
    let other = saved.forged("manifest.json", |text| text.replace("\"bytes\",\n", "\"rolname\",\n"));
    let refused = restore(&other, &place).await.unwrap_err().to_string();
    assert!(refused.contains("`images` is not one of its schema"), "{refused}");
    assert!(is_empty(&place).await);
    sqlx::query("update _sqlx_migrations set version = 29990101000001 where version = $1")
        .bind(saved.manifest.schema_version)
        .execute(&pool)
        .await
        .unwrap();
    let file = saved.folder.path().join("newer.zip");
    let refused = backup::write(&pool, Some(KEY), true, &file, SystemClock.now()).await;
    assert!(matches!(refused, Err(BackupError::NewerDatabase)));
    assert!(!file.exists());
}

#[sqlx::test]
async fn a_restore_that_fails_leaves_the_database_empty(pool: PgPool) {
    busy_lab(pool.clone()).await;
    let saved = Saved::of(&pool).await;
    let place = empty_place(&pool).await;
    let twice = saved.forged("tables/links.txt", |text| text.clone() + &text);
    assert!(matches!(restore(&twice, &place).await, Err(BackupError::Store(_))));
    assert!(is_empty(&place).await);
    let changed =
        saved.forged("tables/journal.txt", |text| text.replacen("command line", "another person", 1));
    assert_eq!(restore(&changed, &place).await.unwrap(), Some(1), "the restore reports the changed entry");
}

#[sqlx::test(migrations = false)]
async fn a_backup_of_an_older_schema_is_brought_up_to_date(pool: PgPool) {
    assert!(matches!(
        backup::write(&pool, None, false, Path::new("/nowhere"), SystemClock.now()).await,
        Err(BackupError::NothingThere)
    ));
    let older: Vec<i64> = store::MIGRATOR.iter().map(|migration| migration.version).collect();
    // The fourth migration is the oldest schema that a backup can read, because it made the audit log.
    for version in &older[..4] {
        store::migrate_to(&mut pool.acquire().await.unwrap(), *version).await.unwrap();
        let rows = format!("{}/tests/migrations/{version}.sql", env!("CARGO_MANIFEST_DIR"));
        let rows = sqlx::AssertSqlSafe(fs::read_to_string(rows).unwrap());
        sqlx::raw_sql(rows).execute(&pool).await.unwrap();
    }
    sqlx::query("delete from installation").execute(&pool).await.unwrap();
    let saved = Saved::of(&pool).await;
    assert_eq!(saved.manifest.schema_version, older[3]);
    let place = empty_place(&pool).await;
    saved.restore(&place).await.unwrap();
    assert!(store::ready(&place).await.unwrap());
    assert!(!store::ready(&pool).await.unwrap(), "the database that was backed up is unchanged");
    let roles: Vec<String> =
        sqlx::query_scalar("select role from researchers").fetch_all(&place).await.unwrap();
    assert_eq!(roles, ["administrator"], "the migrations ran on the restored rows");
}

#[sqlx::test]
async fn the_key_must_be_that_of_the_database(pool: PgPool) {
    Server::live(pool.clone(), 1).await;
    claim(&pool).await;
    let folder = tempfile::tempdir().unwrap();
    let write = async |key, holds_key, name: &str| {
        backup::write(&pool, key, holds_key, &folder.path().join(name), SystemClock.now()).await
    };
    assert!(matches!(write(None, true, "a").await, Err(BackupError::NoKey)));
    assert!(matches!(write(Some([8; 32]), true, "a").await, Err(BackupError::WrongKey)));
    assert!(matches!(write(Some([8; 32]), false, "a").await, Err(BackupError::WrongKey)));
    write(None, false, "a").await.unwrap();
    write(Some(KEY), true, "b").await.unwrap();
    let key = |name: &str| Archive::open(&folder.path().join(name)).unwrap().key().unwrap();
    assert_eq!((key("a"), key("b")), (None, Some(KEY)));
}

/// Moves an installation by the commands, from a private PostgreSQL to another one, with the key.
#[sqlx::test(migrations = false)]
async fn a_lab_moves_from_a_private_postgres_to_another(pool: PgPool) {
    let old = Program::private();
    assert!(old.refusal(&["backup", "--out", "/nowhere"]).contains("there is no database"));
    old.run(&["import", path(TinyStudy::new(1).path())]);
    old.run(&["researcher", "add", "ada@example.org"]);
    let (file, keyless) = (old.file("weber.zip"), old.file("keyless.zip"));
    let said = old.run(&["backup", "--out", path(&file)]);
    assert!(said.contains("with the secret key") && said.contains("keep it as safe"), "{said}");
    old.run(&["backup", "--without-key", "--out", path(&keyless)]);

    let new = Program::on(&pool);
    assert!(new.run(&["restore", "--check", path(&file)]).contains("is whole"));
    assert!(new.refusal(&["restore", path(&keyless)]).contains("made without the secret key"));
    fs::create_dir(new.data()).unwrap();
    fs::write(new.data().join("secret"), "ab".repeat(32)).unwrap();
    assert!(new.refusal(&["restore", path(&file)]).contains("not the one of the backup"));
    fs::remove_file(new.data().join("secret")).unwrap();
    assert!(is_empty(&pool).await);
    assert!(new.run(&["restore", path(&file)]).contains("Restored"));
    let key = |program: &Program| fs::read_to_string(program.data().join("secret")).unwrap();
    assert_eq!(key(&new), key(&old));
    assert_eq!(fs::metadata(new.data().join("secret")).unwrap().permissions().mode() & 0o777, 0o600);
    let verified = new.run(&["journal", "verify", "--against", path(&file)]);
    assert!(verified.contains("The journal is whole: 2 entries"), "{verified}");
    assert!(new.refusal(&["restore", path(&file)]).contains("the database is not empty"));
    assert!(new.data().join("secret").exists(), "an existing key is kept");
}
