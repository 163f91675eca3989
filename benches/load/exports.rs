//! Measures the export of 10,000 participants, against psql's \copy of the same columns.

use std::process::Command;
use std::time::Instant;

use super::Line;
use super::server::{Server, said};

const LIMIT: f64 = 0.7;
const PEOPLE: u32 = 10_000;

/// The columns of trials.csv as SQL.
const TRIALS: &str = "select s.slug, v.number, p.pseudonym, p.mode, p.condition, slot.number, p.posting, p.crowd_group, p.image_set,
    r.block, r.attempt, r.trial_index, t.kind, t.unit, t.layer, t.branch, d.max_side, r.response, r.choice_side,
    case when r.correct then 'max' else 'min' end, case when r.correct then 'true' else 'false' end, r.confidence, r.rt,
    r.continue_rt, r.time_elapsed, to_char(r.answered_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), r.input,
    r.presentations, r.hidden_ms, r.load_wait, r.display_scale, array_to_string(d.reference_order, ' '), t.base_activation,
    t.max_activation, t.min_activation, (t.max_activation - t.min_activation) / nullif(greatest(t.base_activation, 0), 0),
    t.center_correct, t.variance_correct, t.saliency_correct, t.object_correct, o.decision,
    r.device_scale, r.frame_ms, r.pointerdown_rt, r.continue_hidden_ms
    from responses r join schedule d using (participant_id, block, attempt, trial_index)
    join participants p on p.id = r.participant_id join studies s on s.id = p.study_id
    join study_versions v on v.id = p.version_id join trials t on t.id = d.trial_id left join slots slot on slot.id = p.slot_id
    left join overrides o on o.participant_id = p.id
    where p.mode = 'simulated'";

const PEOPLE_COLUMNS: &str = "select s.slug, p.*, a.* from participants p join studies s on s.id = p.study_id
    cross join lateral tally_of(p.id) a where p.mode = 'simulated'";

pub fn measure(server: &Server) -> Vec<Line> {
    fill(server);
    let folder = tempfile::tempdir().expect("a folder");
    let ours_folder = folder.path().join("ours").display().to_string();
    let export = ["export", "demo", "--include", "simulated", "--out", &ours_folder];
    // The first export fills the system's caches for both.
    server.weber_peak_mib(&export);
    let began = Instant::now();
    let peak = server.weber_peak_mib(&export);
    let ours = began.elapsed().as_secs_f64();
    let theirs = copies(server, folder.path());
    let share = theirs / ours;
    let half = half_of_it(server, &export);
    vec![
        Line::new(
            format!(
                "(d) export of {PEOPLE} participants, {} answers: all six files",
                server.sql("select count(*) from responses").trim()
            ),
            format!("{ours:.1} s, {share:.2} of the speed of psql's {theirs:.1} s"),
            format!("at least {LIMIT} of psql \\copy of the same columns"),
            share >= LIMIT,
        ),
        Line::new(
            "(d) ... memory at most, for all and for half of the people",
            format!("{peak:.0} MiB, {half:.0} MiB"),
            "flat",
            peak < half * 1.3,
        ),
    ]
}

/// Exports three files by psql: trials.csv, trials_cleaned.csv and participants.csv.
fn copies(server: &Server, folder: &std::path::Path) -> f64 {
    let began = Instant::now();
    let order = "order by p.enrolled_at, p.id, r.block desc, r.attempt, r.trial_index";
    for (name, query) in [
        ("trials", format!("{TRIALS} {order}")),
        ("cleaned", format!("{TRIALS} and t.kind = 'main' {order}")),
        ("people", format!("{PEOPLE_COLUMNS} order by p.enrolled_at, p.id")),
    ] {
        let file = folder.join(name);
        let copy = format!("\\copy ({}) to '{}' csv header", query.replace('\n', " "), file.display());
        said(Command::new("psql").args(["-X", "-q", "-d", &server.database, "-c", &copy]));
    }
    began.elapsed().as_secs_f64()
}

/// Copies one person who answered all trials.
fn fill(server: &Server) {
    server.sql(&format!(
        "insert into participants
         select (jsonb_populate_record(null::participants, to_jsonb(t) || jsonb_build_object('id', gen_random_uuid(), 'pseudonym', 'p-bench' || n,
             'slot_id', null, 'claim', 'without', 'posting', null, 'stage', 'complete', 'ended_at', now(), 'total_ms', 300000,
             'passed', true, 'instruction_ms', 50000, 'enrolled_at', now() + n * interval '1 second'))).*
         from (select p.* from participants p where exists (select from schedule d where d.participant_id = p.id) limit 1) t,
              generate_series(1, {PEOPLE}) n;
         insert into schedule
         select p.id, d.block, d.attempt, d.trial_index, d.trial_id, d.max_side, d.reference_order
         from participants p, (select * from schedule where participant_id =
              (select participant_id from schedule limit 1) and block = 'main') d
         where p.pseudonym like 'p-bench%';
         insert into responses (participant_id, block, attempt, trial_index, response, choice_side, correct, confidence, rt,
             continue_rt, time_elapsed, input, presentations, hidden_ms, load_wait, display_scale, answered_at,
             device_scale, frame_ms, pointerdown_rt, continue_hidden_ms)
         select d.participant_id, d.block, d.attempt, d.trial_index, 2, 'left', d.max_side = 'left', 1,
                round((random() * 5000)::numeric, 1), round((random() * 900)::numeric, 1), round((random() * 400000)::numeric, 1),
                'mouse', 1, 0, 0, 1, now(), 1.25, 16.7, round((random() * 5000)::numeric, 1), 0
         from schedule d join participants p on p.id = d.participant_id where p.pseudonym like 'p-bench%';
         analyze"
    ));
}

/// The peak memory for the export of half as many people.
fn half_of_it(server: &Server, export: &[&str]) -> f64 {
    server.sql(&format!(
        "create temp table gone as select id from participants where pseudonym like 'p-bench%' limit {};
         delete from responses where participant_id in (select id from gone);
         delete from schedule where participant_id in (select id from gone);
         delete from participants where id in (select id from gone)",
        PEOPLE / 2
    ));
    server.weber_peak_mib(export)
}
