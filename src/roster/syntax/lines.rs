//! Recognizers for mistakes in the structure of a line: comments, headers, `=`, quotes, brackets, and commas.

use std::ops::Range;

use super::super::{hints, keys};
use super::parser_error::ErrorKind;
use super::spot::{Mistake, Spot, before_end_of_value, last_item};
use super::statements::{Flaw, string_len};
use super::values::empty_entry;
use crate::roster::Email;
use crate::toml_text::is_bare;

/// Comment markers of other languages.
const COMMENTS: [&str; 6] = ["//", ";", "--", "/*", "<!--", "%"];

pub(super) fn code_fence(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.trim();
    let message = "a Markdown code fence is not part of TOML";
    let is_fence = line.starts_with("```") || line.starts_with("~~~");
    is_fence.then(|| spot.mistake(spot.whole_line(), message, "code fence", "delete this line"))
}

pub(super) fn other_comment(spot: &Spot<'_>) -> Option<Mistake> {
    let is_line =
        spot.before().trim().is_empty() || COMMENTS.iter().any(|sign| spot.line.trim().starts_with(sign));
    let rest = if is_line { spot.line.trim() } else { spot.after() };
    let sign = COMMENTS.iter().find(|sign| rest.starts_with(**sign))?;
    let text = rest[sign.len()..].trim_matches(['/', ';', '-', '*', '<', '>', '!', ' ']);
    if !is_line && (spot.kind != ErrorKind::AfterValue || text.is_empty() && *sign == ";") {
        return None;
    }
    // `---` and `-- --` are separators, which have no text.
    let text = if text.is_empty() { "…".to_owned() } else { spot.shown(text, "…") };
    let start = if is_line { spot.whole_line().start } else { spot.at };
    let message = format!("`{sign}` does not start a TOML comment");
    let help = format!("start it with `#`: # {text}");
    Some(spot.mistake(start..start + sign.len(), message, "not a comment", help))
}

/// Recognizes HTML, typically copied or saved from a web page.
pub(super) fn markup(spot: &Spot<'_>) -> Option<Mistake> {
    let entity =
        ["&quot;", "&amp;", "&lt;", "&gt;", "&#39;", "&nbsp;"].into_iter().find(|it| spot.line.contains(it));
    if let (Some(entity), true) = (entity, spot.bare().iter().any(|(_, char)| *char == '&')) {
        let at = spot.line.find(entity).unwrap_or_default();
        let message = format!("`{entity}` is HTML, not TOML");
        let help = "write the character itself, as in \"ana@acme.example\"";
        return Some(spot.mistake(at..at + entity.len(), message, "HTML", help));
    }
    let line = spot.line.trim();
    let is_tag = line.starts_with('<') && line.ends_with('>') && !line.contains('@');
    let message = "this line is HTML, not TOML";
    is_tag.then(|| spot.mistake(spot.whole_line(), message, "HTML", "delete this line"))
}

pub(super) fn diff(spot: &Spot<'_>) -> Option<Mistake> {
    let sign = spot.line.chars().next().filter(|sign| "+-@".contains(*sign))?;
    let rest = spot.line[1..].trim_start();
    let is_line =
        rest.starts_with(['"', '[', '#', '\'']) && !spot.line.starts_with("- ") || rest.starts_with("@ -");
    let message = format!("this line starts with `{sign}`, like a line in a diff");
    let help = "delete the character to keep the line, or delete the whole line";
    is_line.then(|| spot.mistake(0..1, message, "not TOML", help))
}

/// Recognizes YAML and Markdown list items such as `- ana@acme.example`.
pub(super) fn list_item(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.trim_start();
    let sign = line.chars().next().filter(|sign| "-*•".contains(*sign))?;
    let item = line[sign.len_utf8()..].strip_prefix(' ')?.trim();
    let person = item.trim_matches(['"', '\'', ',']);
    let entry =
        if person.contains('@') && !person.contains([' ', ':', '=']) { person } else { "ana@acme.example" };
    let entry = spot.shown(entry, "ana@acme.example");
    let message = format!("a list item with `{sign}` is not TOML");
    let help = format!("write one line per person below [users]: \"{entry}\" = {{ role = \"Admin\" }}");
    Some(spot.mistake(spot.whole_line(), message, "a list item", help))
}

/// Recognizes malformed section headers.
pub(super) fn header(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.split('#').next().unwrap_or_default().trim();
    let name = line.trim_matches(['[', ']', '(', ')', '{', '}', ':', ' ', '"', '\'']);
    let is_section = name == "users" || keys::SECTIONS.contains(&name);
    let is_header = spot.statement.is_some_and(|statement| statement.is_header) && line.starts_with('[');
    if !(is_header || is_section && name != line) {
        return None;
    }
    if let Some(address) = address_in(line)
        && is_header
        && !line.contains(['"', '\''])
    {
        let at = spot.line.find(address).unwrap_or_default();
        let header = corrected_header(spot, line, name);
        let message = "an address in a header needs quotes";
        let help = format!("write: {header}");
        let mistake = spot.mistake(at..at + address.len(), message, "not in quotes", help);
        return Some(Mistake { section: Some(header), ..mistake });
    }
    let behind = line.rfind(']').map_or("", |end| line[end + 1..].trim());
    if is_header && !behind.is_empty() && !behind.starts_with([':', ';', ',']) {
        let at = spot.line.rfind(behind).unwrap_or_default();
        let message = "text follows the section header on the same line";
        let help = "put it on the next line, or start it with `#` if it is a comment";
        return Some(spot.mistake(at..at + behind.len(), message, "not part of a header", help));
    }
    let message = match (line.starts_with('['), line.ends_with(']')) {
        (true, false) if behind.is_empty() => "this section header has no `]`",
        (false, true) => "this section header has no `[`",
        (true, true) if line.matches('[').count() != line.matches(']').count() => {
            "this section header has a different number of `[` and `]`"
        }
        (true, true) => "this is not a valid section header",
        _ => "a section header needs brackets and its own line",
    };
    let header = corrected_header(spot, line, name);
    let mistake = spot.mistake(spot.whole_line(), message, "not a header", format!("write: {header}"));
    // If the parser doesn't recognize the header, it assigns the keys below to the wrong section or to none. Set `section` to
    // the corrected header so that they are read as part of the intended section.
    Some(Mistake { section: (!line.starts_with('[') || behind.is_empty()).then_some(header), ..mistake })
}

/// Returns a valid header for a malformed one. `name` is the text in its brackets.
fn corrected_header(spot: &Spot<'_>, line: &str, name: &str) -> String {
    let address = unquoted_address(line).or_else(|| quoted_address(line)).or_else(|| address_in(line));
    if let Some(address) = address {
        let behind =
            line.split_once(address).map_or("", |(_, behind)| behind.trim_start_matches(['"', '\'', ' ']));
        let address = spot.shown(address, "ana@acme.example");
        return if behind.starts_with(".windows") {
            format!("[[users.\"{address}\".windows]]")
        } else {
            format!("[users.\"{address}\"]")
        };
    }
    let is_key = toml::de::DeTable::parse(&format!("{name}=0")).is_ok();
    let name = if is_key { name } else { &name[..name.find(|char| !is_bare(char)).unwrap_or(name.len())] };
    match name {
        "" => "[users]".to_owned(),
        name if keys::ARRAYS.contains(&name) => format!("[[{name}]]"),
        name => format!("[{}]", spot.shown(name, "users")),
    }
}

/// Returns the address in a header such as `[users.o'neil@acme.example.windows]`, which lacks quotes.
fn unquoted_address(line: &str) -> Option<&str> {
    let address = line.trim_matches(['[', ']', ' ']).strip_prefix("users.")?;
    let address = address.strip_suffix(".windows").unwrap_or(address);
    let is_address = !address.starts_with(['"', '\'']) && Email::declared(address, true).is_ok();
    is_address.then_some(address)
}

/// Returns the address in quotes, which can contain signs such as `'`. The closing quote can be missing.
fn quoted_address(line: &str) -> Option<&str> {
    let mut rest = line;
    while let Some(open) = rest.find(['"', '\'']) {
        let (quote, behind) = (&rest[open..=open], &rest[open + 1..]);
        let unclosed = || (behind.trim_end_matches([']', ' ', ':', ';', ',']), "");
        let (inside, after) = behind.split_once(quote).unwrap_or_else(unclosed);
        if Email::declared(inside, true).is_ok() {
            return Some(inside);
        }
        rest = after;
    }
    None
}

/// Recognizes doubled quotes, as in `""Admin""`. Spreadsheets escape quotes this way.
pub(super) fn doubled_quotes(spot: &Spot<'_>) -> Option<Mistake> {
    let at = spot.before().rfind("\"\"").filter(|at| spot.before()[at + 2..].trim().is_empty())?;
    let rest = &spot.line[at + 2..];
    let text = &rest[..rest.find("\"\"").filter(|length| *length > 0)?];
    let help = format!("write one quote on each side: \"{}\"", spot.shown(text, "ana@acme.example"));
    Some(spot.mistake(at..at + 2, "two quotes in a row are an empty string", "extra quote", help))
}

pub(super) fn quote_without_partner(spot: &Spot<'_>) -> Option<Mistake> {
    let statement = spot.statement?;
    let Some(Flaw::Quote(open)) = statement.flaw else { return None };
    let open = open.checked_sub(spot.start).filter(|open| *open < spot.line.len())?;
    if let Some(mistake) = apostrophe_in_value(spot, open) {
        return Some(mistake.over(statement.span.start..statement.span.end + 1));
    }
    // The unclosed string is the first one that continues past the next `=`.
    let (at, text) = first_run(spot.line).unwrap_or((open, &spot.line[open + 1..]));
    let text = before_end_of_value(text).split('=').next().unwrap_or_default().trim();
    let ends_otherwise = text.find(['"', '\'']).is_some_and(|end| text[end + 1..].trim().is_empty());
    let text = text.trim_end_matches(['"', '\'', ' ']);
    let message = if ends_otherwise {
        "this string starts and ends with different quotes"
    } else {
        "this string is not closed on its line"
    };
    let help = format!("close the string where it ends: \"{}\"", spot.shown(text, "Admin"));
    let mistake = spot.mistake(at..at + 1, message, "opens here", help);
    Some(mistake.over(statement.span.start..statement.span.end + 1))
}

/// Recognizes unquoted text with an apostrophe, such as `reason = it's ok`.
fn apostrophe_in_value(spot: &Spot<'_>, open: usize) -> Option<Mistake> {
    let assigned = spot.line[..open].rfind('=')? + 1;
    let rest = spot.line[assigned..].trim_start();
    let start = spot.line.len() - rest.len();
    if !spot.line[open..].starts_with('\'') || start >= open || !rest.starts_with(char::is_alphanumeric) {
        return None;
    }
    let text = before_end_of_value(rest);
    let is_certain = !rest[text.len()..].starts_with([',', '#']) && !text.contains(['"', '\\', '=']);
    let text = text.trim_end();
    let shown = spot.shown(if is_certain { text } else { "" }, "…");
    let help = format!("write it in double quotes: \"{shown}\"");
    Some(spot.mistake(
        start..start + text.len(),
        "this text is not in quotes",
        "needs quotes around it",
        help,
    ))
}

/// Returns the offset and the text of the first string that ends in `=`. Its closing quote is missing, so it runs on to the
/// opening quote of the next value.
fn first_run(line: &str) -> Option<(usize, &str)> {
    let mut at = 0;
    while let Some(found) = line[at..].find(['"', '\'']) {
        at += found;
        let length = string_len(&line[at..], line.as_bytes()[at])?;
        let text = &line[at + 1..at + length - 1];
        if text.trim_end().ends_with('=') {
            return Some((at, text));
        }
        at += length;
    }
    None
}

pub(super) fn bracket_without_partner(spot: &Spot<'_>) -> Option<Mistake> {
    let statement = spot.statement?;
    let flaw = statement.flaw?;
    let bracket = spot.text[flaw.at()..].chars().next()?;
    let partner = match bracket {
        '{' => '}',
        '}' => '{',
        '[' => ']',
        ']' => '[',
        _ => return None, // a quote
    };
    let (message, label, help) = match flaw {
        Flaw::Quote(_) => return None,
        Flaw::Unclosed(_) => (
            format!("this `{bracket}` is not closed"),
            "opens here",
            format!("write `{partner}` where its content ends; each `{{` needs a `}}`, and each `[` a `]`"),
        ),
        Flaw::Stray(_) => (
            format!("this `{bracket}` has no matching `{partner}`"),
            "nothing is open here",
            format!("delete it, or add the missing `{partner}`"),
        ),
    };
    let mistake = spot.mistake_at(flaw.at()..flaw.at() + 1, message, label, help);
    Some(mistake.over(statement.span.start..statement.span.end + 1))
}

/// Operators that other languages use in place of `=`.
pub(super) const SIGNS: [&str; 15] =
    [":", "==", "===", "=>", "->", ":=", "=:", "<-", "-->", "==>", "~>", "::", ">", ">=", "<="];

/// Returns the span of the operator that ends just before `at`. If there is none, returns the span of the operator that starts
/// at or after `at`.
pub(super) fn sign_around(line: &str, at: usize) -> Range<usize> {
    let is_sign = |char: char| "=:<>-~".contains(char);
    let at = line.floor_char_boundary(at);
    let start = line[..at].trim_end().trim_end_matches(is_sign).len();
    let start = start + line[start..].len() - line[start..].trim_start().len();
    start..line[start..].find(|char| !is_sign(char)).map_or(line.len(), |length| start + length)
}

/// Recognizes `:`, `==`, `=>`, `->`, and similar operators in place of `=`.
pub(super) fn operator(spot: &Spot<'_>) -> Option<Mistake> {
    let Range { start, end } = sign_around(spot.line, spot.at);
    let sign = &spot.line[start..end];
    if !SIGNS.contains(&sign) {
        return None;
    }
    let key = last_item(&spot.line[..start]);
    let key = if key.contains('@') && !key.starts_with(['"', '\'']) {
        format!("\"{}\"", key.trim_matches(['"', '\'']))
    } else {
        key.to_owned()
    };
    if key.is_empty() || matches!(spot.kind, ErrorKind::NoCommaInArray | ErrorKind::CarriageReturn) {
        return None;
    }
    let value = spot.line[end..].trim();
    // `"ana@acme.example".role` refers to a field of the person.
    let last_part = key.rsplit(['.', '"', '\'']).next().unwrap_or_default();
    let is_address = key.contains('@') && !keys::PERSON.contains(&last_part);
    let value = match value {
        "" if is_address => " { … }".to_owned(),
        "" => " …".to_owned(),
        _ if is_address && !value.starts_with(['{', '[']) => {
            let value = value_after(spot, value);
            let field = hints::field_of(value.trim_matches([' ', '"', '\'']));
            format!(" {{ {field} ={value} }}")
        }
        _ => value_after(spot, value),
    };
    let example = spot.shown(&format!("{key} ={value}"), "role = \"Admin\"");
    let message = format!("`{sign}` does not separate a key from its value");
    let mistake = spot.mistake(start..end, message, "TOML uses `=` here", format!("write `=`: {example}"));
    Some(if sign == ":" { mistake.within_mark(spot) } else { mistake })
}

/// Returns the value after an operator, with a leading space. Tables and arrays are abbreviated.
fn value_after(spot: &Spot<'_>, value: &str) -> String {
    let end = match value.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => string_len(value, *quote).unwrap_or(value.len()),
        Some(b'{') => return " { … }".to_owned(),
        Some(b'[') => return " [ … ]".to_owned(),
        _ => before_end_of_value(value).len(),
    };
    let word = value[..end].trim();
    let is_bare =
        word.starts_with(|char: char| char.is_ascii_alphabetic()) && !["true", "false"].contains(&word);
    if is_bare { format!(" \"{word}\"") } else { spot.shown(&format!(" {word}"), " …") }
}

/// Returns the first word that contains an `@`, stripped of surrounding punctuation.
fn address_in(text: &str) -> Option<&str> {
    let is_end = |char: char| char.is_whitespace() || "=<>,{}[]()\"':;#".contains(char);
    let word = text.split(is_end).find(|word| word.contains('@'))?;
    // In a header, the word might be `users.ana@acme.example`.
    Some(word.strip_prefix("users.").unwrap_or(word))
}

/// Recognizes an apostrophe in a single-quoted key, such as `'ana.o'neil@acme.example' = {}`.
fn apostrophe_in_key(spot: &Spot<'_>, key_end: usize) -> Option<Mistake> {
    let key = spot.line[..key_end].trim();
    let inner = key.strip_prefix('\'')?.strip_suffix('\'')?;
    let apostrophe = inner.find('\'')?;
    if inner.contains(['"', '\\', ' ']) {
        return None;
    }
    let at = spot.line.find(inner)? + apostrophe;
    let help = format!("write it in double quotes: \"{}\" = {{ … }}", spot.shown(inner, "ana@acme.example"));
    Some(spot.mistake(at..at + 1, "this `'` ends the string", "ends the string here", help))
}

/// Recognizes an unquoted address, either as a key or on a line of its own.
pub(super) fn bare_address(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line;
    let key_end = line.find('=').unwrap_or(line.len());
    let bare: String =
        spot.bare().iter().take_while(|(at, _)| *at < key_end).map(|(_, char)| *char).collect();
    let is_in_key = spot.at <= key_end || !line.contains('=');
    if !is_in_key || !bare.contains('@') {
        return None;
    }
    let address = address_in(&line[..key_end])?;
    let at = line.find(address)?;
    if let Some(mistake) = apostrophe_in_key(spot, key_end) {
        return Some(mistake);
    }
    let shown = spot.shown(address, "ana@acme.example");
    let is_alone = line.trim() == address;
    let is_half = line[at + address.len()..].starts_with(['"', '\'']);
    let (message, label) = if is_alone {
        ("an address without a value is not an entry", "no `=` and no value")
    } else if is_half {
        ("a quote is missing before this address", "needs quotes around it")
    } else {
        ("this address is not in quotes", "needs quotes around it")
    };
    let value = if is_alone { empty_entry() } else { "{ … }".to_owned() };
    Some(spot.mistake(at..at + address.len(), message, label, format!("write: \"{shown}\" = {value}")))
}

/// Recognizes trailing text after a complete entry.
pub(super) fn after_the_end(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::AfterValue {
        return None;
    }
    let content = spot.after().split('#').next().unwrap_or_default().trim();
    let marked = spot.at..spot.at + content.len();
    if matches!(content, "," | ";" | "." | ":") {
        let message = format!("the `{content}` at the end of this line is not needed");
        let help = format!(
            "delete the `{content}`: each entry has its own line, and commas separate only the items inside {{ }} or [ ]"
        );
        return Some(spot.mistake(marked, message, "not needed", help));
    }
    let is_thousand =
        content.starts_with(',') && spot.before().trim_end().ends_with(|char: char| char.is_ascii_digit());
    if is_thousand || content.starts_with('=') {
        return None;
    }
    let help = if content.contains('=') {
        "write each entry on its own line".to_owned()
    } else {
        format!("start a comment with `#`: # {}", spot.shown(content, "…"))
    };
    let message = "unexpected text after the value";
    Some(spot.mistake(marked, message, "not part of the value", help))
}

/// Recognizes template placeholders such as `{{ role }}`.
pub(super) fn template(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.kind != ErrorKind::NoKey || !spot.after().starts_with('{') {
        return None;
    }
    let help = "write { key = value }; if this is a template, fill it in first";
    Some(spot.mistake(spot.at..spot.at + 1, "expected a key, found `{`", "not a key", help))
}

/// Recognizes lines that are neither `key = value`, nor a header, nor a comment.
pub(super) fn not_a_pair(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.kind.is_about_key() {
        return None;
    }
    let before = spot.before().trim_end();
    let key = last_item(before);
    let Some((name, _)) =
        spot.line.trim().split_once('=').filter(|_| !spot.after().trim_start().starts_with('{'))
    else {
        return Some(without_sign(spot, key));
    };
    if before.len() > name.len() && !key.is_empty() {
        return Some(without_sign(spot, key));
    }
    let name = name.trim();
    if let Some((prefix, quoted)) = name.split_once('"')
        && !prefix.is_empty()
        && quoted.len() > 1
        && quoted.ends_with('"')
    {
        let start = spot.whole_line().start;
        let key = spot.shown(&format!("\"{quoted} = …"), "\"ana@acme.example\" = …");
        let message = "there is text before this key";
        let marked = start..start + prefix.len();
        return Some(spot.mistake(marked, message, "not part of a key", format!("delete it: {key}")));
    }
    let name = spot.shown(name.trim_matches(['"', '\'']), "ana@acme.example");
    let help = format!("a key that contains this character needs quotes: \"{name}\" = …");
    let marked = spot.at..spot.at_end.max(spot.at);
    Some(spot.mistake(marked, "this key is not in quotes", "not allowed without quotes", help))
}

/// Returns the [`Mistake`] for a line that doesn't start with a key, or whose key isn't followed by `=`.
fn without_sign(spot: &Spot<'_>, key: &str) -> Mistake {
    let value = spot.after().trim();
    let is_key = key.starts_with(['"', '\'']) || !key.is_empty() && key.chars().all(is_bare);
    let shown = spot.shown(key, "role");
    if is_key && value.starts_with(['"', '\'', '{', '[']) {
        let message = format!("`=` is missing after `{shown}`");
        let marked = spot.at..spot.at + 1;
        return spot.mistake(marked, message, "`=` is missing before this", format!("write: {shown} = …"));
    }
    if is_key && value.is_empty() {
        let message = format!("`{shown}` has no `=` and no value");
        let value = if key.contains('@') { empty_entry() } else { "…".to_owned() };
        return spot.mistake(
            spot.whole_line(),
            message,
            "a key without a value",
            format!("write: {shown} = {value}"),
        );
    }
    let message = "this line is neither `key = value` nor the [header] of a section";
    let help = format!("start a comment with `#`: # {}", spot.shown(spot.line.trim(), "…"));
    spot.mistake(spot.whole_line(), message, "not TOML", help)
}
