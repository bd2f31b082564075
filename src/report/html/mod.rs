//! The HTML format: a self-contained page without scripts that supports light and dark mode, desktops, and phones.
//!
//! maud escapes everything inserted into the page, so untrusted text can't become markup, a link, or a style. [`Printable`]
//! makes hidden characters visible.

mod changes;
mod comparison;
mod plan;
mod problems;
mod tables;
mod timeline;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use similar::ChangeTag;

use super::diff::Hunk;
use super::facts::agenda::ScheduledChange;
use super::tables::Mark;
use super::{Body, Report, words};
use crate::printable::Printable;
use crate::source::Location;

const STYLE: &str = include_str!("page.css");
/// The maximum number of characters to show of a name or value. The JSON report never truncates them.
const LONGEST: usize = 120;

/// Renders the report as a page, unless the command has already printed its output.
pub(super) fn write(report: &Report) -> String {
    let Report { command, exit, body } = report;
    match body {
        Body::Nothing => String::new(),
        Body::NoPeople { file, declared: _ } => page(
            command,
            Mark::Good,
            "nothing to do",
            &html! { p { (file.as_str()) " declares no people." } },
        ),
        Body::Valid { files, declared } => {
            let mark = if files.list.is_empty() { Mark::Good } else { Mark::Attention };
            page(command, mark, &words::valid(files, *declared, *exit), &problems::write(files))
        }
        Body::Plan(plan) => plan::write(command, plan),
        Body::Comparison(comparison) => comparison::write(command, comparison),
        Body::Agenda(agenda) => {
            let verdict = words::agenda(agenda.scheduled.len(), agenda.windows.len());
            let inside = html! {
                p.about {
                    (agenda.file.as_str()) ", times in " (agenda.timezone.as_str())
                    @if let Some(until) = &agenda.until { ", until " (until.as_str()) }
                }
                (timeline::draw(&agenda.windows, agenda.now))
                (scheduled(&agenda.scheduled))
            };
            page(command, Mark::Attention, &verdict, &inside)
        }
        Body::Roles(roles) => tables::write(command, &roles.tables()),
        Body::Access(access) => tables::write(command, &access.wide_tables()),
        Body::Explanation(explanation) => tables::write(command, &explanation.tables()),
        Body::Page(page) => tables::write(command, &page.tables()),
        Body::Doctor(doctor) => tables::write(command, &doctor.tables()),
        Body::Files(files) => tables::write(command, &files.tables()),
        Body::Journals(journals) => tables::write(command, &journals.tables()),
        Body::Problems(problems) => {
            let number = words::count(problems.list.len(), "problem", "problems");
            let inside = html! {
                p { (words::not_done(*exit)) }
                (problems::write(problems))
            };
            page(command, Mark::Bad, &number, &inside)
        }
    }
}

/// Renders a page. `mark` determines the color of its header.
fn page(command: &str, mark: Mark, verdict: &str, inside: &Markup) -> String {
    let class = match mark {
        Mark::Plain | Mark::Good => "good",
        Mark::Attention => "attention",
        Mark::Bad => "bad",
    };
    let mut notes = verdict.lines();
    let verdict = notes.next().unwrap_or_default();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                // Defense in depth: even if markup did get through unescaped, it couldn't load or run anything.
                meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'";
                title { "rolecall " (command) ": " (verdict.replace('`', "")) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header class=(class) {
                    p.command { "rolecall " (command) " · version " (env!("CARGO_PKG_VERSION")) }
                    h1 { (prose(verdict)) }
                    @for line in notes { p { (prose(line)) } }
                }
                main { (inside) }
            }
        }
    };
    page.into_string() + "\n"
}

/// Renders the scheduled changes as a table.
fn scheduled(lines: &[ScheduledChange]) -> Markup {
    let value = |value: &Option<Printable>| match value {
        Some(value) => html! { code { (value.as_str()) } },
        None => html! { span.quiet { "left alone" } },
    };
    html! {
        @if !lines.is_empty() {
            table.coming {
                thead { tr { th { "When" } th { "Who" } th { "What" } th { "Where" } } }
                tbody {
                    @for line in lines {
                        @let ScheduledChange { when, email, field, location, blocked_by, .. } = line;
                        @let [from, to] = line.short_values(LONGEST);
                        tr {
                            td { time { (when.as_str()) } }
                            td { (words::full_address(email)) }
                            td {
                                span.field { (field) } " " (value(&from)) " → " (value(&to))
                                @for (verb, role) in line.guarded_roles() { " " strong { (verb) " " (short(role)) } }
                                @for guardrail in blocked_by { p.blocked { "will be blocked by " (prose(guardrail.as_str())) } }
                            }
                            td { (place(location)) }
                        }
                    }
                }
            }
        }
    }
}

/// Renders the hunks as a collapsed diff.
fn diff(hunks: &[Hunk]) -> Markup {
    html! {
        @if !hunks.is_empty() {
            details.diff {
                summary { "Show as TOML" }
                div id="diff" { (diff_lines(hunks)) }
            }
        }
    }
}

fn diff_lines(hunks: &[Hunk]) -> Markup {
    html! {
        pre {
            @for (number, hunk) in hunks.iter().enumerate() {
                @if number > 0 { "\n" }
                @for (tag, line) in &hunk.lines {
                    @let class = match tag {
                        ChangeTag::Equal => "same",
                        ChangeTag::Delete => "before",
                        ChangeTag::Insert => "after",
                    };
                    span class=(class) { (tag) (line) } "\n"
                }
            }
        }
    }
}

/// Renders a sentence, turning text in backticks (a command or a key) into `<code>`.
fn prose(sentence: &str) -> Markup {
    let parts: Vec<&str> = sentence.split('`').collect();
    // If the number of backticks is odd, at least one is from untrusted text, so render all of them literally.
    if parts.len().is_multiple_of(2) {
        return html! { (sentence) };
    }
    html! {
        @for (number, part) in parts.iter().enumerate() {
            @if number % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// Renders the sentences in `text`, followed by a code block that starts at the first TOML table header. The TOML in a
/// guardrail's remedy is indented, so the indent is removed.
fn advice(text: &str) -> Markup {
    let begins_toml = |line: &&str| line.trim_start().starts_with('[');
    let sentences: Vec<&str> = text.lines().take_while(|line| !begins_toml(line)).collect();
    let toml: Vec<&str> =
        text.lines().skip(sentences.len()).map(|line| line.strip_prefix("  ").unwrap_or(line)).collect();
    html! {
        @for sentence in sentences { p { (prose(sentence)) } }
        @if !toml.is_empty() { pre { (toml.join("\n")) } }
    }
}

fn short(text: &Printable) -> String {
    text.short(LONGEST).to_string()
}

fn place(location: &Location) -> Markup {
    let text = location.to_string();
    // Allow a long path to break after each directory.
    html! {
        span.place {
            @for (number, part) in text.split('/').enumerate() {
                @if number > 0 { "/" wbr; }
                (part)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::roster::Field;

    /// Parses a color from the stylesheet, for light and dark mode.
    fn color(name: &str) -> [[u8; 3]; 2] {
        let value =
            STYLE.split(&format!("--{name}: light-dark(")).nth(1).and_then(|rest| rest.split(')').next());
        let both: Vec<[u8; 3]> = value
            .unwrap()
            .split(", #")
            .map(|hex| {
                let [_, red, green, blue] =
                    u32::from_str_radix(hex.trim_start_matches('#'), 16).unwrap().to_be_bytes();
                [red, green, blue]
            })
            .collect();
        both.try_into().unwrap()
    }

    /// Computes the contrast ratio of two colors (WCAG 2.2).
    fn contrast(one: [u8; 3], other: [u8; 3]) -> f64 {
        let linear = |channel: u8| {
            let channel = f64::from(channel) / 255.0;
            if channel <= 0.04045 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |color: [u8; 3]| {
            let [red, green, blue] = color.map(linear);
            0.2126 * red + 0.7152 * green + 0.0722 * blue
        };
        let (one, other) = (luminance(one) + 0.05, luminance(other) + 0.05);
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_text_has_enough_contrast_on_every_background_in_both_modes() {
        assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 0.01);
        let grounds = ["ground", "raised", "good-ground", "attention-ground", "bad-ground"];
        let texts =
            [("text", 4.5), ("role", 4.5), ("quiet", 4.5), ("good", 4.5), ("attention", 4.5), ("bad", 4.5)];
        let bars = Field::ALL.map(|field| (field.as_str(), 3.0));
        for (front, enough) in texts.into_iter().chain(bars) {
            for ground in grounds {
                for mode in [0, 1] {
                    let ratio = contrast(color(front)[mode], color(ground)[mode]);
                    assert!(
                        ratio >= enough,
                        "--{front} on --{ground}, {}: {ratio:.2}",
                        ["light", "dark"][mode]
                    );
                }
            }
        }
    }

    #[test]
    fn the_bar_of_a_window_has_a_color_for_each_field() {
        for field in Field::ALL {
            let rule = format!(".timeline .{field} {{ fill: var(--{field}); }}");
            assert!(STYLE.contains(&rule), "{rule}");
        }
    }

    #[test]
    fn the_text_between_backticks_is_code() {
        assert_eq!(
            prose("run `a <b>`, then `c`").into_string(),
            "run <code>a &lt;b&gt;</code>, then <code>c</code>"
        );
        assert_eq!(prose("`a` of o`neil").into_string(), "`a` of o`neil");
        assert_eq!(
            advice("Pin it to `x`:\n[workspace]\na = 1").into_string(),
            "<p>Pin it to <code>x</code>:</p><pre>[workspace]\na = 1</pre>"
        );
        assert_eq!(
            advice("Add this:\n  [[acknowledge]]\n  a = 1").into_string(),
            "<p>Add this:</p><pre>[[acknowledge]]\na = 1</pre>"
        );
    }
}
