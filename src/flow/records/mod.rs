//! Records: what the trial program tells the server while a person takes part. This is the path of nearly all requests.
//!
//! # What a record is
//!
//! A record is one POST to `/api/v1/records`: steps that the person took, answers, events, or only a sign of life. The browser keeps it
//! in its outbox and repeats it until the server has confirmed it. So a record may come twice, late, or from a page that another
//! tab has replaced, and a record may be confirmed only after it is on disk. [`domain::record::apply`](crate::domain::record::apply)
//! decides each record by itself: what is new and possible is stored, what is there already is confirmed, what contradicts it is
//! refused.
//!
//! # The way of a record
//!
//! 1. The handler (`web::participant::api`) gives the record to [`RecordIntake`](intake::RecordIntake) and waits.
//! 2. The [batch queue](batch_queue) collects the records that wait and runs them as one batch, on a connection that serves
//!    nothing else (`store::record_connection`).
//! 3. [`participants`] finds the participants of the batch: in the [participant cache](participant_cache), else it claims and reads
//!    them.
//! 4. [`decide`] decides record after record in memory, and one SQL statement stores what follows (`store::batches::save`).
//! 5. After the commit each client gets its own reply, and open pages of the lab hear of the change.
//!
//! # Why batches
//!
//! A commit waits for the disk, and the wait is the same for one answer as for a hundred. With one commit per answer the disk would
//! set the limit; `pgbench`, which does that, reaches 14,000 rows per second with 64 connections (docs/performance.md, where each
//! number of this page is measured). Weber stores 25,000 answers per second there, since those that arrive during a commit share the
//! next one. A single connection has nothing to share: it gets 0.65 of `pgbench`, as each answer is also checked.
//!
//! # Why a cache
//!
//! To decide a record the server needs the participant's row, their schedule and their earlier answers. Reading them takes four
//! statements; storing an answer takes one, 63 µs in the database. The cache keeps them for the 8,192 to 16,384 people who were
//! active last (about 4 KiB each), so that an answer of a person in the cache needs the one statement only.
//!
//! # Claim and revision: why the cache may be wrong and nothing wrong is stored
//!
//! Several servers, and other requests on the same server, change participants too. No lock is held while records are decided.
//! Instead each cached participant carries the **revision** of their row: PostgreSQL's `xmin`, which every update changes. The
//! statement that stores a batch first locks the rows whose revision is still the cached one, and stores only what was decided
//! about those. Every other change to a participation (opening a page, completing, leaving) updates the row, and a server that reads a
//! participant into its cache **claims** them: it updates their row without changing a value, so that the copies in other servers'
//! caches become outdated.
//!
//! A participant whose row has changed drops out of the batch. Their records are decided a second time within one transaction, in
//! which claiming them holds their row until the commit; so a third time is never needed.
//!
//! A row that another session has locked is skipped, since waiting for it would hold up the whole batch. The record of that person
//! then waits outside of the queue, for at most a second, and is refused with 503; the browser repeats it.
//!
//! # What is written
//!
//! An answer inserts one row. The participant's row, which is wide and has many checks, is updated only if something but the time of the
//! last sign of life changes, or if that is 15 s old: writing it with each answer would take 163 instead of 63 µs. For the same reason
//! there is no foreign key from answers to the schedule. The decision is what keeps answers to scheduled trials, and `weber doctor`
//! looks for an answer without one.

pub(crate) mod batch_queue;
mod decide;
pub mod intake;
pub mod job;
pub(crate) mod participant_cache;
mod participants;
