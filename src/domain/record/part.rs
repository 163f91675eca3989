//! Parts of a record, each read separately, so that a part that cannot be read does not affect the others.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The longest description of a part's problem, in characters. It may quote the part.
const LONGEST_PROBLEM: usize = 200;

/// The longest text of a part that a reply repeats to identify the part, in bytes.
const LONGEST_NAME: usize = 40;

/// A step, an answer or an event, or the reason why it cannot be read.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordPart<T> {
    /// A part that could be read.
    Read(T),
    /// A part that cannot be read.
    Unreadable(Unreadable),
}

/// A part that cannot be read, and what is wrong with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    sent: Value,
    /// What is wrong, with the name of the field if one is wrong.
    pub problem: String,
}

impl Unreadable {
    /// A value of the part as it was sent, which identifies the part in the reply.
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

/// The error, after the name of the first field that causes it.
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

/// The part to which a reply refers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NamedPart<T> {
    /// The name of a part that could be read.
    Known(T),
    /// The value that was sent as the name of a part that cannot be read.
    AsSent(Value),
}

impl<T: PartialEq> NamedPart<T> {
    /// Whether it is this name.
    pub fn is(&self, name: &T) -> bool {
        matches!(self, Self::Known(known) if known == name)
    }
}
