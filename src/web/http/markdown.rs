//! Renders Markdown as HTML. HTML inside it is shown as text, and pictures are the study's own figures.

use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html};

use crate::domain::instruction_picture::InstructionPicture;

/// Renders a text without pictures.
pub fn render(markdown: &str) -> String {
    render_with_figures(markdown, |_, _| String::new())
}

/// Renders a text; `figure` renders each picture from what it names and the words that describe it.
pub fn render_with_figures(
    markdown: &str,
    mut figure: impl FnMut(InstructionPicture, &str) -> String,
) -> String {
    let mut events = Vec::new();
    let mut picture: Option<(Option<InstructionPicture>, String)> = None;
    for event in Parser::new_ext(markdown, Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TABLES) {
        match (event, &mut picture) {
            (Event::Start(Tag::Image { dest_url, .. }), _) => {
                picture = Some((InstructionPicture::parse(&dest_url).ok(), String::new()));
            }
            (Event::End(TagEnd::Image), Some((found, words))) => {
                let html = found.map(|found| figure(found, words)).unwrap_or_default();
                events.push(Event::InlineHtml(html.into()));
                picture = None;
            }
            (Event::Text(text) | Event::Code(text), Some((_, words))) => words.push_str(&text),
            (_, Some(_)) => {}
            (Event::Html(text) | Event::InlineHtml(text), None) => events.push(Event::Text(text)),
            (Event::Start(Tag::Link { link_type, dest_url, title, id }), None) => {
                let dest_url = if is_harmless(&dest_url) { dest_url } else { CowStr::Borrowed("#") };
                events.push(Event::Start(Tag::Link { link_type, dest_url, title, id }));
            }
            (event, None) => events.push(event),
        }
    }
    let mut out = String::new();
    html::push_html(&mut out, events.into_iter());
    out
}

fn is_harmless(address: &str) -> bool {
    ["https://", "http://", "mailto:"].iter().any(|scheme| address.starts_with(scheme))
}

#[cfg(test)]
mod tests {
    use crate::domain::instruction_picture::FigureKind;
    use crate::web::http::markdown::*;

    #[test]
    fn html_is_shown_as_text_and_links_cannot_run_scripts() {
        let html = render(
            "<script>alert(1)</script>\n\nHi <b onclick=x>there</b> [a](javascript:alert(1)) [b](https://x.org)",
        );
        assert!(
            !html.contains("<script") && !html.contains("<b ") && !html.contains("javascript:"),
            "{html}"
        );
        assert!(html.contains("&lt;script&gt;") && html.contains("href=\"https://x.org\""), "{html}");
    }

    #[test]
    fn pictures_are_figures() {
        let html = render_with_figures(
            "A ![nine *images*](figure:references/2) b ![x](https://evil/y.png)",
            |figure, words| {
                assert_eq!((figure.kind, figure.example), (FigureKind::References, 2));
                format!("<figure>{words}</figure>")
            },
        );
        assert_eq!(html, "<p>A <figure>nine images</figure> b </p>\n");
    }
}
