//! The answers from which results are computed.

use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::results::MainAnswer;
use crate::domain::study::Mode;
use crate::domain::trial::KnownActivations;

/// All answers to main trials by people of a mode who completed.
pub async fn main_answers(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<Vec<MainAnswer>> {
    let rows = sqlx::query!(
        r#"select p.id, p.crowd_group, p.condition, p.image_set, a.*
           from participants p
           cross join lateral (
               select t.id as place, t.unit, t.layer, t.branch, r.correct, r.confidence, r.rt,
                      t.base_activation, t.max_activation, t.min_activation,
                      t.center_correct, t.variance_correct, t.saliency_correct, t.object_correct
               from responses r
               join schedule d using (participant_id, block, attempt, trial_index)
               cross join lateral (select * from trials where id = d.trial_id offset 0) t
               where r.participant_id = p.id and r.block = 'main' and t.kind = 'main' offset 0
           ) a
           where p.study_id = $1 and p.mode = $2 and p.stage = 'complete'"#,
        study_id,
        mode.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let known = KnownActivations {
                base_activation: row.base_activation,
                max_activation: row.max_activation,
                min_activation: row.min_activation,
                ..KnownActivations::default()
            };
            Ok(MainAnswer {
                person: row.id,
                group: word(&row.crowd_group)?,
                condition: row.condition,
                image_set: row.image_set,
                place: row.place,
                unit: row.unit,
                layer: row.layer,
                branch: row.branch,
                correct: row.correct,
                confidence: number(row.confidence)?,
                rt: row.rt,
                difference: known.relative_activation_difference(),
                baselines: [
                    row.center_correct,
                    row.variance_correct,
                    row.saliency_correct,
                    row.object_correct,
                ],
            })
        })
        .collect()
}
