//! Limits the size of the server's log, and reads its end to explain a failed start.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::error::{Error, cannot};
use super::place::Place;

/// The largest size of the log, in bytes. Its older part may be as large again.
const LARGEST: u64 = 4 << 20;

/// How many lines of the end of the log an error shows.
const TAIL_LINES: usize = 12;

/// Opens the log for a new server. If the log is too large, it becomes the older part.
pub(super) fn open(place: &Place) -> Result<File, Error> {
    bound(place)?;
    place.open(&place.log(), OpenOptions::new().append(true))
}

/// Keeps the log small even while a server writes to it: copies the content to the older part and truncates the log.
/// (PostgreSQL's own log rotation limits the age of a log, not its size.)
pub(super) fn bound(place: &Place) -> Result<(), Error> {
    let log = place.log();
    match fs::symlink_metadata(&log) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(cannot("look at", &log)(error)),
        Ok(found) if found.size() <= LARGEST => return Ok(()),
        Ok(_) => {}
    }
    let mut file = place.open(&log, OpenOptions::new().read(true).write(true))?;
    let mut older = place.open(&older(place), OpenOptions::new().write(true).truncate(true))?;
    // If the log grew too fast for the checks, only its end is kept. It is truncated even if a full disk prevents the copy.
    let copied =
        file.seek(SeekFrom::End(-LARGEST.cast_signed())).and_then(|_| io::copy(&mut file, &mut older));
    file.set_len(0).map_err(cannot("shorten", &log))?;
    copied.map(drop).map_err(cannot("copy the older part of", &log))
}

fn older(place: &Place) -> PathBuf {
    place.log().with_extension("log.1")
}

/// The length of the log in bytes, where the lines of a new server will begin.
pub(super) fn length(place: &Place) -> u64 {
    fs::metadata(place.log()).map_or(0, |found| found.size())
}

/// The last lines that were written after the log had the given length.
pub(super) fn tail(place: &Place, since: u64) -> String {
    let read = || -> io::Result<String> {
        let mut file = File::open(place.log())?;
        let end = file.seek(SeekFrom::End(0))?;
        file.seek(SeekFrom::Start(since.clamp(end.saturating_sub(1 << 16), end)))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        Ok(last_lines(&String::from_utf8_lossy(&bytes)))
    };
    read().unwrap_or_else(|error| format!("(the log cannot be read: {error})"))
}

/// The last lines of a program's output.
pub(super) fn last_lines(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    if lines.is_empty() {
        return "(nothing)".into();
    }
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_large_log_is_truncated_while_a_server_writes_to_it() {
        let data = tempfile::tempdir().unwrap();
        let place = Place::prepare(data.path()).unwrap();
        let mut writer = open(&place).unwrap();
        let line = [b'x'; 99].map(char::from).iter().collect::<String>();
        while length(&place) <= LARGEST {
            writeln!(writer, "{line}").unwrap();
        }
        writeln!(writer, "the last line before").unwrap();
        bound(&place).unwrap();
        assert_eq!(length(&place), 0);
        writeln!(writer, "the first line after").unwrap();
        assert_eq!(fs::read_to_string(place.log()).unwrap(), "the first line after\n");
        let older = fs::read_to_string(older(&place)).unwrap();
        assert!(older.ends_with("the last line before\n"));
        assert_eq!(older.len() as u64, LARGEST);
        bound(&place).unwrap();
        assert_eq!(tail(&place, 0), "the first line after", "a small log is left alone");
    }

    #[test]
    fn the_end_of_the_log_contains_only_new_lines() {
        let data = tempfile::tempdir().unwrap();
        let place = Place::prepare(data.path()).unwrap();
        let mut writer = open(&place).unwrap();
        writeln!(writer, "of an earlier server").unwrap();
        let begin = length(&place);
        assert_eq!(tail(&place, begin), "(nothing)");
        for number in 1..=20 {
            writeln!(writer, "line {number}").unwrap();
        }
        let tail = tail(&place, begin);
        assert!(tail.starts_with("line 9\n") && tail.ends_with("line 20"), "{tail}");
    }
}
