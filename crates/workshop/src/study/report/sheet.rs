//! `contact-sheet.html`: all images of a study on one page, with boxes to leave some out.

use std::fmt::Write;

use weber_stimuli::recipe::{ImageSet, UnitRecipe, paths};

use super::{GroupResult, Report, UnitResult};
use crate::study::{HIGHEST, LOWEST, Outcome, REJECTED, RULES};

const STYLE: &str = include_str!("sheet.css");
const SCRIPT: &str = include_str!("sheet.js");

/// Text that HTML shows as it is, also inside a quoted attribute.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// An image with its caption.
fn figure(path: &str, alt: &str, caption: &str) -> String {
    format!(
        "<figure><a href=\"{0}\"><img src=\"{0}\" alt=\"{1}\" width=\"224\" height=\"224\" loading=\"lazy\"></a>\
         <figcaption>{2}</figcaption></figure>\n",
        escaped(path),
        escaped(alt),
        escaped(caption),
    )
}

/// A natural image, which can be left out.
fn natural(image: &str, alt: &str, caption: &str) -> String {
    let figure = figure(&paths::natural(image), alt, caption);
    figure.replace("</figure>", &(tick(image, "leave out", false) + "</figure>"))
}

fn tick(image: &str, words: &str, ticked: bool) -> String {
    let (image, checked) = (escaped(image), if ticked { " checked" } else { "" });
    format!(
        "<label title=\"{image}\"><input type=\"checkbox\" data-image=\"{image}\" aria-label=\"leave out {image}\"{checked}>{}</label>",
        escaped(words)
    )
}

impl Report<'_> {
    /// The page. Its images are files of the study's folder.
    pub fn sheet(&self) -> String {
        let name = escaped(self.name);
        let units: String =
            self.units().iter().map(|(outcome, recipe)| self.unit(outcome, *recipe)).collect();
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <title>Contact sheet: {name}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             <a class=\"skip\" href=\"#units\">To the units</a>\n\
             <div class=\"bar\"><div class=\"bar-inside\"><output>0 images are left out</output>\
             <button type=\"button\">Download {REJECTED}</button></div></div>\n<main>\n\
             <h1>Contact sheet: {name}</h1>\n{}{}{}{}<div id=\"units\">\n{units}</div>\n</main>\n\
             <script>\n{SCRIPT}</script>\n</body>\n</html>\n",
            self.origin(),
            self.left_out(),
            self.rules(),
            self.contents(),
        )
    }

    fn origin(&self) -> String {
        let (origin, options) = (self.origin, self.options);
        let architecture =
            origin.architecture.as_ref().map_or(String::new(), |name| format!(", architecture {name}"));
        let fact = |name: &str, value: String| format!("<span>{name} <b>{}</b></span>\n", escaped(&value));
        format!(
            "<p class=\"facts\">\n{}{}{}{}{}</p>\n\
             <p>Look through all images. Tick <em>leave out</em> under an image that people should not see (all places where it \
             occurs are ticked). Then download <code>{REJECTED}</code>, put it in the study's folder, and run the same command \
             again: the units' images are chosen anew without the ticked ones.</p>\n",
            fact("model", format!("{}{architecture}", origin.model)),
            fact("search", options.search.name().into()),
            fact("preset", format!("{}, {} steps", self.preset.name, self.preset.steps)),
            fact(
                "patch",
                format!(
                    "{:?} of {} px, every {} px",
                    options.patch.shape, options.patch.side, options.patch.stride
                )
                .to_lowercase(),
            ),
            fact("seed", options.seed.to_string()),
        )
    }

    /// Images that were rejected before. They stay in the table unless a person takes them back.
    fn left_out(&self) -> String {
        if self.rejected.is_empty() {
            return String::new();
        }
        let ticks: String = self.rejected.iter().map(|image| tick(image, image, true) + "\n").collect();
        format!(
            "<details class=\"card left-out\"><summary>Left out before: {}</summary>\n{ticks}</details>\n",
            self.rejected.len()
        )
    }

    fn rules(&self) -> String {
        let rows: String =
            RULES.iter().zip(self.made.rules).map(|(rule, share)| row_of_rule(rule, share)).collect();
        format!(
            "<section class=\"card\"><h2>Simple rules</h2>\n\
             <p class=\"soft\">The share of main trials that each rule answers. From {LOWEST:.2} to {HIGHEST:.2} (marked), \
             a rule helps little; outside, run the command with <code>--balance</code>.</p>\n\
             <table class=\"rules\"><thead><tr><th scope=\"col\">rule</th><th scope=\"col\">0 to 1</th>\
             <th scope=\"col\" class=\"number\">share</th><th scope=\"col\">range</th></tr></thead>\n<tbody>\n{rows}</tbody></table></section>\n"
        )
    }

    fn contents(&self) -> String {
        let row = |outcome: &Outcome| {
            let result = self.result(outcome);
            let state = match &result.reason {
                Some(reason) => format!("<span class=\"alarm\">failed: {}</span>", escaped(reason)),
                None => "ok".into(),
            };
            format!(
                "<tr><th scope=\"row\"><a href=\"#{0}\">{0}</a></th><td>{1}</td><td>{2}</td><td class=\"number\">{3}</td><td>{state}</td></tr>\n",
                escaped(&result.unit),
                result.role,
                escaped(&result.likes),
                result.relative_difference.map_or(String::new(), |value| format!("{value:.2}")),
            )
        };
        let rows: String = self.made.outcomes.iter().map(row).collect();
        format!(
            "<section class=\"card\"><h2>Units</h2>\n<table><thead><tr><th scope=\"col\">unit</th><th scope=\"col\">role</th>\
             <th scope=\"col\">likes</th><th scope=\"col\" class=\"number\">relative difference</th>\
             <th scope=\"col\">outcome</th></tr></thead>\n<tbody>\n{rows}</tbody></table></section>\n"
        )
    }

    fn unit(&self, outcome: &Outcome, recipe: Option<&UnitRecipe>) -> String {
        let result = self.result(outcome);
        let mut html = format!(
            "<section class=\"card\" id=\"{0}\"><h2>{0} <span class=\"role\">{1}</span></h2>\n{2}",
            escaped(&result.unit),
            result.role,
            facts(&result),
        );
        if let Some(reason) = &result.reason {
            let _ = writeln!(html, "<p class=\"alarm\">This unit has no trials: {}.</p>", escaped(reason));
        }
        if let Some(recipe) = recipe {
            html.extend(recipe.sets.iter().map(|set| image_set(recipe, set)));
            html.push_str(&synthetic(recipe, &result.synthetic));
        }
        html + "</section>\n"
    }
}

/// A rule's share on a line from 0 to 1.
fn row_of_rule(rule: &str, share: f64) -> String {
    let inside = (LOWEST..=HIGHEST).contains(&share);
    let (class, words) = match inside {
        true => ("in", "inside"),
        false => ("out", "<span class=\"alarm\">outside</span>"),
    };
    format!(
        "<tr><th scope=\"row\">{rule}</th><td class=\"track\"><svg viewBox=\"0 0 200 14\" aria-hidden=\"true\">\
         <rect y=\"6\" width=\"200\" height=\"2\"/><rect class=\"band\" x=\"{:.1}\" width=\"{:.1}\" height=\"14\"/>\
         <circle class=\"{class}\" cx=\"{:.1}\" cy=\"7\" r=\"4\"/></svg></td><td class=\"number\">{share:.3}</td><td>{words}</td></tr>\n",
        200.0 * LOWEST,
        200.0 * (HIGHEST - LOWEST),
        200.0 * share,
    )
}

fn facts(result: &UnitResult) -> String {
    let mut facts = Vec::new();
    if !result.likes.is_empty() {
        facts.push(format!("likes <b>{}</b>", escaped(&result.likes)));
    }
    if let Some(difference) = result.relative_difference {
        facts.push(format!("mean relative difference <b>{difference:.2}</b>"));
    }
    if let Some(share) = result.one_kind {
        facts.push(format!("most frequent kind <b>{:.0} %</b> of the strongest images", 100.0 * share));
    }
    let facts: String = facts.iter().map(|fact| format!("<span>{fact}</span>\n")).collect();
    format!("<p class=\"facts\">{facts}</p>\n")
}

fn image_set(unit: &UnitRecipe, set: &ImageSet) -> String {
    let name = set.name(unit);
    let response = |value: f64| format!("response {value:.3}");
    let (natural_nine, blurred_nine): (String, String) = set
        .references
        .iter()
        .enumerate()
        .map(|(i, reference)| {
            let alt = format!("reference {} of 9", i + 1);
            let blurred = figure(&paths::blurred(&name, i), &format!("{alt}, blurred"), "");
            (natural(&reference.image, &alt, ""), blurred)
        })
        .unzip();
    let foil = unit.foil.as_ref().map_or(String::new(), |foil| {
        figure(
            &paths::query(&name, "foil"),
            "wrong answer without references",
            "wrong answer without references",
        )
        .replace("</figure>", &(tick(&foil.image, "leave out", false) + "</figure>"))
    });
    format!(
        "<div class=\"set\"><h3>Image set {}</h3>\n<div class=\"images\">\n{}{}{}\
         <div class=\"nine\"><span class=\"legend\">References, weakest to strongest; below them blurred</span>\n{natural_nine}{blurred_nine}</div>\n{foil}</div></div>\n",
        set.number,
        natural(&set.base, "base image", &format!("base, {}", response(set.base_response))),
        figure(
            &paths::query(&name, "max"),
            "max query",
            &format!("max query, {}", response(set.max.response))
        ),
        figure(
            &paths::query(&name, "min"),
            "min query",
            &format!("min query, {}", response(set.min.response))
        ),
    )
}

fn synthetic(unit: &UnitRecipe, groups: &[GroupResult]) -> String {
    let mut html = String::new();
    for (names, group) in [&unit.synthetic, &unit.mixed].into_iter().zip(groups) {
        let heading = format!("{} synthetic images", group.images);
        if let Some(reason) = &group.reason {
            let _ = writeln!(
                html,
                "<div class=\"set\"><h3>Synthetic images</h3><p class=\"alarm\">{}</p></div>",
                escaped(reason)
            );
            continue;
        }
        let figures: String = names
            .iter()
            .enumerate()
            .map(|(i, name)| {
                let caption = group.responses.get(i).map_or(String::new(), |value| format!("{value:.3}"));
                figure(
                    &paths::synthetic(name),
                    &format!("synthetic image {} of {}", i + 1, group.images),
                    &caption,
                )
            })
            .collect();
        let below = if group.below > 0 { " class=\"alarm\"" } else { "" };
        let _ = writeln!(
            html,
            "<div class=\"set\"><h3>{heading}</h3>\n<p class=\"soft\">Responses below the images; best natural image {:.3}; \
             <span{below}>{} of {} below it</span>.</p>\n<div class=\"nine\">\n{figures}</div></div>",
            group.best_natural, group.below, group.images,
        );
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::report::example;

    #[test]
    fn text_is_escaped() {
        assert_eq!(escaped("<a href='x'>\"&\""), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;");
        let html = example::with(|report| report.sheet());
        assert!(
            html.contains("&lt;b&gt;dots&lt;/b&gt; &amp; &quot;stripes&quot;") && !html.contains("<b>dots")
        );
        assert!(html.contains("<title>Contact sheet: cats-&amp;-dogs</title>"));
        assert!(tick("a\"b<.png", "", false).contains("data-image=\"a&quot;b&lt;.png\""));
    }

    #[test]
    fn every_image_of_the_study_is_shown() {
        example::with(|report| {
            let html = report.sheet();
            for unit in &report.made.recipe.units {
                for name in unit.synthetic.iter().chain(&unit.mixed) {
                    assert!(html.contains(&format!("src=\"images/synthetic/{name}\"")), "{name}");
                }
                for set in &unit.sets {
                    let name = set.name(unit);
                    let mut files = vec![paths::natural(&set.base)];
                    files.extend(["max", "min"].map(|which| paths::query(&name, which)));
                    files.extend((0..9).map(|i| paths::blurred(&name, i)));
                    files.extend(set.references.iter().map(|reference| paths::natural(&reference.image)));
                    for file in files {
                        assert!(html.contains(&format!("src=\"{file}\"")), "{file}");
                    }
                    assert!(html.contains(&format!("data-image=\"{}\"", set.base)));
                }
            }
            assert!(html.contains("images/queries/mixed4a-3x3-2-0-foil.png\" alt="));
            assert!(html.contains("data-image=\"39\""), "the foil can be left out");
            assert_eq!(html.matches("<img ").count(), html.matches(" alt=\"").count());
        });
    }

    #[test]
    fn failures_and_rules_outside_the_range_are_marked() {
        let html = example::with(|report| report.sheet());
        assert!(html.contains("failed: it responds to no image"));
        assert!(html.contains("2 of 9 below it"));
        assert_eq!(html.matches(">outside</span>").count(), 1, "saliency answers .7");
        assert!(html.contains("study-2021, 2560 steps"));
    }

    #[test]
    fn images_that_were_left_out_before_stay_ticked() {
        let html = example::with(|report| report.sheet());
        assert!(html.contains("Left out before: 1"));
        assert!(html.contains("data-image=\"38\" aria-label=\"leave out 38\" checked>"));
    }

    #[test]
    fn the_page_needs_no_network() {
        let html = example::with(|report| report.sheet());
        assert!(!html.contains("http:") && !html.contains("https:") && !html.contains("src=\"/"));
    }
}
