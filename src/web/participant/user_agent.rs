//! Browser and system from the User-Agent header, as far as it tells.

/// Browser with its major version, such as `Chrome 141`.
pub fn browser(user_agent: &str) -> Option<String> {
    // Order matters: most browsers also claim to be those after them.
    let known = [
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("SamsungBrowser/", "Samsung Internet"),
        ("Firefox/", "Firefox"),
        ("FxiOS/", "Firefox"),
        ("CriOS/", "Chrome"),
        ("HeadlessChrome/", "Headless Chrome"),
        ("Chrome/", "Chrome"),
    ];
    for (mark, name) in known {
        if let Some(version) = after(user_agent, mark) {
            return Some(format!("{name} {version}"));
        }
    }
    let safari = user_agent.contains("Safari/").then(|| after(user_agent, "Version/")).flatten();
    safari.map(|version| format!("Safari {version}"))
}

/// Operating system, such as `Windows`.
pub fn system(user_agent: &str) -> Option<String> {
    let known = [
        ("Windows", "Windows"),
        ("iPhone", "iOS"),
        ("iPad", "iPadOS"),
        ("Android", "Android"),
        ("CrOS", "ChromeOS"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ];
    known.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| (*name).to_owned())
}

/// The digits that follow a mark.
fn after(text: &str, mark: &str) -> Option<String> {
    let rest = &text[text.find(mark)? + mark.len()..];
    let digits: String = rest.chars().take_while(char::is_ascii_digit).take(5).collect();
    (!digits.is_empty()).then_some(digits)
}

#[cfg(test)]
mod tests {
    use crate::web::participant::user_agent::*;

    #[test]
    fn common_browsers_are_told_apart() {
        for (user_agent, name, os) in [
            (
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0",
                "Edge 141",
                "Windows",
            ),
            (
                "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
                "Chrome 141",
                "Linux",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:144.0) Gecko/20100101 Firefox/144.0",
                "Firefox 144",
                "macOS",
            ),
            (
                "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15",
                "Safari 26",
                "macOS",
            ),
            (
                "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/141.0.0 Mobile/15E148 Safari/604.1",
                "Chrome 141",
                "iOS",
            ),
        ] {
            assert_eq!(browser(user_agent).as_deref(), Some(name));
            assert_eq!(system(user_agent).as_deref(), Some(os));
        }
        assert_eq!((browser("curl/8.0"), system("")), (None, None));
    }
}
