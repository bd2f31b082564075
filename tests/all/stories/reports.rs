//! Tests for writing every format in one run. All reports have the same content and end up at the requested paths.

use std::fs;

use pretty_assertions::assert_eq;
use rolecall::report::{Format, json};
use serde_json::Value;

use crate::harness::{Scene, formats_of, project};

const PYLON: &str = r#"{
  "organization": { "id": "org_4f1c", "name": "Acme Support" },
  "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana Silva", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo Lindqvist", "role": "viewer" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy Ortega", "role": "member" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee Brown", "role": "admin" },
    { "id": "u_eve", "email": "eve@acme.example", "name": "Eve Rossi", "role": "viewer" }
  ]
}"#;

const USERS: &str = r#"
[users]
"ana@acme.example" = { role = "Admin" }
"bo@acme.example" = { role = "Admin" }
"cy@acme.example" = { status = "out_of_office" }
"dee@acme.example" = { role = "Member" }
"eva@acme.example" = {}

[users."eve@acme.example"]
role = "Viewer"
windows = [{ from = 2026-11-24, until = 2026-12-01, role = "Member", reason = "cover" }]
"#;

fn scene() -> Scene {
    Scene::with_pylon(PYLON).file("users.toml", USERS)
}

fn read(scene: &Scene, name: &str) -> String {
    fs::read_to_string(scene.folder().join(name)).unwrap()
}

#[test]
fn a_comment_has_the_verdict_a_row_per_person_and_folds_the_rest() {
    let scene = scene();
    scene.run("plan --report markdown=plan.md --source-url https://git.example/blob/abc/").exits(0);
    let expected = r#"<!-- rolecall:plan -->
### 3 people change · 1 loses `Admin` · 1 gains `Admin`

`Acme Support` (`org_4f1c`, `HOST`), 6 declared: **3 to change (2 roles, 1 status)** · 2 in sync · 1 not found

**Guardrails pass**: `3 of 6 change (limit 10)`, `2 Admins remain (minimum 2)`.

| who | was → will be | why |
|:--|:--|:--|
| `bo@acme.example`<br>`Bo Lindqvist` | role `Viewer` → `Admin`<br>**gains** `Admin` | [`users.toml:4`](https://git.example/blob/abc/users.toml#L4) |
| `dee@acme.example`<br>`Dee Brown` | role `Admin` → `Member`<br>**loses** `Admin` | [`users.toml:6`](https://git.example/blob/abc/users.toml#L6) |
| `cy@acme.example`<br>`Cy Ortega` | status `active` → `out_of_office` | [`users.toml:5`](https://git.example/blob/abc/users.toml#L5) |

<details><summary>Not found in Pylon (1)</summary>

- `eva@acme.example` ([`users.toml:7`](https://git.example/blob/abc/users.toml#L7))

</details>

<details><summary>Scheduled (1)</summary>

- `2026-11-24` `eve@acme.example` role: `Viewer` → `Member` ([`users.toml:11`](https://git.example/blob/abc/users.toml#L11))

</details>

<details><summary>Diff as TOML (3 people)</summary>

```diff
 [users."bo@acme.example"] # Bo Lindqvist
-role = "Viewer"
+role = "Admin" # users.toml:4

 [users."cy@acme.example"] # Cy Ortega
-status = "active"
+status = "out_of_office" # users.toml:5

 [users."dee@acme.example"] # Dee Brown
-role = "Admin"
+role = "Member" # users.toml:6
```

</details>
"#;
    assert_eq!(read(&scene, "plan.md"), expected.replace("HOST", &scene.host()));
}

#[test]
fn the_diff_without_its_minus_lines_is_toml_that_declares_what_will_be() {
    let scene = scene();
    scene.run("plan --report markdown=plan.md").exits(0);
    let comment = read(&scene, "plan.md");
    let diff = comment.split("```diff\n").nth(1).and_then(|rest| rest.split("\n```").next()).unwrap();
    let side = |wanted: char| {
        let lines = diff.lines().filter(|line| line.is_empty() || line.starts_with([' ', wanted]));
        lines.map(|line| line.get(1..).unwrap_or("").to_owned() + "\n").collect::<String>()
    };
    let scene = scene.file("after.toml", side('+')).file("before.toml", side('-'));
    scene.run("validate --config after.toml").says("1 file, 3 people declared: valid\n").exits(0);
    scene.run("plan --detailed-exitcode --config before.toml").exits(0);
    scene.run("plan --detailed-exitcode --config after.toml").exits(2);
    scene.run("apply --auto-approve --config after.toml").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn a_github_job_gets_annotations_on_the_lines_and_the_comment_as_its_summary() {
    let scene =
        Scene::with_pylon(PYLON).file("access/users.toml", USERS).file("summary.md", "what was there\n");
    let root = scene.folder().to_string_lossy().into_owned();
    let scene =
        scene.env("GITHUB_WORKSPACE", &root).env("GITHUB_STEP_SUMMARY", &format!("{root}/summary.md"));
    let run = scene.run("plan --config access/users.toml --format github");
    run.exits(0);
    let (text, annotations): (Vec<&str>, Vec<&str>) =
        run.stdout.lines().partition(|line| !line.starts_with("::"));
    assert_eq!(text.join("\n") + "\n", scene.run("plan --config access/users.toml").stdout);
    assert_eq!(
        annotations,
        [
            "::warning file=access/users.toml,line=4,col=30,title=bo@acme.example::role Viewer → Admin",
            "::warning file=access/users.toml,line=6,col=31,title=dee@acme.example::role Admin → Member",
            "::warning file=access/users.toml,line=7,col=1,title=eva@acme.example::not found in Pylon",
            "::notice file=access/users.toml,line=5,col=32,title=cy@acme.example::status active → out_of_office",
        ]
    );
    let summary = read(&scene, "summary.md");
    assert!(
        summary.starts_with("what was there\n<!-- rolecall:plan -->\n### 3 people change · 1 loses `Admin`"),
        "{summary}"
    );
}

#[test]
fn problems_at_the_same_place_are_one_annotation() {
    let people: Vec<String> = (0..7)
        .map(|n| format!("{{ \"id\": \"u{n}\", \"email\": \"p{n}@acme.example\", \"role\": \"viewer\" }}"))
        .collect();
    let declared: Vec<String> = (0..7).map(|n| format!("\"p{n}@acme.example\" = {{}}\n")).collect();
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{}] }}", people.join(",")))
        .file("users.toml", format!("[defaults]\nrole = \"Member\"\n[users]\n{}", declared.concat()));
    let run = scene.run("plan --format github");
    let notices: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::notice ")).collect();
    assert_eq!(
        notices,
        [
            "::notice file=users.toml,line=2,col=8,title=p0@acme.example and 6 more::role Viewer → Member, default%0A\
          p0@acme.example, p1@acme.example, p2@acme.example, p3@acme.example, p4@acme.example and 2 more"
        ]
    );
}

#[test]
fn a_guarded_role_has_an_annotation_even_if_many_people_are_not_found() {
    let missing: String = (0..12).map(|n| format!("\"p{n}@acme.example\" = {{}}\n")).collect();
    let pylon = PYLON.replace("eve@acme.example", "zed@acme.example");
    let scene = Scene::with_pylon(&pylon)
        .file("users.toml", format!("[users]\n{missing}\"zed@acme.example\" = {{ role = \"Admin\" }}\n"));
    let run = scene.run("plan --format github");
    let warning = "title=zed@acme.example::role Viewer → Admin\n";
    assert!(run.stdout.contains(warning), "{}", run.stdout);
}

#[test]
fn annotations_beyond_the_limit_are_counted() {
    let people: Vec<String> = (0..30).map(|n| format!("\"p{n}@acme.example\" = {{}}\n")).collect();
    let scene = Scene::with_pylon(PYLON).file("users.toml", format!("[users]\n{}", people.concat()));
    let run = scene.run("plan --format github");
    let warnings: Vec<&str> = run.stdout.lines().filter(|line| line.starts_with("::warning ")).collect();
    assert_eq!(warnings.len(), 10);
    assert_eq!(
        warnings[9],
        "::warning title=rolecall plan::and 21 more. The JSON report (`--report json=FILE`) has all of them."
    );
}

#[test]
fn every_report_of_every_command_fits_its_schema() {
    let schema: Value = serde_json::to_value(json::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let scene = scene().file("old.toml", "[users]\n\"bo@acme.example\" = {}\n").file("empty.toml", "");
    let scene = scene.file("broken.toml", "[users]\n\"bo@acme.example\" = { roel = 1 }\n");
    let scene = scene.file("frozen.toml", format!("[guardrails]\nmax_changes = 0\n{USERS}"));
    for command in [
        "validate",
        "validate --config broken.toml",
        "plan",
        "plan --config empty.toml",
        "plan --config broken.toml",
        "plan --config frozen.toml",
        "plan --at 2026-11-25",
        "plan --blame",
        "compare old.toml users.toml",
        "compare users.toml users.toml",
        "agenda",
        "agenda --config empty.toml",
        "roles",
        "access",
        "doctor",
        "fmt --check",
        "import --update --diff",
        "explain bo@acme.example",
        "explain eve@acme.example",
        "explain nobody@acme.example",
        "apply --auto-approve",
        "apply",
    ] {
        let run = scene.run(&format!("{command} --report json=report.json"));
        let report: Value = serde_json::from_str(&read(&scene, "report.json")).unwrap();
        assert_eq!(report["exit_code"].as_i64(), run.exit.map(i64::from), "{command}");
        assert_eq!(report["command"], command.split(' ').next().unwrap());
        let errors: Vec<String> = validator.iter_errors(&report).map(|error| error.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new(), "{command}: {report:#}");
    }
}

#[test]
fn the_committed_schema_matches_the_reports() {
    let path = project().join("docs/report.schema.json");
    let schema = Scene::offline().run("schema report").stdout;
    if std::env::var_os("ROLECALL_BLESS").is_some_and(|value| value == "1") {
        fs::write(&path, &schema).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap_or_default(), schema, "ROLECALL_BLESS=1 writes it");
}

#[test]
fn one_run_writes_every_format_even_on_failure() {
    for (users, exit) in [(USERS, 0), ("[users]\n\"bo@acme.example\" = { role = \"Wizard\" }\n", 1)] {
        let scene = Scene::with_pylon(PYLON).file("users.toml", users);
        let reports: Vec<String> =
            Format::ALL.map(|format| format!("--report {0}=report.{0}", format.as_str())).to_vec();
        scene.run(&format!("plan {}", reports.join(" "))).exits(exit);
        for format in Format::ALL {
            let report = read(&scene, &format!("report.{}", format.as_str()));
            if exit == 1 && format == Format::Csv {
                assert_eq!(report, "", "a file has a whole table or none");
                continue;
            }
            let names = if exit == 0 { "bo@acme.example" } else { "plan::unknown_role" };
            assert!(report.contains(names), "{format:?}: {report}");
            assert!(!report.contains('\u{1b}'), "{format:?}: {report}");
        }
    }
}

#[test]
fn an_unwritable_report_is_an_error_before_any_request() {
    let scene = scene();
    scene
        .run("apply --auto-approve --report html=nowhere/report.html")
        .exits(1)
        .names("commands::not_written");
    scene.run("apply --auto-approve --report json=a --report text=a").exits(64).names("commands::same_file");
    scene
        .run("apply --auto-approve --report json=a --report text=./a")
        .exits(64)
        .names("commands::same_file");
    for words in [
        "plan -o p --report json=p",
        "plan --base b -o ./b",
        "plan --base b --report json=b",
        "apply --auto-approve --journal j --report json=./j",
        "apply --auto-approve p --report json=p",
        "rollback j --report text=j",
        "rollback j --journal ./j",
        "apply p --journal p",
        "sandbox --state s --report json=s",
        "plan --token-file t --report text=t",
        "plan --token-file t -o ./t",
        "apply --token-file t --journal t",
        "compare old.conf new.conf --report text=new.conf",
        "compare old.conf new.conf --report text=old.conf",
        "fmt people.conf --report json=people.conf",
        "fmt --check a.toml people.conf --report json=./people.conf",
        "validate people.conf --report json=people.conf",
        "plan --sandbox --report json=pylon.json",
        "plan --sandbox -o .rolecall/sandbox.json",
    ] {
        scene.run(words).exits(64).names("commands::same_file");
    }
    // A link to a file that doesn't exist yet leads to the same file.
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("q", scene.folder().join("link")).unwrap();
        scene.run("plan -o q --report json=link").exits(64).names("commands::same_file");
        fs::remove_file(scene.folder().join("link")).unwrap();
    }
    for words in [
        "plan --report markdown=users.toml",
        "plan --report text=./users.toml",
        "plan -o users.toml",
        "validate --report html=users.toml",
        "apply --auto-approve --journal users.toml",
        "sandbox --state users.toml",
    ] {
        scene.run(words).exits(64).names("commands::over_files");
    }
    assert_eq!(read(&scene, "users.toml"), USERS);
    for pattern in ["teams/*", "./teams/*", "teams/./*"] {
        let including = Scene::offline()
            .file("users.toml", format!("include = [\"{pattern}\"]\n[users]\n"))
            .file("teams/emea.toml", "[users]\n");
        for words in ["plan -o teams/plan", "validate --report html=./teams/new.toml"] {
            let why = format!("the root file would include it ({pattern})");
            including.run(words).exits(64).names("commands::over_files").mentions(&why);
        }
    }
    let window = "role = \"Member\", windows = [\n  { until = 2027-01-01, status = \"away\" },\n]";
    let entry = |number| format!("\"p{number}@acme.example\" = {{ {window} }}\n");
    let long = format!("[users]\n{}", (0..400).map(entry).collect::<String>());
    for text in [
        USERS,
        &long,
        "# The team\n\n[users.\"bo@acme.example\"]\nrole = \"Mem",
        "include = ['teams/*']",
        "[defaults]\n",
    ] {
        let scene = Scene::offline().file("team.conf", text);
        for words in ["validate -c a.toml --report html=team.conf", "plan -o team.conf"] {
            scene.run(words).exits(64).names("commands::over_files");
        }
        assert_eq!(read(&scene, "team.conf"), text);
    }
    for words in [
        "plan --report markdown",
        "plan --report pdf=a",
        "plan --report json=-",
        "plan --markdown-limit 10",
        "plan -o -",
        "apply --auto-approve --journal -",
        "import --state -",
        "sandbox --state -",
        "sandbox --write-state -",
    ] {
        scene.run(words).exits(64);
    }
    scene.run("import -c -").exits(1).names("commands::not_written").mentions("name a new file");
    assert_eq!(scene.asked(), Vec::<String>::new());
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 1, "nothing is left lying about");
}

/// A report must not look like a file that declares people, or the next run would refuse to replace it.
#[test]
fn every_report_can_be_replaced_by_the_next_run() {
    let invalid = "[users]\n\"bo@acme.example\" = { rol = \"Member\" }\n";
    let scene = scene().file("invalid.toml", invalid).file("old.toml", "");
    let commands = [
        "plan --base old.toml",
        "compare old.toml users.toml",
        "validate -c invalid.toml",
        "import -c new.toml --diff",
        "import --update --diff",
        "fmt --diff invalid.toml",
        "access",
        "roles",
        "doctor",
        "agenda",
        "rollback",
        "explain bo@acme.example",
    ];
    for words in commands {
        let reports = formats_of(words).map(|format| format!(" --report {0}=report.{0}", format.as_str()));
        let words = format!("{words}{}", reports.collect::<String>());
        let first = scene.run(&words).exit;
        assert_eq!(scene.run(&words).exit, first, "{words}");
        assert_ne!(first, Some(64), "{words}");
    }
}

#[cfg(unix)]
#[test]
fn a_report_lost_after_an_apply_is_a_failure() {
    let scene = scene();
    scene.run("plan --report json=/dev/full").exits(1).names("commands::not_written");
    scene.run("apply --auto-approve --report json=/dev/full").exits(4).names("commands::not_written");
    for (words, code) in [("plan --format json", 1), ("plan --detailed-exitcode --format json", 1)] {
        let run = scene.run(&format!("{words} --report markdown=/dev/full"));
        let report: Value = serde_json::from_str(&run.exits(code).stdout).unwrap();
        assert_eq!(report["exit_code"], code, "{words}");
    }
    let run = scene.run("validate --report json=/dev/full");
    assert!(run.exits(1).stdout.ends_with(" declared: valid\n"), "{}", run.stdout);
    scene.run("plan --report json=/dev/null --report text=/dev/null").exits(0);
    let run = scene.run("plan --report json=/dev/stderr");
    run.exits(0);
    assert!(run.stderr.starts_with("{\n  \"version\": 1,"), "{}", run.stderr);
}

#[test]
fn a_comment_stays_within_its_limit_and_counts_omitted_lines() {
    let number = 2500;
    let person = |n: usize| {
        format!(
            "{{ \"id\": \"u_{n}\", \"email\": \"person{n}@acme.example\", \"name\": \"{}\", \"role\": \"viewer\" }}",
            "Ünal ".repeat(n % 9)
        )
    };
    let people: Vec<String> = (0..number).map(person).collect();
    let declared: Vec<String> = (0..number).map(|n| format!("\"person{n}@acme.example\" = {{}}\n")).collect();
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{}] }}", people.join(","))).file(
        "users.toml",
        format!(
            "[guardrails]\nmax_changes = 5000\n[defaults]\nrole = \"Member\"\n[users]\n{}",
            declared.concat()
        ),
    );
    for (flag, limit) in [("", 65_536), ("--markdown-limit 32000", 32_000), ("--markdown-limit 8192", 8192)] {
        scene.run(&format!("plan --report markdown=plan.md {flag}")).exits(0);
        let comment = read(&scene, "plan.md");
        assert!(comment.len() <= limit && comment.len() > limit * 9 / 10, "{} of {limit}", comment.len());
        let shown = comment.lines().filter(|line| line.starts_with(" [users.")).count();
        let left_out = format!("**{} more people are not shown here**", number - shown);
        assert!(comment.contains(&left_out), "{shown} shown");
        assert!(comment.contains("**Guardrails pass**: "), "what matters is never cut");
        assert!(comment.contains("\n| role `Viewer` → `Member` | 2500 |\n"), "the transitions are counted");
        assert!(comment.contains("<details><summary>2500 people change</summary>"), "{comment}");
        assert_eq!(comment.lines().filter(|line| line.starts_with("```")).count(), 2);
    }
}

#[test]
fn a_job_summary_contains_changes_that_a_comment_omits() {
    let number = 2000;
    let address = |n: usize| format!("person{n}@acme.example");
    let people: Vec<String> = (0..number)
        .map(|n| format!("{{ \"id\": \"u_{n}\", \"email\": \"{}\", \"role\": \"viewer\" }}", address(n)))
        .collect();
    let declared: Vec<String> = (0..number).map(|n| format!("\"{}\" = {{}}\n", address(n))).collect();
    let users = format!(
        "[guardrails]\nmax_changes = 5000\n[defaults]\nrole = \"Member\"\n[users]\n{}",
        declared.concat()
    );
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{}] }}", people.join(",")));
    let scene = scene.file("users.toml", users).file("summary.md", "");
    let path = scene.folder().join("summary.md");
    let scene = scene.env("GITHUB_STEP_SUMMARY", &path.to_string_lossy());
    let shown = |text: &str| (0..number).filter(|n| text.contains(&address(*n))).count();
    let plan = "plan --format github --markdown-limit 32000 --report markdown=comment.md";

    scene.run(plan).exits(0);
    assert_eq!(shown(&read(&scene, "summary.md")), number);
    assert!(read(&scene, "comment.md").len() <= 32_000 && shown(&read(&scene, "comment.md")) < number);

    // If a step's summary is larger than 1 MiB, GitHub drops the whole summary, including the text that was already in the file.
    let before = 1_048_576 - 40_000;
    fs::write(&path, "x".repeat(before)).unwrap();
    scene.run(plan).exits(0);
    let summary = read(&scene, "summary.md");
    assert!(summary.len() > before + 30_000 && summary.len() <= 1_048_576, "{} bytes", summary.len());
    assert!(summary.contains("more people are not shown here**"));
}

#[test]
fn the_final_notes_are_in_the_text_the_comment_and_the_page() {
    let scene = scene();
    scene.run("plan -o plan.json --report markdown=plan.md --report html=plan.html").exits(0);
    for name in ["plan.md", "plan.html"] {
        let text = read(&scene, name);
        assert!(!text.contains("plan.json"), "a path of a runner is of no use to a reader: {text}");
    }
    scene.pylon(|world| world.settings.token_can_write = false);
    scene.run("apply --auto-approve --journal j.jsonl --report markdown=a.md --report html=a.html").exits(1);
    for name in ["a.md", "a.html"] {
        let text = read(&scene, name);
        assert!(!text.contains("j.jsonl"), "a path of a runner is of no use to a reader: {text}");
        let plain = text.replace("<code>", "`").replace("</code>", "`");
        assert!(
            plain.contains("Run `rolecall apply` to send only the changes not yet applied"),
            "{name}: {text}"
        );
    }
}

#[test]
fn report_only_drift_reads_the_same_in_every_format() {
    let users = "[guardrails]\nkeep_at_least = { Admin = 5 }\nprotected = [\"gone@acme.example\"]\n[users]\n\"bo@acme.example\" = { status = \"away\" }\n";
    let scene = Scene::with_pylon(PYLON).file("users.toml", users);
    for text in scene.reports_for_people("plan", 0) {
        let plain = text.replace('`', "");
        let plain = plain.replace("<span class=\"attention\">", "").replace("</span>", "");
        assert!(
            plain.contains(
                "2 Admins remain (minimum 5); it was already below the minimum, and this plan does not make it worse"
            ),
            "{text}"
        );
        let line = plain.lines().find(|line| line.contains("is protected, but not found in Pylon")).unwrap();
        let rest = line.split("is protected, but not found in Pylon").nth(1).unwrap();
        assert!(rest.is_empty() || rest.starts_with("</"), "the line has more text: {line}");
    }
}

#[test]
fn a_plan_in_an_explanation_ends_like_a_separate_plan() {
    let scene = Scene::with_pylon(PYLON).file(
        "users.toml",
        "[guardrails]\nprotected = [\"bo@acme.example\"]\n[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n",
    );
    for words in ["explain bo@acme.example", "plan --only bo@acme.example"] {
        scene.run(&format!("{words} --report json=report.json"));
        let report: Value = serde_json::from_str(&read(&scene, "report.json")).unwrap();
        let plan = if words.starts_with("plan") { &report } else { &report["plan"] };
        assert_eq!((&plan["blocked"], &plan["exit_code"]), (&true.into(), &3.into()), "{words}");
    }
}
