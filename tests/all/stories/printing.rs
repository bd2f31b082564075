//! Tests for commands that just print something: `schema`, `completions`, and `man`. They don't need any files, tokens, or Pylon.

use std::fs;
use std::process::{Command, Stdio};

use pretty_assertions::assert_eq;
use rolecall::report::Format;

use crate::harness::{Scene, formats_of};

const SHELLS: [&str; 5] = ["bash", "elvish", "fish", "powershell", "zsh"];

#[test]
fn printed_texts_ignore_the_format() {
    let scene = Scene::offline();
    for words in ["schema", "completions bash", "man", "man plan"] {
        let plain = scene.run(words);
        plain.exits(0);
        assert!(plain.stdout.len() > 500 && plain.stderr.is_empty(), "{words}: {}", plain.stderr);
        for format in formats_of("schema").map(Format::as_str) {
            assert_eq!(scene.run(&format!("{words} --format {format}")).stdout, plain.stdout);
        }
        let refused = scene.run(&format!("{words} --report json=report.json"));
        refused.exits(64).names("commands::no_report");
        assert_eq!(refused.stdout, "");
    }
    let refused = scene.run_with(&["fmt", "-", "--report", "json=report.json"], "[users]\n");
    refused.exits(64).names("commands::no_report");
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 0, "nothing is left lying about");
}

#[test]
fn printing_commands_ignore_broken_files_and_tokens() {
    let scene = Scene::offline().file("users.toml", "[users\n").env("PYLON_API_TOKEN", "two words");
    for words in ["schema", "completions zsh", "man apply"] {
        scene.run(words).exits(0);
    }
}

#[test]
fn every_shell_completes_commands_and_flags() {
    let scene = Scene::offline();
    for shell in SHELLS {
        let run = scene.run(&format!("completions {shell}"));
        run.exits(0);
        for word in ["plan", "completions", "detailed-exitcode", "token-file"] {
            assert!(run.stdout.contains(word), "{shell} does not know {word}");
        }
    }
    scene
        .run("completions tcsh")
        .exits(64)
        .mentions("[possible values: bash, elvish, fish, powershell, zsh]");
}

/// Calls the completion function in `script`, and returns the words that bash would offer after `words`.
fn completed_by_bash(script: &str, words: &str) -> Option<String> {
    let program = format!(
        "{script}\nCOMP_WORDS=({words} \"$1\")\nCOMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n\
         _rolecall rolecall \"$1\" \"${{COMP_WORDS[COMP_CWORD-1]}}\"\necho \"${{COMPREPLY[*]}}\"\n"
    );
    let mut bash = Command::new("bash");
    bash.args(["-c", &program, "bash", ""]).stderr(Stdio::inherit());
    let output = bash.output().ok()?; // `None` if bash isn't installed
    assert!(output.status.success(), "{words}");
    Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
}

#[test]
fn bash_completes_commands_flags_and_values() {
    let script = Scene::offline().run("completions bash").stdout;
    let Some(verbs) = completed_by_bash(&script, "rolecall") else {
        println!("skipped: there is no bash");
        return;
    };
    assert!(verbs.ends_with("plan apply rollback import validate fmt compare agenda show explain roles access doctor demo sandbox schema completions man"), "{verbs}");
    for (words, expected) in [
        ("rolecall plan --format", "text json csv markdown github html"),
        ("rolecall plan --region", "us eu"),
        ("rolecall schema --color", "auto always never"),
    ] {
        assert_eq!(completed_by_bash(&script, words).as_deref(), Some(expected), "{words}");
    }
}

#[test]
fn the_man_command_writes_every_page_to_a_folder() {
    let scene = Scene::offline();
    let run = scene.run("man --into share/man1");
    run.exits(0);
    let names: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(names[..2], ["share/man1/rolecall.1", "share/man1/rolecall-plan.1"]);
    for name in names {
        let page = fs::read_to_string(scene.folder().join(name)).unwrap();
        let verb = name.trim_start_matches("share/man1/rolecall").trim_end_matches(".1").replace('-', " ");
        assert_eq!(page, scene.run(&format!("man{verb}")).stdout, "{name}");
    }
    scene.run("man plan --into elsewhere").exits(64);
    scene.run("man frobnicate").exits(64);
}

#[test]
fn an_unwritable_folder_for_man_pages_is_an_error() {
    let scene = Scene::offline().file("share", "");
    scene.run("man --into share/man1").exits(1).names("commands::not_written");
}

#[test]
fn connection_flags_are_only_for_commands_that_send_requests() {
    let scene = Scene::offline().file("users.toml", "").file("old.toml", "");
    for words in [
        "validate --sandbox",
        "fmt --region eu",
        "agenda --token-file -",
        "compare old.toml users.toml --rate patch=1",
    ] {
        scene.run(words).exits(64).mentions("is an option of: plan, apply, rollback, import");
    }
    // Commands that don't send requests ignore the variables for a connection, because the environment might be set up for other
    // commands.
    let scene = scene.env("PYLON_BASE_URL", "nonsense").env("ROLECALL_RATE", "nonsense");
    scene.run("validate").exits(0);
    scene.run("demo").exits(0);
    // An empty variable counts as unset.
    scene.env("PYLON_BASE_URL", "").env("ROLECALL_RATE", "").run("plan --sandbox").exits(0);
}
