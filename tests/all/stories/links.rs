//! Tests for symbolic links: rolecall follows links passed by the user, but not links in a repository.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use pretty_assertions::assert_eq;

use crate::builders::ChangeWorld;
use crate::harness::Scene;

const PYLON: &str = r#"{ "organization": { "id": "org_1", "name": "Acme" }, "users": [
    { "id": "u_ana", "email": "ana@acme.example", "role": "admin" },
    { "id": "u_bo", "email": "bo@acme.example", "role": "member" } ] }"#;

/// Sets up an untrusted repository in `repository`, next to files that belong to the user.
fn scene() -> Scene {
    Scene::with_pylon(PYLON)
        .file("mine", "mine\n")
        .file("folder/mine", "mine\n")
        .file("repository/users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n")
}

const CONFIG: &str = "-c repository/users.toml";

fn link(scene: &Scene, from: &str, to: &str) {
    let from = scene.folder().join("repository").join(from);
    fs::create_dir_all(from.parent().unwrap()).unwrap();
    let _ = fs::remove_file(&from).or_else(|_| fs::remove_dir_all(&from));
    symlink(scene.folder().join(to), from).unwrap();
}

/// Checks that the user's files are unchanged and that no files were added next to them.
#[track_caller]
fn is_untouched(scene: &Scene) {
    assert_eq!(fs::read_to_string(scene.folder().join("mine")).unwrap(), "mine\n");
    assert_eq!(fs::read_to_string(scene.folder().join("folder/mine")).unwrap(), "mine\n");
    let names = |folder: &Path| {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    assert_eq!(names(&scene.folder().join("folder")), ["mine"]);
    assert_eq!(names(scene.folder()), ["folder", "mine", "repository"]);
}

/// Returns the lock file's name, which an attacker could predict.
fn lock_name(scene: &Scene) -> String {
    scene.run(&format!("apply --auto-approve {CONFIG}")).exits(0);
    let own = scene.folder().join("repository/.rolecall");
    let names = fs::read_dir(&own).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let name = names.into_iter().find(|name| name.starts_with("apply-")).unwrap();
    fs::remove_dir_all(own).unwrap();
    scene.pylon(|world| {
        world.changed_by_someone_else(std::time::Duration::ZERO, "bo@acme.example", Some("Member"), None)
    });
    name
}

#[test]
fn an_apply_does_not_follow_links_of_a_repository() {
    let scene = scene();
    let lock = format!(".rolecall/{}", lock_name(&scene));
    let before = scene.patches().len();
    for name in [".rolecall", ".rolecall/.gitignore", ".rolecall/journal", &lock] {
        for target in ["mine", "folder", "folder/new", "/dev/null"] {
            link(&scene, name, target);
            let run = scene.run(&format!("apply --auto-approve {CONFIG}"));
            run.exits(1).mentions("is a symbolic link").mentions("Check it, then delete it");
            assert!(!run.stderr.contains("writable"), "{}", run.stderr);
            is_untouched(&scene);
            fs::remove_dir_all(scene.folder().join("repository/.rolecall"))
                .or_else(|_| fs::remove_file(scene.folder().join("repository/.rolecall")))
                .unwrap();
        }
    }
    assert_eq!(scene.patches().len(), before);
    // A folder in place of the lock file is also rejected.
    fs::create_dir_all(scene.folder().join("repository").join(&lock)).unwrap();
    scene.run(&format!("apply --auto-approve {CONFIG}")).exits(1).names("apply::no_lock");
    fs::remove_dir_all(scene.folder().join("repository/.rolecall")).unwrap();
    scene.run(&format!("apply --auto-approve {CONFIG}")).exits(0);
    assert_eq!(scene.patches().len(), before + 1);
}

#[test]
fn links_of_an_output_that_lead_nowhere_are_followed_only_so_far() {
    let scene = Scene::offline()
        .file("users.toml", "include = [\"teams/*.toml\"]\n[users]\n\"ana@acme.example\" = {}\n")
        .file("teams/a.toml", "[users]\n");
    for (name, target) in [("loop", "loop/x"), ("one", "two"), ("two", "q")] {
        symlink(target, scene.folder().join(name)).unwrap();
    }
    scene.run("plan --sandbox -o loop").exits(1).mentions("Too many levels of symbolic links");
    scene.run("plan --sandbox -o q --report json=one").exits(64).names("commands::same_file");
    symlink("../out.json", scene.folder().join("teams/plan.toml")).unwrap();
    scene.run("validate --report json=teams/plan.toml").exits(64).names("commands::over_files");
    assert!(!scene.folder().join("out.json").exists());
}

#[test]
fn the_sandbox_does_not_follow_links_of_a_repository() {
    let scene = scene();
    let folder = scene.folder().join("repository/.rolecall");
    for name in [".rolecall", ".rolecall/.gitignore", ".rolecall/sandbox.json", "pylon.json"] {
        for target in ["mine", "folder", "/dev/zero"] {
            link(&scene, name, target);
            for words in ["plan --sandbox", "apply --sandbox --auto-approve"] {
                scene.run(&format!("{words} {CONFIG}")).exits(1);
                is_untouched(&scene);
            }
            let _ = fs::remove_file(scene.folder().join("repository/pylon.json"));
            let _ = fs::remove_file(&folder).or_else(|_| fs::remove_dir_all(&folder));
        }
    }
}

#[test]
fn a_linked_journal_is_not_listed() {
    let scene = scene();
    scene.run(&format!("apply --auto-approve {CONFIG} --journal folder/a.jsonl")).exits(0);
    link(&scene, ".rolecall/journal", "folder");
    let has_none = |words: &str| {
        let run = scene.run(&format!("{words} {CONFIG}"));
        assert!(run.exits(0).stdout.contains("no journals in .rolecall/journal/"), "{}", run.stdout);
        scene.run(&format!("{words} --last {CONFIG}")).exits(64).names("rollback::which_journal");
    };
    has_none("rollback");
    let journal = scene.folder().join("repository/.rolecall/journal");
    fs::remove_file(&journal).unwrap();
    link(&scene, ".rolecall/journal/20261120T080000Z-1.jsonl", "folder/a.jsonl");
    has_none("rollback");
}

#[test]
fn a_link_that_the_user_names_is_followed() {
    let scene = scene();
    for (name, target) in
        [("report", "mine"), ("plan", "new-plan"), ("journal", "new-journal"), ("state", "state.json")]
    {
        symlink(target, scene.folder().join(name)).unwrap();
    }
    scene.run(&format!("plan {CONFIG} -o plan --report markdown=report")).exits(0);
    scene.run(&format!("apply {CONFIG} plan --auto-approve --journal journal")).exits(0);
    for name in ["report", "plan", "journal"] {
        assert!(scene.folder().join(name).is_symlink(), "{name}");
    }
    let read = |name: &str| fs::read_to_string(scene.folder().join(name)).unwrap();
    assert!(read("mine").starts_with("<!-- rolecall:plan -->"), "{}", read("mine"));
    assert!(read("new-plan").contains("u_bo") && read("new-journal").contains("u_bo"));
}

/// Runs a shell command in which `$0` is `rolecall`, and returns its exit code and standard output.
fn shell(scene: &Scene, script: &str) -> (Option<i32>, String) {
    let output = scene.shell(script).output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn a_file_that_the_user_names_may_be_a_pipe() {
    let scene = scene().file("old.toml", "[users]\n\"bo@acme.example\" = { role = \"Member\" }\n");
    let scene = scene.file("twice.toml", "[users]\n\"bo@acme.example\" = {}\n\"bo@acme.example\" = {}\n");
    let (exit, out) =
        shell(&scene, "cat old.toml | \"$0\" compare /dev/stdin repository/users.toml --detailed-exitcode");
    assert_eq!(exit, Some(2), "{out}");
    assert!(out.contains("Member") && out.contains("Viewer"), "{out}");
    // A pipe can be read only once, but the error must still show an excerpt of the file.
    assert_eq!(
        shell(&scene, "cat twice.toml | \"$0\" validate -c /dev/fd/0 2>&1 | grep -c 'declared twice'").1,
        "1\n"
    );
    assert_eq!(
        shell(
            &scene,
            "echo 'include = [\"a.toml\"]' | \"$0\" validate -c /dev/stdin 2>&1 | grep -c 'cannot include'"
        )
        .1,
        "1\n"
    );
    assert_eq!(shell(&scene, "cat old.toml | \"$0\" fmt -c /dev/stdin --check").0, Some(0));
    scene.run(&format!("plan {CONFIG} -o plan.json")).exits(0);
    let (exit, out) =
        shell(&scene, "cat plan.json | \"$0\" apply -c repository/users.toml /dev/stdin --auto-approve");
    assert_eq!(exit, Some(0), "{out}");
    assert_eq!(scene.patches().len(), 1);
    let (exit, _) = shell(
        &scene,
        "cat repository/.rolecall/journal/*.jsonl | \"$0\" rollback -c repository/users.toml /dev/stdin --auto-approve",
    );
    assert_eq!((exit, scene.patches().len()), (Some(0), 2));
    // Included files must be regular files.
    let made = std::process::Command::new("mkfifo")
        .arg(scene.folder().join("repository/pipe.toml"))
        .status()
        .unwrap();
    assert!(made.success());
    let scene = scene.file("repository/users.toml", "include = [\"pipe.toml\"]\n");
    scene.run(&format!("validate {CONFIG}")).exits(1).names("roster::not_a_file");
}

#[test]
fn reports_to_standard_output_are_printed_and_devices_are_kept() {
    let scene = scene();
    let both = |out: &str| {
        (
            out.matches("<!-- rolecall:plan -->").count(),
            out.matches("\nrolecall plan · ").count() + usize::from(out.starts_with("rolecall plan · ")),
        )
    };
    for script in [
        "\"$0\" plan -c repository/users.toml --report markdown=/dev/stdout",
        "\"$0\" plan -c repository/users.toml --report markdown=/dev/fd/1 | cat",
        "\"$0\" plan -c repository/users.toml --report markdown=/dev/stdout > out; cat out",
        "echo before > out; \"$0\" plan -c repository/users.toml --report markdown=out >> out; cat out",
        "ln -s /dev/stdout link; \"$0\" plan -c repository/users.toml --report markdown=link | cat",
    ] {
        let (exit, out) = shell(&scene, script);
        assert_eq!((exit, both(&out)), (Some(0), (1, 1)), "{script}: {out}");
    }
    assert!(fs::symlink_metadata("/dev/stdout").unwrap().is_symlink());
    assert!(fs::symlink_metadata(scene.folder().join("link")).unwrap().is_symlink());
}

#[test]
fn annotations_name_the_file_even_through_links() {
    let broken = "[users]\n\"bo@acme.example\" = { roel = \"Viewer\" }\n";
    let scene = Scene::offline().file("checkout/real/users.toml", broken);
    symlink("checkout", scene.folder().join("link")).unwrap();
    symlink("real", scene.folder().join("checkout/linked")).unwrap();
    let workspace = scene.folder().join("link").to_string_lossy().into_owned();
    let scene = scene.env("GITHUB_WORKSPACE", &workspace);
    for config in
        ["checkout/real/users.toml", "link/linked/users.toml", &format!("{workspace}/real/users.toml")]
    {
        let run = scene.run(&format!("validate --format github -c {config}"));
        run.exits(1);
        assert!(run.stdout.contains("::error file=real/users.toml,line=2,col="), "{config}: {}", run.stdout);
    }
}

#[test]
fn a_suggested_command_uses_the_same_files_and_pylon() {
    let scene = Scene::offline().file(
        "our team/users.toml",
        "[users]\n'ana@acme.example' = { role = 'Admin' }\n'bo@acme.example' = { role = 'Viewer' }\n",
    );
    let run = scene.run_with(&["plan", "--sandbox", "-c", "our team/users.toml", "-o", "a plan"], "");
    run.exits(0);
    for command in [
        "`rolecall sandbox --write-state 'our team/pylon.json' -c 'our team/users.toml'`",
        "`rolecall apply 'a plan' -c 'our team/users.toml' --sandbox`",
    ] {
        assert!(run.stdout.contains(command), "{}", run.stdout);
    }
    // The suggested command works when pasted into a shell.
    assert_eq!(
        shell(&scene, "\"$0\" sandbox --write-state 'our team/pylon.json' -c 'our team/users.toml'").0,
        Some(0)
    );
    assert!(scene.folder().join("our team/pylon.json").exists());
    scene
        .run("validate -c other/users.toml")
        .exits(1)
        .mentions("run `rolecall import -c other/users.toml` to create it");
    scene
        .run("plan -c users.toml --region eu")
        .exits(1)
        .mentions("run `rolecall import --region eu` to create it");
    let (_, out) = shell(&scene, "\"$0\" apply --sandbox -c 'our team/users.toml' </dev/null 2>&1");
    assert!(
        out.contains("`rolecall plan -c 'our team/users.toml' --sandbox`")
            || out.contains("nothing to change"),
        "{out}"
    );
}

#[test]
fn a_report_does_not_overwrite_an_input_file_under_another_name() {
    let scene = scene().file("token", crate::harness::TOKEN);
    let at = |name: &str| scene.folder().join(name);
    let config = fs::read_to_string(at("repository/users.toml")).unwrap();
    scene.run(&format!("plan {CONFIG} -o plan.json")).exits(0);
    for (file, name) in [("repository/users.toml", "users"), ("plan.json", "plan2"), ("token", "token2")] {
        fs::hard_link(at(file), at(name)).unwrap();
    }
    for words in [
        "plan --report markdown=users",
        "plan -o users",
        "apply plan.json --auto-approve --report json=plan2",
        "plan -o plan.json --report json=plan2",
        "plan --report json=plan.json --report text=plan2",
        "plan --token-file token --report text=token2",
    ] {
        scene.run(&format!("{words} {CONFIG}")).exits(64);
    }
    assert_eq!(fs::read_to_string(at("repository/users.toml")).unwrap(), config);
    assert_eq!(fs::read_to_string(at("token")).unwrap(), crate::harness::TOKEN);
}

#[test]
fn a_config_that_links_to_a_device_is_refused_at_once() {
    let scene = Scene::offline();
    for target in ["/dev/stdin", "/dev/zero", "/dev/tty"] {
        let _ = fs::remove_file(scene.folder().join("users.toml"));
        symlink(target, scene.folder().join("users.toml")).unwrap();
        scene.run("validate").exits(1);
    }
}

#[test]
fn many_files_are_formatted_with_few_file_descriptors() {
    let mut scene = Scene::offline().file("users.toml", "include = [\"teams/*.toml\"]\n");
    for number in 0..60 {
        scene =
            scene.file(&format!("teams/{number}.toml"), format!("[users]\n'p{number}@acme.example'={{}}\n"));
    }
    let (exit, out) = shell(&scene, "ulimit -n 40; exec \"$0\" fmt");
    assert_eq!(exit, Some(0), "{out}");
    scene.run("fmt --check").exits(0);
}

#[test]
fn a_report_that_cannot_be_written_never_ends_with_success() {
    let scene = scene();
    for (words, exit) in
        [("plan", 1), ("plan --detailed-exitcode", 1), ("apply --auto-approve", 4), ("validate", 1)]
    {
        let run = scene.run(&format!("{words} {CONFIG} --report text=/dev/full"));
        run.exits(exit).names("commands::not_written");
    }
    scene.run(&format!("plan {CONFIG} --report text=nowhere/report")).exits(1).names("commands::not_written");
}

#[test]
fn a_report_can_replace_a_file_in_a_read_only_folder() {
    use std::os::unix::fs::PermissionsExt;

    let scene = scene();
    let folder = scene.folder().join("folder");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
    scene.run(&format!("plan {CONFIG} --report text=folder/mine")).exits(0);
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(fs::read_to_string(folder.join("mine")).unwrap().contains("bo@acme.example"));
}

#[test]
fn simultaneous_applies_have_separate_journals() {
    // Applies in different containers can have the same process ID. In this test, even the start time is the same, so only the
    // random part of a journal's name is sure to differ.
    let scene = scene();
    for role in ["Viewer", "Member", "Viewer", "Member"] {
        let users = format!("[users]\n\"bo@acme.example\" = {{ role = \"{role}\" }}\n");
        fs::write(scene.folder().join("repository/users.toml"), users).unwrap();
        scene.run(&format!("apply --auto-approve {CONFIG}")).exits(0);
    }
    let journals = fs::read_dir(scene.folder().join("repository/.rolecall/journal")).unwrap();
    let mut random: Vec<String> = journals
        .map(|entry| {
            let name = entry.unwrap().file_name().into_string().unwrap();
            let parts: Vec<&str> = name.trim_end_matches(".jsonl").split('-').collect();
            assert_eq!((parts.len(), parts[0], parts[2].len()), (3, "20261120T080000Z", 8), "{name}");
            parts[2].to_owned()
        })
        .collect();
    random.dedup();
    assert_eq!(random.len(), 4);
}
