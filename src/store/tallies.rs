//! Counts of a participation's answers. While a person takes part, they are counted when they are needed. At completion they are counted
//! once and stored.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number};
use crate::domain::measures::Tally;

/// Counts the answers of a person who completes now, and stores the counts, because no answer is added or changed after that.
pub async fn keep(conn: &mut PgConnection, id: Uuid) -> Result<Tally> {
    let row = sqlx::query_as!(
        TallyRow,
        "insert into tallies (participant_id, answers, catch_correct, catch_total, main_correct, main_total, left_answers,
             right_answers, practice_blocks, load_wait_ms)
         select $1, answers, catch_correct, catch_total, main_correct, main_total, left_answers, right_answers,
             practice_blocks, load_wait_ms
         from tally_of($1)
         returning answers, catch_correct, catch_total, main_correct, main_total, left_answers, right_answers,
             practice_blocks, load_wait_ms",
        id,
    )
    .fetch_one(conn)
    .await?;
    row.try_into()
}

/// The number of people whose counts are stored, and the names of up to 10 whose stored counts differ from their answers.
pub async fn examine(conn: &mut PgConnection) -> Result<(i64, Vec<String>)> {
    let kept =
        sqlx::query_scalar!(r#"select count(*) as "kept!" from tallies"#).fetch_one(&mut *conn).await?;
    let wrong = sqlx::query_scalar!(
        "select p.pseudonym
         from tallies k join participants p on p.id = k.participant_id cross join lateral tally_of(k.participant_id) c
         where (k.answers, k.catch_correct, k.catch_total, k.main_correct, k.main_total, k.left_answers,
                k.right_answers, k.practice_blocks)
            is distinct from (c.answers, c.catch_correct, c.catch_total, c.main_correct, c.main_total, c.left_answers,
                c.right_answers, c.practice_blocks)
            or abs(k.load_wait_ms - c.load_wait_ms) > 0.001
         order by 1 limit 10",
    )
    .fetch_all(conn)
    .await?;
    Ok((kept, wrong))
}

/// A row of the table `tallies`, or of the function `tally_of`.
pub(super) struct TallyRow {
    pub answers: i64,
    pub catch_correct: i64,
    pub catch_total: i64,
    pub main_correct: i64,
    pub main_total: i64,
    pub left_answers: i64,
    pub right_answers: i64,
    pub practice_blocks: i64,
    pub load_wait_ms: f64,
}

impl TryFrom<TallyRow> for Tally {
    type Error = super::StoreError;

    fn try_from(row: TallyRow) -> Result<Self> {
        Ok(Self {
            answers: number(row.answers)?,
            catch_correct: number(row.catch_correct)?,
            catch_total: number(row.catch_total)?,
            main_correct: number(row.main_correct)?,
            main_total: number(row.main_total)?,
            left_answers: number(row.left_answers)?,
            right_answers: number(row.right_answers)?,
            practice_blocks: number(row.practice_blocks)?,
            load_wait_ms: row.load_wait_ms,
        })
    }
}
