//! The rows that are read for a study are in proportion to its own participants. This holds with any number of other studies
//! in the database, and before PostgreSQL has gathered statistics about them.

use std::collections::BTreeMap;

use futures::TryStreamExt;
use sqlx::{AssertSqlSafe, Executor, PgConnection, PgPool, Postgres, Transaction};
use weber::domain::study::{Mode, Platform};
use weber::domain::trial::Block;
use weber::store;
use weber::store::exports::Wanted;
use weber::store::identities::PersonKey;

use crate::support::person::Person;
use crate::support::server::Server;

const COPIES: &str = include_str!("support/copied_studies.sql");

/// The number of other studies, and of participants in each: together two thousand times those of the study that is read.
const OTHERS: (i32, i32) = (10, 400);

/// Switches off autovacuum, so that no table is analysed during the test.
async fn keep_statistics_away(pool: &PgPool) {
    let tables: Vec<String> =
        sqlx::query_scalar("select quote_ident(relname) from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
            .fetch_all(pool)
            .await
            .unwrap();
    for table in tables {
        let off = format!("alter table {table} set (autovacuum_enabled = false)");
        pool.execute(AssertSqlSafe(off)).await.unwrap();
    }
}

/// A study that two people completed, on tables without statistics.
async fn small_study(pool: &PgPool) -> Server {
    keep_statistics_away(pool).await;
    let server = Server::live(pool.clone(), 3).await;
    let link = server.link("Volunteers").await;
    Person::go_through(&server, &link, true).await;
    Person::go_through(&server, &link, true).await;
    server
}

/// The number of rows that this connection has read in its transaction, by table.
async fn rows_read(conn: &mut PgConnection) -> BTreeMap<String, i64> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "select relname::text, coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0) from pg_stat_xact_user_tables",
    )
    .fetch_all(conn)
    .await
    .unwrap();
    rows.into_iter().collect()
}

/// The number of a study's rows in all tables.
async fn rows_of(pool: &PgPool, study_id: i64) -> i64 {
    let of_people: Vec<String> = ["responses", "schedule", "events", "tallies", "overrides", "identities", "assignments", "participant_tokens"]
        .iter()
        .map(|table| format!("(select count(*) from {table} join participants p on p.id = participant_id where p.study_id = $1)"))
        .collect();
    let own: Vec<String> = ["participants", "slots", "links", "study_versions", "enrolment_counters"]
        .iter()
        .map(|table| format!("(select count(*) from {table} where study_id = $1)"))
        .collect();
    let trials =
        "(select count(*) from trials t join study_versions v on v.id = t.version_id where v.study_id = $1)";
    let arrivals = "(select count(*) from arrivals a join links l on l.id = a.link_id where l.study_id = $1)";
    let sql = format!("select {} + {} + {trials} + {arrivals}", of_people.join("+"), own.join("+"));
    sqlx::query_scalar(AssertSqlSafe(sql)).bind(study_id).fetch_one(pool).await.unwrap()
}

/// Runs a read in a transaction of its own, and fails if it reads more rows than allowed.
macro_rules! reads {
    ($pool:expr, $most:expr, $what:literal, |$conn:ident| $read:expr) => {{
        let mut tx: Transaction<'_, Postgres> = $pool.begin().await.unwrap();
        let before = rows_read(&mut tx).await;
        {
            let $conn = &mut *tx;
            $read.await.unwrap();
        }
        let mut read = rows_read(&mut tx).await;
        read.iter_mut().for_each(|(table, rows)| *rows -= before.get(table).copied().unwrap_or(0));
        read.retain(|_, rows| *rows > 0);
        let all: i64 = read.values().sum();
        assert!(all <= $most, "{}: {all} rows were read, at most {} may be: {read:?}", $what, $most);
        tx.rollback().await.unwrap();
    }};
}

#[sqlx::test]
async fn reads_of_a_study_touch_its_own_people_only(pool: PgPool) {
    let server = small_study(&pool).await;
    let mut conn = pool.acquire().await.unwrap();
    let study = store::studies::by_slug(&mut conn, "demo").await.unwrap().unwrap();
    let version = server.app.newest_version(&mut conn, study.id).await.unwrap();
    let person: uuid::Uuid =
        sqlx::query_scalar("select id from participants limit 1").fetch_one(&pool).await.unwrap();
    pool.execute(COPIES).await.unwrap();
    sqlx::query("call copy_study($1, $2, $3)")
        .bind(study.id)
        .bind(OTHERS.0)
        .bind(OTHERS.1)
        .execute(&pool)
        .await
        .unwrap();

    // These connections have the settings of a server's.
    let pool = store::pool((*pool.connect_options()).clone(), 2);
    // A read may touch each row once for every table that refers to it, and once more. That is less than a twentieth of the
    // other studies' answers.
    let most = 4 * rows_of(&pool, study.id).await;
    let all: i64 = sqlx::query_scalar("select count(*) from responses").fetch_one(&pool).await.unwrap();
    assert!(all > 20 * most, "{all} answers of others are few beside {most}");
    let (id, mode, now) = (study.id, Mode::Live, server.app.now());
    let (modes, practising) = (["live".to_owned(), "simulated".to_owned()], version.definition.practising());
    let wanted = |person, with_events| Wanted {
        study_id: id,
        modes: &modes,
        practising: &practising,
        person,
        with_events,
    };
    let key = PersonKey { ids_of: Platform::Mturk, hmac: vec![1; 32] };
    let hmacs = [key.hmac.clone()];
    let earlier = ["demo".to_owned()];

    // Exports, results and the pages that list people.
    reads!(pool, most, "people", |conn| store::exports::people(conn, wanted(None, true), now)
        .try_collect::<Vec<_>>());
    reads!(pool, most, "people of a list", |conn| store::exports::people(conn, wanted(None, false), now)
        .try_collect::<Vec<_>>());
    reads!(pool, most, "one person", |conn| store::exports::people(conn, wanted(Some(person), true), now)
        .try_collect::<Vec<_>>());
    reads!(pool, most, "trials", |conn| store::exports::trials(conn, id, &modes).try_collect::<Vec<_>>());
    reads!(pool, most, "events", |conn| store::exports::events(conn, id, &modes).try_collect::<Vec<_>>());
    reads!(pool, most, "main answers", |conn| store::results::main_answers(conn, id, mode));
    reads!(pool, most, "visits", |conn| store::arrivals::visits(conn, id, mode));
    reads!(pool, most, "visits by link", |conn| store::arrivals::since(
        conn,
        id,
        mode,
        chrono::NaiveDate::default()
    ));
    // Enrolment, on the study's page and at the consent page.
    reads!(pool, most, "slots", |conn| store::slots::made(conn, id, mode, now));
    reads!(pool, most, "people who are done", |conn| store::overview::standings(conn, id, mode, now));
    reads!(pool, most, "people at work", |conn| store::overview::running(conn, id, mode, now));
    reads!(pool, most, "modes in use", |conn| store::overview::modes_in_use(conn, id));
    reads!(pool, most, "people without a slot", |conn| store::slots::surplus(conn, id, mode));
    reads!(pool, most, "slots taken back", |conn| async move {
        let slots: Vec<i64> =
            store::slots::made(&mut *conn, id, mode, now).await?.iter().map(|slot| slot.id).collect();
        store::slots::take_back(conn, &slots).await
    });
    reads!(pool, most, "links", |conn| store::links::all(conn, id));
    reads!(pool, most, "live data", |conn| store::studies::has_live_data(conn, id));
    reads!(pool, most, "a version", |conn| store::studies::version(conn, version.id));
    // One participant: opening, a batch of records, their page, and completion.
    reads!(pool, most, "a person's trials", |conn| store::answers::trials_of(conn, person));
    let blocks = [(person, Block::Main, 1), (person, Block::Practice, 1)];
    reads!(pool, most, "people's trials", |conn| store::answers::trials_in(conn, &blocks));
    reads!(pool, most, "how many events", |conn| store::answers::events_stored(conn, &[person]));
    reads!(pool, most, "how many tokens", |conn| store::participants::tokens(conn, person));
    reads!(pool, most, "a person's events", |conn| store::answers::events_of(conn, person));
    reads!(pool, most, "a person's counts", |conn| async move {
        sqlx::query("delete from tallies where participant_id = $1").bind(person).execute(&mut *conn).await?;
        store::tallies::keep(conn, person).await
    });
    reads!(pool, most, "a person by name", |conn| store::participants::by_pseudonym(conn, id, "p-unknown"));
    // Identities.
    reads!(pool, most, "ids", |conn| store::identities::of_study(conn, id));
    reads!(pool, most, "ids, counted", |conn| store::identities::count_known(conn, id));
    reads!(pool, most, "ids, forgotten", |conn| store::identities::forget_all(conn, id));
    reads!(pool, most, "a person sought", |conn| store::identities::seek(conn, id, &hmacs));
    reads!(pool, most, "a person barred", |conn| store::identities::is_barred(conn, id, &earlier, &key));
    reads!(pool, most, "a person withdrawn", |conn| store::participants::delete_data(conn, person));
}
