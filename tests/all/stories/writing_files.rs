//! Tests for `import` and `fmt`, which create, update, and format files without losing comments.

use std::fmt::Write as _;
use std::fs;
use std::time::Duration;

use pretty_assertions::assert_eq;
use rolecall::sandbox::{ApiOperation, Fault, Faults, SandboxState, World};

use crate::builders::{ChangeWorld, read_state};
use crate::harness::{Scene, formats_of};

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" },
  "roles": [ { "id": "r_admin", "name": "Admin", "slug": "admin" }, { "id": "r_member", "name": "Member", "slug": "member" },
             { "id": "r_l1", "name": "Lead", "slug": "lead-emea" }, { "id": "r_l2", "name": "Lead", "slug": "lead-amer" } ],
  "users": [
    { "id": "u_ana", "email": "ana@acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_ben", "email": "ben@acme.example", "name": "Ben", "role": "admin", "status": "away" },
    { "id": "u_bo", "email": "Bo@acme.example", "name": "Bo", "role": "member" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee", "role": "member" },
    { "id": "u_eve", "email": "eve@acme.example", "name": "Eve", "role": "lead-emea" },
    { "id": "u_two", "email": "two@acme.example", "name": "Two", "role": ["member", "admin"] },
    { "id": "u_old", "email": "old@acme.example", "name": "Old", "role": "admin", "deactivated": true } ] }"#;

fn read(scene: &Scene, name: &str) -> String {
    fs::read_to_string(scene.folder().join(name)).unwrap()
}

#[test]
fn importing_an_existing_organization_gives_an_empty_plan() {
    let scene = Scene::with_pylon(PYLON);
    scene.run("import").exits(0).says(
        "
rolecall import

  ✓ users.toml  written

Not written
  ! two@acme.example  role: several are assigned in Pylon (Admin, Member), and a file can declare only one

6 people declared · 1 not written
The default role is Member (3 people), the most common one apart from the administrators' role. People without a role in the file get it.
",
    );
    assert_eq!(
        read(&scene, "users.toml"),
        r#"# The roles and statuses of your Pylon users. Edit a line, run `rolecall plan` to see what would change, and then run
# `rolecall apply`. Write a role as its name, slug, or ID.

[workspace]
organization = "org_1"

# The role of the people below who have no role of their own.
[defaults]
role = "Member"

[users]
"ana@acme.example" = { role = "Admin" }
"ben@acme.example" = { role = "Admin" }
"Bo@acme.example" = {}
"cy@acme.example" = {}
"dee@acme.example" = {}
"eve@acme.example" = { role = "lead-emea" }
"#
    );
    scene.run("plan --detailed-exitcode").exits(0);
    scene.run("fmt --check").exits(0).says("\nrolecall fmt\n\n1 file already formatted\n");
    assert_eq!(scene.patches(), Vec::<String>::new());
    let again = scene.run("import");
    again.exits(1).names("import::file_exists").mentions("--update");
}

#[test]
fn import_adds_statuses_only_on_request_and_a_preview_writes_nothing() {
    let scene = Scene::with_pylon(PYLON);
    let run = scene.run("import --with-status --diff");
    run.exits(0);
    assert!(
        run.stdout.contains("      +\"ben@acme.example\" = { role = \"Admin\", status = \"away\" }\n"),
        "{}",
        run.stdout
    );
    assert!(!scene.folder().join("users.toml").exists());
    scene.run("import --with-status").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
    scene.run("import --into users.toml").exits(64);
}

#[test]
fn import_names_each_status_that_no_file_can_declare() {
    const LUNCH: &str = r#"{ "users": [
        { "id": "u_ana", "email": "ana@acme.example", "role": "admin", "status": "" },
        { "id": "u_bo", "email": "bo@acme.example", "role": "member", "status": "lunch" } ] }"#;
    let not_written =
        "Not written\n  ! bo@acme.example  status: Pylon shows lunch, which no file can declare\n";
    let new = Scene::with_pylon(LUNCH);
    let run = new.run("import --with-status");
    run.exits(0);
    let result = "\n2 people declared · 1 not written\nThe default role is Member (1 person), the most common one apart from the administrators' role.";
    assert!(run.stdout.contains(&format!("{not_written}{result}")), "{}", run.stdout);
    let existing = Scene::with_pylon(LUNCH).file("users.toml", "[users]\n");
    let run = existing.run("import --update --into users.toml --with-status");
    run.exits(0);
    assert!(run.stdout.ends_with(&format!("{not_written}\n2 added · 1 not written\n")), "{}", run.stdout);
    for scene in [new, existing] {
        let run = scene.run("import --update --diff");
        run.exits(0);
        assert!(!run.stdout.contains("not written"), "the status is not wanted: {}", run.stdout);
    }
}

#[test]
fn a_large_organization_is_imported_completely() {
    let statuses = ["active", "away", "out_of_office", ""];
    let mut users = String::new();
    for number in 0..1500 {
        let role = ["admin", "member", "viewer"][number % 7 % 3];
        let status = statuses[number % 4];
        let _ = write!(
            users,
            "{}{{ \"id\": \"u{number}\", \"email\": \"P.{number}+x@Acme.example\", \"name\": \"P {number}\", \"role\": \"{role}\", \"status\": \"{status}\" }}",
            if number > 0 { "," } else { "" }
        );
    }
    let scene = Scene::with_pylon(&format!("{{ \"users\": [{users}] }}"));
    scene.run("import --with-status").exits(0);
    let run = scene.run("plan --detailed-exitcode");
    run.exits(0);
    assert!(run.stdout.contains("nothing to change · 1500 in sync\n"), "{}", run.stdout);
    scene.run("fmt --check").exits(0);
}

const USERS: &str = r#"# Our people.
include = ["teams/*.toml"]

[defaults]
role = 'Member'   # most of us

[users]
# The founders, both of them.
"ana@acme.example"   =   { role = "Admin" }   # since 2019
"ben@acme.example" = { role = "Admin", status = "active" }

"bo@acme.example" = {}     # new
[users."dee@acme.example"]
role = "Member" # until spring
windows = [ { until = 2026-12-01, role = "Admin" } ] # stands in
"#;

fn drifted() -> Scene {
    let scene = Scene::with_pylon(PYLON).file("users.toml", USERS).file(
        "teams/emea.toml",
        "[users]\n\"cy@acme.example\" = { role = \"Admin\" } # a lead\n\"gone@acme.example\" = {}\n",
    );
    scene
        .pylon(|world| world.changed_by_someone_else(Duration::ZERO, "bo@acme.example", Some("Admin"), None));
    scene
}

#[test]
fn import_update_does_not_make_the_value_of_an_ended_window_permanent() {
    let person = |windows: &str| {
        format!("[users]\n\"bo@acme.example\" = {{ role = \"Member\", windows = [{windows}] }}\n")
    };
    let ended = person("{ until = 2026-11-20, role = \"Admin\" }");
    let scene = Scene::with_pylon(PYLON).file("users.toml", &ended);
    scene
        .pylon(|world| world.changed_by_someone_else(Duration::ZERO, "bo@acme.example", Some("Admin"), None));
    let run = scene.run("import --update");
    run.exits(0);
    let why = "role: a window that ended on 2026-11-20 set it; apply the files to change it back, or delete the window and run the import again to keep it";
    assert!(run.stdout.contains(why), "{}", run.stdout);
    assert_eq!(read(&scene, "users.toml"), ended);
    let scene = scene.file("users.toml", person(""));
    scene.run("import --update").exits(0);
    assert!(read(&scene, "users.toml").contains("role = \"Admin\""));
}

#[test]
fn import_update_writes_drift_into_the_files_and_changes_nothing_else() {
    let scene = drifted();
    let run = scene.run("import --update");
    run.exits(0).says(
        "
rolecall import

  ✓ users.toml       written
  ✓ teams/emea.toml  written

Not written
  ! dee@acme.example  role: a window sets it until 2026-12-01, so the value in Pylon is not written to the files   users.toml:13

3 people updated · 1 not written · 2 unmanaged (--into FILE adds them)
",
    );
    let expected = USERS
        .replace("{ role = \"Admin\", status = \"active\" }", "{ role = \"Admin\", status = \"away\" }")
        .replace(
            "\"bo@acme.example\" = {}     # new",
            "\"bo@acme.example\" = { role = \"Admin\" }     # new",
        );
    assert_eq!(read(&scene, "users.toml"), expected);
    assert_eq!(
        read(&scene, "teams/emea.toml"),
        "[users]\n\"cy@acme.example\" = { role = \"Member\" } # a lead\n\"gone@acme.example\" = {}\n"
    );
    assert_eq!(scene.patches(), Vec::<String>::new());
    let run = scene.run("plan");
    assert!(run.stdout.contains("1 to change (1 role)"), "only the window: {}", run.stdout);
    let again = scene.run("import --update");
    assert!(again.stdout.contains("\nnothing to update · 1 not written"), "{}", again.stdout);
}

#[test]
fn unmanaged_people_are_added_to_the_named_file() {
    let scene = drifted();
    scene.run("import --update --into elsewhere.toml").exits(1).names("import::not_read");
    let run = scene.run("import --update --into teams/emea.toml");
    run.exits(0);
    assert!(run.stdout.contains("3 people updated · 1 added · 2 not written\n"), "{}", run.stdout);
    assert_eq!(
        read(&scene, "teams/emea.toml"),
        "[users]\n\"cy@acme.example\" = { role = \"Member\" } # a lead\n\"eve@acme.example\" = { role = \"lead-emea\" }\n\"gone@acme.example\" = {}\n"
    );
}

#[test]
fn people_can_be_added_only_to_a_file_that_exists_and_is_included() {
    let scene = drifted();
    let run = scene.run("import --update --into teams/new.toml");
    run.exits(1).names("import::not_read").mentions("teams/new.toml does not exist");
    run.mentions("create an empty file whose name matches `include` in the root file");
    assert!(!run.stderr.contains("did you mean"), "another team's file is not a correction: {}", run.stderr);
    let run = scene.run("import --update --into teams/emae.toml");
    run.exits(1).mentions("create an empty file").mentions("or did you mean teams/emea.toml?");
    let scene = scene.file("elsewhere.toml", "");
    let run = scene.run("import --update --into elsewhere.toml");
    run.exits(1).mentions("rolecall does not read elsewhere.toml").mentions("add the file to `include`");
    let scene = scene.file("teams/new.toml", "");
    scene.run("import --update --into teams/new.toml").exits(0);
    assert!(read(&scene, "teams/new.toml").contains("\"eve@acme.example\""));
}

#[test]
fn import_update_counts_only_people_whose_lines_it_can_edit() {
    // Dotted keys inside braces have to be edited by hand.
    let users = "users = { 'ana@acme.example'.role = 'Member', 'bo@acme.example' = { role = 'Admin' } }\n";
    let scene = Scene::with_pylon(PYLON).file("users.toml", users);
    let run = scene.run("import --update --diff");
    run.exits(0);
    assert!(run.stdout.contains("\n1 person would be updated · 1 not written"), "{}", run.stdout);
}

#[test]
fn a_preview_of_an_update_shows_a_diff_and_writes_nothing() {
    let scene = drifted();
    let run = scene.run("import --update --diff");
    run.exits(0);
    assert!(run.stdout.contains("      -\"bo@acme.example\" = {}     # new\n      +\"bo@acme.example\" = { role = \"Admin\" }     # new\n"), "{}", run.stdout);
    assert_eq!(read(&scene, "users.toml"), USERS);
}

#[cfg(unix)]
#[test]
fn an_edited_file_keeps_its_permissions_and_its_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let scene =
        Scene::offline().file("real/team.toml", "[users]\n'b@acme.example' = {}\n'a@acme.example' = {}\n");
    let scene = scene.file("users.toml", "include = [\"real/*.toml\", \"linked.toml\"]\n");
    let real = scene.folder().join("real/team.toml");
    fs::rename(&real, scene.folder().join("real/other")).unwrap();
    fs::write(scene.folder().join("real/x.toml"), "").unwrap();
    symlink(scene.folder().join("real/other"), scene.folder().join("linked.toml")).unwrap();
    fs::set_permissions(scene.folder().join("real/other"), fs::Permissions::from_mode(0o640)).unwrap();
    scene.run("fmt").exits(0);
    let link = scene.folder().join("linked.toml");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(fs::metadata(&link).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(read(&scene, "real/other"), "[users]\n\"a@acme.example\" = {}\n\"b@acme.example\" = {}\n");
}

#[test]
fn fmt_formats_files_and_checks_them() {
    let scene = Scene::offline()
        .file("users.toml", "[users]\n'b@acme.example'={role='Admin'} # lead\n'a@acme.example'={}\n");
    scene
        .run("fmt --check")
        .exits(2)
        .says("\nrolecall fmt\n\n  ! users.toml  would be written\n\n1 of 1 file would be formatted\n");
    let run = scene.run("fmt --diff");
    run.exits(0);
    assert!(
        run.stdout.contains("      +\"b@acme.example\" = { role = \"Admin\" } # lead\n"),
        "{}",
        run.stdout
    );
    scene.run("fmt").exits(0).says("\nrolecall fmt\n\n  ✓ users.toml  written\n\n1 of 1 file formatted\n");
    assert_eq!(
        read(&scene, "users.toml"),
        "[users]\n\"a@acme.example\" = {}\n\"b@acme.example\" = { role = \"Admin\" } # lead\n"
    );
    scene.run("fmt --check").exits(0);
    let broken = scene.file("users.toml", "[users\n");
    broken.run("fmt").exits(1).names("roster::syntax");
    assert_eq!(read(&broken, "users.toml"), "[users\n");
}

#[test]
fn the_diff_of_fmt_hides_every_line_of_a_secret() {
    let team = "password  =   [\n\"hunterpass\",\n]\n[secrets]\nown  = \"hunterpass\"\n[users]\n";
    let run = Scene::offline().file("team.toml", team).run("fmt --diff team.toml");
    run.exits(0).says(
        "
rolecall fmt

  ! team.toml  would be written
      -password  =   (not shown)
      -(not shown)
      -(not shown)
      +password = (not shown)
      +
       [secrets]
      -(not shown)
      +(not shown)
      +
       [users]

1 of 1 file would be formatted
",
    );
}

#[test]
fn sorting_and_adding_keep_headings_above_their_people() {
    let users = "[users]\n# Leads\n\"bo@acme.example\" = {}\n\"ana@acme.example\" = {}\n# Support\n\"eve@acme.example\" = {}\n\"cy@acme.example\" = {}\n";
    let scene = Scene::with_pylon(PYLON).file("users.toml", users);
    scene.run("fmt").exits(0);
    let sorted = "[users]\n# Leads\n\"ana@acme.example\" = {}\n\"bo@acme.example\" = {}\n# Support\n\"cy@acme.example\" = {}\n\"eve@acme.example\" = {}\n";
    assert_eq!(read(&scene, "users.toml"), sorted);
    scene.run("import --update --into users.toml").exits(0);
    let updated = read(&scene, "users.toml");
    let (groups, added) = updated.split_once("\n\n").unwrap();
    let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!((groups.lines().count(), comments(groups), comments(added)), (7, 2, 0), "{updated}");
    assert!(
        added.starts_with("\"ben@acme.example\" = { role = \"Admin\" }\n\"dee@acme.example\""),
        "{updated}"
    );
    scene.run("fmt --check").exits(0);
}

#[cfg(unix)]
#[test]
fn if_one_file_cannot_be_written_none_is_written() {
    let large = format!("# {}\n[users]\n'eve@acme.example'={{role='Admin'}}\n", "z".repeat(4000));
    let scene = drifted().file("teams/large.toml", &large);
    for words in ["fmt", "import --update"] {
        let limited = format!("ulimit -f 2; exec \"$0\" {words}");
        let mut command = scene.shell(&limited);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{words}");
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(complaint.contains("cannot write teams/large.toml: File too large"), "{words}: {complaint}");
        assert_eq!(read(&scene, "users.toml"), USERS, "{words}");
        assert_eq!(read(&scene, "teams/large.toml"), large, "{words}");
    }
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 2, "nothing is left lying about");
}

#[test]
fn import_does_not_overwrite_a_file_created_meanwhile() {
    let slow = Faults::none().on(ApiOperation::GetMe).at(1, Fault::RateLimited);
    let scene = Scene::with_troubled_pylon(PYLON, slow);
    let import = scene.command(&["import"]).spawn().unwrap();
    while scene.arrivals().is_empty() {
        std::thread::yield_now();
    }
    fs::write(scene.folder().join("users.toml"), "# mine\n").unwrap();
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().starts_with("import::file_exists\n"));
    assert_eq!(read(&scene, "users.toml"), "# mine\n");
    assert_eq!(fs::read_dir(scene.folder()).unwrap().count(), 1, "nothing is left lying about");
}

/// An organization with easily confused role names and domains.
const TEAMS: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" },
  "roles": [ { "id": "r_admin", "name": "Admin", "slug": "admin" }, { "id": "r_member", "name": "Member", "slug": "member" },
             { "id": "r_lead", "name": "Support Lead", "slug": "support-lead" } ],
  "users": [
    { "id": "u_ana", "email": "ana@Acme.example", "name": "Ana", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": "member" },
    { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "member", "status": "away" },
    { "id": "u_dee", "email": "dee@acme.example", "name": "Dee", "role": "member" },
    { "id": "u_eve", "email": "eve@m\u00fcller.example", "name": "Eve", "role": "support-lead" },
    { "id": "u_two", "email": "two@acme.example", "name": "Two", "role": ["member", "admin"] },
    { "id": "u_old", "email": "old@acme.example", "name": "Old", "role": "admin", "deactivated": true } ] }"#;

#[test]
fn import_by_role_writes_one_team_file_per_role() {
    let scene = Scene::with_pylon(TEAMS);
    scene.run("import --split-by role").exits(0).says(
        "
rolecall import

  ✓ users.toml               written  settings only
  ✓ teams/admin.toml         written  1 person
  ✓ teams/member.toml        written  3 people
  ✓ teams/support-lead.toml  written  1 person

Not written
  ! two@acme.example  role: several are assigned in Pylon (Admin, Member), and a file can declare only one

5 people declared in 3 team files · 1 not written
People without a role in a team file get the role in its [defaults]. This is never the administrators' role.
The root file sets `allow_unicode_emails = true`, because 1 address has non-ASCII characters. Check that they are correct.
",
    );
    assert_eq!(
        read(&scene, "users.toml"),
        r#"# The roles and statuses of your Pylon users. Edit a line, run `rolecall plan` to see what would change, and then run
# `rolecall apply`. Write a role as its name, slug, or ID.

# The people are in these files, one per role.
include = ["teams/*.toml"]

# Some addresses have non-ASCII letters.
allow_unicode_emails = true

[workspace]
organization = "org_1"
"#
    );
    assert_eq!(
        read(&scene, "teams/admin.toml"),
        r#"# The people with the role Admin.
# There is no default role, so that a person without a role does not become an administrator.

[users]
"ana@Acme.example" = { role = "Admin" }
"#
    );
    assert_eq!(
        read(&scene, "teams/support-lead.toml"),
        r#"# The people with the role Support Lead.

# The role of the people below who have no role of their own.
[defaults]
role = "Support Lead"

[users]
"eve@müller.example" = {}
"#
    );
    scene.run("plan --detailed-exitcode").exits(0);
    scene.run("validate --deny warnings").exits(0);
    scene.run("fmt --check").exits(0);
    scene.run("import --split-by role").exits(1).names("import::file_exists").mentions(
        "4 files already exist: users.toml, teams/admin.toml, teams/member.toml, teams/support-lead.toml",
    );
}

#[test]
fn import_by_domain_writes_one_team_file_per_domain() {
    let scene = Scene::with_pylon(TEAMS);
    let run = scene.run("-c people/users.toml import --split-by domain --with-status --format json");
    run.exits(1).mentions("cannot write people/teams");
    fs::create_dir(scene.folder().join("people")).unwrap();
    let run = scene.run("-c people/users.toml import --split-by domain --with-status --format json");
    run.exits(0);
    let report: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let file = |name: &str, people: u64| serde_json::json!({ "file": format!("people/{name}"), "state": "written", "people": people, "diff": "" });
    assert_eq!(
        report["files"],
        serde_json::json!([
            file("users.toml", 0),
            file("teams/acme.example.toml", 4),
            file("teams/xn--mller-kva.example.toml", 1)
        ])
    );
    assert_eq!(
        read(&scene, "people/teams/acme.example.toml"),
        r#"# The people with an address at acme.example.

# The role of the people below who have no role of their own.
[defaults]
role = "Member"

[users]
"ana@Acme.example" = { role = "Admin", status = "active" }
"bo@acme.example" = { status = "active" }
"cy@acme.example" = { status = "away" }
"dee@acme.example" = { status = "active" }
"#
    );
    // For a single person, a `[defaults]` section would just make the file longer.
    assert_eq!(
        read(&scene, "people/teams/xn--mller-kva.example.toml"),
        "# The people with an address at müller.example.\n\n[users]\n\"eve@müller.example\" = { role = \"Support Lead\", status = \"active\" }\n"
    );
    scene.run("-c people/users.toml plan --detailed-exitcode").exits(0);
    scene.run("-c people/users.toml fmt --check").exits(0);
}

#[test]
fn a_split_import_writes_nothing_if_a_file_would_be_included_or_overwritten() {
    let names = |scene: &Scene| {
        let names = fs::read_dir(scene.folder()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect::<Vec<_>>()
    };
    let scene = Scene::with_pylon(TEAMS).file("teams/OLD.TOML", "[users]\n").file("teams/.#x.toml", "");
    let run = scene.run("import --split-by role");
    run.exits(1).names("import::file_exists").mentions("teams/OLD.TOML already exists");
    run.mentions("nothing was written; move it away, because the new root file would include it");
    assert_eq!(names(&scene), ["teams"]);
    let scene = Scene::with_pylon(TEAMS).file("teams", "");
    let run = scene.run("import --split-by domain");
    run.exits(1).names("import::file_exists").mentions("teams already exists, and is not a folder");
    assert_eq!(names(&scene), ["teams"]);
    let scene = Scene::with_pylon(TEAMS);
    let run = scene.run("import --split-by role --diff");
    run.exits(0);
    for line in [
        "  ! teams/admin.toml         would be written  1 person\n",
        "5 people would be declared in 3 team files",
    ] {
        assert!(run.stdout.contains(line), "{}", run.stdout);
    }
    assert!(run.stdout.contains("      +\"ana@Acme.example\" = { role = \"Admin\" }\n"), "{}", run.stdout);
    assert_eq!(names(&scene), <[&str; 0]>::default());
    for words in ["--update", "--update --into users.toml", "--state pylon.json"] {
        let run = scene.run(&format!("import --split-by role {words}"));
        run.exits(64).mentions("'--split-by <KEY>' cannot be used with '--");
    }
    assert_eq!(names(&scene), <[&str; 0]>::default());
    // This user's two roles can't be imported because a person can have only one role in a file.
    let empty =
        Scene::with_pylon(r#"{ "users": [ { "email": "two@acme.example", "role": ["member", "admin"] } ] }"#);
    empty.run("import --split-by role").exits(0);
    assert_eq!(names(&empty), ["users.toml"]);
    empty.run("validate --deny warnings").exits(0);
}

#[test]
fn a_split_import_that_fails_midway_names_its_files_and_leaves_no_root_file() {
    let slow = Faults::none().on(ApiOperation::GetMe).at(1, Fault::RateLimited);
    let scene = Scene::with_troubled_pylon(TEAMS, slow);
    let import = scene.command(&["import", "--split-by", "role"]).spawn().unwrap();
    while scene.arrivals().is_empty() {
        std::thread::yield_now();
    }
    fs::create_dir(scene.folder().join("teams")).unwrap();
    fs::write(scene.folder().join("teams/member.toml"), "# mine\n").unwrap();
    let output = import.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(4));
    let complaint = String::from_utf8(output.stderr).unwrap();
    for part in [
        "import::file_exists\n",
        "teams/member.toml already exists",
        "these files were written: teams/admin.toml; delete them, then run the command again",
    ] {
        assert!(complaint.contains(part), "{complaint}");
    }
    assert_eq!(read(&scene, "teams/member.toml"), "# mine\n");
    assert!(!scene.folder().join("users.toml").exists());
    assert_eq!(fs::read_dir(scene.folder().join("teams")).unwrap().count(), 2, "nothing is left lying about");
}

#[test]
fn a_preview_does_not_print_a_secret_in_a_comment() {
    let scene =
        Scene::offline().file("users.toml", "# the token is tok-S3CRET\n[users]\n'b@acme.example'={}\n");
    for format in formats_of("fmt") {
        let run = scene.run(&format!("fmt --diff --format {}", format.as_str()));
        assert!(!run.stdout.contains("S3CRET"), "{}", run.stdout);
    }
}

#[test]
fn import_reports_that_it_allows_non_ascii_addresses() {
    let scene = Scene::with_pylon(
        "{ \"users\": [ { \"email\": \"zo\\u00eb@acme.example\", \"role\": \"member\" }, { \"email\": \"bo@acme.example\", \"role\": \"member\" } ] }",
    );
    scene.run("import").exits(0).says(
        "
rolecall import

  ✓ users.toml  written

2 people declared
The default role is Member (2 people), the most common one apart from the administrators' role. People without a role in the file get it.
The file sets `allow_unicode_emails = true`, because 1 address has non-ASCII characters. Check that they are correct.
",
    );
    assert!(
        read(&scene, "users.toml")
            .contains("# Some addresses below have non-ASCII letters.\nallow_unicode_emails = true\n")
    );
    scene.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn import_skips_values_that_files_may_not_contain() {
    let odd = r#"{ "roles": [ { "id": "r_admin", "name": "Admin", "slug": "admin" }, { "id": "r_blank", "name": "  ", "slug": "nameless" } ],
      "users": [ { "id": "u_1", "email": "j\u00fcrgen@acme.example", "name": "J", "role": "admin" },
                 { "id": "u_3", "email": "ok@acme.example", "name": "O", "role": "nameless" } ] }"#;
    let scene = Scene::with_pylon(odd).file("users.toml", "[users]\n");
    let run = scene.run("import --update --into users.toml");
    run.exits(0);
    assert!(run.stdout.contains("1 added · 1 not written"), "{}", run.stdout);
    assert_eq!(read(&scene, "users.toml"), "[users]\n\"ok@acme.example\" = { role = \"nameless\" }\n");
    scene.run("validate").exits(0);
    let fresh = Scene::with_pylon(odd);
    fresh.run("import").exits(0);
    fresh.run("plan --detailed-exitcode").exits(0);
}

#[test]
fn import_does_not_declare_two_addresses_that_look_alike() {
    // The address of the first user by ID starts with a Cyrillic letter.
    let pylon =
        "{ \"users\": [ { \"id\": \"u_1\", \"email\": \"\u{430}na@acme.example\", \"role\": \"member\" },
        { \"id\": \"u_2\", \"email\": \"ana@acme.example\", \"role\": \"admin\" } ] }";
    let not_written = "
Not written
  ! \u{430}na@acme.example  person: the address looks like ana@acme.example, and the files can declare only one of them
";
    let allowed = "allow_unicode_emails = true\n";
    for (before, words, added) in [
        ("", "import", "1 person declared · 1 not written\n"),
        ("[users]\n", "import --update --into users.toml", "1 added · 1 not written\n"),
        (
            "[users]\n'ana@acme.example' = { role = 'Admin' }\n",
            "import --update --into users.toml",
            "nothing to update · 1 not written\n",
        ),
        (
            "[guardrails]\nprotected = [\"ana@acme.example\"]\n",
            "import --update --into users.toml",
            "1 added · 1 not written\n",
        ),
    ] {
        let mut scene = Scene::with_pylon(pylon);
        if !before.is_empty() {
            scene = scene.file("users.toml", format!("{allowed}{before}"));
        }
        let run = scene.run(words);
        run.exits(0);
        assert!(run.stdout.contains(&format!("{not_written}\n{added}")), "{before}: {}", run.stdout);
        scene.run("plan --detailed-exitcode").exits(0);
    }
}

#[test]
fn a_made_up_organization_is_marked_and_can_be_saved_and_edited() {
    let scene = Scene::offline().file(
        "users.toml",
        "[users]\n'ana@acme.example' = { role = 'Admin' }\n'bo@acme.example' = { role = 'Viewer' }\n",
    );
    let note = "The sandbox generated this organization. To use your own, edit the file written by `rolecall sandbox --write-state pylon.json`.";
    for words in ["plan --sandbox", "plan --sandbox", "apply --sandbox --auto-approve"] {
        let run = scene.run(words);
        run.exits(0);
        assert_eq!(run.stdout.lines().nth(1), Some(note), "{words}: {}", run.stdout);
    }
    assert!(scene.run("plan --sandbox --format markdown").stdout.contains(&format!("\n\n{note}\n\n")));
    assert!(
        scene.run("plan --sandbox --format html").stdout.contains("The sandbox generated this organization.")
    );
    assert!(scene.run("plan --sandbox --format json").stdout.contains("\"made_up\": true"));
    let typo = "[users]\n'ana@acme.example' = { role = 'Admn' }\n";
    let run = Scene::offline().file("users.toml", typo).run("plan --sandbox");
    run.exits(1).names("plan::unknown_role");
    run.mentions("did you mean `Admin`? The roles are: Admin, Member, Viewer. To use your own roles in the sandbox, describe your organization in pylon.json.");
    scene
        .run("sandbox --write-state pylon.json")
        .exits(0)
        .says("\nrolecall sandbox\n\n  ✓ pylon.json  written\n\n2 people · 3 roles\n");
    scene.run("sandbox --write-state pylon.json").exits(1).names("sandbox::file_exists");
    let described = read(&scene, "pylon.json").replace("\"Viewer\"", "\"Escalations\"");
    let scene = scene.file("pylon.json", described).file(
        "users.toml",
        "[users]\n'ana@acme.example' = { role = 'Admin' }\n'bo@acme.example' = { role = 'Escalations' }\n",
    );
    let run = scene.run("plan --sandbox --detailed-exitcode");
    run.exits(0);
    assert!(!run.stdout.contains("made up"), "{}", run.stdout);
}

#[test]
fn a_sandbox_state_is_written_for_the_config_folder_or_the_flags() {
    let scene = Scene::offline().file("team/pylon.json", PYLON).file("team/users.toml", "");
    scene.run("sandbox --config team/users.toml --write-state copy.json").exits(0);
    let users = |name: &str| read_state(&read(&scene, name)).unwrap();
    assert_eq!(users("copy.json"), users("team/pylon.json"));
    scene.run("sandbox --people 3 --write-state three.json").exits(0);
    assert_eq!(users("three.json").users.len(), 3);
    scene.run("sandbox --state team/pylon.json --write-state again.json").exits(0);
    assert_eq!(users("again.json"), users("copy.json"));
    scene.run("sandbox --write-state users.toml").exits(64).names("commands::over_files");
    scene.run("sandbox --state three.json --write-state three.json").exits(64).names("commands::same_file");
}

#[test]
fn the_real_organization_can_be_written_as_a_sandbox_state() {
    let pylon = r#"{
        "organization": { "id": "org_4f1c", "name": "Acme Support" }, "token_user": "u_ana",
        "roles": [ { "id": "r1", "name": "Admin", "slug": "admin" }, { "id": "r2", "name": "Lead", "slug": "lead" } ],
        "users": [
            { "id": "u_ana", "email": "ana@acme.example", "emails": ["ana@old.example"], "name": "Ana", "role": "admin" },
            { "id": "u_bo", "email": "bo@acme.example", "name": "Bo", "role": ["admin", "lead"], "status": "away" },
            { "id": "u_cy", "email": "cy@acme.example", "name": "Cy", "role": "lead", "scim_roles": ["admin"], "deactivated": true },
            { "id": "u_hook", "name": "Fivetran", "kind": "integration" }
        ] }"#;
    let files = "[workspace]\norganization = \"org_4f1c\"\n[users]\n";
    let scene = Scene::with_pylon(pylon).file("users.toml", files);
    scene
        .run("import --state pylon.json")
        .exits(0)
        .says("\nrolecall import\n\n  ✓ pylon.json  written\n\n3 people · 2 roles · 1 integration user\n");
    assert_eq!(read(&scene, "users.toml"), files, "users.toml is not touched");
    let sorted = |state: SandboxState| {
        let world = World::new(state, crate::harness::NOW.parse().unwrap()).unwrap();
        let mut people: Vec<String> = world.users().map(|person| format!("{person:?}")).collect();
        people.sort();
        (world.to_state().organization, people)
    };
    let written = SandboxState::parse(&read(&scene, "pylon.json")).unwrap();
    assert_eq!(sorted(written), sorted(SandboxState::parse(pylon).unwrap()));
    scene.run("import --state pylon.json").exits(1).names("sandbox::file_exists");
    let pinned = scene.file("users.toml", files.replace("4f1c", "other"));
    pinned.run("import --state other.json").exits(1);
    assert!(!pinned.folder().join("other.json").exists());
}

#[test]
fn an_empty_folder_can_start_with_the_sandbox() {
    let scene = Scene::offline();
    scene
        .run("import --sandbox")
        .exits(0)
        .says("\nrolecall import\n\n  ✓ users.toml  written\n\n12 people declared\nThe default role is Member (9 people), the most common one apart from the administrators' role. People without a role in the file get it.\n");
    let plan = scene.run("plan --sandbox --detailed-exitcode");
    assert!(
        plan.exits(0)
            .stdout
            .contains("\nThe sandbox generated this organization. To use your own, edit the file written by"),
        "{}",
        plan.stdout
    );
}

#[test]
fn the_default_role_is_never_admin_and_ties_go_to_less_access() {
    let default = |roles: &[&str]| {
        let person = |(number, role): (usize, &&str)| {
            format!(r#"{{ "email": "p{number}@acme.example", "role": "{role}" }}"#)
        };
        let people: Vec<String> = roles.iter().enumerate().map(person).collect();
        let scene = Scene::with_pylon(&format!(r#"{{ "users": [ {} ] }}"#, people.join(",")));
        scene.run("import").exits(0);
        let written = read(&scene, "users.toml");
        written.lines().find_map(|line| line.strip_prefix("role = ")).map(str::to_owned)
    };
    assert_eq!(default(&["admin", "admin", "member"]).as_deref(), Some("\"Member\""));
    assert_eq!(default(&["admin", "member", "viewer"]).as_deref(), Some("\"Viewer\""));
    assert_eq!(default(&["admin", "member", "member", "viewer"]).as_deref(), Some("\"Member\""));
    assert_eq!(default(&["admin", "admin"]), None);
}

#[test]
fn only_the_named_files_are_formatted_and_standard_input_goes_to_standard_output() {
    let untidy = "[users]\n'b@acme.example'={}\n'a@acme.example'={}\n";
    let tidy = "[users]\n\"a@acme.example\" = {}\n\"b@acme.example\" = {}\n";
    let scene = Scene::offline()
        .file("users.toml", "include = [\"teams/*.toml\"]\n")
        .file("teams/a.toml", untidy)
        .file("teams/b.toml", "[users]\n'c@acme.example'={}\n");
    scene
        .run("fmt teams/a.toml teams/a.toml")
        .exits(0)
        .says("\nrolecall fmt\n\n  ✓ teams/a.toml  written\n\n1 of 1 file formatted\n");
    assert_eq!(read(&scene, "teams/a.toml"), tidy);
    scene.run("fmt --check").exits(2);
    scene.run_with(&["fmt", "-"], untidy).exits(0).says(tidy);
    scene.run_with(&["fmt", "-", "--check"], untidy).exits(2);
    let broken = scene.run_with(&["fmt", "-"], "[users\n");
    broken.exits(1).names("roster::syntax");
    assert_eq!(broken.stdout, "");
}

#[test]
fn a_team_file_can_be_formatted_without_its_root_file() {
    let scene = Scene::offline()
        .file("users.toml", "allow_unicode_emails = true\ninclude = [\"teams/*.toml\"]\n")
        .file("teams/a.toml", "[users]\n'zo\u{eb}@acme.example'={}\n");
    scene.run("validate").exits(0);
    scene.run("fmt teams/a.toml").exits(0);
    assert_eq!(read(&scene, "teams/a.toml"), "[users]\n\"zo\u{eb}@acme.example\" = {}\n");
    let run = scene.run_with(&["fmt", "-", "users.toml"], "[users]\n'a@acme.example'={}\n");
    run.exits(1).mentions("`rolecall fmt -` writes to standard output");
    scene.run("validate users.toml ./users.toml").says("2 files, 1 person declared: valid\n");
}

/// Standard input can be read only once, so a second input from it would be empty.
#[test]
fn only_one_input_may_be_standard_input() {
    let scene = Scene::with_pylon(PYLON).file("users.toml", "[users]\n");
    for words in [
        "plan -c - --token-file -",
        "plan -c /dev/stdin --token-file -",
        "apply - --token-file -",
        "apply - -c -",
        "rollback /dev/stdin --token-file /dev/fd/0",
        "access --since - --token-file -",
        "compare /dev/stdin -",
        "compare - -c -",
        "validate - /dev/stdin",
    ] {
        let run = scene.run_with(&words.split(' ').collect::<Vec<_>>(), "x");
        run.exits(64)
            .names("commands::same_file")
            .mentions("only one of the files that this run reads can be standard input");
    }
    scene.run_with(&["validate", "-", "-c", "-"], "[users]\n").exits(0);
}

#[test]
fn option_yes_is_the_same_as_auto_approve() {
    for flag in ["-y", "--yes", "--auto-approve"] {
        let scene = Scene::with_pylon(PYLON)
            .file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Admin\" }\n");
        scene.run(&format!("apply {flag}")).exits(0);
        assert_eq!(scene.patches().len(), 1, "{flag}");
    }
}
