//! Tests for `[[rule]]`, which restricts the roles for certain addresses.

use pretty_assertions::assert_eq;

use crate::harness::Scene;

const RULE: &str = "[[rule]]\nemails = \"*@contractor.example\"\nexcept = [\"lead@contractor.example\"]\nroles = [\"Viewer\"]\nreason = \"contractors read only\"\n";

/// Sets up an organization in which Ana and Ben are Admins. Cy is a contractor and a Member, and Lee is a contractor and an
/// Admin. Dee is an employee with a secondary address at the contractors' domain.
fn pylon() -> Scene {
    Scene::with_pylon(
        r#"{ "token_user": "u_ana", "organization": { "id": "org_1", "name": "Acme" }, "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
        { "id": "u_cy", "email": "cy@contractor.example", "name": "Cy", "role": "member" },
        { "id": "u_dee", "email": "dee@acme.example", "emails": ["dee@contractor.example"], "name": "Dee", "role": "viewer" },
        { "id": "u_lead", "email": "lead@contractor.example", "name": "Lee", "role": "admin" } ] }"#,
    )
}

#[test]
fn a_declared_role_against_a_rule_is_an_error_without_pylon() {
    for (people, text) in [
        (
            "[users]\n\"cy@contractor.example\" = { role = \"Member\" }\n",
            "the role Member for cy@contractor.example",
        ),
        (
            "[users]\n\"CY@Contractor.example\" = { role = \"Member\" }\n",
            "the role Member for CY@Contractor.example",
        ),
        (
            "[users]\n\"cy@contractor.example\" = { role = \"role_viewer\" }\n",
            "if role_viewer is the ID or the slug",
        ),
        (
            "[users]\n\"cy@contractor.example\" = { role = \"Viewer\", windows = [{ from = 2026-12-20, until = 2026-12-24, role = \"Admin\" }] }\n",
            "the role Admin for cy@contractor.example",
        ),
        (
            "[defaults]\nrole = \"Member\"\n[users]\n\"a@contractor.example\" = {}\n\"b@contractor.example\" = {}\n\"lead@contractor.example\" = {}\n",
            "the role Member for a@contractor.example and b@contractor.example",
        ),
    ] {
        let run = Scene::offline().file("users.toml", format!("{RULE}{people}")).run("validate");
        run.exits(1).names("roster::against_rule");
        run.mentions(text);
        run.mentions("only Viewer: contractors read only");
        assert_eq!(run.stderr.matches("roster::against_rule").count(), 2, "once, and in the last line");
    }
}

#[test]
fn the_help_of_two_rules_names_only_roles_that_both_allow() {
    let rules = |first: &str, second: &str| {
        format!(
            "[[rule]]\nemails = \"*@contractor.example\"\nroles = [{first}]\nreason = \"a\"\n[[rule]]\nemails = \"cy@contractor.example\"\nroles = [{second}]\nreason = \"b\"\n[users]\n\"cy@contractor.example\" = {{ role = \"Admin\" }}\n"
        )
    };
    let run = Scene::offline().file("users.toml", rules("\"Viewer\"", "\"Member\"")).run("validate");
    run.exits(1).mentions("the rules for the person have no allowed role in common");
    assert!(
        !run.stderr.contains("declare Viewer") && !run.stderr.contains("declare Member"),
        "{}",
        run.stderr
    );
    let run =
        Scene::offline().file("users.toml", rules("\"Viewer\", \"Member\"", "\"Member\"")).run("validate");
    run.exits(1).mentions("declare Member, or add the person");
    assert!(!run.stderr.contains("declare Viewer"), "{}", run.stderr);
}

#[test]
fn allowed_roles_and_exceptions_are_valid_in_every_spelling() {
    for people in [
        "\"cy@contractor.example\" = { role = \"Viewer\" }",
        "\"cy@contractor.example\" = { role = \"viewer\" }",
        "\"cy@contractor.example\" = {}",
        "\"LEAD@contractor.example\" = { role = \"Admin\" }",
        "\"cy@sub.contractor.example\" = { role = \"Admin\" }",
        "\"contractor.example@acme.example\" = { role = \"Admin\" }",
    ] {
        Scene::offline().file("users.toml", format!("{RULE}[users]\n{people}\n")).run("validate").exits(0);
    }
}

#[test]
fn a_rule_with_a_mistake_says_what_is_wrong_with_it() {
    let rule = |emails: &str, rest: &str| format!("[[rule]]\nemails = {emails}\n{rest}\n[users]\n");
    let rest = "roles = [\"Viewer\"]\nreason = \"r\"";
    for (text, code, said) in [
        (rule("\"*@*.example\"", rest), "roster::bad_pattern", "`*` is only allowed before the `@`"),
        (rule("\"*a*@b.example\"", rest), "roster::bad_pattern", "it has more than one `*`"),
        (rule("\"contractor.example\"", rest), "roster::bad_pattern", "it has no `@` followed by a domain"),
        (
            rule("\"a b*@b.example\"", rest),
            "roster::bad_pattern",
            "it contains a space or an invisible character",
        ),
        (
            rule("\"zo\u{eb}*@b.example\"", rest),
            "roster::unicode_email",
            "`zo\u{eb}*@b.example` has non-ASCII characters",
        ),
        (rule("[]", rest), "roster::missing_key", "`emails` of this rule is empty"),
        (
            rule("\"*@b.example\"", "roles = []\nreason = \"r\""),
            "roster::missing_key",
            "`roles` of this rule is empty",
        ),
        (
            rule("\"*@b.example\"", "roles = [\"Viewer\"]"),
            "roster::missing_key",
            "`reason` of this rule is missing",
        ),
        (
            rule("\"*@b.example\"", "roles = [\"Viewer\"]"),
            "roster::missing_key",
            "help: for example: reason = \"contractors read only\" To read",
        ),
        (
            rule("\"*@b.example\"", "roles = \"Viewer\"\nreason = \"r\""),
            "roster::wrong_type",
            "roles = [\"Viewer\"]",
        ),
        (
            rule("\"*@b.example\"", &format!("{rest}\nrole = \"x\"")),
            "roster::unknown_key",
            "did you mean `roles`?",
        ),
        (
            rule("\"*@b.example\"", &format!("{rest}\non_violation = \"warn\"")),
            "roster::bad_value",
            "`on_violation` must be one of: report, block",
        ),
        (rule("\"*@b.example\"", rest).replace("[[rule]]", "[rule]"), "roster::wrong_type", "[[rule]]"),
    ] {
        let run = Scene::offline().file("users.toml", &text).run("validate");
        run.exits(1).names(code);
        run.mentions(said);
    }
    let team = Scene::offline()
        .file("users.toml", "include = [\"team.toml\"]\n")
        .file("team.toml", RULE)
        .run("validate");
    team.exits(1).names("roster::root_only");
}

#[test]
fn a_rule_for_people_who_are_added_later_may_stay() {
    let scene = Scene::offline().file("users.toml", format!("{RULE}[users]\n\"ana@acme.example\" = {{}}\n"));
    let run = scene.run("validate");
    run.exits(0).names("lint::unused_pattern");
    run.mentions("correct it if it is misspelled; keep it if it is for people who will be added later");
}

#[test]
fn an_address_in_a_rule_that_only_looks_like_a_declared_one_is_an_error() {
    // In the rule's address, the first letter is Cyrillic.
    let rule = RULE.replace("lead@", "\u{443}uri@");
    let users = "allow_unicode_emails = true\n".to_owned()
        + &rule
        + "[users]\n\"yuri@contractor.example\" = { role = \"Viewer\" }\n";
    let run = Scene::offline().file("users.toml", users).run("validate");
    run.exits(1).names("roster::look_alike");
}

#[test]
fn a_plan_lists_people_in_pylon_who_have_a_role_against_a_rule() {
    let users = "[users]\n\"ben@acme.example\" = { role = \"Admin\" }\n";
    let scene = pylon().file("users.toml", format!("{RULE}{users}"));
    let run = scene.run("plan");
    run.exits(0);
    let said = "  rule warns: cy@contractor.example has Member (only Viewer: contractors read only)\n";
    assert!(run.stdout.contains(said), "{}", run.stdout);

    let blocking = format!("{RULE}on_violation = \"block\"\n");
    let scene = scene.file("users.toml", format!("{blocking}{users}"));
    for words in ["plan", "apply --auto-approve"] {
        let run = scene.run(words);
        run.exits(3);
        let said = "Blocked by rule: cy@contractor.example has Member (only Viewer: contractors read only)   users.toml:1\n";
        assert!(run.stdout.contains(said), "{}", run.stdout);
        assert!(run.stdout.contains("    user = \"cy@contractor.example\"\n"), "{}", run.stdout);
    }
    let acknowledged = "[[acknowledge]]\nguardrail = \"rule\"\nuser = \"cy@contractor.example\"\nreason = \"until the handover\"\nexpires = 2026-12-01\n";
    let scene = scene.file("users.toml", format!("{blocking}{acknowledged}{users}"));
    let run = scene.run("plan");
    run.exits(0);
    assert!(run.stdout.contains("acknowledged: until the handover\n"), "{}", run.stdout);

    // A plan that gives Cy an allowed role needs no acknowledgment and has no warning.
    let users = "[users]\n\"cy@contractor.example\" = { role = \"Viewer\" }\n";
    let scene = scene.file("users.toml", format!("{blocking}{users}"));
    let run = scene.run("apply --auto-approve");
    run.exits(0);
    assert!(!run.stdout.contains("contractors read only"), "{}", run.stdout);
    assert_eq!(scene.patches().len(), 1);
}

#[test]
fn a_rule_applies_to_every_address_that_a_person_has_in_pylon() {
    let users = "[users]\n\"dee@acme.example\" = { role = \"Admin\" }\n";
    let scene = pylon().file("users.toml", format!("{RULE}{users}"));
    scene.run("validate").exits(0);
    for words in ["plan", "apply --auto-approve", "explain dee@acme.example", "import --update"] {
        let run = scene.run(words);
        run.exits(1).names("roster::against_rule");
        run.mentions("a rule does not allow the role Admin for dee@acme.example (also dee@contractor.example in Pylon)");
    }
    assert_eq!(scene.patches(), [""; 0]);
}

#[test]
fn explain_names_the_rules_of_a_person_and_import_obeys_them() {
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let scene = pylon().file("users.toml", format!("{RULE}{users}"));
    for (who, applies) in
        [("cy@contractor.example", true), ("dee@acme.example", true), ("lead@contractor.example", false)]
    {
        let run = scene.run(&format!("explain {who}"));
        run.exits(0);
        assert_eq!(run.stdout.contains("only Viewer: contractors read only"), applies, "{}", run.stdout);
    }
    let run = scene.run("import --update --into users.toml");
    run.exits(0);
    let said = "role: a rule does not allow the one in Pylon (only Viewer: contractors read only)";
    assert!(run.stdout.contains(said), "{}", run.stdout);
    let text = std::fs::read_to_string(scene.folder().join("users.toml")).unwrap();
    assert!(
        !text.contains("cy@contractor.example") && text.contains("\"lead@contractor.example\""),
        "{text}"
    );
    scene.run("validate").exits(0);
}

#[test]
fn explain_shows_a_violation_only_for_the_person_who_violates_the_rule() {
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Member\" }\n";
    for (on_violation, mark) in [("report", "!"), ("block", "✗")] {
        let rule = format!("{RULE}on_violation = \"{on_violation}\"\n");
        let scene = pylon().file("users.toml", format!("{rule}{users}"));
        let run = scene.run("explain cy@contractor.example");
        run.exits(0);
        let violation = format!(
            "Guardrails\n  {mark} rule  cy@contractor.example has Member (only Viewer: contractors read only)   users.toml:1\n"
        );
        assert!(run.stdout.contains(&violation), "{}", run.stdout);
        let remedy = "user = \"cy@contractor.example\"";
        assert_eq!(run.stdout.contains(remedy), on_violation == "block", "{}", run.stdout);
        for (who, guardrail) in [
            ("dee@acme.example", "    rule  only Viewer: contractors read only   users.toml:1\n"),
            ("ben@acme.example", "max_changes"),
        ] {
            let run = scene.run(&format!("explain {who}"));
            run.exits(0);
            assert!(run.stdout.contains(guardrail), "{}", run.stdout);
            assert!(!run.stdout.contains("cy@contractor.example"), "{}", run.stdout);
        }
        let report = scene.run("explain cy@contractor.example --format json");
        let report: serde_json::Value = serde_json::from_str(&report.stdout).unwrap();
        assert!(report["plan"].is_null(), "an unmanaged person has no plan");
        assert_eq!(report["standing"][0]["violation"]["name"], "rule");
    }
}

#[test]
fn an_access_review_names_the_rules_of_each_person_and_who_breaks_one() {
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let wider = "[[rule]]\nemails = \"cy*@contractor.example\"\nroles = [\"Member\", \"Viewer\"]\nreason = \"no Admin\"\n";
    let scene = pylon().file("users.toml", format!("{RULE}{wider}{users}"));
    let run = scene.run("access");
    run.exits(0);
    let note = "a rule does not allow this role (only Viewer: contractors read only; see users.toml:1)";
    assert_eq!(run.stdout.matches(note).count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("1 against a rule"), "{}", run.stdout);
    let csv = scene.run("access --format csv").stdout;
    let rule = "only Viewer: contractors read only (users.toml:1)";
    let two = format!("{rule}; only Member or Viewer: no Admin (users.toml:{})", RULE.lines().count() + 1);
    for (who, rules, violated) in [
        ("cy@contractor.example", two.as_str(), rule),
        ("dee@acme.example", rule, ""),
        ("lead@contractor.example", "", ""),
        ("ana@acme.example", "", ""),
    ] {
        let line = csv.lines().find(|line| line.contains(who)).unwrap();
        assert!(line.contains(&format!(",{rules},{violated},")), "{line}");
    }
}

#[test]
fn import_writes_a_role_in_the_spelling_of_the_rule() {
    let rule = RULE.replace("\"Viewer\"", "\"role_viewer\"");
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let scene = pylon().file("users.toml", format!("{rule}{users}"));
    scene.run("import --update --into users.toml").exits(0);
    let text = std::fs::read_to_string(scene.folder().join("users.toml")).unwrap();
    assert!(text.contains("\"dee@acme.example\" = { role = \"role_viewer\" }"), "{text}");
    scene.run("plan").exits(0);
}

/// Imports into files that declare Viewer for `bo@ext.example`. Checks that the file then ends with `line` and that the output
/// contains `said`.
#[track_caller]
fn import_of_bo(pylon: &str, rules: &str, line: &str, said: &str) {
    let users =
        "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"bo@ext.example\" = { role = \"Viewer\" }\n";
    let scene = Scene::with_pylon(pylon).file("users.toml", format!("{rules}{users}"));
    let run = scene.run("import --update");
    run.exits(0);
    let text = std::fs::read_to_string(scene.folder().join("users.toml")).unwrap();
    assert!(text.ends_with(line), "{text}");
    assert!(run.stdout.contains(said), "{}", run.stdout);
    scene.run("validate").exits(0);
    scene.run("plan").exits(0);
}

#[test]
fn import_writes_no_role_that_the_check_of_the_files_alone_would_reject() {
    // The rule's exception matches an address of Bo's that's in Pylon but not in the files.
    import_of_bo(
        r#"{ "users": [ { "email": "ana@acme.example", "role": "admin" },
                        { "email": "bo@ext.example", "emails": ["bo@old.example"], "role": "member" } ] }"#,
        "[[rule]]\nemails = \"*@ext.example\"\nexcept = \"bo@old.example\"\nroles = [\"Viewer\"]\nreason = \"r\"\n",
        "\"bo@ext.example\" = { role = \"Viewer\" }\n",
        "role: a rule does not allow the one in Pylon (only Viewer: r)",
    );
}

/// An organization with two roles that are spelled alike, Support Lead and support-lead. Bo has the second one, whose ID is
/// `role_2`.
const ALIKE: &str = r#"{ "roles": [ { "id": "role_admin", "name": "Admin", "slug": "admin" }, { "id": "role_viewer", "name": "Viewer", "slug": "viewer" },
    { "id": "role_1", "name": "Support Lead", "slug": "lead" }, { "id": "role_2", "name": "support-lead", "slug": "old-lead" } ],
  "users": [ { "email": "ana@acme.example", "role": "admin" }, { "email": "bo@ext.example", "role": "role_2" } ] }"#;

#[test]
fn import_does_not_mistake_a_role_for_one_that_is_spelled_alike() {
    let rule = |roles: &str| {
        format!("[[rule]]\nemails = \"*@ext.example\"\nroles = [\"Viewer\", {roles}]\nreason = \"r\"\n")
    };
    let viewer = "\"bo@ext.example\" = { role = \"Viewer\" }\n";
    let said = "role: a rule does not allow the one in Pylon (only Viewer or ";
    import_of_bo(ALIKE, &rule("\"Support Lead\""), viewer, said);
    let both = [rule("\"role_2\""), rule("\"old-lead\", \"role_2\"")].concat();
    import_of_bo(ALIKE, &both, "\"bo@ext.example\" = { role = \"role_2\" }\n", "1 person updated");
    let never = [rule("\"role_2\""), rule("\"old-lead\"")].concat();
    import_of_bo(ALIKE, &never, viewer, said);
}

#[test]
fn a_changed_rule_is_marked_for_the_reviewer() {
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let scene = pylon()
        .file("users.toml", format!("{}{users}", RULE.replace("[\"Viewer\"]", "[\"Viewer\", \"Admin\"]")))
        .file("old.toml", format!("{RULE}{users}"));
    let run = scene.run("compare old.toml users.toml");
    run.exits(0);
    assert!(run.stdout.contains("[[rule]] *@contractor.example"), "{}", run.stdout);
    assert!(run.stdout.contains("roles") && run.stdout.contains("\"Admin\""), "{}", run.stdout);
    let run = scene.run("plan --base old.toml");
    run.exits(0);
    assert!(run.stdout.contains("[[rule]] *@contractor.example"), "{}", run.stdout);
}

#[test]
fn a_role_that_a_rule_allows_must_exist() {
    let text = RULE.replace("Viewer", "Viewre") + "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n";
    let run = pylon().file("users.toml", text).run("plan");
    run.exits(1).names("plan::unknown_role");
    run.mentions("did you mean `Viewer`?");
}

#[test]
fn fmt_keeps_rules_in_their_order_and_sorts_their_keys() {
    let text = "[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 40\nreason = \"r\"\nexpires = 2026-12-01\n\n# Contractors\n[[rule]]\nreason = \"b\"\nroles = [ \"Viewer\" ]\nemails = \"*@b.example\"\n\n[[rule]]\nemails = \"*@a.example\"\nroles = [\"Viewer\"]\nreason = \"a\"\n";
    let scene = Scene::offline().file("users.toml", text);
    scene.run("fmt").exits(0);
    assert_eq!(
        std::fs::read_to_string(scene.folder().join("users.toml")).unwrap(),
        "# Contractors\n[[rule]]\nemails = \"*@b.example\"\nroles = [\"Viewer\"]\nreason = \"b\"\n\n[[rule]]\nemails = \"*@a.example\"\nroles = [\"Viewer\"]\nreason = \"a\"\n\n[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 40\nreason = \"r\"\nexpires = 2026-12-01\n"
    );
}
