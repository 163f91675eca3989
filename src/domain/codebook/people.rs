//! `participants.csv`: one row per person who consented.

use super::Allowed::{Any, OneOf, Range};
use super::{Column, YES_OR_NO, columns};
use crate::domain::analysis::{Decision, JudgedPerson};
use crate::domain::exclusion::Criterion;
use crate::domain::participant::{EndReason, Stage};
use crate::domain::study::{Group, Mode, Platform};

/// The name of the file.
pub const FILE: &str = "participants.csv";

/// The description of a criterion's column.
const PASS: &str = "Whether the criterion holds; empty where it is off or the person did not complete";

/// The columns of the file, in order.
pub const COLUMNS: &[Column<JudgedPerson>] = columns! { JudgedPerson;
    "study", Text, "", Any, "The study's short name" => |r| &r.person.study;
    "study_version", Integer, "", Range("1.."), "The version of the study that this person saw" => |r| r.person.study_version;
    "participant", Text, "", Any, "Pseudonym; never a platform's id" => |r| &r.person.participant;
    "mode", Text, "", OneOf(Mode::WORDS), "What the participation counts for" => |r| r.person.mode.as_str();
    "condition", Text, "", Any, "Which kind of references the person saw" => |r| &r.person.condition;
    "slot", Integer, "", Range("1.."), "Place in the condition that the person holds or held" => |r| r.person.slot;
    "posting", Integer, "", Range("1.."), "Order of completion in the slot; empty if not completed, without a slot, or surplus" => |r| r.person.posting;
    "platform", Text, "", OneOf(Platform::WORDS), "Where the person came from" => |r| &r.person.platform;
    "stage", Text, "", OneOf(Stage::WORDS), "How far the person came" => |r| r.person.stage.as_str();
    "last_screen", Text, "", Any, "The screen on which the person was last seen" => |r| r.person.last_screen.as_ref();
    "answers", Integer, "", Range("0.."), "Answers stored, practice included" => |r| r.person.tally.answers;
    "group", Text, "", OneOf(Group::WORDS), "Who the person is" => |r| r.person.group.as_str();
    "late", Boolean, "", YES_OR_NO, "Finished after the lease was given away" => |r| r.person.late;
    "clock_discrepancy", Number, "s", Any, "How far the browser's clock ran ahead of what the server saw at the worst, where that was more than the study allows; below 0: how far it stayed behind, where that was more than 30 s, as when the computer slept" => |r| r.person.clock_discrepancy;
    "enrolled_at", Time, "", Any, "Consent. Of people who consent within moments of each other it is not the order in which places were given" => |r| r.person.enrolled_at;
    "started_at", Time, "", Any, "Welcome shown" => |r| r.person.started_at;
    "completed_at", Time, "", Any, "Completion accepted" => |r| r.person.completed_at;
    "instruction_time", Number, "s", Any, "Welcome shown to the first end of the fullscreen page, without waits for images; not more than the server saw pass since consent, and what clocks may differ by" => |r| r.person.measures.instruction_time;
    "total_time", Number, "s", Any, "Welcome shown to the press on Submit, without waits for images; not more than the server saw pass since consent, and what clocks may differ by" => |r| r.person.measures.total_time;
    "catch_correct", Integer, "", Range("0.."), "Catch trials answered correctly" => |r| r.person.measures.catch_correct;
    "catch_total", Integer, "", Range("0.."), "Catch trials answered" => |r| r.person.measures.catch_total;
    "catch_share", Number, "", Range("0..1"), "catch_correct / catch_total" => |r| r.person.measures.catch_share();
    "left_answers", Integer, "", Range("0.."), "Answers on the left, over main and catch trials" => |r| r.person.measures.left_answers;
    "right_answers", Integer, "", Range("0.."), "Answers on the right, over main and catch trials" => |r| r.person.measures.right_answers;
    "practice_blocks", Integer, "", Range("0.."), "Practice blocks begun (with at least one answer); empty where the condition has no practice" => |r| r.person.measures.practice_blocks;
    "main_correct", Integer, "", Range("0.."), "Main trials answered correctly" => |r| r.person.tally.main_correct;
    "main_total", Integer, "", Range("0.."), "Main trials answered" => |r| r.person.tally.main_total;
    "pass_instruction_time", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::InstructionTime);
    "pass_total_time", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::TotalTime);
    "pass_catch_trials", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::CatchTrials);
    "pass_answer_variability", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::AnswerVariability);
    "pass_practice_blocks", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::PracticeBlocks);
    "kept", Boolean, "", YES_OR_NO, "The verdict that this export used" => |r| r.kept();
    "exclusion_reasons", Text, "", Any, "Failed criteria, incomplete, or surplus, joined by ;" => |r| r.reasons().join(";");
    "override", Text, "", OneOf(Decision::WORDS), "A researcher's decision, which comes before the rule, where there is one" => |r| r.person.overridden.as_ref().map(|o| o.decision.as_str());
    "override_reason", Text, "", Any, "Why the researcher decided so" => |r| r.person.overridden.as_ref().map(|o| &o.reason);
    "fullscreen_exits", Integer, "", Range("0.."), "How often fullscreen was left" => |r| r.person.events.map(|n| n.fullscreen_exits);
    "focus_losses", Integer, "", Range("0.."), "How often the window lost the focus or the tab was hidden" => |r| r.person.events.map(|n| n.focus_losses);
    "reloads", Integer, "", Range("0.."), "How often the participation was opened again" => |r| r.person.events.map(|n| n.reloads);
    "image_failures", Integer, "", Range("0.."), "How often an image could not be loaded at one try" => |r| r.person.events.map(|n| n.image_failures);
    "browser", Text, "", Any, "Browser and its major version" => |r| r.person.browser.as_ref();
    "system", Text, "", Any, "Operating system" => |r| r.person.system.as_ref();
    "screen_width", Integer, "px", Any, "Width of the screen" => |r| r.person.screen_width;
    "screen_height", Integer, "px", Any, "Height of the screen" => |r| r.person.screen_height;
    "window_width", Integer, "px", Any, "Inner width of the window at consent" => |r| r.person.window_width;
    "window_height", Integer, "px", Any, "Inner height of the window at consent" => |r| r.person.window_height;
    "pixel_ratio", Number, "", Any, "Device pixels per CSS px" => |r| r.person.pixel_ratio;
    "feedback", Text, "", Any, "What the person wrote at the end" => |r| r.person.feedback.as_ref();
    "image_set", Integer, "", Range("0.."), "The person's image set, counted from 0" => |r| r.person.image_set;
    "end_reason", Text, "", OneOf(EndReason::WORDS), "Why somebody ended before completing" => |r| r.person.end_reason.as_ref();
    "pass_clock_discrepancy", Boolean, "", YES_OR_NO, PASS => |r| r.pass(Criterion::ClockDiscrepancy);
    "events_dropped", Integer, "", Range("0.."), "Events that came when as many as are stored of one person were there, so that they were only counted" => |r| r.person.events_dropped;
};
