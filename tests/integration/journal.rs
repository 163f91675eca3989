//! The audit log's entries about imports, exports and backups, and how a forged audit log is found out.

use std::fs;

use serde_json::{Value, json};
use sqlx::PgPool;
use weber::domain::audit_log::first_broken;
use weber::flow::audit::witness;
use weber::store;

use crate::support::browser::Browser;
use crate::support::program::{Program, path};
use crate::support::server::Server;
use crate::support::tiny_study::TinyStudy;

/// The actor and the details of all entries of one action, oldest first.
async fn entries(pool: &PgPool, action: &str) -> Vec<(String, Value)> {
    let sql = "select actor, detail from journal where action = $1 order by number";
    sqlx::query_as(sql).bind(action).fetch_all(pool).await.unwrap()
}

#[sqlx::test]
async fn every_new_version_has_an_entry_with_its_hash(pool: PgPool) {
    let server = Server::empty(pool.clone()).await;
    let study = TinyStudy::new(1);
    server.import(&study).await;
    server.import(&study).await;
    assert_eq!(entries(&pool, "imported").await.len(), 1, "the same folder changes nothing");
    study.edit("study.toml", |text| text.replace("title = \"Which image", "title = \"New: which image"));
    server.import(&study).await;
    let hashes: Vec<String> =
        sqlx::query_scalar("select encode(sha256, 'hex') from study_versions order by number")
            .fetch_all(&pool)
            .await
            .unwrap();
    let expected = [1, 2].map(|version| {
        ("command line".to_owned(), json!({ "version": version, "sha256": hashes[version - 1] }))
    });
    assert_eq!(entries(&pool, "imported").await, expected);
}

#[sqlx::test]
async fn a_download_has_an_entry_with_its_content(pool: PgPool) {
    let server = Server::live(pool.clone(), 1).await;
    let mut ada = Browser::signed_in(&server).await;
    for wrong in ["nothing.csv", "trials.csv?policy=nothing", "..%2Fsecret"] {
        let page = ada.get(&format!("/lab/studies/demo/export/{wrong}")).await;
        assert_eq!(page.status.as_u16(), 404, "{wrong}");
    }
    assert_eq!(entries(&pool, "exported").await, [], "nothing was exported");
    let asked = "policy=as-analysed&pilot=true";
    let manifest = ada.get(&format!("/lab/studies/demo/export/manifest.json?{asked}")).await;
    assert_eq!(ada.get("/lab/studies/demo/export").await.status.as_u16(), 200);
    let program = Program::on(&pool);
    let out = program.file("out");
    program.run(&["export", "demo", "--include", "simulated", "--out", path(&out)]);

    let manifest: Value = serde_json::from_str(&manifest.text).unwrap();
    let noted = entries(&pool, "exported").await;
    let of = |n: usize| (&*noted[n].0, &noted[n].1["file"], &noted[n].1["modes"], &noted[n].1["policy"]);
    let (live, pilot, simulated) = (json!(["live"]), json!(["live", "pilot"]), json!(["live", "simulated"]));
    assert_eq!(of(0), ("ada@example.org", &json!("manifest.json"), &pilot, &json!("as-analysed")));
    assert_eq!(of(1), ("ada@example.org", &json!("all"), &live, &json!("as-posted")));
    assert_eq!(of(2), ("command line", &json!("all"), &simulated, &json!("as-posted")));
    assert_eq!(noted[0].1["policy_sha256"], manifest["policy"]["sha256"]);
}

#[sqlx::test]
async fn a_backup_has_an_entry_if_possible_and_is_made_in_any_case(pool: PgPool) {
    let program = Program::on(&pool);
    program.run(&["import", path(TinyStudy::new(1).path())]);
    let file = |name: &str| program.file(name).to_str().unwrap().to_owned();
    program.run(&["backup", "--out", &file("whole.zip")]);
    program.run(&["backup", "--without-key", "--out", &file("keyless.zip")]);
    let detail = |holds_key, entry: i64| json!({ "holds_key": holds_key, "journal_entry": entry });
    let noted = [(true, 1), (false, 2)].map(|(key, entry)| ("command line".to_owned(), detail(key, entry)));
    assert_eq!(entries(&pool, "backed_up").await, noted);
    let head = witness::read(&program.file("keyless.zip")).unwrap();
    assert_eq!(head.entry, 2, "the backup's own entry comes after its snapshot");

    sqlx::query("alter table journal add check (number < 4)").execute(&pool).await.unwrap();
    let refused = program.refusal(&["backup", "--out", &file("untold.zip")]);
    assert!(refused.contains("is written and whole, but the journal could not be told"), "{refused}");
    sqlx::query("delete from _sqlx_migrations where version = (select max(version) from _sqlx_migrations)")
        .execute(&pool)
        .await
        .unwrap();
    let said = program.run(&["backup", "--out", &file("older.zip")]);
    assert!(said.contains("The journal was not told: the schema is another version's"), "{said}");
    for name in ["untold.zip", "older.zip"] {
        program.run(&["restore", "--check", &file(name)]);
    }
    assert_eq!(entries(&pool, "backed_up").await, noted);
}

/// Changes the audit log by SQL, as the owner of the tables can.
async fn forge(pool: &PgPool, sql: &'static str) {
    sqlx::query("alter table journal disable trigger all").execute(pool).await.unwrap();
    sqlx::query(sql).execute(pool).await.unwrap();
}

/// Changes the actor of every entry and computes all hashes again, so that the chain is whole.
async fn rewrite_whole(pool: &PgPool) {
    let mut conn = pool.acquire().await.unwrap();
    let entries = store::audit_log::all(&mut conn).await.unwrap();
    forge(pool, "delete from journal").await;
    let mut previous = Vec::new();
    for (mut entry, _) in entries {
        entry.actor = "another person".into();
        entry.previous_sha256 = previous;
        previous = entry.sha256();
        store::audit_log::append(&mut conn, &entry).await.unwrap();
    }
    assert_eq!(first_broken(&store::audit_log::all(&mut conn).await.unwrap()), None);
}

#[sqlx::test]
async fn a_kept_manifest_reveals_a_rewritten_chain(pool: PgPool) {
    let program = Program::on(&pool);
    program.run(&["import", path(TinyStudy::new(1).path())]);
    program.run(&["token", "create", "first"]);
    program.run(&["export", "demo", "--out", path(&program.file("out"))]);
    program.run(&["backup", "--out", path(&program.file("weber.zip"))]);
    let (manifest, backup) = (program.file("out").join("manifest.json"), program.file("weber.zip"));
    let verify = ["journal", "verify"];
    let against = ["journal", "verify", "--against", path(&manifest), path(&backup)];
    let said = program.run(&against);
    assert!(said.contains("up to entry 2.") && said.contains("up to entry 3."), "{said}");
    assert!(said.contains("The journal is whole: 4 entries") && !said.contains("--against FILE"), "{said}");
    let head = witness::read(&backup).unwrap();
    assert!(
        program.run(&["journal", "show"]).contains(&head.sha256),
        "people can compare the hashes as well"
    );

    forge(&pool, "delete from journal where number >= 3").await;
    assert!(program.run(&verify).contains("The journal is whole: 2 entries"));
    program.run(&["journal", "verify", "--against", path(&manifest)]);
    let refused = program.refusal(&against);
    assert!(refused.contains("weber.zip was made: its entry 3 is not there as it was"), "{refused}");
    rewrite_whole(&pool).await;
    assert!(program.run(&verify).contains("an older manifest or backup tells: --against FILE"));
    let refused = program.refusal(&against);
    assert!(refused.contains("manifest.json was made: its entry 2 is not there as it was"), "{refused}");
    forge(&pool, "delete from journal").await;
    assert!(program.run(&verify).contains("The journal is whole: 0 entries"));
    assert!(program.refusal(&against).contains("its entry 2 is not there"));
}

#[sqlx::test]
async fn a_file_that_is_no_manifest_is_refused(pool: PgPool) {
    let program = Program::on(&pool);
    program.run(&["token", "create", "first"]);
    let file = program.file("manifest.json");
    let verify = ["journal", "verify", "--against", path(&file)];
    assert!(program.refusal(&verify).contains("manifest.json: No such file"));
    for (text, why) in [("not a manifest", "expected"), ("{\"study\": \"demo\"}", "missing field `journal`")]
    {
        fs::write(&file, text).unwrap();
        let refused = program.refusal(&verify);
        assert!(refused.contains(why), "{refused}");
    }
    fs::write(&file, "{\"journal\": {\"entry\": 0, \"sha256\": \"\"}}").unwrap();
    assert!(program.run(&verify).contains("made when the journal was empty, and says nothing"));
}
