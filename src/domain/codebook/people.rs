//! `participants.csv`: one row per person who consented.

use super::{Column, columns, put, put_time};
use crate::domain::analysis::JudgedPerson;
use crate::domain::exclusion::Criterion;

/// Its name.
pub const FILE: &str = "participants.csv";

/// The columns, in order.
pub const COLUMNS: &[Column<JudgedPerson>] = columns! { JudgedPerson;
    "study", Text, "", "", "The study's short name" => |r, out| out.push_str(&r.person.study);
    "study_version", Integer, "", "1..", "The version of the study that this person saw" => |r, out| put(Some(r.person.study_version), out);
    "participant", Text, "", "", "Pseudonym; never a platform's id" => |r, out| out.push_str(&r.person.participant);
    "mode", Text, "", "live, pilot, simulated", "What the participation counts for" => |r, out| out.push_str(r.person.mode.as_str());
    "condition", Text, "", "", "Which kind of references the person saw" => |r, out| out.push_str(&r.person.condition);
    "slot", Integer, "", "1..", "Place in the condition that the person holds or held" => |r, out| put(r.person.slot, out);
    "posting", Integer, "", "1..", "Order of completion in the slot; empty if not completed, without a slot, or surplus" => |r, out| put(r.person.posting, out);
    "platform", Text, "", "direct, mturk, prolific, connect, sona, generic", "Where the person came from" => |r, out| out.push_str(&r.person.platform);
    "stage", Text, "", "consented, instructed, practised, running, complete, abandoned, expired, withdrawn", "How far the person came" => |r, out| put(Some(r.person.stage), out);
    "last_screen", Text, "", "", "The screen on which the person was last seen" => |r, out| put(r.person.last_screen.as_ref(), out);
    "answers", Integer, "", "0..", "Answers stored, practice included" => |r, out| put(Some(r.person.tally.answers), out);
    "group", Text, "", "crowd, expert", "Who the person is" => |r, out| out.push_str(r.person.group.as_str());
    "late", Boolean, "", "true, false", "Finished after the lease was given away" => |r, out| put(Some(r.person.late), out);
    "clock_discrepancy", Number, "s", "", "How far the browser's clock ran ahead of what the server saw at the worst, where that was more than the study allows; below 0: how far it stayed behind, where that was more than 30 s, as when the computer slept" => |r, out| put(r.person.clock_discrepancy, out);
    "enrolled_at", Time, "", "", "Consent. Of people who consent within moments of each other it is not the order in which places were given" => |r, out| put_time(Some(r.person.enrolled_at), out);
    "started_at", Time, "", "", "Welcome shown" => |r, out| put_time(r.person.started_at, out);
    "completed_at", Time, "", "", "Completion accepted" => |r, out| put_time(r.person.completed_at, out);
    "instruction_time", Number, "s", "", "Welcome shown to the first end of the fullscreen page, without waits for images; not more than the server saw pass since consent, and what clocks may differ by" => |r, out| put(r.person.measures.instruction_time, out);
    "total_time", Number, "s", "", "Welcome shown to the press on Submit, without waits for images; not more than the server saw pass since consent, and what clocks may differ by" => |r, out| put(r.person.measures.total_time, out);
    "catch_correct", Integer, "", "0..", "Catch trials answered correctly" => |r, out| put(Some(r.person.measures.catch_correct), out);
    "catch_total", Integer, "", "0..", "Catch trials answered" => |r, out| put(Some(r.person.measures.catch_total), out);
    "catch_share", Number, "", "0..1", "catch_correct / catch_total" => |r, out| put(r.person.measures.catch_share(), out);
    "left_answers", Integer, "", "0..", "Answers on the left, over main and catch trials" => |r, out| put(Some(r.person.measures.left_answers), out);
    "right_answers", Integer, "", "0..", "Answers on the right, over main and catch trials" => |r, out| put(Some(r.person.measures.right_answers), out);
    "practice_blocks", Integer, "", "0..", "Practice blocks begun (with at least one answer); empty where the condition has no practice" => |r, out| put(r.person.measures.practice_blocks, out);
    "main_correct", Integer, "", "0..", "Main trials answered correctly" => |r, out| put(Some(r.person.tally.main_correct), out);
    "main_total", Integer, "", "0..", "Main trials answered" => |r, out| put(Some(r.person.tally.main_total), out);
    "pass_instruction_time", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::InstructionTime), out);
    "pass_total_time", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::TotalTime), out);
    "pass_catch_trials", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::CatchTrials), out);
    "pass_answer_variability", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::AnswerVariability), out);
    "pass_practice_blocks", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::PracticeBlocks), out);
    "kept", Boolean, "", "true, false", "The verdict that this export used" => |r, out| put(Some(r.kept()), out);
    "exclusion_reasons", Text, "", "", "Failed criteria, incomplete, or surplus, joined by ;" => |r, out| out.push_str(&r.reasons().join(";"));
    "override", Text, "", "include, exclude", "A researcher's decision, which comes before the rule, where there is one" => |r, out| put(r.person.overridden.as_ref().map(|o| o.decision), out);
    "override_reason", Text, "", "", "Why the researcher decided so" => |r, out| put(r.person.overridden.as_ref().map(|o| &o.reason), out);
    "fullscreen_exits", Integer, "", "0..", "How often fullscreen was left" => |r, out| put(r.person.events.map(|n| n.fullscreen_exits), out);
    "focus_losses", Integer, "", "0..", "How often the window lost the focus or the tab was hidden" => |r, out| put(r.person.events.map(|n| n.focus_losses), out);
    "reloads", Integer, "", "0..", "How often the participation was opened again" => |r, out| put(r.person.events.map(|n| n.reloads), out);
    "image_failures", Integer, "", "0..", "How often an image could not be loaded at one try" => |r, out| put(r.person.events.map(|n| n.image_failures), out);
    "browser", Text, "", "", "Browser and its major version" => |r, out| put(r.person.browser.as_ref(), out);
    "system", Text, "", "", "Operating system" => |r, out| put(r.person.system.as_ref(), out);
    "screen_width", Integer, "px", "", "Width of the screen" => |r, out| put(r.person.screen_width, out);
    "screen_height", Integer, "px", "", "Height of the screen" => |r, out| put(r.person.screen_height, out);
    "window_width", Integer, "px", "", "Inner width of the window at consent" => |r, out| put(r.person.window_width, out);
    "window_height", Integer, "px", "", "Inner height of the window at consent" => |r, out| put(r.person.window_height, out);
    "pixel_ratio", Number, "", "", "Device pixels per CSS px" => |r, out| put(r.person.pixel_ratio, out);
    "feedback", Text, "", "", "What the person wrote at the end" => |r, out| put(r.person.feedback.as_ref(), out);
    "image_set", Integer, "", "0..", "The person's image set, counted from 0" => |r, out| put(Some(r.person.image_set), out);
    "end_reason", Text, "", "left, screened_out", "Why somebody ended before completing" => |r, out| put(r.person.end_reason.as_ref(), out);
    "pass_clock_discrepancy", Boolean, "", "true, false", "Whether the criterion holds; empty where it is off or the person did not complete" => |r, out| put(r.pass(Criterion::ClockDiscrepancy), out);
    "events_dropped", Integer, "", "0..", "Events that came when as many as are stored of one person were there, so that they were only counted" => |r, out| put(Some(r.person.events_dropped), out);
};
