//! What is counted from a participation's answers.

use sqlx::PgConnection;
use uuid::Uuid;

use super::{Result, number};
use crate::domain::exclusion::Tally;

/// Counts a participation's answers.
pub async fn of(conn: &mut PgConnection, id: Uuid) -> Result<Tally> {
    let row = sqlx::query_as!(
        TallyRow,
        r#"select answers as "answers!", catch_correct as "catch_correct!", catch_total as "catch_total!",
                  main_correct as "main_correct!", main_total as "main_total!", left_answers as "left_answers!",
                  right_answers as "right_answers!", practice_blocks as "practice_blocks!",
                  load_wait_ms as "load_wait_ms!"
           from tallies where participant_id = $1"#,
        id,
    )
    .fetch_optional(conn)
    .await?;
    row.map_or_else(|| Ok(Tally::default()), Tally::try_from)
}

/// A row of the view `tallies`.
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
