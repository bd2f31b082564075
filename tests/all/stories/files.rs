//! Tests for invalid files: the error has a location and a remedy, the exit code is 1, and no request is sent.

use std::collections::BTreeSet;
use std::fs;

use pretty_assertions::assert_eq;
use rolecall::roster::RosterCode;

use crate::harness::{Scene, project};

const ANA: &str = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";

/// Invalid contents of `users.toml`, each with the codes of its problems in order.
const TABLE: &[(&str, &[RosterCode])] = &[
    ("[users]\n\"ana@acme.example\" = { role = \"Admin }\n", &[RosterCode::Syntax]),
    ("[users\n", &[RosterCode::Syntax]),
    ("[user]\n\"ana@acme.example\" = {}\n", &[RosterCode::UnknownKey]),
    ("[users]\n\"ana@acme.example\" = { roel = \"Admin\" }\n", &[RosterCode::UnknownKey]),
    ("token = \"pylon_s3cret\"\n", &[RosterCode::SecretInFile]),
    ("[workspace]\nbase_url = \"https://evil.example\"\n", &[RosterCode::SecretInFile]),
    ("[users]\ntimezone = \"UTC\"\n", &[RosterCode::MisplacedKey]),
    ("users = 3\n", &[RosterCode::WrongType]),
    ("[users]\n\"ana@acme.example\" = \"Admin\"\n", &[RosterCode::WrongType]),
    ("[users]\n\"ana@acme.example\" = { role = 3 }\n", &[RosterCode::WrongType]),
    ("allow_unicode_emails = \"yes\"\n", &[RosterCode::WrongType]),
    ("[users]\n\"ana@acme.example\" = { role = \"\" }\n", &[RosterCode::BadValue]),
    ("[guardrails]\nmax_changes = \"101%\"\n", &[RosterCode::BadValue]),
    ("[guardrails]\nmax_changes = -1\n", &[RosterCode::BadValue]),
    ("[guardrails]\nunmanaged = \"shout\"\n", &[RosterCode::BadValue]),
    ("[policy]\nrole = \"enforced\"\n", &[RosterCode::BadValue]),
    ("[workspace]\nregion = \"mars\"\n", &[RosterCode::BadValue]),
    ("[users]\n\"ana\" = {}\n", &[RosterCode::BadEmail]),
    ("[users]\n\"ana@acme.example \" = {}\n", &[RosterCode::BadEmail]),
    ("[users]\n\"zo\u{eb}@acme.example\" = {}\n", &[RosterCode::UnicodeEmail]),
    (
        "allow_unicode_emails = true\n[users]\n\"ana@acme.example\" = {}\n\"an\u{430}@acme.example\" = {}\n",
        &[RosterCode::LookAlike],
    ),
    ("[users]\n\"ana@acme.example\" = {}\n\"ana@acme.example\" = {}\n", &[RosterCode::DuplicatePerson]),
    ("[users]\n\"ana@acme.example\" = {}\n\"Ana@Acme.example\" = {}\n", &[RosterCode::DuplicatePerson]),
    ("timezone = \"UTC\"\ntimezone = \"UTC\"\n", &[RosterCode::DuplicateKey]),
    ("[users]\n\"ana@acme.example\" = { status = \"on holiday\" }\n", &[RosterCode::UnknownStatus]),
    ("include = [\"teams/*.toml\"]\n", &[RosterCode::IncludeMatchesNothing]),
    ("include = [\"../*.toml\"]\n", &[RosterCode::BadInclude]),
    ("include = [\"/etc/passwd\"]\n", &[RosterCode::BadInclude]),
    ("include = [\"a***b\"]\n", &[RosterCode::BadInclude]),
    ("include = [\"*.toml\"]\n", &[RosterCode::IncludeLoop]),
    ("timezone = \"Europe/Berlim\"\n", &[RosterCode::UnknownTimezone]),
    (
        "[users]\n\"a@b.example\" = { role = \"x\", windows = [{ until = 08:00:00, role = \"y\" }] }\n",
        &[RosterCode::BadTime],
    ),
    (
        "[users]\n\"a@b.example\" = { role = \"x\", windows = [{ from = 2027-01-02, until = 2027-01-01, role = \"y\" }] }\n",
        &[RosterCode::BackwardsWindow],
    ),
    ("[users]\n\"a@b.example\" = { windows = [{ until = 2027-01-01 }] }\n", &[RosterCode::EmptyWindow]),
    (
        "[users]\n\"a@b.example\" = { role = \"x\", windows = [{ until = 2027-01-02, role = \"y\" }, { from = 2027-01-01, role = \"z\" }] }\n",
        &[RosterCode::OverlappingWindows],
    ),
    (
        "[users]\n\"a@b.example\" = { windows = [{ until = 2027-01-01, role = \"y\" }] }\n",
        &[RosterCode::NoWayBack],
    ),
    (
        "[users]\n\"a@b.example\" = { windows = [{ until = 2027-01-01, status = \"away\" }] }\n",
        &[RosterCode::NoWayBack],
    ),
    ("[[rule]]\nemails = \"b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n", &[RosterCode::BadPattern]),
    (
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n[users]\n\"a@b.example\" = { role = \"y\" }\n",
        &[RosterCode::AgainstRule],
    ),
    ("[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 40\nreason = \"r\"\n", &[RosterCode::MissingKey]),
    (
        "[[acknowledge]]\nguardrail = \"protected\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-01\n",
        &[RosterCode::MissingKey],
    ),
    (
        "[[acknowledge]]\nguardrail = \"max_change\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-01\n",
        &[RosterCode::BadValue],
    ),
    (
        "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-21\n",
        &[RosterCode::ExpiresTooLate],
    ),
    // Several mistakes at once, reported in file order.
    (
        "timezone = \"Mars/Olympus\"\n[users]\n\"ana\" = {}\n\"bo@acme.example\" = { status = \"gone\", role = 1 }\n",
        &[
            RosterCode::UnknownTimezone,
            RosterCode::BadEmail,
            RosterCode::UnknownStatus,
            RosterCode::WrongType,
        ],
    ),
];

/// Codes that [`TABLE`] doesn't cover. Separate tests below cover them.
const TESTED_BELOW: &[RosterCode] = &[
    RosterCode::TooManyWindows,
    RosterCode::FileMissing,
    RosterCode::NotAFile,
    RosterCode::FileUnreadable,
    RosterCode::FileTooLarge,
    RosterCode::NotUtf8,
    RosterCode::OutsideFolder,
    RosterCode::RootOnly,
];

#[cfg(unix)]
#[test]
fn a_loop_of_links_is_unreadable_and_the_help_says_what_to_check() {
    let scene = Scene::offline();
    std::os::unix::fs::symlink("users.toml", scene.folder().join("users.toml")).unwrap();
    let run = scene.run("validate");
    run.exits(1).names("roster::file_unreadable").mentions("if it is a symbolic link, check where it leads");
}

#[test]
fn the_help_for_a_malformed_address_suggests_the_address_it_contains() {
    for written in ["Ana Silva <ana@acme.example>", " ana@acme.example", "<ana@acme.example>"] {
        let scene = Scene::offline().file("users.toml", format!("[users]\n\"{written}\" = {{}}\n"));
        let run = scene.run("validate");
        run.exits(1).names("roster::bad_email").mentions("write only the address: \"ana@acme.example\"");
    }
}

#[test]
fn every_bad_file_has_its_problem_codes_and_no_request_is_sent() {
    let mut told: BTreeSet<RosterCode> = TESTED_BELOW.iter().copied().collect();
    for (text, codes) in TABLE {
        told.extend(*codes);
        let scene = Scene::with_pylon(r#"{ "users": [] }"#).file("users.toml", text);
        for words in ["validate", "plan", "apply --auto-approve"] {
            let run = scene.run(words);
            run.exits(1);
            let named: Vec<&str> = run.stderr.lines().filter(|line| line.starts_with("roster::")).collect();
            let expected: Vec<&str> = codes.iter().map(|code| code.as_str()).collect();
            assert_eq!(named, expected, "`{words}` on:\n{text}\nsaid:\n{}", run.stderr);
            assert_eq!(run.stdout, "");
        }
        assert_eq!(scene.asked(), Vec::<String>::new(), "{text}");
    }
    let missing: Vec<&RosterCode> = RosterCode::ALL.iter().filter(|code| !told.contains(code)).collect();
    assert_eq!(missing, Vec::<&RosterCode>::new(), "codes that no story tells");
}

#[test]
fn an_excerpt_shows_a_colon_as_it_is() {
    let scene = Scene::offline().file("users.toml", "[users]\n\"ana@acme.example\": { role: \"Admin\" }\n");
    let run = scene.run("validate");
    let line = " 2 │ \"ana@acme.example\": { role: \"Admin\" }\n";
    assert_eq!(run.stderr.matches(line).count(), 2, "{}", run.stderr);
}

#[test]
fn a_diagnostic_has_the_place_the_caret_and_the_remedy() {
    let scene = Scene::offline()
        .file("users.toml", "[users]\n\"ana@acme.example\" = { roel = \"Admin\", status = \"activ\" }\n");
    scene.run("validate").exits(1).complains(
        "
roster::unknown_key

  × a person has no key `roel`
   ╭─[users.toml:2:24]
 2 │ \"ana@acme.example\" = { roel = \"Admin\", status = \"activ\" }
   ·                        ──┬─
   ·                          ╰── unknown
   ╰────
  help: did you mean `role`?

roster::unknown_status

  × `activ` is not a valid `status`
   ╭─[users.toml:2:49]
 2 │ \"ana@acme.example\" = { roel = \"Admin\", status = \"activ\" }
   ·                                                 ───┬───
   ·                                                    ╰── unknown
   ╰────
  help: did you mean `active`? `status` must be one of: active, away, out_of_office

2 problems. To read about a code: `rolecall explain CODE`
",
    );
}

#[test]
fn a_person_in_two_files_is_shown_in_both() {
    let scene = Scene::offline()
        .file("users.toml", "include = [\"teams/*.toml\"]\n\n[users]\n\"ana@acme.example\" = {}\n")
        .file("teams/emea.toml", "[users]\n\"Ana@acme.example\" = {}\n");
    scene.run("validate").exits(1).complains(
        "
roster::duplicate_person

  × Ana@acme.example is declared twice
   ╭─[teams/emea.toml:2:1]
 2 │ \"Ana@acme.example\" = {}
   · ─────────┬────────
   ·          ╰── declared again here
   ╰────
   ╭─[users.toml:4:1]
 4 │ \"ana@acme.example\" = {}
   · ─────────┬────────
   ·          ╰── first declared here
   ╰────
  help: keep one of the two entries; letter case does not matter in an address

To read about this code: `rolecall explain roster::duplicate_person`
",
    );
}

#[test]
fn a_secret_in_a_file_is_refused_and_not_printed() {
    let scene = Scene::offline().file("users.toml", "api_token = \"pylon_3f9a8b7c6d\"\n");
    let run = scene.run("validate");
    run.exits(1).names("roster::secret_in_file");
    assert!(!run.stderr.contains("3f9a8b7c6d"), "{}", run.stderr);
    run.mentions("api_token = (not shown)");
}

#[test]
fn a_secret_in_any_form_is_not_printed() {
    for line in [
        "pylon.token = \"tok-S3CRET\"",
        "apiToken = \"tok-S3CRET\"",
        "toekn = \"tok-S3CRET\"",
        "users = { PYLON_API_TOEKN = \"correct S3CRET\" }",
        "pylon = { key = \"tok-S3CRET\" }",
        "export PYLON_API_TOKEN=tok-S3CRET",
        "Authorization: Bearer tok-S3CRET",
        "workspace = \"tok-S3CRET\" # the token",
        "workspace = { region = \"bearer_S3CRET\" }",
        "users = { \"a@b.example\" = { status = \"token S3CRET\" } }",
    ] {
        let scene = Scene::offline().file("users.toml", format!("{line}\n"));
        for words in ["validate", "plan --format json"] {
            let run = scene.run(words);
            run.exits(1);
            assert!(
                !run.stderr.contains("S3CRET") && !run.stdout.contains("S3CRET"),
                "{line}:\n{}{}",
                run.stdout,
                run.stderr
            );
        }
    }
}

#[test]
fn an_ordinary_line_that_mentions_tokens_is_shown_whole() {
    for line in [
        "\"ana@acme.example\" = { reason = \"rotates the API token on call\" }",
        "\"tokens@acme.example\" = { rol = \"Admin\" }",
        "\"secretary@acme.example\" = { status = \"ooo\" }",
        "\"ana@acme.example\" = { nickname = \"Ana\", role = 3 } # bearer of bad news",
        "\"ana@acme.example\" = { email = \"ana@acme.example\", role = \"Admin\" }",
    ] {
        let scene = Scene::offline().file("users.toml", format!("[users]\n{line}\n"));
        let run = scene.run("validate");
        run.exits(1);
        assert!(run.stderr.contains(line), "{}", run.stderr);
    }
}

#[test]
fn an_included_file_may_have_only_defaults_and_users() {
    let scene = Scene::offline()
        .file("users.toml", "include = [\"teams/*.toml\"]\n")
        .file("teams/emea.toml", "timezone = \"UTC\"\ninclude = [\"x\"]\n[guardrails]\nmax_changes = 0\n");
    let run = scene.run("validate");
    run.exits(1);
    assert_eq!(run.stderr.lines().filter(|line| *line == "roster::root_only").count(), 3, "{}", run.stderr);
    assert!(
        run.stderr.ends_with("3 problems. To read about this code: `rolecall explain roster::root_only`\n")
    );
}

#[test]
fn terminal_control_characters_are_escaped() {
    let scene = Scene::offline()
        .file("users.toml", "[users]\n\"x\\u001b[2J@acme.example\" = { \"ro\u{202e}el\" = \"\u{9b}31m\" }\n");
    let run = scene.run("validate");
    run.exits(1);
    assert!(
        run.stderr.chars().all(|char| char == '\n' || !rolecall::printable::is_unprintable(char)),
        "{:?}",
        run.stderr
    );
    run.mentions("\\u{202e}");
}

#[test]
fn a_line_of_a_megabyte_is_cut() {
    let long = "x".repeat(1 << 20);
    let scene = Scene::offline()
        .file("users.toml", format!("[users]\n\"ana@acme.example\" = {{ role = \"A\", {long} = 1 }}\n"));
    let run = scene.run("validate");
    run.exits(1).names("roster::unknown_key");
    assert!(run.stderr.len() < 2000, "{} bytes", run.stderr.len());
}

#[test]
fn validate_warns_about_what_has_no_effect_and_fails_only_if_warnings_are_denied() {
    let users = "[defaults]\nrole = \"Member\"\n[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let scene = Scene::offline().file("users.toml", users);
    let complaint = "
lint::unused_default

  ⚠ no person in this file uses the default role
   ╭─[users.toml:2:8]
 2 │ role = \"Member\"
   ·        ────┬───
   ·            ╰── not used
   ╰────
  help: delete it; the defaults of a file apply only to the people in the same file

To read about this code: `rolecall explain lint::unused_default`
";
    let run = scene.run("validate");
    run.exits(0).complains(complaint).says("1 file, 1 person declared: valid, 1 warning\n");
    let run = scene.run("validate --deny warnings");
    run.exits(1).complains(complaint).says("1 file, 1 person declared: valid, 1 warning (denied)\n");
    for text in scene.reports_for_people("validate", 0) {
        assert!(
            text.contains("1 warning") && text.contains("no person in this file uses the default role"),
            "{text}"
        );
    }
    let report = scene.run("validate --format json").exits(0).stdout.clone();
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["valid"], true);
    assert_eq!(report["warnings"][0]["code"], "lint::unused_default");
    assert_eq!(report["warnings"][0]["places"][0]["line"], 2);
    let github = scene.run("validate --format github").exits(0).stdout.clone();
    assert!(github.contains("::warning file=users.toml,line=2"), "{github}");
    scene.run("explain lint::unused_default").exits(0);
    let scene = scene.file("users.toml", format!("{users}\"bo@acme.example\" = {{}}\n"));
    scene.run("validate --deny warnings").exits(0).complains("").says("1 file, 2 people declared: valid\n");
}

#[test]
fn the_examples_have_no_warnings() {
    let examples = project().join("examples");
    let files: Vec<String> = std::fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("users.toml"))
        .filter(|path| path.exists())
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    assert!(files.len() >= 3, "{files:?}");
    let words: Vec<&str> =
        ["validate", "--deny", "warnings"].into_iter().chain(files.iter().map(String::as_str)).collect();
    Scene::offline().run_with(&words, "").exits(0);
}

#[test]
fn a_binary_or_missing_file_is_reported() {
    let scene = Scene::offline().file("users.toml", b"[users]\n# caf\xe9\n");
    scene.run("validate").exits(1).complains(
        "
roster::not_utf8

  × users.toml is not UTF-8: line 2 has the byte 0xE9, which is `é` in Windows-1252 (Latin-1)
  help: save it as UTF-8: editors have this under \"Save with Encoding\" or \"Save As\"

To read about this code: `rolecall explain roster::not_utf8`
",
    );
    let scene = Scene::offline();
    scene.run("validate").exits(1).names("roster::file_missing");
    scene.run("validate --config .").exits(1).names("roster::not_a_file");
}

#[test]
fn a_file_in_utf_16_is_one_problem() {
    let text: Vec<u8> = "[users]\r\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let scene = Scene::offline().file("users.toml", text);
    scene.run("validate").exits(1).complains(
        "
roster::not_utf8

  × users.toml is UTF-16, not UTF-8
  help: save it as UTF-8: editors have this under \"Save with Encoding\" or \"Save As\"

To read about this code: `rolecall explain roster::not_utf8`
",
    );
}

#[test]
fn an_enormous_file_is_refused_before_it_is_read() {
    let scene = Scene::offline();
    let file = std::fs::File::create(scene.folder().join("users.toml")).unwrap();
    file.set_len(rolecall::roster::read::LARGEST_FILE + 1).unwrap(); // a sparse file takes no disk space
    scene.run("validate").exits(1).names("roster::file_too_large");
}

#[cfg(unix)]
#[test]
fn a_link_to_outside_the_folder_is_not_opened() {
    let scene =
        Scene::offline().file("users.toml", "include = [\"teams/*.toml\"]\n").file("teams/a.toml", ANA);
    std::os::unix::fs::symlink("/proc/self/environ", scene.folder().join("teams/b.toml")).unwrap();
    scene.run("validate").exits(1).names("roster::outside_folder");
}

#[test]
fn a_problem_in_json_has_code_places_and_help() {
    let scene = Scene::offline().file("users.toml", "[users]\n\"ana@acme.example\" = { roel = \"Admin\" }\n");
    scene.run("plan --format json").exits(1).says(
        r#"
{
  "version": 1,
  "command": "plan",
  "exit_code": 1,
  "problems": [
    {
      "code": "roster::unknown_key",
      "message": "a person has no key `roel`",
      "help": "did you mean `role`?",
      "places": [
        {
          "file": "users.toml",
          "line": 2,
          "column": 24,
          "label": "unknown"
        }
      ]
    }
  ]
}
"#,
    );
}

#[test]
fn an_acknowledgment_that_expires_too_late_names_the_latest_allowed_day() {
    let text = "timezone = \"Europe/Berlin\"\n[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 5\nreason = \"r\"\nexpires = 2027-01-21\n";
    let run = Scene::offline().file("users.toml", text).run("validate");
    run.exits(1).names("roster::expires_too_late");
    run.mentions("would end on 2027-01-21 00:00 (Europe/Berlin)");
    run.mentions("use 2026-12-20 or an earlier day");
    // The day in the message is the last one allowed.
    for (day, exit) in [("2026-12-20", 0), ("2026-12-21", 1)] {
        Scene::offline().file("users.toml", text.replace("2027-01-21", day)).run("validate").exits(exit);
    }
}

#[test]
fn a_person_has_at_most_as_many_windows_as_a_year_has_days() {
    let windows = |number: usize| {
        let window = |n: usize| {
            format!(
                "{{ from = {}-01-01, until = {}-01-01, status = \"away\", then = \"active\" }},\n",
                2000 + n,
                2001 + n
            )
        };
        format!("[users.\"a@acme.example\"]\nwindows = [\n{}]\n", (0..number).map(window).collect::<String>())
    };
    Scene::offline().file("users.toml", windows(366)).run("validate").exits(0);
    let run = Scene::offline().file("users.toml", windows(367)).run("validate");
    run.exits(1).names("roster::too_many_windows").mentions("a@acme.example has 367 windows");
}

#[test]
fn addresses_ignore_case_and_composition_and_lookalikes_are_reported() {
    let declared = |people: &[&str]| {
        let people: String =
            people.iter().map(|person| format!("\"{person}@acme.example\" = {{}}\n")).collect();
        Scene::offline()
            .file("users.toml", format!("allow_unicode_emails = true\n[users]\n{people}"))
            .run("validate")
    };
    for same in ["zoe\u{308}", "ZO\u{cb}", "Zo\u{eb}"] {
        declared(&["zo\u{eb}", same]).exits(1).names("roster::duplicate_person");
    }
    declared(&["zoe", "zo\u{eb}", "1ily", "lily"]).exits(0);
    let run = declared(&["\u{430}na", "bo", "ana"]);
    run.exits(1).names("roster::look_alike");
    run.mentions("\u{430}na@acme.example looks like ana@acme.example, but is a different address");
    run.mentions("`\u{430}` (U+0430)");
    declared(&["\u{430}na", "an\u{430}"]).exits(1).names("roster::look_alike");
    let protected = "allow_unicode_emails = true\n[guardrails]\nprotected = [\"\u{430}na@acme.example\"]\n[users]\n\"ana@acme.example\" = {}\n";
    let run = Scene::offline().file("users.toml", protected).run("validate");
    run.exits(1).names("roster::look_alike").mentions("[users.toml:3:");
}

#[test]
fn people_are_found_regardless_of_address_case_and_composition() {
    let scene = Scene::with_pylon(
        "{ \"users\": [ { \"id\": \"u_1\", \"email\": \"zo\\u00eb@acme.example\", \"role\": \"member\" } ] }",
    );
    for spelling in ["zoe\u{308}", "ZO\u{cb}"] {
        let users = format!(
            "allow_unicode_emails = true\n[users]\n\"{spelling}@acme.example\" = {{ role = \"Member\" }}\n"
        );
        fs::write(scene.folder().join("users.toml"), users).unwrap();
        let run = scene.run("plan");
        run.exits(0);
        assert!(run.stdout.contains("nothing to change · 1 in sync"), "{}", run.stdout);
    }
}

#[test]
fn the_files_of_a_hidden_folder_are_included_however_the_folder_is_written() {
    let scene = Scene::offline()
        .file(".github/users.toml", "include = [\"teams/*.toml\"]\n[users]\n\"ana@acme.example\" = {}\n")
        .file(".github/teams/a.toml", "[users]\n\"bo@acme.example\" = {}\n");
    for config in [".github/users.toml", "./.github/users.toml", "./x/../.github/users.toml"] {
        std::fs::create_dir_all(scene.folder().join("x")).unwrap();
        let run = scene.run(&format!("validate --config {config}"));
        assert_eq!(run.stdout, "2 files, 2 people declared: valid\n", "{config}: {}", run.stderr);
    }
}

#[test]
fn a_hidden_file_is_included_only_by_a_pattern_that_begins_with_a_dot() {
    let declared = |include: &str| {
        let scene = Scene::offline()
            .file("users.toml", format!("include = [\"{include}\"]\n"))
            .file("teams/a.toml", "[users]\n\"a@acme.example\" = {}\n")
            .file("teams/.#a.toml", "[users]\n\"emacs@acme.example\" = {}\n")
            .file("teams/._a.toml", "not TOML, but macOS writes it")
            .file("teams/.hidden/b.toml", "[users]\n\"b@acme.example\" = {}\n");
        scene.run("validate").exits(0).stdout.clone()
    };
    assert_eq!(declared("teams/*.toml"), "2 files, 1 person declared: valid\n");
    assert_eq!(declared("teams/**/*.toml"), "2 files, 1 person declared: valid\n");
    assert_eq!(declared("teams/.#*.toml"), "2 files, 1 person declared: valid\n");
    assert_eq!(declared("teams/.hidden/*.toml"), "2 files, 1 person declared: valid\n");
}

#[test]
fn a_timezone_means_the_same_on_every_machine() {
    for zone in ["localtime", "posixrules", "Factory", "Etc/Unknown", "right/UTC", "local"] {
        let scene = Scene::offline().file("users.toml", format!("timezone = \"{zone}\"\n"));
        let run = scene.run("validate");
        run.exits(1).names("roster::unknown_timezone");
        assert!(
            !run.stderr.contains("localtime`?") && !run.stderr.contains("posixrules`?"),
            "{}",
            run.stderr
        );
    }
    Scene::offline().file("users.toml", "timezone = \"Europe/Berlin\"\n").run("validate").exits(0);
}

#[test]
fn several_root_files_and_standard_input_are_checked_in_one_run() {
    let scene = Scene::offline()
        .file("a.toml", "[users]\n\"ana@acme.example\" = {}\n")
        .file("b/users.toml", "include = [\"c.toml\"]\n[users]\n\"bo@acme.example\" = {}\n")
        .file("b/c.toml", "[users]\n\"cy@acme.example\" = {}\n");
    scene.run("validate a.toml b/users.toml").exits(0).says("3 files, 3 people declared: valid\n");
    let stdin = scene.run_with(&["validate", "-"], ANA);
    stdin.exits(0).says("1 file, 1 person declared: valid\n");
    let scene =
        scene.file("a.toml", "[users]\n\"ana@acme.example\" = { roel = 1 }\n").file("b/c.toml", "[usres]\n");
    let run = scene.run("validate a.toml b/users.toml");
    run.exits(1).mentions("╭─[a.toml:2:24]").mentions("╭─[b/c.toml:1:2]");
    let run = scene.run_with(&["validate", "-", "a.toml"], "[user]\n");
    run.exits(1).mentions("╭─[<stdin>:1:2]").mentions("╭─[a.toml:2:24]").names("roster::unknown_key");
}
