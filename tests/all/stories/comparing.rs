//! Tests for `compare`, which shows offline how the declarations in two versions of the files differ.

use pretty_assertions::assert_eq;
use rolecall::report::Format;
use serde_json::Value;

use crate::harness::{Scene, formats_for_people};

/// Puts the two versions into separate folders, as if they were two checkouts.
fn versions(old: &str, new: &str) -> Scene {
    Scene::offline().file("old/users.toml", old).file("users.toml", new)
}

fn compare(old: &str, new: &str) -> (String, Option<i32>) {
    let run = versions(old, new).run("compare old/users.toml users.toml --detailed-exitcode");
    assert_eq!(run.stderr, "");
    (run.stdout, run.exit)
}

#[test]
fn a_future_gain_of_admin_is_a_difference() {
    let (text, exit) = compare(
        "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n",
        "[users.\"bo@acme.example\"]\nrole = \"Member\"\nwindows = [{ from = 2026-12-01, until = 2027-01-01, role = \"Admin\" }]\n",
    );
    assert_eq!(
        text,
        "rolecall compare · old/users.toml → users.toml · 1 declared

  ~ bo@acme.example
    ! windows  + { from = 2026-12-01, until = 2027-01-01, role = \"Admin\" }   users.toml:3

1 declared differently
Review the lines with ! first: guarded roles, guardrails, rules, policy, acknowledgments, pinned organization.
"
    );
    assert_eq!(exit, Some(2));
}

#[test]
fn another_spelling_of_the_same_declaration_is_no_difference() {
    let plain = "[defaults]\nrole = \"Member\"\n[users]\n\"bo@acme.example\" = {}\n\"cy@acme.example\" = { role = \"Admin\" }\n";
    for same in [
        // The same declarations in a different order, in a different case, with an explicit role or explicit defaults, and in
        // another syntax.
        "[users]\n\"Cy@acme.example\" = { role = \"Admin\" }\n\"bo@acme.example\" = { role = \"Member\" }\n",
        "[policy]\nrole = \"enforce\"\n[guardrails]\nmax_changes = \"25%\"\nunmanaged = \"report\"\n[users.\"cy@acme.example\"]\nrole = \"Admin\"\n[users.\"bo@acme.example\"]\nrole = \"Member\"\n",
        "timezone = \"UTC\"\nallow_unicode_emails = false\n[users]\n\"cy@acme.example\".role = \"Admin\"\n\"bo@acme.example\".role = \"Member\"\n",
    ] {
        let (text, exit) = compare(plain, same);
        // Moving a role from a person's entry to `[defaults]` doesn't change its meaning, so no line mentions the move.
        assert_eq!(text.lines().last(), Some("no differences"), "{text}");
        assert_eq!(exit, Some(0));
    }
    let window = |from: &str| {
        format!(
            "timezone = \"Europe/Berlin\"\n[users.\"bo@acme.example\"]\nrole = \"Member\"\nwindows = [{{ from = {from}, role = \"Viewer\" }}]\n"
        )
    };
    let (_, exit) = compare(&window("2026-12-01"), &window("2026-12-01T00:00:00+01:00"));
    assert_eq!(exit, Some(0));
}

/// Every key that can be declared: its name in `compare`, a file with the key, and a file with a different value.
const EVERY_KEY: &[(&str, &str, &str)] = &[
    ("files.timezone", "timezone = \"UTC\"", "timezone = \"Europe/Berlin\""),
    ("files.allow_unicode_emails", "", "allow_unicode_emails = true"),
    (
        "workspace.organization",
        "[workspace]\norganization = \"org_1\"",
        "[workspace]\norganization = \"org_2\"",
    ),
    ("workspace.region", "", "[workspace]\nregion = \"eu\""),
    ("policy.role", "", "[policy]\nrole = \"observe\""),
    ("policy.status", "", "[policy]\nstatus = \"ignore\""),
    ("policy.extra_roles", "[policy]\nextra_roles = \"ignore\"", ""),
    ("guardrails.max_changes", "", "[guardrails]\nmax_changes = \"26%\""),
    ("guardrails.max_changes", "[guardrails]\nmax_changes = 3", "[guardrails]\nmax_changes = 4"),
    ("guardrails.keep_at_least.Admin", "", "[guardrails]\nkeep_at_least = {}"),
    (
        "guardrails.keep_at_least.Lead",
        "[guardrails]\nkeep_at_least = { Lead = 1 }",
        "[guardrails]\nkeep_at_least = { Lead = 2 }",
    ),
    ("guardrails.keep_at_most.Admin", "", "[guardrails]\nkeep_at_most = { admin = 3 }"),
    (
        "guardrails.keep_at_most.Lead",
        "[guardrails]\nkeep_at_most = { Lead = 1 }",
        "[guardrails]\nkeep_at_most = { Lead = 2 }",
    ),
    ("guardrails.keep_active", "", "[guardrails]\nkeep_active = 3"),
    ("guardrails.protected", "[guardrails]\nprotected = [\"a@acme.example\"]", ""),
    ("guardrails.unmanaged", "", "[guardrails]\nunmanaged = \"block\""),
    ("guardrails.missing", "", "[guardrails]\nmissing = \"block\""),
    (
        "acknowledgment.up_to",
        ACKNOWLEDGED,
        "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 5\nreason = \"r\"\nexpires = 2026-12-01",
    ),
    (
        "acknowledgment.reason",
        ACKNOWLEDGED,
        "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"s\"\nexpires = 2026-12-01",
    ),
    (
        "acknowledgment.expires",
        ACKNOWLEDGED,
        "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-02",
    ),
    (
        "acknowledgment.user",
        "",
        "[[acknowledge]]\nguardrail = \"protected\"\nuser = \"a@acme.example\"\nreason = \"r\"\nexpires = 2026-12-01",
    ),
    (
        "acknowledgment.role",
        "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Lead\"\ndown_to = 1\nreason = \"r\"\nexpires = 2026-12-01",
        "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Member\"\ndown_to = 1\nreason = \"r\"\nexpires = 2026-12-01",
    ),
    (
        "acknowledgment.down_to",
        "",
        "[[acknowledge]]\nguardrail = \"keep_active\"\ndown_to = 1\nreason = \"r\"\nexpires = 2026-12-01",
    ),
    ("rule.emails", "", "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\""),
    (
        "rule.except",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\nexcept = [\"a@b.example\"]",
    ),
    (
        "rule.roles",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
        "[[rule]]\nemails = [\"*@B.example\"]\nroles = [\"Viewer\", \"Admin\"]\nreason = \"r\"",
    ),
    (
        "rule.reason",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"s\"",
    ),
    (
        "rule.on_violation",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\non_violation = \"block\"",
        "[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"r\"",
    ),
    (
        "person.role",
        "[users]\n\"a@acme.example\" = {}",
        "[users]\n\"a@acme.example\" = { role = \"Member\" }",
    ),
    (
        "person.role",
        "[users]\n\"a@acme.example\" = {}",
        "[defaults]\nrole = \"Member\"\n[users]\n\"a@acme.example\" = {}",
    ),
    (
        "person.status",
        "[users]\n\"a@acme.example\" = {}",
        "[users]\n\"a@acme.example\" = { status = \"away\" }",
    ),
    (
        "person.windows",
        "[users]\n\"a@acme.example\" = { role = \"Member\" }",
        "[users]\n\"a@acme.example\" = { role = \"Member\", windows = [{ until = 2026-12-20, role = \"Lead\" }] }",
    ),
];

const ACKNOWLEDGED: &str =
    "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 4\nreason = \"r\"\nexpires = 2026-12-01";

#[test]
fn the_order_of_rules_and_acknowledgments_is_no_difference() {
    let rule = |emails: &str, roles: &str, reason: &str| {
        format!("[[rule]]\nemails = {emails}\nroles = {roles}\nreason = \"{reason}\"\n")
    };
    let acknowledged = |up_to: u64| ACKNOWLEDGED.replace("up_to = 4", &format!("up_to = {up_to}")) + "\n";
    let (one, two) =
        (rule("\"*@b.example\"", "[\"Viewer\"]", "one"), rule("\"*@b.example\"", "[\"Member\"]", "two"));
    let list = rule("[\"*@b.example\", \"*@c.example\"]", "[\"Viewer\", \"Member\"]", "three");
    let same_list = rule("[\"*@C.example\", \"*@b.example\"]", "[\"Member\", \"Viewer\"]", "three");
    for (old, new) in [
        (format!("{one}{two}"), format!("{two}{one}")),
        (format!("{one}{list}{two}"), format!("{two}{same_list}{one}")),
        (acknowledged(4) + &acknowledged(9), acknowledged(9) + &acknowledged(4)),
    ] {
        assert_eq!(compare(&old, &new).1, Some(0), "{old}\n{new}");
    }
    // A duplicated or missing rule counts as a difference.
    for (old, new) in [(format!("{one}{one}"), one.clone()), (format!("{one}{two}"), two.clone())] {
        assert_eq!(compare(&old, &new).1, Some(2), "{old}\n{new}");
    }
}

#[test]
fn limits_of_two_spellings_of_a_role_are_both_compared() {
    let limits = |limits: &str| {
        format!(
            "[guardrails]\nkeep_at_least = {{ {limits} }}\n[users]\n\"ana@acme.example\" = {{ role = \"Admin\" }}\n"
        )
    };
    let (text, _) = compare(&limits("Admin = 2, admin = 5"), &limits("Admin = 3, admin = 1"));
    let changes: Vec<&str> = text.lines().filter(|line| line.contains("keep_at_least.Admin")).collect();
    let shown = |change: &str| changes.iter().any(|line| line.contains(change));
    assert!(changes.len() == 2 && shown("2 → 3") && shown("5 → 1"), "{text}");
}

#[test]
fn a_rule_with_the_same_reason_is_changed_even_if_its_emails_differ() {
    let rule = |emails: &str, reason: &str| {
        format!("[[rule]]\nemails = {emails}\nroles = [\"Viewer\"]\nreason = \"{reason}\"\n")
    };
    let old = rule(r#"["*@b.example"]"#, "agency") + &rule(r#"["x@b.example"]"#, "two");
    let new = rule(r#"["*@b.example", "*@c.example"]"#, "agency") + &rule(r#"["z@b.example"]"#, "two");
    let (text, _) = compare(&old, &new);
    assert_eq!(
        text,
        "rolecall compare · old/users.toml → users.toml · 0 declared

  ~ [[rule]] *@b.example, *@c.example
    ! emails  + \"*@c.example\"   users.toml:2
  ~ [[rule]] z@b.example
    ! emails  - \"x@b.example\"   old/users.toml:6
    ! emails  + \"z@b.example\"   users.toml:6

2 settings differ
Review the lines with ! first: guarded roles, guardrails, rules, policy, acknowledgments, pinned organization.
"
    );
    // Two rules with the same reason can't be told apart.
    let twice = rule(r#"["y@b.example"]"#, "two") + &new;
    let (text, _) = compare(&old, &twice);
    for line in ["  - [[rule]] x@b.example\n", "  + [[rule]] y@b.example\n", "  + [[rule]] z@b.example\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn an_unchanged_rule_or_acknowledgment_is_not_compared_with_an_added_one() {
    let rule = |roles: &str, reason: &str| {
        format!("[[rule]]\nemails = \"*@b.example\"\nroles = [\"{roles}\"]\nreason = \"{reason}\"\n")
    };
    let old = format!("{}{ACKNOWLEDGED}\n", rule("Viewer", "one"));
    let added = ACKNOWLEDGED.replace("up_to = 4", "up_to = 400").replace("2026-12-01", "2026-11-30");
    let new = rule("Member", "a") + "on_violation = \"block\"\n";
    let (text, _) = compare(&old, &format!("{new}{old}{added}"));
    assert_eq!(
        text,
        "rolecall compare · old/users.toml → users.toml · 0 declared

  + [[rule]] *@b.example
    ! emails        + \"*@b.example\"   users.toml:2
    ! roles         + \"Member\"        users.toml:3
    ! reason        + \"a\"             users.toml:4
    ! on_violation  + \"block\"         users.toml:5
  + [[acknowledge]] max_changes
    ! up_to         + 400             users.toml:17
    ! reason        + \"r\"             users.toml:18
    ! expires       + 2026-11-30      users.toml:19

2 settings differ
Review the lines with ! first: guarded roles, guardrails, rules, policy, acknowledgments, pinned organization.
"
    );
}

#[test]
fn every_key_that_can_be_declared_is_compared() {
    for (key, old, new) in EVERY_KEY {
        for (old, new) in [(old, new), (new, old)] {
            let run = versions(old, new).run("compare old/users.toml users.toml --format json");
            let report: Value = serde_json::from_str(&run.stdout).unwrap();
            let mut keys = Vec::new();
            for difference in report["differences"].as_array().unwrap() {
                let table = difference["subject"]["is"].as_str().unwrap();
                for item in difference["items"].as_array().unwrap() {
                    keys.push(format!("{table}.{}", item["key"].as_str().unwrap()));
                }
            }
            assert!(keys.iter().any(|found| found == key), "{old}\n→\n{new}\ngives {keys:?}, not {key}");
        }
    }
}

#[test]
fn every_part_of_a_window_is_compared() {
    const WINDOW: &str =
        "from = 2026-12-01, until = 2026-12-05, status = \"away\", then = \"active\", reason = \"r\"";
    for (part, other) in [
        ("2026-12-01", "2026-12-02"),
        ("2026-12-05", "2026-12-06"),
        ("status = \"away\"", "status = \"out_of_office\""),
        ("\"active\"", "\"away\""),
        ("\"r\"", "\"s\""),
    ] {
        let with = |window: &str| format!("[users]\n\"a@acme.example\" = {{ windows = [{{ {window} }}] }}\n");
        let (text, exit) = compare(&with(WINDOW), &with(&WINDOW.replace(part, other)));
        assert_eq!(exit, Some(2), "{part} → {other}:\n{text}");
        assert!(text.contains("windows  - {") && text.contains("windows  + {"), "{text}");
    }
}

#[test]
fn another_timezone_is_reported_along_with_the_windows_it_moves() {
    let with = |zone: &str| {
        format!(
            "timezone = \"{zone}\"\n[users]\n\"a@acme.example\" = {{ role = \"Member\", windows = [{{ from = 2026-12-01, role = \"Viewer\" }}] }}\n"
        )
    };
    let (text, _) = compare(&with("UTC"), &with("Europe/Berlin"));
    assert!(text.contains("- { from = 2026-12-01, role = \"Viewer\" } # in UTC"), "{text}");
    assert!(text.contains("+ { from = 2026-12-01, role = \"Viewer\" } # in Europe/Berlin"), "{text}");
}

#[test]
fn added_and_removed_people_are_listed_with_the_consequences() {
    let (text, _) = compare(
        "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n\"dee@acme.example\" = { role = \"Admin\" }\n",
        "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n\"eve@acme.example\" = {}\n",
    );
    assert_eq!(
        text,
        "rolecall compare · old/users.toml → users.toml · 2 declared

  - dee@acme.example  no longer declared: not changed in Pylon
    ! role  - \"Admin\"   old/users.toml:3
  + eve@acme.example  newly declared

1 newly declared · 1 no longer declared
Review the lines with ! first: guarded roles, guardrails, rules, policy, acknowledgments, pinned organization.
"
    );
}

#[test]
fn an_invalid_version_is_named_in_the_error() {
    let scene = versions("[users]\n\"bo\" = {}\n", "");
    scene
        .run("compare old/users.toml users.toml")
        .exits(1)
        .names("roster::bad_email")
        .mentions("old/users.toml:2:1");
    scene.run("compare nowhere.toml users.toml").exits(1).names("roster::file_missing");
    scene.run("compare users.toml").exits(0);
    scene.run("compare").exits(64);
}

#[test]
fn compare_needs_no_token_or_network_and_the_comment_says_so() {
    let scene = versions(
        "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n",
        "[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n",
    );
    let scene = scene.env("PYLON_BASE_URL", "http://127.0.0.1:1");
    scene.run("compare old/users.toml users.toml --report markdown=c.md").exits(0);
    assert_eq!(
        std::fs::read_to_string(scene.folder().join("c.md")).unwrap(),
        r#"<!-- rolecall:compare -->
### rolecall compare: 1 person declared differently

1 declared differently

Review these first (guarded roles, guardrails, rules, policy, acknowledgments, pinned organization):

- `bo@acme.example` `role`: `"Member"` → `"Admin"` (`users.toml:2`)

```diff
 [users."bo@acme.example"]
-role = "Member"
+role = "Admin" # users.toml:2
```
"#
    );
}

#[test]
fn a_missing_version_is_named_along_with_the_command_to_use() {
    let scene = versions("[users]\n", "[users]\n");
    for words in ["compare nowhere.toml users.toml", "compare old/users.toml nowhere.toml"] {
        let run = scene.run(words);
        run.exits(1).names("roster::file_missing").mentions("rolecall compare main users.toml");
        assert!(!run.stderr.contains("--config"), "{}", run.stderr);
    }
}

#[test]
fn long_values_with_the_same_start_look_different_in_every_format() {
    let version = |end: &str| {
        let reason = "x".repeat(500);
        format!(
            "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 1\nexpires = 2026-12-01\nreason = \"{reason} {end}\"\n"
        )
    };
    let scene = versions(&version("by Ana"), &version("by Bo"));
    for format in formats_for_people() {
        let report =
            scene.run(&format!("compare old/users.toml users.toml --format {}", format.as_str())).stdout;
        let is_shown = |text: &str| text.contains("x by Ana") && text.contains("x by Bo");
        assert!(is_shown(&report), "{format:?}: {report}");
        let mut annotations = report.lines().filter(|line| line.starts_with("::warning"));
        assert!(format != Format::Github || annotations.any(is_shown), "{report}");
    }
}

#[test]
fn both_sides_of_the_diff_are_toml_in_any_timezone_and_with_long_reasons() {
    let version = |zone: &str, reason: &str, day: u32| {
        format!(
            "timezone = \"{zone}\"
[[acknowledge]]
guardrail = \"max_changes\"
up_to = {day}
reason = \"{reason}\"
expires = 2026-12-0{day}
[users.\"a@acme.example\"]
status = \"active\"
windows = [
  {{ from = 2026-12-0{day}, until = 2026-12-20, status = \"away\", reason = \"{reason}\" }},
  {{ from = 2026-12-25, status = \"away\" }},
]
"
        )
    };
    // Each text is longer than any line of the report. `long(0)` and `long(1)` are shifted by one character, so that wherever a
    // line is truncated, one of them has an escape sequence there.
    let long = |quote: usize| format!("{}{}", "x".repeat(quote), "\\\"".repeat(400));
    for (old, new) in [(long(0), long(1)), (long(1), long(0)), ("short".to_owned(), long(2))] {
        let scene = versions(&version("UTC", &old, 1), &version("Europe/Berlin", &new, 2));
        scene.run("compare old/users.toml users.toml --report markdown=c.md").exits(0);
        let comment = std::fs::read_to_string(scene.folder().join("c.md")).unwrap();
        let diff = comment.split("```diff\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
        let side = |sign: char| -> toml::Table {
            let lines = diff.lines().filter(|line| line.is_empty() || line.starts_with([' ', sign]));
            let text: String = lines.map(|line| line.get(1..).unwrap_or("").to_owned() + "\n").collect();
            text.parse().unwrap_or_else(|error| panic!("{error} in\n{text}"))
        };
        for (sign, zone, said) in [('-', "UTC", &old), ('+', "Europe/Berlin", &new)] {
            let table = side(sign);
            assert_eq!(table["timezone"].as_str(), Some(zone));
            let windows = table["users"]["a@acme.example"]["windows"].as_array().unwrap();
            assert_eq!(windows.len(), 2, "{diff}");
            let reason = windows[0]["reason"].as_str().unwrap().trim_end_matches('…');
            assert!(said.replace('\\', "").starts_with(reason) && !reason.is_empty(), "{reason}");
            assert!(table["acknowledge"][0]["expires"].is_datetime());
        }
        assert!(diff.contains("in UTC\n") && diff.contains("in Europe/Berlin\n"), "{diff}");
    }
}

#[test]
fn json_has_a_value_as_toml_and_its_timezone_separately() {
    let with = |zone: &str| {
        format!(
            "timezone = \"{zone}\"\n[users]\n\"a@acme.example\" = {{ windows = [{{ from = 2026-12-01, status = \"away\" }}] }}\n"
        )
    };
    let run =
        versions(&with("UTC"), &with("Europe/Berlin")).run("compare old/users.toml users.toml --format json");
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let person = report["differences"]
        .as_array()
        .unwrap()
        .iter()
        .find(|difference| difference["subject"]["is"] == "person")
        .unwrap();
    let said = &person["items"][0]["old"];
    assert_eq!(said["value"], "{ from = 2026-12-01, status = \"away\" }");
    assert_eq!(said["zone"], "UTC");
}

#[test]
fn a_role_that_only_pylon_can_resolve_is_marked_as_such() {
    let version = |role: &str| {
        format!(
            "[guardrails]\nkeep_at_least = {{ \"Team Lead\" = 1 }}\n[users]\n\"a@acme.example\" = {{ role = \"{role}\" }}\n"
        )
    };
    for (role, is_marked) in
        [("0b9e7c52-4c0f-4b5e-9a57-0f3f8f1f2d11", true), ("lead-emea", true), ("Viewer", false)]
    {
        let scene = versions(&version("Member"), &version(role));
        let run = scene.run("compare old/users.toml users.toml");
        run.exits(0);
        let line = run.stdout.lines().find(|line| line.contains(role)).unwrap();
        assert_eq!(line.contains("! role"), is_marked, "{line}");
        assert_eq!(line.contains("may be a guarded role: cannot tell without Pylon"), is_marked, "{line}");
        let markdown = scene.run("compare old/users.toml users.toml --format markdown").stdout;
        assert_eq!(
            markdown.contains("Review these first") && markdown.contains("cannot tell without Pylon"),
            is_marked
        );
    }
}

#[test]
fn a_window_over_a_guarded_role_is_marked_for_the_reviewer() {
    let file = |role: &str, window: &str| {
        let windows = format!("windows = [{{ from = 2026-12-01, role = \"{window}\" }}]");
        format!("[users]\n\"bo@acme.example\" = {{ role = \"{role}\", {windows} }}\n")
    };
    let plain = |role: &str| format!("[users]\n\"bo@acme.example\" = {{ role = \"{role}\" }}\n");
    for (role, window, is_marked) in
        [("Admin", "Viewer", true), ("Member", "Admin", true), ("Member", "Viewer", false)]
    {
        let scene = Scene::offline().file("old.toml", plain(role)).file("users.toml", file(role, window));
        let run = scene.run("compare old.toml");
        assert_eq!(run.stdout.contains("! windows"), is_marked, "{role}, then {window}: {}", run.stdout);
    }
}
