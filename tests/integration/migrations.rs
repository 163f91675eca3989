//! Every migration runs on a database with rows that earlier versions of the program wrote.

use std::path::Path;

use sqlx::{Executor, PgPool};
use weber::store::MIGRATOR;

/// SQL with rows as the program of that migration's time would have written them.
fn sample(version: i64) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/migrations/{version}.sql"));
    std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("write sample rows for the migration: {}", path.display()))
}

#[sqlx::test(migrations = false)]
async fn migrations_keep_the_existing_rows(pool: PgPool) {
    for migration in MIGRATOR.iter() {
        pool.execute(migration.sql.clone()).await.unwrap();
        pool.execute(sqlx::AssertSqlSafe(sample(migration.version))).await.unwrap();
    }
    let counts: (i64, i64, i64, i64) = sqlx::query_as(
        "select (select count(*) from participants), (select count(*) from responses), (select count(*) from trials),
                (select count(*) from researchers)",
    )
    .fetch_one(&pool)
    .await
    .unwrap();
    assert_eq!(counts, (1, 1, 1, 1));
    let recovery_codes: i64 =
        sqlx::query_scalar("select count(*) from recovery_codes").fetch_one(&pool).await.unwrap();
    assert_eq!(recovery_codes, 1, "recovery codes with plain hashes are deleted");
    let arrivals: Vec<(String, i64)> =
        sqlx::query_as("select kind, n from arrivals order by kind").fetch_all(&pool).await.unwrap();
    assert_eq!(arrivals, [("arrived".into(), 1), ("incomplete".into(), 2)], "counts are kept");
    let seen: Vec<String> = sqlx::query_scalar("select assignment_id from assignments order by number")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(seen, ["ASSIGNMENT", "ASSIGNMENTB"]);
    let tally: (i64, i64) =
        sqlx::query_as("select main_correct, main_total from tallies").fetch_one(&pool).await.unwrap();
    assert_eq!(tally, (1, 1));
    let slots: Vec<i32> =
        sqlx::query_scalar("select number from slots order by id").fetch_all(&pool).await.unwrap();
    assert_eq!(slots, [1, 1], "a slot that was never held and is not to be filled is deleted");
    let frozen: Vec<String> = sqlx::query_scalar("select name from policies where frozen_at is not null")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(frozen, ["first"], "the policy that was frozen first stays frozen");
}
