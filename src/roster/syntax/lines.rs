//! Mistakes in what makes a line: comments, headers, `=`, quotes, brackets, and commas.

use std::ops::Range;

use super::super::{hints, keys};
use super::spot::{Mistake, Spot};
use super::statements::{Flaw, is_bare, string_len};

/// How comments begin elsewhere.
const COMMENTS: [&str; 6] = ["//", ";", "--", "/*", "<!--", "%"];
/// What the parser says of a key that it cannot read, or that has no value.
const OF_KEYS: [&str; 6] = [
    "key with no value",
    "missing assignment",
    "missing value for key",
    "invalid unquoted key",
    "unquoted keys cannot be empty",
    "invalid key-value",
];

pub(super) fn code_fence(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.trim();
    (line.starts_with("```") || line.starts_with("~~~")).then(|| {
        spot.whole_line("a Markdown code fence is not part of TOML")
            .label("code fence")
            .help("delete this line")
    })
}

pub(super) fn other_comment(spot: &Spot<'_>) -> Option<Mistake> {
    let is_line =
        spot.before().trim().is_empty() || COMMENTS.iter().any(|sign| spot.line.trim().starts_with(sign));
    let rest = if is_line { spot.line.trim() } else { spot.after() };
    let sign = COMMENTS.iter().find(|sign| rest.starts_with(**sign))?;
    let text = rest[sign.len()..].trim_matches(['/', ';', '-', '*', '<', '>', '!', ' ']);
    if !is_line && (!spot.said.starts_with("unexpected key or value") || text.is_empty() && *sign == ";") {
        return None;
    }
    // `---` and `-- --` separate; YAML begins with the first.
    let comment = if text.is_empty() { "# …".to_owned() } else { format!("# {}", spot.shown(text, "…")) };
    let start = spot.line.len() - spot.line[if is_line { 0 } else { spot.at }..].trim_start().len();
    Some(
        spot.mistake(start..start + sign.len(), format!("`{sign}` does not begin a comment in TOML"))
            .label("not a comment")
            .help(format!("begin it with `#`: {comment}"))
            .of_line(spot),
    )
}

/// HTML, as of a page that was copied or saved.
pub(super) fn markup(spot: &Spot<'_>) -> Option<Mistake> {
    let entity =
        ["&quot;", "&amp;", "&lt;", "&gt;", "&#39;", "&nbsp;"].into_iter().find(|it| spot.line.contains(it));
    if let (Some(entity), true) = (entity, spot.bare().iter().any(|(_, char)| *char == '&')) {
        let at = spot.line.find(entity).unwrap_or_default();
        let mistake =
            spot.mistake(at..at + entity.len(), format!("`{entity}` is HTML, not TOML")).label("HTML");
        return Some(mistake.help("write the sign itself, as in \"ana@acme.example\"").of_line(spot));
    }
    let line = spot.line.trim();
    let is_tag = line.starts_with('<') && line.ends_with('>') && !line.contains('@');
    is_tag.then(|| spot.whole_line("this line is HTML, not TOML").label("HTML").help("delete this line"))
}

/// A line of a patch.
pub(super) fn diff(spot: &Spot<'_>) -> Option<Mistake> {
    let sign = spot.line.chars().next().filter(|sign| "+-@".contains(*sign))?;
    let rest = spot.line[1..].trim_start();
    let is_line =
        rest.starts_with(['"', '[', '#', '\'']) && !spot.line.starts_with("- ") || rest.starts_with("@ -");
    is_line.then(|| {
        spot.mistake(0..1, format!("this line begins with `{sign}`, as a line of a diff does"))
            .label("not TOML")
            .help("delete the sign if the line should stay, or else the whole line")
            .of_line(spot)
    })
}

/// `- ana@acme.example`, as in YAML or Markdown.
pub(super) fn list_item(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.trim_start();
    let sign = line.chars().next().filter(|sign| "-*•".contains(*sign))?;
    let item = line[sign.len_utf8()..].strip_prefix(' ')?.trim();
    let person = item.trim_matches(['"', '\'', ',']);
    let entry =
        if person.contains('@') && !person.contains([' ', ':', '=']) { person } else { "ana@acme.example" };
    let entry = spot.shown(entry, "ana@acme.example");
    Some(
        spot.whole_line(format!("a list item with `{sign}` is not TOML"))
            .label("a list item")
            .help(format!("write one line per person below [users]: \"{entry}\" = {{ role = \"Admin\" }}")),
    )
}

/// A line that was meant to be `[section]`.
pub(super) fn header(spot: &Spot<'_>) -> Option<Mistake> {
    let line = spot.line.split('#').next().unwrap_or_default().trim();
    let name = line.trim_matches(['[', ']', '(', ')', '{', '}', ':', ' ', '"', '\'']);
    let name = header_name(line).unwrap_or(name);
    let is_section = name == "users" || keys::SECTIONS.contains(&name);
    let is_header = spot.statement.is_some_and(|statement| statement.is_header) && line.starts_with('[');
    if !(is_header || is_section && name != line) {
        return None;
    }
    if let Some(address) = address_in(line).filter(|_| is_header && !line.contains(['"', '\''])) {
        let message = "an address in a header stands in quotes";
        let at = spot.line.find(address).unwrap_or_default();
        let header = format!("[users.\"{}\"]", spot.shown(address, "ana@acme.example"));
        let help = format!("write: {header}");
        let mistake = spot.mistake(at..at + address.len(), message).label("not in quotes").help(help);
        return Some(Mistake { section: Some(header), ..mistake.of_line(spot) });
    }
    let behind = line.rfind(']').map_or("", |end| line[end + 1..].trim());
    if is_header && !behind.is_empty() && !behind.starts_with([':', ';', ',']) {
        let at = spot.line.rfind(behind).unwrap_or_default();
        let message = "something follows the header of a section on its line";
        let mistake = spot.mistake(at..at + behind.len(), message).label("not part of a header");
        return Some(
            mistake.help("put it on the next line, or begin it with `#` if it is a comment").of_line(spot),
        );
    }
    let (open, close) = if name == "acknowledge" { ("[[", "]]") } else { ("[", "]") };
    let name = if name.is_empty() { "users" } else { name };
    let message = match (line.starts_with('['), line.ends_with(']')) {
        (true, false) if behind.is_empty() => "this header of a section has no `]`",
        (false, true) => "this header of a section has no `[`",
        (true, true) if line.matches('[').count() != line.matches(']').count() => {
            "this header of a section has a different number of `[` and `]`"
        }
        (true, true) => "this is not a valid section header",
        _ => "a section header is in brackets, on a line of its own",
    };
    let header = format!("{open}{}{close}", spot.shown(name, "users"));
    let mistake = spot.whole_line(message).label("not a header").help(format!("write: {header}"));
    // The parser knows no section here, or not the one that was meant.
    Some(Mistake { section: (!line.starts_with('[') || behind.is_empty()).then_some(header), ..mistake })
}

/// Returns the name between the brackets of a header, if it is a key.
fn header_name(line: &str) -> Option<&str> {
    let name =
        line.strip_prefix('[')?.trim_start_matches('[').trim_end_matches([']', ' ', ':', ';', ',']).trim();
    let is_quoted = name.contains(['"', '\'']) && address_in(name).is_some();
    (is_quoted && toml::de::DeTable::parse(&format!("{name}=0")).is_ok()).then_some(name)
}

/// `""Admin""`, as spreadsheets write it.
pub(super) fn doubled_quotes(spot: &Spot<'_>) -> Option<Mistake> {
    let at = spot.before().rfind("\"\"").filter(|at| spot.before()[at + 2..].trim().is_empty())?;
    let rest = &spot.line[at + 2..];
    let text = &rest[..rest.find("\"\"").filter(|length| *length > 0)?];
    Some(
        spot.mistake(at..at + 2, "two quotes in a row are an empty text")
            .label("one quote too many")
            .help(format!("write one quote on each side: \"{}\"", spot.shown(text, "ana@acme.example")))
            .of_line(spot),
    )
}

/// `"ana@acme.example" = role = "Admin"`
pub(super) fn keys_without_braces(spot: &Spot<'_>) -> Option<Mistake> {
    let before = spot.before().trim_end().strip_suffix('=')?.trim_end();
    let rest = spot.after();
    let key = &rest[..rest.find(|char| !is_bare(char))?];
    let value = rest[key.len()..].trim_start().strip_prefix('=')?.trim().trim_end_matches(['}', ' ']);
    if !keys::PERSON.contains(&key) {
        return None;
    }
    let mistake = spot
        .mistake(spot.at..spot.at + key.len(), "the values of a person are in braces")
        .label("`{` is missing before this");
    let help = spot.shown(
        &format!("{} = {{ {key} = {value} }}", before.trim()),
        "\"ana@acme.example\" = { role = \"Admin\" }",
    );
    Some(mistake.help(format!("write: {help}")).of_line(spot))
}

pub(super) fn quote_without_partner(spot: &Spot<'_>) -> Option<Mistake> {
    let statement = spot.statement?;
    let Some(Flaw::Quote(open)) = statement.flaw else { return None };
    let open = open.checked_sub(spot.start()).filter(|open| *open < spot.line.len())?;
    if let Some(mistake) = apostrophe_in_value(spot, open) {
        return Some(mistake.over(statement.span.start..statement.span.end + 1));
    }
    // The first text that runs into `=` lacks its end, however many texts follow.
    let (at, text) = first_run(spot.line).unwrap_or((open, &spot.line[open + 1..]));
    let text = text.split([',', '=', '}', ']', '#']).next().unwrap_or_default().trim();
    let other = text.find(['"', '\'']).filter(|end| text[end + 1..].trim().is_empty());
    let text = text.trim_end_matches(['"', '\'', ' ']);
    let message = match other {
        Some(_) => "this text begins with one kind of quote and ends with another",
        None => "this quote has no partner on its line",
    };
    let help = format!("close the text where it ends: \"{}\"", spot.shown(text, "Admin"));
    Some(
        spot.mistake(at..at + 1, message)
            .label("opens here")
            .help(help)
            .over(statement.span.start..statement.span.end + 1),
    )
}

/// `reason = it's ok`
fn apostrophe_in_value(spot: &Spot<'_>, open: usize) -> Option<Mistake> {
    let before = &spot.line[..open];
    let start = before
        .rfind('=')
        .map(|sign| sign + 1 + before[sign + 1..].len() - before[sign + 1..].trim_start().len())?;
    if !spot.line[open..].starts_with('\'') || !before[start..].starts_with(char::is_alphanumeric) {
        return None;
    }
    let rest = &spot.line[start..];
    let end = rest.find([',', '}', ']', '#']).unwrap_or(rest.len());
    let text = rest[..end].trim_end();
    let is_certain = !rest[end..].starts_with([',', '#']) && !text.contains(['"', '\\', '=']);
    let text = spot.shown(if is_certain { text } else { "" }, "…");
    let mistake = spot.mistake(start..start + rest[..end].trim_end().len(), "this text is not in quotes");
    Some(mistake.label("needs quotes around it").help(format!("write it in double quotes: \"{text}\"")))
}

/// The first text that contains `=` although it begins where a key or a value begins: its closing quote is missing.
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
    let at = match statement.flaw? {
        Flaw::Unclosed(at) | Flaw::Stray(at) => at,
        Flaw::Quote(_) => return None,
    };
    let bracket = spot.text[at..].chars().next()?;
    let marked = at..at + 1;
    let mistake = if matches!(statement.flaw, Some(Flaw::Stray(_))) {
        let message = format!("this `{bracket}` closes nothing");
        spot.mistake(0..0, message)
            .label("nothing is open here")
            .help(format!("delete the `{bracket}`, or write its partner"))
    } else {
        let partner = if bracket == '{' { '}' } else { ']' };
        let message = format!("this `{bracket}` is not closed");
        let help =
            format!("write `{partner}` where its content ends; each `{{` needs a `}}`, and each `[` a `]`");
        spot.mistake(0..0, message).label("opens here").help(help)
    };
    Some(Mistake { marked, ..mistake }.over(statement.span.start..statement.span.end + 1))
}

/// What other languages have between a key and its value.
pub(super) const SIGNS: [&str; 15] =
    [":", "==", "===", "=>", "->", ":=", "=:", "<-", "-->", "==>", "~>", "::", ">", ">=", "<="];

/// Returns the range of the sign that ends before the offset `at` of a line, or begins at it or behind it.
pub(super) fn sign_around(line: &str, at: usize) -> Range<usize> {
    let is_sign = |char: char| "=:<>-~".contains(char);
    let at = line.floor_char_boundary(at);
    let start = line[..at].trim_end().trim_end_matches(is_sign).len();
    let start = start + line[start..].len() - line[start..].trim_start().len();
    start..line[start..].find(|char| !is_sign(char)).map_or(line.len(), |length| start + length)
}

/// `:`, `==`, `=>`, `->` and the like between a key and its value.
pub(super) fn operator(spot: &Spot<'_>) -> Option<Mistake> {
    let Range { start, end } = sign_around(spot.line, spot.at);
    let sign = &spot.line[start..end];
    if !SIGNS.contains(&sign) {
        return None;
    }
    let key = spot.line[..start].rsplit(['{', ',', '[']).next().unwrap_or_default().trim();
    let key = if key.contains('@') && !key.starts_with(['"', '\'']) {
        format!("\"{}\"", key.trim_matches(['"', '\'']))
    } else {
        key.to_owned()
    };
    if key.is_empty() || !spot.said.contains(['=', 'k', 'v']) {
        return None;
    }
    let value = spot.line[end..].trim();
    // `"ana@acme.example".role` names a field of the person.
    let is_address = key.rsplit(['.', '"', '\'']).next().is_some_and(|last| !keys::PERSON.contains(&last))
        && key.contains('@');
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
    let mistake = spot
        .mistake(start..end, format!("`{sign}` does not separate a key from its value"))
        .label("TOML has `=` here")
        .help(format!("write `=`: {example}"));
    Some(if sign == ":" { mistake } else { mistake.of_line(spot) })
}

/// The value behind a sign, with a space in front, if it is short and complete.
fn value_after(spot: &Spot<'_>, value: &str) -> String {
    let end = match value.as_bytes().first() {
        Some(quote @ (b'"' | b'\'')) => string_len(value, *quote).unwrap_or(value.len()),
        Some(b'{') => return " { … }".to_owned(),
        Some(b'[') => return " [ … ]".to_owned(),
        _ => value.find([',', '}', ']', '#']).unwrap_or(value.len()),
    };
    let word = value[..end].trim();
    let is_bare =
        word.starts_with(|char: char| char.is_ascii_alphabetic()) && !["true", "false"].contains(&word);
    if is_bare { format!(" \"{word}\"") } else { spot.shown(&format!(" {word}"), " …") }
}

/// The first word with an `@`, without what stands around it.
fn address_in(text: &str) -> Option<&str> {
    let is_end = |char: char| char.is_whitespace() || "=<>,{}[]()\"':;#".contains(char);
    let word = text.split(is_end).find(|word| word.contains('@'))?;
    // `users.ana@acme.example` in a header.
    Some(word.strip_prefix("users.").unwrap_or(word))
}

/// `'ana.o'neil@acme.example' = {}`
fn apostrophe_in_key(spot: &Spot<'_>, key_end: usize) -> Option<Mistake> {
    let key = spot.line[..key_end].trim();
    let inner = key.strip_prefix('\'')?.strip_suffix('\'')?;
    let apostrophe = inner.find('\'')?;
    if inner.contains(['"', '\\', ' ']) {
        return None;
    }
    let at = spot.line.find(inner)? + apostrophe;
    let help = format!("write it in double quotes: \"{}\" = {{ … }}", spot.shown(inner, "ana@acme.example"));
    let mistake = spot.mistake(at..at + 1, "this `'` ends the text");
    Some(mistake.label("ends the text here").help(help).of_line(spot))
}

/// An address without quotes, as a key or alone on its line.
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
    let marked = at..at + address.len();
    let shown = spot.shown(address, "ana@acme.example");
    let mistake = if line[..key_end].trim() == address && !line.contains('=') {
        let help = format!("write: \"{shown}\" = {{}}, with a role or a status between the braces");
        spot.mistake(marked, "an address alone is not an entry").label("no `=` and no value").help(help)
    } else {
        let help = format!("write: \"{shown}\" = {{ … }}");
        let is_half = line[at + address.len()..].starts_with(['"', '\'']);
        let message = if is_half {
            "a quote is missing in front of this address"
        } else {
            "this address is not in quotes"
        };
        spot.mistake(marked, message).label("needs quotes around it").help(help)
    };
    Some(mistake.of_line(spot))
}

/// Something behind a complete entry.
pub(super) fn behind_the_end(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("unexpected key or value") {
        return None;
    }
    let rest = spot.after().trim_end();
    let content = rest.split('#').next().unwrap_or_default().trim();
    let marked = spot.at..spot.at + content.len();
    if matches!(content, "," | ";" | "." | ":") {
        let message = format!("the `{content}` at the end of this line is not needed");
        let help = format!(
            "delete the `{content}`: each entry has its own line, and only what is in {{ }} or [ ] is separated by commas"
        );
        return Some(spot.mistake(marked, message).label("not needed").help(help).of_line(spot));
    }
    if content.starts_with(',') && spot.before().trim_end().ends_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    if content.starts_with('=') || spot.said.is_empty() {
        return None;
    }
    let is_entry = content.contains('=');
    let help = if is_entry {
        "write each entry on its own line".to_owned()
    } else {
        format!("begin a comment with `#`: # {}", spot.shown(content, "…"))
    };
    Some(
        spot.mistake(marked, "the value is complete, but the line goes on")
            .label("not part of the value")
            .help(help)
            .of_line(spot),
    )
}

pub(super) fn comma(spot: &Spot<'_>) -> Option<Mistake> {
    if spot.said.starts_with("extra comma") {
        let mistake = spot
            .mistake(spot.at..spot.at + 1, "there is nothing before this comma")
            .label("one comma too many");
        return Some(mistake.help("delete it"));
    }
    if !spot.said.starts_with("missing comma") {
        return None;
    }
    let word = spot.after().split([' ', '=', ',', '}', ']']).next().unwrap_or_default();
    let end = spot.at + word.len();
    let is_first = spot.before().trim().is_empty();
    let help = if is_first { "end the line above with `,`" } else { "write `,` in front of it" };
    let mistake =
        spot.mistake(spot.at..end, "a comma is missing in front of this").label("`,` is missing before it");
    Some(mistake.help(help))
}

/// `{ from = 2026-12-20 until = 2026-12-21 }`: the parser takes the next key for a part of the value.
pub(super) fn comma_between_values(spot: &Spot<'_>) -> Option<Mistake> {
    let range = spot.value();
    let before = spot.line[range.clone()].split_once('=')?.0.trim_end();
    let value = before.trim_end_matches(is_bare);
    let key = &before[value.len()..];
    let is_key = keys::PERSON.contains(&key) || keys::WINDOW.contains(&key);
    let is_behind_a_value = value.ends_with([' ', '\t']) && !value.trim().is_empty();
    if !is_key || !is_behind_a_value || !spot.line[..range.start].contains('{') {
        return None;
    }
    let start = range.start + value.len();
    let mistake = spot.mistake(start..start + key.len(), "a comma is missing in front of this");
    Some(mistake.label("`,` is missing before it").help("write `,` in front of it").of_line(spot))
}

/// `{{ role }}`
pub(super) fn template(spot: &Spot<'_>) -> Option<Mistake> {
    if !spot.said.starts_with("missing key for inline table") || !spot.after().starts_with('{') {
        return None;
    }
    let mistake =
        spot.mistake(spot.at..spot.at + 1, "this `{` stands where a key belongs").label("not a key");
    Some(mistake.help("write { key = value }; if this is a template, fill it in first").of_line(spot))
}

/// A line that is neither `key = value` nor a header nor a comment.
pub(super) fn no_pair(spot: &Spot<'_>) -> Option<Mistake> {
    if !OF_KEYS.iter().any(|said| spot.said.starts_with(said)) {
        return None;
    }
    let line = spot.line.trim();
    let before = spot.before().trim_end();
    let key = before.rsplit(['{', ',', '[']).next().unwrap_or_default().trim();
    let Some((name, _)) = line.split_once('=').filter(|_| !spot.after().trim_start().starts_with('{')) else {
        return Some(without_sign(spot, key));
    };
    if before.len() > name.len() && !key.is_empty() {
        return Some(without_sign(spot, key));
    }
    let name = name.trim();
    if let Some((_, key)) =
        name.split_once('"').filter(|(before, key)| !before.is_empty() && key.len() > 1 && key.ends_with('"'))
    {
        let at = spot.line.len() - spot.line.trim_start().len();
        let mistake = spot.mistake(at..at + name.len() - key.len() - 1, "something is in front of this key");
        let key = spot.shown(&format!("\"{key} = …"), "\"ana@acme.example\" = …");
        return Some(mistake.label("not part of a key").help(format!("delete it: {key}")).of_line(spot));
    }
    let mistake = spot
        .mistake(spot.at..spot.at_end.max(spot.at), "this key is not in quotes")
        .label("not allowed without quotes");
    let help = format!(
        "put a key with such a character in quotes: \"{}\" = …",
        spot.shown(name.trim_matches(['"', '\'']), "ana@acme.example")
    );
    Some(mistake.help(help).of_line(spot))
}

/// No `=` behind a key, or text that is not a key at all.
fn without_sign(spot: &Spot<'_>, key: &str) -> Mistake {
    let value = spot.after().trim();
    let is_key = key.starts_with(['"', '\'']) || !key.is_empty() && key.chars().all(is_bare);
    let is_value = value.starts_with(['"', '\'', '{', '[']);
    if is_key && is_value {
        let key = spot.shown(key, "role");
        let mistake = spot.mistake(spot.at..spot.at + 1, format!("`=` is missing behind `{key}`"));
        return mistake.label("`=` is missing before this").help(format!("write: {key} = …")).of_line(spot);
    }
    if is_key && value.is_empty() {
        let is_address = key.contains('@');
        let key = spot.shown(key, "role");
        let mistake = spot.whole_line(format!("`{key}` has no `=` and no value")).label("a key alone");
        let value = if is_address { "{}, with a role or a status between the braces" } else { "…" };
        return mistake.help(format!("write: {key} = {value}"));
    }
    spot.whole_line("this line is neither `key = value` nor the [header] of a section")
        .label("not TOML")
        .help(format!("begin a comment with `#`: # {}", spot.shown(spot.line.trim(), "…")))
}
