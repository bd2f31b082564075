//! Puts the token into every argument and every environment variable, and checks that the output never leaks any part of the
//! token.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::Child;

use rolecall::manual;

use crate::harness::{Scene, TOKEN, soak};

const PYLON: &str = r#"{ "users": [ { "email": "ana@acme.example", "role": "admin" }, { "email": "bo@acme.example", "role": "member" } ] }"#;

/// The place from which a run reads the token.
#[derive(Debug, Clone, Copy)]
enum From {
    Variable,
    /// The environment variable, with quotes around the token, which is a common mistake.
    BadVariable,
    File,
}

fn scene(from: From) -> Scene {
    let scene =
        Scene::with_pylon(PYLON).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n");
    match from {
        From::Variable => scene,
        From::BadVariable => scene.env("PYLON_API_TOKEN", &format!("'{TOKEN}' ")),
        From::File => scene.env("PYLON_API_TOKEN", "").file("of-pylon", format!("{TOKEN}\n")),
    }
}

/// Returns everything the run writes to standard output and standard error. `rolecall sandbox` doesn't exit on its own, so it's
/// killed after its first two lines.
fn output_of(scene: &Scene, arguments: &[&str]) -> String {
    let child = scene.command(arguments).stdin(std::process::Stdio::null()).spawn().unwrap();
    ended(child)
}

fn ended(mut child: Child) -> String {
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut text = String::new();
    while out.read_line(&mut text).unwrap() > 0 {
        if text.starts_with("export PYLON_BASE_URL=") && text.lines().count() == 2 {
            child.kill().unwrap();
        }
    }
    child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
    child.wait().unwrap();
    text
}

#[track_caller]
fn keeps_the_token(text: &str, of: &str) {
    let (text, token) = (text.to_lowercase(), TOKEN.to_lowercase());
    let piece = (8..=token.len()).map(|end| &token[end - 8..end]).find(|piece| text.contains(piece));
    assert_eq!(piece, None, "{of} says:\n{text}");
}

/// Checks that no file in `folder` contains the token, except the token file `of-pylon`.
fn files_keep_the_token(folder: &Path, of: &str) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_keep_the_token(&path, of);
        } else if !path.ends_with("of-pylon") {
            keeps_the_token(
                &fs::read_to_string(&path).unwrap_or_default(),
                &format!("{of}, in {}", path.display()),
            );
        }
    }
}

/// Returns one command line for each place where a user could put the token by mistake.
fn command_lines() -> Vec<Vec<String>> {
    let mut command = manual::command();
    command.build();
    let token = || TOKEN.to_owned();
    let mut seen = BTreeSet::new();
    let mut lines = vec![
        vec![token()],
        vec![format!("--{TOKEN}")],
        vec![format!("-{TOKEN}")],
        vec!["help".into(), token()],
        vec![token(), "plan".into()],
    ];
    for verb in command.get_subcommands() {
        let name = verb.get_name().to_owned();
        let behind = |words: Vec<String>| std::iter::once(name.clone()).chain(words).collect::<Vec<_>>();
        lines.push(behind(vec![token()]));
        lines.push(behind(vec!["bo@acme.example".into(), token()]));
        lines.push(behind(vec!["a".into(), "b".into(), token()]));
        lines.push(behind(vec![format!("--{TOKEN}")]));
        lines.push(behind(vec![format!("--frob={TOKEN}")]));
        // Testing a flag once is enough because every command parses it in the same way.
        let flags = verb.get_arguments().filter_map(|arg| arg.get_long());
        let new = flags.filter(|flag| seen.insert((*flag).to_owned()));
        for (number, flag) in new.enumerate() {
            lines.push(behind(vec![format!("--{flag}"), token()]));
            let values = [token(), format!("json={TOKEN}"), format!("{TOKEN}=1"), format!("patch={TOKEN}")];
            let tried = if soak() { values.len() } else { 1 };
            for value in values.iter().cycle().skip(number).take(tried) {
                lines.push(behind(vec![format!("--{flag}={value}")]));
            }
        }
    }
    lines
}

#[test]
fn a_token_in_any_argument_is_never_printed() {
    let lines = command_lines();
    assert!(lines.len() > 150, "{}", lines.len());
    for from in [From::Variable, From::File] {
        let scene = scene(from);
        let step = if matches!(from, From::File) { 17 } else { 1 };
        for line in lines.iter().step_by(step) {
            let mut words: Vec<&str> = line.iter().map(String::as_str).collect();
            if matches!(from, From::File) {
                words.extend(["--token-file", "of-pylon"]);
            }
            keeps_the_token(&output_of(&scene, &words), &format!("{from:?}: {words:?}"));
        }
        files_keep_the_token(scene.folder(), &format!("{from:?}"));
    }
}

#[test]
fn a_token_in_quotes_is_hidden_too() {
    let scene = scene(From::BadVariable);
    for line in command_lines().iter().step_by(7) {
        let words: Vec<&str> = line.iter().map(String::as_str).collect();
        keeps_the_token(&output_of(&scene, &words), &format!("{words:?}"));
    }
}

#[test]
fn a_token_in_any_variable_is_never_printed() {
    let variables = [
        "PYLON_BASE_URL",
        "ROLECALL_RATE",
        "ROLECALL_NOW",
        "HTTPS_PROXY",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "XDG_RUNTIME_DIR",
        "XDG_CACHE_HOME",
        "HOME",
        "GITHUB_WORKSPACE",
        "GITHUB_STEP_SUMMARY",
        "NO_COLOR",
        "TERM",
        "TZ",
        "COLUMNS",
    ];
    let host = scene(From::Variable).host();
    let values = [
        TOKEN.to_owned(),
        format!("/dev/null/{TOKEN}"),
        format!("patch={TOKEN}"),
        format!("http://{TOKEN}"),
        format!("https://u:{TOKEN}@{host}"),
        format!("{TOKEN}://{host}"),
        format!("http://{host}/{TOKEN}"),
    ];
    let mut commands = [
        "plan -v --format github",
        "apply --auto-approve -v",
        "doctor",
        "plan -v --report html=plan.html",
        "plan --help",
    ]
    .into_iter()
    .cycle();
    for name in variables {
        for value in &values {
            let scene = scene(From::Variable).env(name, value);
            for words in commands.by_ref().take(if soak() { 5 } else { 1 }) {
                let words: Vec<&str> = words.split(' ').collect();
                keeps_the_token(&output_of(&scene, &words), &format!("{name}={value} {words:?}"));
            }
            files_keep_the_token(scene.folder(), name);
        }
    }
}

#[test]
fn another_token_in_place_of_a_path_a_role_or_an_included_file_is_not_printed() {
    let token = "ghp_Zq9abcdefgh12345678AB";
    let scene = Scene::with_pylon(PYLON)
        .file("users.toml", format!("[users]\n\"bo@acme.example\" = {{ role = \"{token}\" }}\n"))
        .file(
            "escaped.toml",
            "[users]\n\"bo@acme.example\" = { role = \"ghp_\\u005aq9abcdefgh12345678AB\" }\n",
        )
        .file("credentials", format!("https://ci-bot:{token}@git.example\n"))
        .file("other.toml", "include = [\"credentials\"]\n");
    let token_file = format!("plan --token-file {token}");
    for words in [
        token_file.as_str(),
        "plan",
        "plan --format github",
        "validate -c other.toml",
        "plan -c escaped.toml",
    ] {
        let run = scene.run(words);
        run.exits(1);
        let printed = format!("{}{}", run.stdout, run.stderr);
        assert!(!printed.contains("Zq9abcd"), "{words}:\n{printed}");
    }
}

#[test]
fn messages_do_not_repeat_words_that_their_excerpts_hide() {
    for person in ["{ status = \"Xk39fQ2mRt\" }", "{ Xk39fQ2mRt = 1 }", "{ status = '''\\nXk39fQ2mRt''' }"] {
        let users = format!("[users]\n\"bo@acme.example\" = {person} # the token\n");
        let run = Scene::with_pylon(PYLON).file("users.toml", users).run("plan");
        run.exits(1).mentions("(not shown)");
        assert!(!run.stderr.contains("Xk39fQ2mRt"), "{}", run.stderr);
    }
}
