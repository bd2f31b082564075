//! Runs `JSONTestSuite` against everything that reads JSON: Pylon's responses and errors, saved plans, journals, and
//! sandbox states.

use std::str;

use rolecall::apply::journal;
use rolecall::plan::saved::SavedPlan;

use crate::builders::read_state;
use crate::claims;

/// Returns the name and contents of each input.
fn texts() -> Vec<(String, Vec<u8>)> {
    let lines = include_str!("json_suite.txt").lines().filter(|line| !line.starts_with('#'));
    let mut texts: Vec<(String, Vec<u8>)> = lines
        .map(|line| line.split_once('\t').unwrap_or((line, "")))
        .map(|(name, text)| (name.to_owned(), unescaped(text.as_bytes())))
        .collect();
    texts.push(("n_structure_100000_opening_arrays".into(), b"[".repeat(100_000)));
    texts.push(("n_structure_open_array_object".into(), b"[{\"\":".repeat(50_000)));
    assert_eq!(texts.len(), 318);
    texts
}

fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        rest = behind;
        match (byte, behind) {
            (b'\\', [b'\\', behind @ ..]) => {
                bytes.push(b'\\');
                rest = behind;
            }
            (b'\\', [b'x', high, low, behind @ ..]) => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(str::from_utf8(&digits).unwrap(), 16).unwrap());
                rest = behind;
            }
            _ => bytes.push(*byte),
        }
    }
    bytes
}

/// Replaces the `$` in each frame with the input. An input of more than 10,000 bytes is combined only with the first frame.
fn within<'t>(frames: &'t [&str], text: &'t [u8]) -> impl Iterator<Item = Vec<u8>> + 't {
    let most = if text.len() > 10_000 { 1 } else { frames.len() };
    frames.iter().take(most).map(|frame| {
        let (before, behind) = frame.split_once('$').unwrap();
        [before.as_bytes(), text, behind.as_bytes()].concat()
    })
}

/// Returns `true` if the input is blank. A blank text isn't valid JSON but is harmless between other values.
fn is_blank(text: &[u8]) -> bool {
    text.trim_ascii().is_empty()
}

fn holds(target: &str, data: &[u8]) {
    claims::ALL.iter().find(|(name, _)| *name == target).unwrap().1(data);
}

#[test]
fn any_text_is_accepted_or_rejected_as_a_response() {
    let frames = [
        ("0123456", "$"),
        ("016", r#"{"data":$}"#),
        ("125", r#"{"data":[$]}"#),
        ("2", r#"{"data":[],"pagination":$}"#),
        ("3", r#"{"data":[],"pagination":{"cursor":$,"has_next_page":true}}"#),
        ("4", r#"{"data":{"id":"u_1","name":$}}"#),
        ("6", r#"{"data":{"id":"u_1","role_ids":$}}"#),
        ("2", r#"{"data":[{"id":"u_1","emails":[$]}]}"#),
        (
            "5",
            r#"{"data":[{"id":"e","action":"a","action_happened_at":"2026-11-20T08:00:00Z","object_id":"u","attributes":$}]}"#,
        ),
    ];
    for (_, text) in texts() {
        for (asked, frame) in frames {
            for body in within(&[frame], &text) {
                asked.bytes().for_each(|asked| holds("answer", &[&[asked], &*body].concat()));
            }
        }
    }
}

/// Even parts that rolecall ignores must be valid JSON. Otherwise, a truncated response could be accepted.
#[test]
fn invalid_json_is_rejected_and_valid_json_in_unknown_keys_is_ignored() {
    use rolecall::pylon::exchange::{Incoming, attempt};
    use rolecall::pylon::request::Search;

    let request = Search { emails: Vec::new(), limit: 9, cursor: None };
    for (name, text) in texts() {
        for body in within(&[r#"{"data":[],"unknown":$}"#, r#"{"unknown":[$],"data":[]}"#], &text) {
            let came = Ok(Incoming { status: 200, body, ..Incoming::default() });
            let answer = attempt(&request, came, claims::now()).result;
            let is_sound = str::from_utf8(&text).is_ok();
            match &name[..1] {
                "y" => assert!(answer.is_ok(), "{name}: {answer:?}"),
                "n" if is_sound && !is_blank(&text) => assert!(answer.is_err(), "{name}: {answer:?}"),
                _ => {}
            }
        }
    }
}

#[test]
fn any_text_is_parsed_as_an_error_envelope_or_ignored() {
    let frames = [
        "$",
        r#"{"errors":$}"#,
        r#"{"errors":["x",$],"request_id":"r"}"#,
        r#"{"code":$}"#,
        r#"{"request_id":$,"errors":[]}"#,
    ];
    for (_, text) in texts() {
        for body in within(&frames, &text) {
            for status in ["400", "429", "503"] {
                holds("refusal", &[status.as_bytes(), b"\n7\n\n\n3\n", &body].concat());
            }
        }
    }
}

#[test]
fn any_text_is_rejected_as_a_saved_plan_with_its_place() {
    let frames = [
        "$",
        r#"{"format":"rolecall plan","version":1,"created":$,"organization":"o","host":"us","files":"f","only":[],"operations":[],"checksum":""}"#,
    ];
    for (name, text) in texts() {
        for whole in within(&frames, &text) {
            holds("saved_plan", &whole);
            let Ok(whole) = str::from_utf8(&whole) else { continue };
            let problem = SavedPlan::parse(whole).expect_err("it has no checksum of its own");
            let is_placed = problem.message.contains(" at line ") && problem.message.contains(" column ");
            assert!(is_placed || problem.message.contains("checksum"), "{name}: {}", problem.message);
        }
    }
}

#[test]
fn any_text_is_a_valid_journal_line_or_counted_as_damaged() {
    let frames = [
        "$",
        r#"{"line":"begin","version":1,"at":"2026-11-20T08:00:00Z","organization":$,"host":"us","changes":2}"#,
        r#"{"line":"answer","at":"2026-11-20T08:00:01Z","number":$,"failure":null,"request_id":null}"#,
        r#"{"line":"intent","at":"2026-11-20T08:00:01Z","number":1,"operation":{"user":"u_1","email":"a@b.example","edits":[{"field":"role","from":[$],"to":"r"}]}}"#,
    ];
    for (name, text) in texts() {
        for line in within(&frames, &text) {
            holds("journal", &line);
            let Ok(line) = str::from_utf8(&line) else { continue };
            let (whole, _) = journal::read(line);
            assert!(whole.is_empty() || !name.starts_with('n') || is_blank(&text), "{name}: {whole:?}");
        }
    }
}

#[test]
fn any_text_is_a_sandbox_state_or_an_explained_error() {
    let frames = [
        "$",
        r#"{"users":$}"#,
        r#"{"users":[$]}"#,
        r#"{"organization":{"id":$}}"#,
        r#"{"users":[{"id":"u_1","email":"a@b.example","name":$}]}"#,
        r#"{"settings":{"list_page":$}}"#,
    ];
    for (name, text) in texts() {
        for json in within(&frames, &text) {
            let Ok(json) = str::from_utf8(&json) else { continue };
            match read_state(json) {
                Ok(state) => {
                    assert!(!name.starts_with('n') || is_blank(&text), "{name} is invalid JSON");
                    assert_eq!(read_state(&state.to_json()).as_ref(), Ok(&state), "{name}");
                }
                Err(problems) => assert!(!problems.is_empty(), "{name}"),
            }
        }
    }
}
