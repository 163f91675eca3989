//! Parts of a record, each read by itself: one that cannot be read does not hold up the others.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// Longest words about what is wrong with a part, in characters: they may quote it.
const LONGEST_PROBLEM: usize = 200;

/// Longest text that a reply repeats, in bytes, to say which part it is about.
const LONGEST_NAME: usize = 40;

/// A step, an answer or an event: what it says, or why it cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordPart<T> {
    /// It says this.
    Read(T),
    /// It cannot be read.
    Unreadable(Unreadable),
}

/// What was sent in place of a part, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    sent: Value,
    /// What is wrong, with the name of the field where one is at fault.
    pub problem: String,
}

impl Unreadable {
    /// A value of the part as it was sent, for the reply to name the part by.
    pub fn named(&self, field: &str) -> Value {
        match self.sent.get(field) {
            Some(Value::String(text)) if text.len() > LONGEST_NAME => Value::Null,
            Some(Value::Array(_) | Value::Object(_)) | None => Value::Null,
            Some(value) => value.clone(),
        }
    }
}

impl<T> From<T> for RecordPart<T> {
    fn from(part: T) -> Self {
        Self::Read(part)
    }
}

impl<T: Serialize> Serialize for RecordPart<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Read(part) => part.serialize(serializer),
            Self::Unreadable(Unreadable { sent, .. }) => sent.serialize(serializer),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for RecordPart<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let sent = Value::deserialize(deserializer)?;
        Ok(match T::deserialize(&sent) {
            Ok(part) => Self::Read(part),
            Err(error) => {
                let problem =
                    problem_in::<T>(&sent, &error.to_string()).chars().take(LONGEST_PROBLEM).collect();
                Self::Unreadable(Unreadable { sent, problem })
            }
        })
    }
}

/// What is wrong, after the name of the field at fault: the first one that brings the error about.
fn problem_in<T: DeserializeOwned>(sent: &Value, error: &str) -> String {
    let mut fields = Map::new();
    for (name, value) in sent.as_object().into_iter().flatten() {
        fields.insert(name.clone(), value.clone());
        let until_here = T::deserialize(&Value::Object(fields.clone()));
        if until_here.is_err_and(|found| found.to_string() == error) {
            return format!("`{name}`: {error}");
        }
    }
    error.to_owned()
}

/// What a reply is about: what the part named, or what it had in its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NamedPart<T> {
    /// What the part named.
    Known(T),
    /// What it had in its place.
    AsSent(Value),
}

impl<T: PartialEq> NamedPart<T> {
    /// Whether it is this.
    pub fn is(&self, what: &T) -> bool {
        matches!(self, Self::Known(known) if known == what)
    }
}
