//! Texts for posting a task on MTurk: the question's XML, the requirements for workers, batches, and the command that posts a
//! batch. Weber itself never calls MTurk's requester interface.

use serde_json::{Value, json};

use crate::domain::study::{MturkTask, Usd};

const NAMESPACE: &str =
    "http://mechanicalturk.amazonaws.com/AWSMechanicalTurkDataSchemas/2006-07-14/ExternalQuestion.xsd";

/// The ids of MTurk's own qualification types.
const LOCALE: &str = "00000000000000000071";
const APPROVED_HITS: &str = "00000000000000000040";
const APPROVAL_PERCENT: &str = "000000000000000000L0";

const SANDBOX: &str = "https://mturk-requester-sandbox.us-east-1.amazonaws.com";

/// Which MTurk site a task is posted on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Market {
    /// The real site, where workers are paid.
    Production,
    /// The site for trying tasks out.
    Sandbox,
}

/// The question: the address of the page that MTurk shows in its frame, and the frame's height in px.
pub fn question(url: &str, frame_height_px: u32) -> String {
    let url = url.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ExternalQuestion xmlns=\"{NAMESPACE}\">\n  <ExternalURL>{url}</ExternalURL>\n  \
         <FrameHeight>{frame_height_px}</FrameHeight>\n</ExternalQuestion>\n"
    )
}

/// The requirements for workers, as MTurk's JSON. Workers in the sandbox have no approved HITs, so nothing is required there.
pub fn requirements(task: &MturkTask, market: Market) -> Value {
    let mut all = Vec::new();
    let mut require = |kind: &str, comparator: &str, name: &str, values: Value| {
        all.push(json!({ "QualificationTypeId": kind, "Comparator": comparator, name: values,
            "ActionsGuarded": "DiscoverPreviewAndAccept" }));
    };
    if market == Market::Production {
        if !task.countries.is_empty() {
            let countries: Vec<Value> =
                task.countries.iter().map(|code| json!({ "Country": code })).collect();
            require(LOCALE, "In", "LocaleValues", json!(countries));
        }
        for (kind, least) in
            [(APPROVED_HITS, task.min_approved_hits), (APPROVAL_PERCENT, task.min_approval_percent)]
        {
            if least > 0 {
                require(kind, "GreaterThanOrEqualTo", "IntegerValues", json!([least]));
            }
        }
    }
    Value::Array(all)
}

/// Splits a number of people into HITs of at most `per_hit` people.
pub fn batches(people: u32, per_hit: u32) -> Vec<u32> {
    let per_hit = per_hit.max(1);
    let full = std::iter::repeat_n(per_hit, (people / per_hit) as usize);
    full.chain(Some(people % per_hit).filter(|rest| *rest > 0)).collect()
}

/// Describes batches in words: "22 HITs of 9 people and one HIT of 2 people".
pub fn in_words(batches: &[u32]) -> String {
    let groups: Vec<String> = batches
        .chunk_by(|a, b| a == b)
        .map(|group| match group {
            [people] => format!("one HIT of {people} people"),
            _ => format!("{} HITs of {} people", group.len(), group[0]),
        })
        .collect();
    groups.join(" and ")
}

/// The command of the AWS command line that posts one HIT.
pub fn command(
    task: &MturkTask,
    title: &str,
    reward: Usd,
    question: &str,
    people: u32,
    market: Market,
) -> String {
    let requirements = requirements(task, market).to_string();
    let options = [
        ("title", quote(title)),
        ("description", quote(&task.description)),
        ("keywords", quote(&task.keywords)),
        ("reward", reward.to_string()),
        ("max-assignments", people.to_string()),
        ("assignment-duration-in-seconds", task.assignment_duration_s.to_string()),
        ("lifetime-in-seconds", task.lifetime_s.to_string()),
        ("auto-approval-delay-in-seconds", task.auto_approval_s.to_string()),
        ("qualification-requirements", quote(&requirements)),
        ("question", quote(question.trim_end())),
    ];
    let mut command = "aws mturk create-hit --region us-east-1".to_owned();
    if market == Market::Sandbox {
        command.push_str(&format!(" --endpoint-url {SANDBOX}"));
    }
    for (name, value) in options {
        command.push_str(&format!(" \\\n  --{name} {value}"));
    }
    command
}

/// Quotes any text as one word for a POSIX shell.
fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://s.example/enter/abc?a=1&b=2";

    #[test]
    fn the_question_is_the_xml_that_mturk_expects() {
        let xml = question(URL, 800);
        assert!(xml.contains("<ExternalURL>https://s.example/enter/abc?a=1&amp;b=2</ExternalURL>"));
        assert!(xml.find("ExternalURL").unwrap() < xml.find("<FrameHeight>800</FrameHeight>").unwrap());
        assert!(xml.contains(&format!("<ExternalQuestion xmlns=\"{NAMESPACE}\">")));
        assert!(xml.len() <= 65_535);
    }

    #[test]
    fn the_default_requirements_are_those_of_the_publication() {
        let json = requirements(&MturkTask::default(), Market::Production);
        assert_eq!(json[0]["QualificationTypeId"], LOCALE);
        assert_eq!(json[0]["LocaleValues"].as_array().unwrap().len(), 6);
        assert_eq!((&json[1]["IntegerValues"][0], &json[2]["IntegerValues"][0]), (&json!(1000), &json!(99)));
        assert_eq!(json[1]["Comparator"], "GreaterThanOrEqualTo");
        assert_eq!(requirements(&MturkTask::default(), Market::Sandbox), json!([]));
    }

    #[test]
    fn batches_stay_below_the_double_fee() {
        assert_eq!(batches(50, 9), [9, 9, 9, 9, 9, 5]);
        assert_eq!(batches(9, 9), [9]);
        assert_eq!(batches(0, 9), [0; 0]);
        assert_eq!(in_words(&batches(20, 9)), "2 HITs of 9 people and one HIT of 2 people");
        assert_eq!(in_words(&batches(9, 9)), "one HIT of 9 people");
    }

    #[test]
    fn the_command_quotes_its_values_and_names_the_sandbox_only_when_asked() {
        let task = MturkTask { description: "It's $HOME `x`".into(), ..MturkTask::default() };
        let reward = Usd::try_from(1.95).unwrap();
        let command = |market| command(&task, "T", reward, &question(URL, 800), 9, market);
        let production = command(Market::Production);
        assert!(production.contains(r"--description 'It'\''s $HOME `x`'"));
        assert!(production.contains("--reward 1.95") && production.contains("--max-assignments 9"));
        assert!(!production.contains("sandbox") && command(Market::Sandbox).contains(SANDBOX));
    }

    #[test]
    fn a_shell_reads_a_quoted_text_unchanged() {
        let text = "a'b\"c\nd $x \\ `y`";
        let said =
            std::process::Command::new("sh").arg("-c").arg(format!("printf %s {}", quote(text))).output();
        assert_eq!(String::from_utf8(said.unwrap().stdout).unwrap(), text);
    }
}
