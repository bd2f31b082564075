//! Checks that a program can parse a CSV report (RFC 4180), and that a spreadsheet wouldn't evaluate any of its cells.

use std::collections::BTreeSet;

use rolecall::printable::is_unprintable;

use super::Seen;

/// Rejects malformed tables, cells a spreadsheet would evaluate, and characters that affect a terminal. Accepts an empty report,
/// which is the output of a failed command.
pub(in super::super) fn judge(report: &str) -> Result<Seen, String> {
    if report.is_empty() {
        return Ok(Seen::default());
    }
    let records = records(report)?;
    let header = records.first().ok_or("no header")?;
    let names: BTreeSet<&String> = header.iter().collect();
    let is_plain = |name: &String| {
        !name.is_empty()
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if names.len() != header.len() || !names.into_iter().all(is_plain) {
        return Err(format!("the columns {header:?}"));
    }
    let mut wholes = BTreeSet::new();
    let mut text = String::new();
    for record in &records {
        if record.len() != header.len() {
            return Err(format!("{} cells for {} columns: {record:?}", record.len(), header.len()));
        }
        for cell in record {
            let cell = checked(cell)?;
            text += &format!("{cell}\n");
            wholes.insert(cell);
        }
    }
    Ok(Seen { text, wholes })
}

/// Returns a cell's text without the leading apostrophes that keep a spreadsheet from evaluating its parts.
fn checked(cell: &str) -> Result<String, String> {
    if let Some(char) =
        cell.chars().find(|char| is_unprintable(*char) && !matches!(char, '\u{fe0e}' | '\u{fe0f}'))
    {
        return Err(format!("{char:?} as it is in {cell:?}"));
    }
    let mut parts = Vec::new();
    for part in cell.split(';') {
        if runs(part) {
            return Err(format!("a spreadsheet would run {cell:?}"));
        }
        let unquoted = part.strip_prefix('\'').filter(|rest| runs(rest));
        parts.push(unquoted.unwrap_or(part));
    }
    Ok(parts.join(";"))
}

/// Returns `true` if a spreadsheet would treat the cell as a formula.
fn runs(cell: &str) -> bool {
    const SIGNS: &str = "=+-@\t\r＝＋－＠";
    let mut signs =
        cell.chars().skip_while(|char| char.is_whitespace() || *char == '"' || is_unprintable(*char));
    signs.next().is_some_and(|first| SIGNS.contains(first)) || cell.starts_with(['\t', '\r'])
}

/// Parses a table. Every line must end with CRLF, and quotes are allowed only in a quoted cell, where they're doubled.
fn records(text: &str) -> Result<Vec<Vec<String>>, String> {
    let (mut records, mut record) = (Vec::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let cell;
        (cell, rest) =
            if let Some(quoted) = rest.strip_prefix('"') { until_quote(quoted)? } else { until_end(rest)? };
        record.push(cell);
        if let Some(next) = rest.strip_prefix(',') {
            rest = next;
            continue;
        }
        rest = rest.strip_prefix("\r\n").ok_or_else(|| format!("no CRLF after {record:?}"))?;
        records.push(std::mem::take(&mut record));
    }
    if record.is_empty() { Ok(records) } else { Err(format!("{record:?} has no end")) }
}

fn until_quote(text: &str) -> Result<(String, &str), String> {
    let (mut cell, mut rest) = (String::new(), text);
    loop {
        let (before, after) = rest.split_once('"').ok_or("a quote is not closed")?;
        cell += before;
        match after.strip_prefix('"') {
            Some(after) => rest = after,
            None => return Ok((cell, after)),
        }
        cell.push('"');
    }
}

fn until_end(text: &str) -> Result<(String, &str), String> {
    let end = text.find([',', '\r', '\n']).ok_or("the last line has no end")?;
    let (cell, rest) = text.split_at(end);
    if cell.contains('"') { Err(format!("a quote in {cell:?}")) } else { Ok((cell.to_owned(), rest)) }
}

#[test]
fn the_judge_rejects_bad_reports() {
    let seen = judge("email,name\r\nana@acme.example,\"O\"\"Neil, Ana\"\r\n").unwrap();
    assert!(seen.has("O\"Neil, Ana") && seen.has("ana@acme.example"));
    assert!(judge("name\r\n'=1\r\n'a'\r\n").unwrap().has("=1\n'a'"));
    assert!(judge("").is_ok(), "the command failed");
    for bad in [
        "name",
        "name\n",
        "name\r\nx",
        "name,name\r\n",
        "Name\r\n",
        "\u{feff}name\r\n",
        "name\r\nx,y\r\n",
        "name,id\r\nx\r\n",
        "name\r\n\"x\r\n",
        "name\r\nx\"y\r\n",
        "name\r\n\"x\"y\r\n",
        "name\r\n=1\r\n",
        "name\r\n -1\r\n",
        "name\r\n\"\"\"@x\"\r\n",
        "name\r\na;=1\r\n",
        "name\r\n＝1\r\n",
        "name\r\n\"a\r\nb\"\r\n",
        "name\r\n\u{1b}\r\n",
        "name\r\na\u{202e}b\r\n",
    ] {
        assert!(judge(bad).is_err(), "{bad:?}");
    }
}
