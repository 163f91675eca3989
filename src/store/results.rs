//! What results are computed from.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Result, number, word};
use crate::domain::gate::Arrival;
use crate::domain::results::MainAnswer;
use crate::domain::study::Mode;
use crate::domain::trial::Known;

/// Every main trial that people of a mode answered who completed.
pub async fn main_answers(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<Vec<MainAnswer>> {
    let rows = sqlx::query!(
        r#"select p.id, p.crowd_group, p.condition, p.image_set, t.id as place, t.unit, t.layer, t.branch, r.correct, r.confidence, r.rt,
                  t.base_activation, t.max_activation, t.min_activation,
                  t.center_correct, t.variance_correct, t.saliency_correct, t.object_correct
           from participants p
           join responses r on r.participant_id = p.id and r.block = 'main'
           join schedule d using (participant_id, block, attempt, trial_index)
           join trials t on t.id = d.trial_id
           where p.study_id = $1 and p.mode = $2 and p.stage = 'complete' and t.kind = 'main'"#,
        study_id,
        mode.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter()
        .map(|row| {
            let known = Known {
                base_activation: row.base_activation,
                max_activation: row.max_activation,
                min_activation: row.min_activation,
                ..Known::default()
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

/// Visits by the links of a mode, by how they ended.
pub async fn visits(conn: &mut PgConnection, study_id: i64, mode: Mode) -> Result<BTreeMap<Arrival, u64>> {
    let rows = sqlx::query!(
        r#"select a.kind, count(*) as "n!" from arrivals a join links l on l.id = a.link_id
           where l.study_id = $1 and l.mode = $2 group by a.kind"#,
        study_id,
        mode.as_str(),
    )
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(|row| Ok((word(&row.kind)?, number(row.n)?))).collect()
}
