/**
 * The shapes of the server's requests and replies, as docs/participant-api.md describes them. Times are in ms.
 *
 * @typedef {"practice" | "main"} BlockName
 * @typedef {"consented" | "instructed" | "practised" | "running" | "complete" | "abandoned" | "withdrawn"} Stage
 * @typedef {"welcome" | "instructed" | "main"} StepName
 * @typedef {"mouse" | "touch" | "key"} Input
 *
 * @typedef {object} Place The position of a trial in the participation.
 * @property {BlockName} block
 * @property {number} attempt From 1; 1 for main.
 * @property {number} trial_index From 1.
 *
 * @typedef {object} Trial Addresses of a trial's images, by the place where each is shown.
 * @property {number} trial_index
 * @property {string[]} references
 * @property {string} base
 * @property {string} left
 * @property {string} right
 *
 * @typedef {object} Block
 * @property {BlockName} block
 * @property {number} attempt
 * @property {Trial[]} trials
 *
 * @typedef {object} TrialScreen
 * @property {number} confidence_levels
 * @property {string[]} keys One per button, as KeyboardEvent.key in lower case.
 * @property {number} continue_after_ms
 *
 * @typedef {object} Study
 * @property {string} slug
 * @property {string} title
 * @property {string} contact
 * @property {{min_width_px: number, min_height_px: number}} window
 * @property {TrialScreen} trial
 * @property {{trials: number, offer_end_after_blocks: number} | null} practice
 * @property {number} image_width_px
 * @property {number} image_height_px
 * @property {number} heartbeat_s
 *
 * @typedef {object} Texts
 * @property {string} references_title
 * @property {string} base_title
 * @property {string} base_title_alone
 * @property {string} question
 * @property {string} more_confident
 * @property {string} continue_label
 * @property {string} practice_correct
 * @property {string} practice_incorrect
 * @property {string} main_intro
 *
 * @typedef {object} Screens HTML fragments.
 * @property {string} welcome
 * @property {string[]} instructions
 * @property {string} fullscreen
 * @property {string} welcome_back
 * @property {string} practice_again
 * @property {string} main
 * @property {string} feedback
 * @property {string} done
 * @property {string} left
 *
 * @typedef {{kind: "task_page"} | {kind: "link", url: string}
 *   | {kind: "code", code: string} | {kind: "thanks"}} Return How the person goes back.
 *
 * @typedef {object} Opened Answer to POST /api/v1/open.
 * @property {string} participant
 * @property {number} tab
 * @property {string} mode
 * @property {Stage} stage
 * @property {string | null} outcome
 * @property {number | null} clock_ms
 * @property {Study} study
 * @property {Texts} texts
 * @property {Screens} screens
 * @property {string[]} instruction_images
 * @property {number} practice_attempt
 * @property {Block[]} blocks
 * @property {Place[]} answers The trials answered so far.
 * @property {Return | null} return
 *
 * @typedef {object} Step
 * @property {StepName} step
 * @property {number} clock_ms
 * @property {number} load_wait
 *
 * @typedef {object} Measures What was measured at the press that answered a trial.
 * @property {number} response The button, from 0 at the left.
 * @property {number | null} rt
 * @property {number | null} continue_rt
 * @property {number} time_elapsed
 * @property {Input} input
 * @property {number} presentations
 * @property {number} hidden_ms
 * @property {number} load_wait
 * @property {number} display_scale
 * @property {number} device_scale Device px per image px.
 * @property {number | null} frame_ms
 * @property {number | null} pointerdown_rt
 * @property {number | null} continue_hidden_ms
 *
 * @typedef {Place & Measures} Answer
 *
 * @typedef {object} StudyEvent
 * @property {number} seq
 * @property {string} kind
 * @property {number | null} at
 * @property {Record<string, unknown>} detail
 *
 * @typedef {object} AnswerReply
 * @property {BlockName} block
 * @property {number} attempt
 * @property {number} trial_index
 * @property {"stored" | "same" | "refused"} status
 * @property {string} [code]
 * @property {boolean} [correct]
 *
 * @typedef {object} RecordReply Answer to POST /api/v1/records.
 * @property {Stage} stage
 * @property {boolean} superseded
 * @property {number} practice_attempt
 * @property {{step: StepName, taken: boolean, code?: string}[]} steps
 * @property {AnswerReply[]} answers
 * @property {{seq: number, code: string, detail?: string}[]} [events] Those that are not stored.
 * @property {Block} [next_block]
 */

export {};
