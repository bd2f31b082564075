//! Tests for the guardrails, which show up in the plan and stop an apply before its first write.

use std::collections::HashSet;

use clap::CommandFactory;
use pretty_assertions::assert_eq;
use rolecall::cli::Cli;
use rolecall::report::Format;

use crate::harness::{Run, Scene, formats_of};

/// Sets up an organization with `members` Members and three Admins. Of these Admins, Ana owns the token, and Cleo is deactivated.
fn pylon(members: usize) -> Scene {
    pylon_of("2026-10", members)
}

fn pylon_of(era: &str, members: usize) -> Scene {
    let members = (0..members).map(|number| {
        format!(r#", {{ "id": "u_{number}", "email": "m{number:02}@acme.example", "role": "member" }}"#)
    });
    Scene::with_pylon(&format!(
        r#"{{ "api": "{era}", "token_user": "u_ana", "organization": {{ "id": "org_1", "name": "Acme" }}, "users": [
        {{ "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" }},
        {{ "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" }},
        {{ "id": "u_cleo", "email": "cleo@acme.example", "name": "Cleo", "role": "admin", "deactivated": true }}
        {} ] }}"#,
        members.collect::<String>()
    ))
}

fn demote(numbers: std::ops::Range<usize>) -> String {
    numbers.map(|number| format!("\"m{number:02}@acme.example\" = {{ role = \"Viewer\" }}\n")).collect()
}

#[track_caller]
fn is_refused(scene: &Scene, line: &str) {
    for words in ["plan", "plan --detailed-exitcode", "apply --auto-approve"] {
        let run = scene.run(words);
        run.exits(3);
        assert!(run.stdout.contains(line), "`{words}` does not say {line:?}:\n{}", run.stdout);
    }
    assert_eq!(scene.patches(), Vec::<String>::new());
}

#[test]
fn ten_changes_are_always_allowed_and_the_eleventh_needs_a_larger_team() {
    let scene = pylon(12).file("users.toml", format!("[users]\n{}", demote(0..10)));
    scene.run("plan").exits(0);
    let scene = scene.file("users.toml", format!("[users]\n{}", demote(0..11)));
    is_refused(&scene, "Blocked by max_changes: 11 of 11 change (limit 10)\n");
    is_refused(
        &scene,
        "If this is intended, run `rolecall apply --max-changes 11`, or add this at the end of the root file:\n",
    );
    let few = "[guardrails]\nmax_changes = 1\n";
    let limited = pylon(12).file("users.toml", format!("{few}[users]\n{}", demote(0..3)));
    let run = limited.run("plan --only m00@acme.example --only m01@acme.example");
    let again = "run `rolecall apply --only m00@acme.example --only m01@acme.example --max-changes 2`";
    assert!(run.exits(3).stdout.contains(again), "{}", run.stdout);
    scene.run("apply --auto-approve --max-changes 11").exits(0);
    assert_eq!(scene.patches().len(), 11);
}

#[test]
fn people_missing_from_pylon_do_not_raise_the_limit() {
    let nobody: String = (0..100)
        .map(|number| format!("\"nobody{number}@acme.example\" = {{ role = \"Member\" }}\n"))
        .collect();
    let scene = pylon(12).file("users.toml", format!("[users]\n{}{nobody}", demote(0..11)));
    is_refused(&scene, "Blocked by max_changes: 11 of 111 change (limit 10)\n");
}

#[test]
fn without_a_minimum_for_admin_the_plan_warns_and_only_the_tokens_owner_is_kept() {
    let said = "  keep_at_least warns: Admin is not listed, so it has no minimum; add it, or set Admin = 0 if this is intended";
    let users = |minimums: &str, who: &str| {
        format!(
            "[guardrails]\nkeep_at_least = {minimums}\n[users]\n\"{who}@acme.example\" = {{ role = \"Member\" }}\n"
        )
    };
    for (minimums, is_said) in [("{ Viewer = 0 }", true), ("{}", true), ("{ Viewer = 0, Admin = 0 }", false)]
    {
        let scene = pylon(1).file("users.toml", users(minimums, "ana"));
        is_refused(
            &scene,
            "Blocked by token_owner: ana@acme.example owns the token and would lose the role Admin",
        );
        let run = scene.file("users.toml", users(minimums, "ben")).run("plan");
        run.exits(0);
        assert_eq!(run.stdout.contains(said), is_said, "{minimums}:\n{}", run.stdout);
        let highlighted = "\n  ! ben@acme.example  Ben   loses Admin\n";
        assert!(run.stdout.contains(highlighted), "{minimums}:\n{}", run.stdout);
    }
}

#[test]
fn max_changes_of_zero_allows_no_change() {
    let scene =
        pylon(3).file("users.toml", format!("[guardrails]\nmax_changes = 0\n[users]\n{}", demote(0..1)));
    is_refused(&scene, "Blocked by max_changes: 1 of 1 change (limit 0)\n");
}

#[test]
fn the_last_administrators_are_kept_and_a_deactivated_one_does_not_count() {
    // In the API versions before 2026-10, a user record doesn't say if the user is deactivated, but the listing of active users
    // does.
    for era in ["2026-10", "2026-07", "2026-04"] {
        for others in [
            "\"cleo@acme.example\" = { role = \"Admin\" }\n\"typo@acme.exmaple\" = { role = \"Admin\" }\n",
            "\"cleo@acme.example\" = { role = \"Admin\" }\n",
            "\"typo@acme.exmaple\" = { role = \"Admin\" }\n",
            "",
        ] {
            let users = format!("[users]\n\"ben@acme.example\" = {{ role = \"Member\" }}\n{others}");
            let scene = pylon_of(era, 1).file("users.toml", users);
            is_refused(&scene, "Blocked by keep_at_least: 1 of 2 Admins remains (minimum 2)\n");
        }
    }
    let scene = pylon(1);
    let acknowledged = "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Admin\"\ndown_to = 1\nreason = \"Ben has left\"\nexpires = 2026-12-01\n";
    let scene = scene.file(
        "users.toml",
        format!("{acknowledged}[users]\n\"ben@acme.example\" = {{ role = \"Member\" }}\n"),
    );
    let run = scene.run("plan");
    run.exits(0);
    assert!(
        run.stdout
            .contains("  keep_at_least: 1 of 2 Admins remains (minimum 2); acknowledged: Ben has left\n"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_role_already_below_its_minimum_blocks_only_plans_that_lower_it_further() {
    let scene = pylon(1).file(
        "users.toml",
        "[guardrails]\nkeep_at_least = { Admin = 5 }\n[users]\n\"m00@acme.example\" = { role = \"Admin\" }\n",
    );
    let run = scene.run("plan");
    run.exits(0);
    assert!(run.stdout.contains("  keep_at_least warns: 3 Admins remain (minimum 5); it was already below the minimum, and this plan does not make it worse\n"), "{}", run.stdout);
}

#[test]
fn a_minimum_above_the_maximum_of_the_same_role_is_a_warning() {
    let limits = "[guardrails]\nkeep_at_least = { Admin = 3 }\nkeep_at_most = { admin = 1 }\n[users]\n";
    let scene = Scene::offline().file("users.toml", limits);
    let run = scene.run("validate --deny warnings");
    run.exits(1).names("lint::limits_contradict");
    run.mentions("the minimum of the role admin (3) is above its maximum (1)");
    run.mentions("lower the number in keep_at_least, or raise the one in keep_at_most");
}

#[test]
fn a_maximum_blocks_the_plan_that_exceeds_it_and_every_plan_shows_the_seats() {
    // Ana and Ben hold the two Admin seats. Cleo is deactivated and doesn't count.
    let says = |scene: &Scene, text: &str| {
        let run = scene.run("plan");
        assert!(run.stdout.contains(text), "{text}:\n{}", run.stdout);
    };
    let users =
        |maximum: &str, people: &str| format!("[guardrails]\nkeep_at_most = {maximum}\n[users]\n{people}");
    let gains = "\"m00@acme.example\" = { role = \"Admin\" }\n";
    let swap = "\"m00@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Member\" }\n";
    let scene = pylon(3).file("users.toml", users("{ Admin = 3, Viewer = 5 }", gains));
    says(&scene, "Admin seats: 3 of 3 (now 2), Viewer seats: 0 of 5.\nGuardrails pass:");
    // A role with only a maximum isn't a guarded role.
    let scene =
        scene.file("users.toml", users("{ Viewer = 5 }", "\"m00@acme.example\" = { role = \"Viewer\" }\n"));
    says(&scene, "  ~ m00@acme.example");

    let scene = scene.file("users.toml", users("{ admin = 2 }", gains));
    is_refused(&scene, "Blocked by keep_at_most: Admin seats: 3 of 2 (now 2)\n");
    let remedy = "guardrail = \"keep_at_most\"\n    role = \"Admin\"\n    up_to = 3\n";
    says(&scene, remedy);

    // With both a minimum and a maximum of two Admins, neither change of the swap can be sent first.
    let scene = scene.file("users.toml", users("{ Admin = 2 }", swap));
    is_refused(&scene, "Blocked by keep_at_most: Admin seats: up to 3 of 2 during the apply\n");
    says(&scene, "Admin is also at its minimum of 2 (keep_at_least), so no order of the changes works.");
    says(&scene, "Raise keep_at_most to 3, or lower keep_at_least. If this is intended, add this");
    let larger = scene.file("users.toml", users("{ Admin = 3 }", swap));
    larger.run("plan").exits(0);
    let scene = larger;
    let acknowledged = "[[acknowledge]]\nguardrail = \"keep_at_most\"\nrole = \"Admin\"\nup_to = 3\nreason = \"handover\"\nexpires = 2026-12-01\n";
    let scene = scene.file("users.toml", format!("{acknowledged}{}", users("{ Admin = 2 }", swap)));
    scene.run("apply --auto-approve").exits(0);

    let scene =
        pylon(3).file("users.toml", users("{ Admin = 1 }", "\"m00@acme.example\" = { status = \"away\" }\n"));
    says(
        &scene,
        "  keep_at_most warns: Admin seats: 2 of 1; it was already above the maximum, and this plan does not make it worse",
    );
}

#[test]
fn without_a_role_with_the_slug_admin_the_files_must_name_their_guarded_roles() {
    let state = r#"{ "roles": [ { "id": "r1", "name": "Owner", "slug": "owner" }, { "id": "r2", "name": "Member", "slug": "member" } ],
        "users": [ { "email": "ana@acme.example", "role": "r1" } ] }"#;
    let users = "[users]\n\"ana@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(state).file("users.toml", users);
    for command in ["plan", "apply --auto-approve"] {
        let run = scene.run(command);
        run.exits(1).names("plan::no_admin_role");
        run.mentions("for example with `keep_at_least = { Owner = 2 }` in `[guardrails]`; the roles are: Member, Owner");
    }
    assert_eq!(scene.patches(), [""; 0]);
    let scene = scene.file("users.toml", format!("[guardrails]\nkeep_at_least = {{ Owner = 1 }}\n{users}"));
    is_refused(&scene, "Blocked by keep_at_least: 0 of 1 Owner remains (minimum 1)\n");
}

#[test]
fn the_tokens_own_user_does_not_lose_a_guarded_role() {
    let scene = pylon(1).file(
        "users.toml",
        "[guardrails]\nkeep_at_least = { Admin = 1 }\n[users]\n\"ana@acme.example\" = { role = \"Member\" }\n",
    );
    is_refused(
        &scene,
        "Blocked by token_owner: ana@acme.example owns the token and would lose the role Admin   users.toml:4\n",
    );
}

#[test]
fn a_protected_person_is_never_changed_no_matter_which_address_is_declared() {
    let scene = pylon(2).file("users.toml", "[guardrails]\nprotected = [\"M01@acme.example\"]\n[users]\n\"m01@acme.example\" = { status = \"away\" }\n");
    is_refused(
        &scene,
        "Blocked by protected: M01@acme.example is protected and would change   users.toml:4\n",
    );
}

#[test]
fn any_address_of_a_person_can_be_the_protected_one() {
    let state = r#"{ "users": [ { "id": "u_bo", "email": "bo@acme.example", "emails": ["bob@acme.example"], "role": "viewer" } ] }"#;
    for (protected, declared) in
        [("bob@acme.example", "bo@acme.example"), ("bo@acme.example", "bob@acme.example")]
    {
        let users = format!(
            "[guardrails]\nprotected = [\"{protected}\", \"nobody@acme.example\"]\n[users]\n\"{declared}\" = {{ role = \"Member\" }}\n"
        );
        let scene = Scene::with_pylon(state).file("users.toml", users);
        is_refused(&scene, &format!("Blocked by protected: {protected} is protected and would change"));
        is_refused(&scene, "  protected warns: nobody@acme.example is protected, but not found in Pylon");
    }
}

#[test]
fn a_plan_that_leaves_too_few_people_active_is_blocked() {
    let scene = pylon(1).file(
        "users.toml",
        "[guardrails]\nkeep_active = 3\n[users]\n\"m00@acme.example\" = { status = \"away\" }\n",
    );
    is_refused(&scene, "Blocked by keep_active: 2 of 3 active remain (minimum 3)\n");
}

#[test]
fn unmanaged_and_missing_people_can_block_a_plan() {
    let scene = pylon(1)
        .file("users.toml", "[guardrails]\nunmanaged = \"block\"\n[users]\n\"ana@acme.example\" = {}\n");
    is_refused(&scene, "Blocked by unmanaged: 2 unmanaged\n");
    let scene = pylon(1).file("users.toml", "[guardrails]\nmissing = \"block\"\n[users]\n\"typo@acme.example\" = {}\n\"cleo@acme.example\" = {}\n");
    is_refused(&scene, "Blocked by missing: 2 declared, but not found in Pylon   users.toml:5\n");
}

#[test]
fn the_comment_does_not_collapse_missing_people_who_block_the_plan() {
    let users = "[guardrails]\nmissing = \"block\"\n[users]\n\"typo@acme.example\" = {}\n";
    for (users, is_open) in [(users.to_owned(), true), (users.replace("block", "report"), false)] {
        let scene = pylon(1).file("users.toml", users);
        scene.run("plan --report markdown=plan.md");
        let comment = std::fs::read_to_string(scene.folder().join("plan.md")).unwrap();
        assert_eq!(comment.contains("**Not found in Pylon**\n\n- `typo@acme.example`"), is_open, "{comment}");
        assert_eq!(comment.contains("<summary>Not found in Pylon (1)</summary>"), !is_open, "{comment}");
    }
}

#[test]
fn an_active_acknowledgment_is_listed_even_if_the_plan_does_not_need_it() {
    let text = "[[acknowledge]]\nguardrail = \"keep_at_least\"\nrole = \"Admin\"\ndown_to = 0\nreason = \"handover\"\nexpires = 2026-12-01\n";
    let scene = pylon(1)
        .file("users.toml", format!("{text}[users]\n\"ana@acme.example\" = {{ role = \"Admin\" }}\n"));
    let plan = scene.run("plan").exits(0).stdout.clone();
    let line = "  The acknowledgment of keep_at_least at users.toml:1 is active until 2026-12-01 (2026-12-01 00:00Z)\n";
    assert!(plan.contains(line), "{plan}");
}

#[test]
fn an_expired_acknowledgment_is_reported_and_has_no_effect() {
    let text = "[guardrails]\nmax_changes = 0\n[[acknowledge]]\nguardrail = \"max_changes\"\nup_to = 5\nreason = \"reorganization\"\nexpires = 2026-11-20\n";
    let scene = pylon(1).file("users.toml", format!("{text}[users]\n{}", demote(0..1)));
    is_refused(
        &scene,
        "The acknowledgment of max_changes at users.toml:3 expired 2026-11-20 (2026-11-20 00:00Z) and is ignored\n",
    );
    let later = text.replace("2026-11-20", "2026-11-21");
    scene.file("users.toml", format!("{later}[users]\n{}", demote(0..1))).run("plan").exits(0);
}

/// Returns a command line for each command that reads the files and queries Pylon, with the arguments that the command requires.
fn verbs_that_ask() -> Vec<String> {
    let cli = Cli::command();
    let asks =
        cli.get_subcommands().filter(|verb| verb.get_arguments().any(|flag| flag.get_id() == "region"));
    asks.map(|verb| match verb.get_name() {
        "apply" => "apply --auto-approve".to_owned(),
        "rollback" => "rollback first.jsonl --auto-approve".to_owned(),
        "import" => "import --update".to_owned(), // plain `import` expects that no files exist yet
        "explain" => "explain m00@acme.example".to_owned(),
        other => other.to_owned(),
    })
    .collect()
}

/// Runs each command from [`verbs_that_ask`] in each format, and checks that it reports the mismatch at the given location.
/// `doctor` includes the mismatch in its report, while the others fail with an error.
#[track_caller]
fn nothing_fits(scene: &Scene, flags: &str, code: &str, place: &str) {
    let verbs = verbs_that_ask();
    assert!(verbs.len() >= 7, "{verbs:?}");
    for verb in verbs {
        for format in formats_of(&verb).map(Format::as_str) {
            let run = scene.run(&format!("{verb} {flags} --format {format}"));
            run.exits(1);
            let Run { stdout, stderr, .. } = &run;
            if verb == "doctor" {
                let line = place.rsplit_once(':').unwrap().0;
                let (file, number) = line.split_once(':').unwrap();
                let told =
                    [line.to_owned(), format!("\"line\": {number}"), format!("file={file},line={number}")];
                assert!(told.iter().any(|told| stdout.contains(told)), "{verb} {format}:\n{stdout}");
            } else {
                run.names(code).mentions(place);
                assert_eq!(stderr.lines().filter(|line| *line == code).count(), 1, "{verb} {format}");
            }
        }
    }
    assert_eq!(scene.patches().len(), 1, "but for the apply before");
}

/// Sets up a [`Scene`] in which an apply has run and `pin` was then added to the `[workspace]` section of the files.
fn pinned(pin: &str) -> Scene {
    let users = format!("[users]\n{}", demote(0..1));
    let scene = pylon(1).file("users.toml", &users);
    scene.run("apply --auto-approve --journal first.jsonl").exits(0);
    scene.file("users.toml", format!("[workspace]\n{pin}\n{users}"))
}

#[test]
fn for_another_organization_only_the_token_owner_is_read() {
    let scene = pinned("organization = \"org_other\"");
    let before = scene.asked().len();
    nothing_fits(&scene, "", "pylon::other_organization", "users.toml:2:16");
    let asked = scene.arrivals().split_off(before);
    let asked: HashSet<String> =
        asked.iter().map(|asked| format!("{} {}", asked.request.method, asked.request.path)).collect();
    assert_eq!(asked, HashSet::from(["GET /me".to_owned()]));
}

#[test]
fn a_region_that_contradicts_the_pin_sends_no_request() {
    let scene = pinned("region = \"eu\"");
    let before = scene.asked();
    // The sandbox's address doesn't belong to any region, so every `--region` contradicts the address and is an error.
    scene.run("plan --region us").exits(1).names("commands::other_region");
    scene.run("plan --region eu").exits(1).names("commands::other_region");
    for flags in ["--base-url https://api.usepylon.com", "--region us --base-url https://api.usepylon.com"] {
        nothing_fits(&scene, flags, "commands::other_region", "users.toml:2:10");
    }
    assert_eq!(scene.asked(), before);
    scene.run("plan").exits(0);
}

#[test]
fn guardrails_count_everyone_even_if_one_person_is_changed_alone() {
    let users = "[users]\n\"ben@acme.example\" = { role = \"Member\" }\n\"m00@acme.example\" = { role = \"Viewer\" }\n\"m01@acme.example\" = { role = \"Viewer\" }\n";
    let scene = pylon(2).file("users.toml", users);
    scene.run("plan").exits(3);
    scene.run("apply --auto-approve --only M01@acme.example").exits(0);
    assert_eq!(scene.patches(), [r#"/users/u_1 {"role_id":"role_viewer"}"#]);
    let run = scene.run("plan --only ben@acme.example");
    run.exits(3);
    assert!(
        run.stdout.contains("Blocked by keep_at_least: 1 of 2 Admins remains (minimum 2)\n"),
        "{}",
        run.stdout
    );
    let run = scene.run("plan --only m01@acme.exmaple");
    run.exits(1).names("plan::only_unknown");
    run.mentions(
        "the files declare m01@acme.example, which is similar: pass that address to --only, or correct it",
    );
}

#[test]
fn with_only_the_plan_counts_who_of_them_is_in_sync() {
    let users = "[users]\n\"ana@acme.example\" = { role = \"Admin\" }\n\"ben@acme.example\" = { role = \"Admin\" }\n\"m00@acme.example\" = { role = \"Viewer\" }\n";
    let scene = pylon(1).file("users.toml", users);
    for (only, in_sync) in [("ana ben m00", 2), ("ana m00", 1), ("m00", 0)] {
        let flags: String = only.split(' ').map(|name| format!(" --only {name}@acme.example")).collect();
        let run = scene.run(&format!("plan{flags}"));
        run.exits(0);
        assert!(run.stdout.contains(&format!(" · {in_sync} in sync")), "{only}:\n{}", run.stdout);
    }
}

#[test]
fn only_refuses_a_person_who_is_not_in_pylon() {
    let users = "[users]\n\"m00@acme.exmaple\" = { role = \"Viewer\" }\n\"m01@acme.example\" = { role = \"Viewer\" }\n\"zed@acme.example\" = { role = \"Viewer\" }\n";
    let scene = pylon(2).file("users.toml", users);
    for command in ["plan", "apply --auto-approve"] {
        let run = scene.run(&format!("{command} --only m00@acme.exmaple --only m01@acme.example"));
        run.exits(1)
            .names("plan::only_missing")
            .mentions("m00@acme.exmaple was not found in Pylon; nothing was changed");
        run.mentions("users.toml:2:1");
        run.mentions("help: did you mean m00@acme.example? if so, correct the address in the files");
        let run = scene.run(&format!("{command} --only zed@acme.example"));
        run.exits(1).names("plan::only_missing").mentions("or invite the person in Pylon first");
    }
    assert_eq!(scene.patches(), Vec::<String>::new());
    // Without `--only`, people who aren't found don't affect anyone else.
    scene.run("apply --auto-approve").exits(0);
    assert_eq!(scene.patches().len(), 1);
    let gone = r#"{ "users": [ { "email": "ana@acme.example", "role": "admin" }, { "email": "ben@acme.example", "role": "admin" },
        { "email": "lu@acme.example", "role": "member", "deactivated": true } ] }"#;
    let scene =
        Scene::with_pylon(gone).file("users.toml", "[users]\n\"lu@acme.example\" = { role = \"Viewer\" }\n");
    let run = scene.run("apply --auto-approve --only lu@acme.example");
    run.exits(1).mentions("lu@acme.example is deactivated in Pylon; nothing was changed");
}

#[test]
fn a_failed_gain_keeps_the_last_holders_and_the_apply_ends() {
    // A SCIM group decides Eve's role. Pylon accepts the change, but it has no effect.
    let state = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
        { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin" },
        { "id": "u_eve", "email": "eve@acme.example", "name": "Eve", "role": "member", "role_from_scim": true } ] }"#;
    let scene = Scene::with_pylon(state)
        .file("users.toml", "[users]\n\"ben@acme.example\" = { role = \"Member\" }\n\"eve@acme.example\" = { role = \"Admin\" }\n");
    let run = scene.run("apply --auto-approve");
    run.exits(4);
    assert!(
        run.stdout.contains(
            "not attempted: a role would have too few or too many holders, because an earlier change is not confirmed"
        ),
        "{}",
        run.stdout
    );
    assert_eq!(scene.patches(), [r#"/users/u_eve {"role_id":"role_admin"}"#]);
}

#[test]
fn files_without_people_still_check_unmanaged_people_rules_and_the_organization() {
    let scene = pylon(1).file("users.toml", "[guardrails]\nunmanaged = \"block\"\n[users]\n");
    is_refused(&scene, "Blocked by unmanaged: 3 unmanaged\n");
    let rule =
        "emails = \"*@acme.example\"\nroles = [\"Member\"]\nreason = \"a test\"\non_violation = \"block\"";
    let scene = pylon(1).file("users.toml", format!("[[rule]]\n{rule}\n"));
    let run = scene.run("plan");
    assert!(run.exits(3).stdout.contains("Blocked by rule: "), "{}", run.stdout);
    let scene = pylon(1).file("users.toml", "[workspace]\norganization = \"org_other\"\n");
    scene.run("plan").exits(1).names("pylon::other_organization");
    let scene = pylon(1).file("users.toml", "");
    scene.run("plan --format json").exits(0).says(
        "{\n  \"version\": 1,\n  \"command\": \"plan\",\n  \"exit_code\": 0,\n  \"file\": \"users.toml\",\n  \"declared\": 0\n}\n",
    );
}

#[test]
fn the_acknowledgment_in_a_block_message_works() {
    let roles = r#""roles": [ { "id": "r1", "name": "Admin", "slug": "admin" }, { "id": "r2", "name": "Admin", "slug": "admin-old" },
        { "id": "r3", "name": "Member", "slug": "member" } ]"#;
    let state = format!(
        r#"{{ {roles}, "users": [ {{ "email": "ana@acme.example", "role": "r1" }}, {{ "email": "ben@acme.example", "role": "r1" }} ] }}"#
    );
    let users = "[users]\n\"ben@acme.example\" = { role = \"Member\" }\n";
    let scene = Scene::with_pylon(&state).file("users.toml", users);
    let refusal = scene.run("plan");
    refusal.exits(3);
    let lines = refusal.stdout.lines().skip_while(|line| line.trim() != "[[acknowledge]]");
    let printed: String = lines.take(6).map(|line| format!("{}\n", line.trim())).collect();
    // The printed acknowledgment still lacks the reason, which only the user can supply.
    let unfinished = scene.file("users.toml", format!("{printed}{users}"));
    unfinished.run("plan").exits(1).names("roster::bad_value");
    let finished = printed.replace("reason = \"\"", "reason = \"Ben has left\"");
    unfinished.file("users.toml", format!("{finished}{users}")).run("plan").exits(0);
}
