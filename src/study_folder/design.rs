//! Checks that the settings of a study agree with each other, and that the table agrees with the design.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::images::Files;
use super::pages::examples_needed;
use super::settings::{self, ReadSettings};
use super::table::{self, TrialsFileRow};
use super::{Problems, links};
use crate::domain::study::{Condition, Practice};
use crate::domain::trial::{Difficulty, TrialKind};

/// Checks everything that needs no other file.
pub fn check(settings: &ReadSettings, rows: &[TrialsFileRow], images: &Files, problems: &mut Problems) {
    let mut check = DesignCheck { settings, rows, images, problems };
    check.names();
    check.sizes();
    check.screen();
    check.conditions();
    check.policies();
    links::check(settings, check.problems);
    for row in rows {
        check.row(row);
    }
    check.duplicates();
    for condition in &settings.definition.conditions {
        check.image_sets(condition);
        check.pools(condition);
    }
}

struct DesignCheck<'a> {
    settings: &'a ReadSettings,
    rows: &'a [TrialsFileRow],
    images: &'a Files,
    problems: &'a mut Problems,
}

impl DesignCheck<'_> {
    fn in_settings(&mut self, key: &str, what: String, remedy: &str) {
        self.problems.add(settings::FILE, self.settings.line(key), what, remedy);
    }

    fn in_table(&mut self, line: impl Into<Option<usize>>, what: String, remedy: &str) {
        self.problems.add(table::FILE, line, what, remedy);
    }

    fn names(&mut self) {
        let definition = &self.settings.definition;
        if !is_name(&definition.slug) {
            self.in_settings("slug", format!("`{}` is not a short name", definition.slug), NAME);
        }
        if definition.family.as_deref().is_some_and(|family| !is_name(family)) {
            self.in_settings("family", "`family` is not a short name".into(), NAME);
        }
        if definition.title.trim().is_empty() {
            self.in_settings(
                "title",
                "`title` is empty".into(),
                "Participants read it: give the study a title",
            );
        }
        let at = definition.contact.find('@');
        if at.is_none_or(|at| at == 0 || at + 1 == definition.contact.len()) {
            let what = format!("`contact` is `{}`", definition.contact);
            self.in_settings("contact", what, "Give an e-mail address that participants can write to");
        }
    }

    fn sizes(&mut self) {
        let definition = &self.settings.definition;
        let (design, lease, window) = (&definition.design, &definition.lease, &definition.window);
        let ranges = [
            ("design", "slots_per_condition", design.slots_per_condition, 1, 1000),
            ("design", "image_sets", design.image_sets, 1, 1000),
            ("design", "main_trials", design.main_trials, 1, 500),
            ("design", "catch_trials", design.catch_trials, 0, 100),
            ("design", "postings_per_slot", design.postings_per_slot.limit().unwrap_or(1), 1, 1000),
            ("design", "image_width_px", design.image_width_px, 16, 1024),
            ("design", "image_height_px", design.image_height_px, 16, 1024),
            ("lease", "until_welcome_s", lease.until_welcome_s, 10, 86_400),
            ("lease", "until_work_s", lease.until_work_s, 10, 86_400),
            ("lease", "least_reading_s", lease.least_reading_s, 0, 600),
            ("lease", "after_last_sign_s", lease.after_last_sign_s, 10, 604_800),
            ("window", "min_width_px", window.min_width_px, 320, 4000),
            ("window", "min_height_px", window.min_height_px, 320, 4000),
            ("trial", "confidence_levels", definition.trial.confidence_levels.into(), 1, 5),
            ("trial", "continue_after_ms", definition.trial.continue_after_ms, 0, 10_000),
            (
                "practice",
                "obvious_trials",
                definition.practice.obvious_trials,
                0,
                Practice::LONGEST_BLOCK.into(),
            ),
            ("practice", "other_trials", definition.practice.other_trials, 0, Practice::LONGEST_BLOCK.into()),
            ("practice", "offer_end_after_blocks", definition.practice.offer_end_after_blocks, 0, 1000),
            ("practice", "most_blocks", definition.practice.most_blocks, 1, 1000),
        ];
        for (part, name, value, min, max) in ranges {
            if !(min..=max).contains(&value) {
                self.in_settings(
                    part,
                    format!("`{part}.{name}` is {value}"),
                    &format!("Give a number from {min} to {max}"),
                );
            }
        }
        let practice = &definition.practice;
        if !(1..=Practice::LONGEST_BLOCK.into()).contains(&practice.trials()) {
            let what = format!("a practice block has {} trials", practice.trials());
            self.in_settings("practice", what, &format!("Let it have 1 to {}", Practice::LONGEST_BLOCK));
        }
        if definition.clock.discrepancy_s.is_nan() || definition.clock.discrepancy_s < 0.0 {
            self.in_settings(
                "clock",
                "`clock.discrepancy_s` is not a time".into(),
                "Give a number of seconds from 0",
            );
        }
    }

    fn screen(&mut self) {
        let trial = &self.settings.definition.trial;
        let buttons = usize::from(self.settings.definition.buttons().count());
        let keys: HashSet<_> = trial.keys.iter().collect();
        let usable = trial.keys.iter().all(|key| key.chars().count() == 1 && key.to_lowercase() == *key);
        if trial.keys.len() != buttons || keys.len() != buttons || !usable {
            let remedy =
                format!("Give {buttons} different lower-case characters, one per button from left to right");
            self.in_settings("trial", "`trial.keys` do not fit the buttons".into(), &remedy);
        }
    }

    fn conditions(&mut self) {
        let definition = &self.settings.definition;
        if definition.conditions.is_empty() {
            self.in_settings(
                "conditions",
                "there is no condition".into(),
                "Add at least one `[[conditions]]`",
            );
        }
        let mut names = HashSet::new();
        for (index, condition) in definition.conditions.iter().enumerate() {
            let key = format!("conditions[{index}]");
            if !is_name(&condition.name) {
                self.in_settings(&key, format!("`{}` is not a short name", condition.name), NAME);
            }
            if !names.insert(&condition.name) {
                let what = format!("the condition `{}` is there twice", condition.name);
                self.in_settings(&key, what, "Give each its own name");
            }
            let digits = condition.colour.strip_prefix('#').unwrap_or_default();
            if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                self.in_settings(
                    &key,
                    format!("`{}` is not a colour", condition.colour),
                    "Write it as #rrggbb",
                );
            }
            if condition.references.iter().any(|group| group.count == 0) || condition.reference_count() > 36 {
                let what = format!("the references of `{}` cannot be shown", condition.name);
                self.in_settings(&key, what, "Let each group have at least 1, and all together at most 36");
            }
        }
    }

    fn policies(&mut self) {
        let definition = &self.settings.definition;
        if definition.policy(&definition.enrolment_policy).is_none() {
            let what = format!("the enrolment policy `{}` is not there", definition.enrolment_policy);
            self.in_settings("enrolment_policy", what, "Name one of the `[[policies]]`");
        }
        let mut names = HashSet::new();
        for (index, policy) in definition.policies.iter().enumerate() {
            let key = format!("policies[{index}]");
            if !is_name(&policy.name) {
                self.in_settings(&key, format!("`{}` is not a short name", policy.name), NAME);
            }
            if !names.insert(&policy.name) {
                self.in_settings(
                    &key,
                    format!("the policy `{}` is there twice", policy.name),
                    "Give each its own name",
                );
            }
            let named = policy.sections().filter_map(|(_, condition, _)| condition);
            for condition in named.filter(|name| definition.condition(name).is_none()) {
                let what = format!(
                    "the policy `{}` has criteria for an unknown condition `{condition}`",
                    policy.name
                );
                self.in_settings(&key, what, "Name one of the `[[conditions]]`");
            }
            for (criterion, setting) in policy.sections().flat_map(|(_, _, settings)| settings) {
                if !setting.is_usable(*criterion) {
                    let what = format!(
                        "the policy `{}` has bounds for {criterion} that nothing can meet",
                        policy.name
                    );
                    self.in_settings(
                        &key,
                        what,
                        "Give `min`, `max`, or both with min at most max, or \"off\"",
                    );
                }
            }
        }
    }

    fn row(&mut self, row: &TrialsFileRow) {
        let definition = &self.settings.definition;
        let Some(condition) = definition.condition(&row.condition) else {
            let what = format!("the condition `{}` is not in study.toml", row.condition);
            return self.in_table(row.line, what, "Correct its name or add it");
        };
        let expected: Vec<usize> = condition.references.iter().map(|group| group.count as usize).collect();
        let found: Vec<usize> = row.references.iter().map(Vec::len).collect();
        if expected != found {
            let what =
                format!("the row has references in groups of {found:?}, its condition of {expected:?}");
            self.in_table(row.line, what, "Part images by `;` and groups by `|`");
        }
        match (row.kind, row.image_set) {
            (TrialKind::Main, None) => {
                self.in_table(
                    row.line,
                    "a main trial without `image_set`".into(),
                    "Number image sets from 0",
                );
            }
            (TrialKind::Main, Some(set)) if set >= definition.design.image_sets => {
                let what = format!(
                    "`image_set` is {set}, but `design.image_sets` is {}",
                    definition.design.image_sets
                );
                self.in_table(row.line, what, "Number image sets from 0, or correct the design");
            }
            _ => {}
        }
        if (row.kind == TrialKind::Practice) != row.difficulty.is_some() {
            self.in_table(
                row.line,
                "`difficulty` is for practice trials, all of them".into(),
                "Write obvious or easy",
            );
        }
        let image = |name| self.images.get(name).map(|(id, _)| id);
        if image(&row.max_query).is_some_and(|max| image(&row.min_query) == Some(max)) {
            self.in_table(
                row.line,
                "the max and the min query are the same image".into(),
                "Correct one of them",
            );
        }
        let known = &row.known;
        if let (Some(max), Some(min)) = (known.max_activation, known.min_activation)
            && max <= min
        {
            let what = format!("the max query's activation ({max}) is not above the min query's ({min})");
            self.in_table(row.line, what, "Exchange the queries, or correct the activations");
        }
    }

    fn duplicates(&mut self) {
        let mut seen = BTreeMap::new();
        for row in self.rows {
            let base = (row.kind != TrialKind::Main).then_some(&row.base);
            let key = (&row.condition, row.kind, row.image_set, &row.unit, base);
            if let Some(first) = seen.insert(key, row.line) {
                self.in_table(
                    row.line,
                    format!("the row repeats the trial of line {first}"),
                    "Remove one of them",
                );
                seen.insert(key, first);
            }
        }
    }

    /// Every image set of a condition must have every unit, once.
    fn image_sets(&mut self, condition: &Condition) {
        let design = &self.settings.definition.design;
        let main =
            || self.rows.iter().filter(|row| row.kind == TrialKind::Main && row.condition == condition.name);
        let units: BTreeSet<&str> = main().map(|row| row.unit.as_str()).collect();
        let mut missing = Vec::new();
        for set in 0..design.image_sets {
            let found: HashSet<&str> =
                main().filter(|row| row.image_set == Some(set)).map(|row| row.unit.as_str()).collect();
            missing.extend(
                units.iter().filter(|unit| !found.contains(*unit)).map(|unit| (set, (*unit).to_owned())),
            );
        }
        for (set, unit) in missing {
            let what =
                format!("image set {set} of `{}` has no main trial for the unit `{unit}`", condition.name);
            self.in_table(None, what, "Add the row: every image set needs every unit");
        }
        if units.len() != design.main_trials as usize {
            let what = format!(
                "`{}` has main trials for {} units, but `design.main_trials` is {}",
                condition.name,
                units.len(),
                design.main_trials
            );
            self.in_table(None, what, "Add rows, or correct the design");
        }
    }

    fn pools(&mut self, condition: &Condition) {
        let definition = &self.settings.definition;
        let count = |kind, difficulty| {
            let of_kind = |row: &&TrialsFileRow| row.kind == kind && row.condition == condition.name;
            self.rows.iter().filter(of_kind).filter(|row| row.difficulty == difficulty).count()
        };
        let catch = count(TrialKind::Catch, None);
        let (obvious, easy) = (
            count(TrialKind::Practice, Some(Difficulty::Obvious)),
            count(TrialKind::Practice, Some(Difficulty::Easy)),
        );
        let examples = count(TrialKind::Instruction, None);
        let name = &condition.name;
        if catch != definition.design.catch_trials as usize {
            let what = format!(
                "`{name}` has {catch} catch trials, but `design.catch_trials` is {}",
                definition.design.catch_trials
            );
            self.in_table(None, what, "Add rows, or correct the design");
        }
        let practice = &definition.practice;
        let short = obvious < practice.obvious_trials as usize || obvious + easy < practice.trials() as usize;
        if condition.practice && short {
            let what = format!("`{name}` has too few practice trials ({obvious} obvious, {easy} easy)");
            let remedy = format!(
                "Give at least {} obvious ones and {} in all",
                practice.obvious_trials,
                practice.trials()
            );
            self.in_table(None, what, &remedy);
        }
        let index = definition.conditions.iter().position(|other| other.name == *name);
        let needed = index
            .and_then(|index| definition.pages.instructions.get(index))
            .map_or(0, |text| examples_needed(text));
        if examples < needed {
            let what = format!(
                "the instructions of `{name}` show example {needed}, but there are {examples} instruction trials"
            );
            self.in_table(None, what, "Add rows of kind instruction, or show another example");
        }
    }
}

pub(super) const NAME: &str = "Use 1 to 40 of a-z, 0-9 and hyphens, beginning with a letter";

pub(super) fn is_name(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    text.len() <= 40 && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed)
}
