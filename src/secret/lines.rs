//! Finds the lines of a file that belong to a multi-line secret, even if the file isn't valid TOML.

use super::{after_secret_key, is_secret_name, key_parts};

/// Returns the start offset of each line that belongs to a table or a multi-line value named like a secret. The line with the
/// name itself isn't included.
pub fn secret_lines(text: &str) -> Vec<usize> {
    let (mut found, mut start) = (Vec::new(), 0);
    let (mut is_secret_table, mut open) = (false, None);
    for line in text.split_inclusive('\n') {
        let content = line.trim_start_matches('\u{feff}').trim();
        if let Some(value) = open.take_if(|value: &mut OpenValue| value.includes(content)) {
            found.push(start);
            open = value.after(content);
        } else if let Some(header) = content.strip_prefix('[') {
            let name = header.trim_start_matches('[').split([']', '#']).next().unwrap_or_default();
            is_secret_table = key_parts(name).any(is_secret_name);
            open = None;
        } else if is_secret_table {
            found.push(start);
            let is_pair = !content.is_empty() && !content.starts_with('#');
            open = is_pair.then(OpenValue::default).and_then(|value| value.after(content));
        } else {
            open = after_secret_key(content).and_then(|at| {
                let value = OpenValue { is_comment: has_comment_before(content, at), ..OpenValue::default() };
                value.after(&content[at..])
            });
        }
        start += line.len();
    }
    found
}

/// A potentially secret value that continues on the next line.
#[derive(Debug, Default)]
struct OpenValue {
    /// The closing quotes of the multi-line string that's still open at the end of the line, if any.
    quotes: Option<&'static str>,
    open_brackets: usize,
    /// Whether the value begins or continues on the next line that's neither blank nor a comment.
    is_expected: bool,
    is_comment: bool,
}

impl OpenValue {
    /// Returns `true` if a line belongs to the value. A value in a comment ends before the first line that isn't a comment.
    fn includes(&self, line: &str) -> bool {
        !self.is_comment || line.starts_with('#')
    }

    /// Reads the next line of the value. Returns `None` if the value ends on that line.
    fn after(mut self, line: &str) -> Option<Self> {
        let mut rest = if self.is_comment { line.trim_start_matches('#') } else { line };
        let is_in_value = self.quotes.is_some() || self.open_brackets > 0;
        if !is_in_value && (rest.is_empty() || rest.starts_with('#')) {
            return Some(Self { is_expected: true, ..self });
        }
        while let Some(char) = rest.chars().next() {
            if let Some(quotes) = self.quotes {
                let Some(end) = end_of_string(rest, quotes) else { break };
                rest = &rest[end..];
                self.quotes = None;
                continue;
            }
            self.quotes = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quotes| rest.starts_with(quotes));
            match char {
                '[' | '{' => self.open_brackets += 1,
                ']' | '}' => self.open_brackets = self.open_brackets.saturating_sub(1),
                '#' => break,
                _ => {}
            }
            rest = &rest[self.quotes.map_or(char.len_utf8(), str::len)..];
        }
        self.quotes = self.quotes.filter(|quotes| quotes.len() == 3);
        self.is_expected = self.quotes.is_none() && line.ends_with(['=', ':', '\\']);
        (self.quotes.is_some() || self.open_brackets > 0 || self.is_expected).then_some(self)
    }
}

/// Returns `true` if a comment begins on the line before the offset `end`.
fn has_comment_before(line: &str, end: usize) -> bool {
    let mut at = 0;
    while at < end {
        at += match line.as_bytes()[at] {
            b'#' => return true,
            quote @ (b'"' | b'\'') => {
                let quotes = if quote == b'"' { "\"" } else { "'" };
                end_of_string(&line[at + 1..], quotes).map_or(line.len(), |length| length + 1)
            }
            _ => 1,
        };
    }
    false
}

/// Returns the offset after the closing quotes, or `None` if the line doesn't have them.
fn end_of_string(line: &str, quotes: &str) -> Option<usize> {
    let mut at = 0;
    while at < line.len() {
        if line.as_bytes()[at..].starts_with(quotes.as_bytes()) {
            return Some(at + quotes.len());
        }
        let is_escape = quotes.starts_with('"') && line.as_bytes()[at] == b'\\';
        at += if is_escape { 2 } else { 1 };
    }
    None
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn all_lines_of_a_secret_are_found() {
        for (text, expected) in [
            ("tokens = [ \"a]\", # ]\n*\"b\",\n*\n*[\"c\"],\n*]\nrole = 1", "an array"),
            ("tokens = [\n*\"a\", # as in [docs]\n*{ b = \"}\" }, '['\n*]\nrole = 1", "brackets in text"),
            ("password = \"\"\"a\\\"\"\" [\n*\"b\" # \n*c\"\"\"\nrole = 1", "a multi-line string"),
            ("a = { password = '''b\\\n*c''', d = [\n*\"e\"] }\nrole = 1", "an inline table"),
            ("token = # ours\n*\n*# here\n*\"a\"\nrole = 1", "a value below its key"),
            ("token = \"a\\\n*b\"\nrole = 1", "a continued line"),
            ("[ tokens . \"a.b\" ]\n*a = 1\n[users]\nrole = 1", "a table below a table"),
            ("[workspace.\"secrets\"]\n*a = \"b\"\n*\n*# c\n[users]\nrole = 1", "a table"),
            (
                "[[tokens]] # ours\n*a = [\n*[\"b\"]\n*]\n*c = 1\n[tokens.d]\n*e = 1\n[[rule]]\nrole = 1",
                "tables",
            ),
            ("# tokens = [\n*#   \"a\",\n*# ]\nrole = [\n1]", "a comment"),
            ("# tokens = [\nrole = [\n1]", "a comment about brackets"),
            ("# Who can rotate the API token:\nrole = 1", "a comment with a colon at the end"),
            ("role = 1 # may see the token:\nstatus = 1", "a comment behind a value"),
            ("a = { \"b#c\" = 1, token = [\n*2] }\nrole = 1", "a number sign in a key"),
            ("\u{feff}[secrets]\n*a = 1", "a byte-order mark"),
            ("token = \"a\"\nroles = [\n\"b\"]\n[users.\"token@acme.example\"]\nrole = 1", "short values"),
        ] {
            let plain = text.replace("\n*", "\n");
            let starts: Vec<usize> =
                text.match_indices("\n*").enumerate().map(|(number, (at, _))| at + 1 - number).collect();
            assert_eq!(secret_lines(&plain), starts, "{expected}");
        }
    }
}
