//! Checks the entry links of a study, and the rules of who is admitted.

use std::collections::{BTreeSet, HashSet};

use super::Problems;
use super::design::{NAME, is_name};
use super::settings::{self, ReadSettings};
use crate::domain::study::{Group, LinkDefinition, Mode, MturkTask, Outcome, Platform, SonaLink};
use crate::recruitment::{self, UseOfCodes, generic};

/// Checks every link.
pub fn check(settings: &ReadSettings, problems: &mut Problems) {
    let definition = &settings.definition;
    let mut names = HashSet::new();
    for (index, link) in definition.links.iter().enumerate() {
        let line = settings.line(&format!("links[{index}]"));
        let mut check = LinkCheck {
            settings,
            link,
            add: &mut |what, remedy| problems.add(settings::FILE, line, what, remedy),
        };
        if !names.insert(&link.name) {
            check.problem("is there twice", "Give each link a name of its own");
        }
        check.basics();
        check.tables();
        check.codes();
    }
    for earlier in &definition.recruitment.not_after {
        if !is_name(earlier) {
            let what = format!("`recruitment.not_after` names `{earlier}`");
            problems.add(settings::FILE, settings.line("recruitment"), what, NAME);
        }
    }
}

struct LinkCheck<'a> {
    settings: &'a ReadSettings,
    link: &'a LinkDefinition,
    add: &'a mut dyn FnMut(String, String),
}

impl LinkCheck<'_> {
    fn problem(&mut self, what: &str, remedy: &str) {
        (self.add)(format!("the link `{}` {what}", self.link.name), remedy.to_owned());
    }

    fn basics(&mut self) {
        let (link, definition) = (self.link, &self.settings.definition);
        if link.name.trim().is_empty() || link.name.len() > 100 {
            self.problem("has no name", "Give it one of 1 to 100 characters");
        }
        for name in link.conditions.iter().filter(|name| definition.condition(name).is_none()) {
            self.problem(&format!("leads to a condition `{name}`"), "Name one of the `[[conditions]]`");
        }
        if link.platform != Platform::Direct && !self.equal_pay() {
            self.problem(
                "mixes conditions of unequal pay",
                "Make one link per pay: people on a platform see what they will be paid",
            );
        }
        if link.mode == Mode::Simulated {
            self.problem("is for simulated people", "Leave it out: `weber simulate` makes its own");
        }
        if let Some(set) = link.image_set {
            if link.group != Group::Expert {
                self.problem("chooses an image set", "Only links with `group = \"expert\"` can");
            }
            if set >= definition.design.image_sets {
                let last = definition.design.image_sets.saturating_sub(1);
                self.problem(
                    &format!("leads to image set {set}"),
                    &format!("Give a number from 0 to {last}"),
                );
            }
        }
        if link.personal && link.platform != Platform::Direct {
            self.problem("is personal", "Only links with `platform = \"direct\"` can be");
        }
    }

    fn equal_pay(&self) -> bool {
        let conditions = self.settings.definition.conditions.iter();
        let reached = conditions.filter(|condition| self.link.allows(&condition.name));
        reached.map(|condition| condition.pay_usd).collect::<BTreeSet<_>>().len() <= 1
    }

    /// Checks that the link has the table of its own platform and no other.
    fn tables(&mut self) {
        let link = self.link;
        for (platform, given) in link.settings_of_platforms() {
            if given && platform != link.platform {
                let remedy = format!("Remove `{platform}`, or set `platform = \"{platform}\"`");
                self.problem(&format!("has settings for {platform}, which is not its platform"), &remedy);
            }
        }
        let needed = match link.platform {
            Platform::Sona => link.sona.is_none().then_some((
                "lacks its experiment",
                "Add `sona = { school = \"...\", experiment_id = 1, credit_token = \"...\" }`",
            )),
            Platform::Generic => link
                .generic
                .is_none()
                .then_some(("lacks the person's parameter", "Add `generic = { parameter = \"...\" }`")),
            Platform::Direct | Platform::Mturk | Platform::Prolific | Platform::Connect => None,
        };
        if let Some((what, remedy)) = needed {
            self.problem(what, remedy);
        }
        if let Some(task) = &link.mturk {
            self.mturk(task);
        }
        if let Some(sona) = &link.sona {
            self.sona(sona);
        }
        let template = link.generic.as_ref().and_then(|generic| generic.return_url.as_deref());
        if template.is_some_and(|template| !generic::is_usable(template)) {
            self.problem(
                "has a return address that cannot be used",
                "Write it as https://..., with {id}, {code} and {outcome} after the host only",
            );
        }
    }

    fn mturk(&mut self, task: &MturkTask) {
        let ranges = [
            ("assignments_per_hit", task.assignments_per_hit, 1, 9),
            ("assignment_duration_s", task.assignment_duration_s, 30, 31_536_000),
            ("lifetime_s", task.lifetime_s, 30, 31_536_000),
            ("auto_approval_s", task.auto_approval_s, 0, 2_592_000),
            ("min_approval_percent", task.min_approval_percent, 0, 100),
            ("frame_height_px", task.frame_height_px, 200, 4000),
        ];
        for (name, value, min, max) in ranges {
            if !(min..=max).contains(&value) {
                let what = format!("has `mturk.{name}` = {value}");
                self.problem(&what, &format!("Give a number from {min} to {max}"));
            }
        }
        let is_country = |code: &String| code.len() == 2 && code.bytes().all(|c| c.is_ascii_uppercase());
        if !task.countries.iter().all(is_country) {
            self.problem("names an unknown country", "Write countries as ISO 3166 codes, such as \"US\"");
        }
    }

    fn sona(&mut self, sona: &SonaLink) {
        if !is_name(&sona.school) {
            self.problem(
                "names a school that cannot be one",
                "Give the part of the site's address before `.sona-systems.com`",
            );
        }
    }

    fn codes(&mut self) {
        let link = self.link;
        let is_code =
            |code: &String| (1..=100).contains(&code.chars().count()) && !code.chars().any(char::is_control);
        if !link.codes.values().all(is_code) {
            self.problem("has a code that cannot be used", "Give codes of 1 to 100 characters");
        }
        match recruitment::use_of_codes(link.platform) {
            UseOfCodes::Unused if !link.codes.is_empty() => {
                self.problem("has codes", "Remove them: its platform has no use for codes");
            }
            UseOfCodes::Needed if link.code(Outcome::Complete).is_none() => {
                let remedy = format!(
                    "Add `codes = {{ complete = \"...\" }}`, as {} shows it",
                    recruitment::title(link.platform)
                );
                self.problem("lacks the code of completion", &remedy);
            }
            _ => {}
        }
    }
}
