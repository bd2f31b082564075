//! Tests for `apply` as a process: the journal, the lock, signals, and being killed at any request.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command};

use jiff::Timestamp;
use pretty_assertions::assert_eq;
use rolecall::apply::journal::{JournalLine, read};
use rolecall::commands::lock::Lock;
use rolecall::own_folder::OwnFolder;
use rolecall::sandbox::{ApiOperation, Fault, Faults};

use crate::builders::ChangeWorld as _;
use crate::harness::{NOW, Scene, soak};

const CHANGES: usize = 50;

fn pylon() -> String {
    let people = (0..CHANGES).map(|number| {
        format!(r#", {{ "id": "u_{number:02}", "email": "p{number:02}@acme.example", "role": "member" }}"#)
    });
    let admins =
        r#"{ "email": "x@acme.example", "role": "admin" }, { "email": "y@acme.example", "role": "admin" }"#;
    format!(
        r#"{{ "organization": {{ "id": "org_1", "name": "Acme" }}, "users": [{admins}{}] }}"#,
        people.collect::<String>()
    )
}

fn users() -> String {
    let people =
        (0..CHANGES).map(|number| format!("\"p{number:02}@acme.example\" = {{ role = \"Viewer\" }}\n"));
    format!("[guardrails]\nmax_changes = 50\n[users]\n{}", people.collect::<String>())
}

fn scene(faults: Faults) -> Scene {
    Scene::with_troubled_pylon(&pylon(), faults).file("users.toml", users())
}

fn journals(scene: &Scene) -> Vec<PathBuf> {
    let folder = fs::read_dir(scene.folder().join(".rolecall/journal"));
    folder.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_journal_has_an_intent_before_each_answer_and_an_outcome_per_write() {
    let scene = scene(Faults::none().on(ApiOperation::UpdateUser).at(3, Fault::CutAfter));
    scene.run("apply --auto-approve").exits(0);
    let [path] = journals(&scene).try_into().expect("one journal");
    let (lines, damaged) = read(&fs::read_to_string(&path).unwrap());
    assert_eq!(damaged, 0);
    assert!(
        matches!(&lines[0], JournalLine::Begin { organization, changes: CHANGES, .. } if organization == "org_1")
    );
    assert!(matches!(lines.last(), Some(JournalLine::End { stopped: false, .. })));
    let (mut sent, mut answered, mut outcomes) = (Vec::new(), Vec::new(), 0);
    for line in &lines {
        match line {
            JournalLine::Intent { number, .. } => sent.push(*number),
            JournalLine::Answer { number, .. } => {
                assert!(sent.contains(number), "an answer without its intent");
                answered.push(*number);
            }
            JournalLine::Outcome { outcome, .. } => {
                assert_eq!(outcome, "applied");
                outcomes += 1;
            }
            JournalLine::Begin { .. } | JournalLine::End { .. } => {}
        }
    }
    assert_eq!((sent.len(), answered.len(), outcomes), (CHANGES, CHANGES, CHANGES));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn without_a_journal_nothing_is_sent() {
    let scene = scene(Faults::none());
    let mut places = vec!["nowhere/journal", "."];
    if cfg!(target_os = "linux") {
        places.push("/dev/full");
    }
    for place in places {
        scene.run(&format!("apply --auto-approve --journal {place}")).exits(1).names("apply::no_journal");
    }
    assert_eq!(scene.patches(), Vec::<String>::new());
    scene.run("apply --auto-approve --journal here.jsonl").exits(0);
    assert!(scene.folder().join("here.jsonl").exists());
}

#[test]
fn a_second_apply_of_the_organization_refuses_and_names_the_first() {
    let scene = scene(Faults::none());
    let now: Timestamp = NOW.parse().unwrap();
    let folder = |name: &str| scene.folder().join(name);
    let (config, login, home) = (folder(".rolecall"), folder("run/rolecall"), folder("home/.cache/rolecall"));
    // Applies in a login session and in a cron job keep their locks in different folders. The second apply to start must find the
    // lock of the first.
    for (held, has_login) in
        [(&config, false), (&config, true), (&home, false), (&home, true), (&login, true)]
    {
        let take = || {
            let folder = OwnFolder::open_or_create_at(held).unwrap();
            Lock::take(vec![Ok(folder)], &scene.host(), "org_1", now).ok()
        };
        // Retry, because a process that another test is starting can briefly inherit the lock file of the previous iteration. A
        // released lock stays taken until that process closes the file.
        let lock = std::iter::repeat_with(take).flatten().next().unwrap();
        let mut command = scene.command(&["apply", "--auto-approve"]);
        command.env("HOME", folder("home")).envs(has_login.then(|| ("XDG_RUNTIME_DIR", folder("run"))));
        let output = command.output().unwrap();
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{held:?}: {complaint}");
        assert!(complaint.starts_with("apply::locked\n"), "{held:?}: {complaint}");
        let words: Vec<&str> = complaint.split_whitespace().filter(|word| *word != "│").collect();
        let one_line = words.join(" ");
        assert!(
            one_line.contains("running on this machine, or is waiting for confirmation"),
            "{held:?}: {complaint}"
        );
        let holder = format!("(process {}, since", std::process::id());
        assert!(one_line.contains(&holder), "{held:?}: {complaint}");
        drop(lock);
    }
    assert_eq!(scene.patches(), Vec::<String>::new());
    // Here, the two lock folders are the same folder, spelled differently. An apply must not be blocked by its own lock.
    let cache = folder("home/.cache").to_string_lossy().into_owned();
    let scene = scene.env("XDG_RUNTIME_DIR", &cache).env("XDG_CACHE_HOME", &format!("{cache}/."));
    scene.run("apply --auto-approve").exits(0);
}

#[test]
fn an_apply_reads_again_if_another_one_may_have_run_since_it_began() {
    let state = r#"{ "users": [ { "email": "x@acme.example", "role": "admin" }, { "email": "bo@acme.example", "role": "member" } ] }"#;
    let scene =
        Scene::with_pylon(state).file("users.toml", "[users]\n\"bo@acme.example\" = { role = \"Viewer\" }\n");
    scene.run("apply --auto-approve").exits(0);
    let own = fs::read_dir(scene.folder().join(".rolecall")).unwrap().map(|entry| entry.unwrap().path());
    let lock = own.into_iter().find(|path| path.extension().is_some_and(|end| end == "lock")).unwrap();
    let released = fs::read_to_string(&lock).unwrap();
    // Even on a busy machine, a run takes less than an hour. A lock file modified an hour ago is therefore older than the run,
    // and one modified an hour from now is newer.
    let hour = std::time::Duration::from_secs(3600);
    let now = std::time::SystemTime::now();
    let killed = "process 1, since 2026-11-20T07:59:00Z\n";
    for (content, written, reads) in
        [(killed, now - hour, 2), (&released, now - hour, 1), (&released, now + hour, 2), ("", now, 1)]
    {
        scene.pylon(|world| {
            world.changed_by_someone_else(std::time::Duration::ZERO, "bo@acme.example", Some("Member"), None);
        });
        fs::write(&lock, content).unwrap();
        fs::File::options().write(true).open(&lock).unwrap().set_modified(written).unwrap();
        let asked = || scene.asked().iter().filter(|asked| *asked == "GET /me").count();
        let before = asked();
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(asked() - before, reads, "{content:?}, {written:?}");
    }
    // The second read of Pylon must reuse the files from standard input, because standard input can be read only once.
    scene.pylon(|world| {
        world.changed_by_someone_else(std::time::Duration::ZERO, "bo@acme.example", Some("Member"), None);
    });
    fs::write(&lock, "process 1, since 2026-11-20T07:59:00Z\n").unwrap();
    let users = fs::read_to_string(scene.folder().join("users.toml")).unwrap();
    let run = scene.run_with(&["apply", "--auto-approve", "-c", "-"], &users);
    assert!(run.exits(0).stdout.contains("1 applied"), "{}", run.stdout);
}

/// Busy-waits until Pylon has received this many requests or the process has exited.
fn wait_for_requests(scene: &Scene, child: &mut Child, requests: usize) {
    while scene.arrivals().len() < requests && child.try_wait().unwrap().is_none() {
        std::thread::yield_now();
    }
}

/// Returns a command that signals can stop even if the tests run under `nohup` or as a background job, where some signals are
/// ignored.
#[cfg(unix)]
fn stoppable(scene: &Scene, arguments: &[&str]) -> Command {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored =
        status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    // Signals 1, 2, and 15: HUP, INT, and TERM.
    if ignored.is_none_or(|mask| mask & 0x4003 == 0) {
        return scene.command(arguments);
    }
    let mut reset = scene.prepared("env");
    reset.args(["--default-signal=HUP,INT,TERM", env!("CARGO_BIN_EXE_rolecall")]).args(arguments);
    reset
}

#[cfg(unix)]
fn signal(child: &Child, name: &str) {
    let sent = std::process::Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", child.id())])
        .status()
        .unwrap();
    assert!(sent.success());
}

/// Returns the distance between the kill points to test, in requests. With `ROLECALL_SOAK`, we kill a run at every request.
fn step() -> usize {
    if soak() { 1 } else { 11 }
}

#[cfg(unix)]
#[test]
fn an_apply_killed_at_any_request_is_completed_by_the_next_run() {
    for (name, code) in [("KILL", None), ("INT", Some(130)), ("TERM", Some(143))] {
        for requests in (1..=CHANGES + 5).step_by(step()) {
            let scene = scene(Faults::none());
            let mut child = stoppable(&scene, &["apply", "--auto-approve"]).spawn().unwrap();
            wait_for_requests(&scene, &mut child, requests);
            if child.try_wait().unwrap().is_none() {
                signal(&child, name);
            }
            let ended = child.wait_with_output().unwrap();
            // If the signal arrives while rolecall is still reading Pylon, rolecall is terminated without an exit code. If the
            // run ends before the signal arrives, the exit code is 0.
            let codes = [code, None, Some(0)];
            assert!(codes.contains(&ended.status.code()), "{name} at request {requests}: {:?}", ended.status);
            scene.run("apply --auto-approve").exits(0);
            assert_eq!(scene.pylon(|world| world.holders("viewer")), CHANGES, "{name} at request {requests}");
            scene.run("plan --detailed-exitcode").exits(0);
            for path in journals(&scene) {
                let (_, damaged) = read(&fs::read_to_string(path).unwrap());
                assert!(damaged <= 1, "at most the last line is half");
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_signal_lets_requests_finish_and_reports_what_was_not_attempted() {
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        let scene = scene(Faults::none());
        // The rate limit allows ten writes at once. The eleventh would have to wait a minute.
        let mut child =
            stoppable(&scene, &["apply", "--auto-approve", "--rate", "patch=10"]).spawn().unwrap();
        wait_for_requests(&scene, &mut child, 14);
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        let report = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{report}");
        assert!(report.contains("10 applied · 40 not attempted"), "{report}");
        assert!(report.contains(&format!("stopped by SIG{name}")), "{report}");
        scene.run("apply --auto-approve").exits(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn signals_that_were_ignored_at_the_start_stay_ignored() {
    let scene = scene(Faults::none());
    let mut child = scene.shell("trap '' HUP INT TERM; exec \"$0\" apply --auto-approve").spawn().unwrap();
    wait_for_requests(&scene, &mut child, 6);
    for name in ["HUP", "INT", "TERM"] {
        signal(&child, name);
    }
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
}

#[cfg(unix)]
#[test]
fn a_second_signal_ends_the_apply_at_once_and_reports_unknown_outcomes() {
    let scene = scene(Faults::none().on(ApiOperation::UpdateUser).at(1, Fault::StallApplied));
    let mut child = stoppable(&scene, &["apply", "--auto-approve", "--parallelism", "1"]).spawn().unwrap();
    wait_for_requests(&scene, &mut child, 5);
    signal(&child, "INT");
    // After the first signal, the run would wait half a minute for the response to the write in flight.
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    let report = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(130), "{report}");
    assert!(report.contains("1 unknown · 49 not attempted"), "{report}");
}

/// Returns a full pipe that's never read. The next write to it blocks forever.
#[cfg(target_os = "linux")]
fn full_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    use std::io::Write;
    const CAPACITY: usize = 64 * 1024; // the default capacity of a pipe (`man 7 pipe`)
    let (reader, mut writer) = std::io::pipe().unwrap();
    writer.write_all(&vec![b' '; CAPACITY]).unwrap();
    (reader, writer)
}

/// Waits up to 20 seconds for the process to exit, and returns its exit code. Panics if the process takes longer.
#[cfg(target_os = "linux")]
#[track_caller]
fn wait_for_end(child: &mut Child, of: &str) -> Option<i32> {
    let began = std::time::Instant::now();
    while began.elapsed() < std::time::Duration::from_secs(20) {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    child.kill().unwrap();
    panic!("{of} does not end");
}

#[cfg(target_os = "linux")]
fn wait_for_journal_end(scene: &Scene) {
    let is_over =
        || journals(scene).iter().any(|path| fs::read_to_string(path).unwrap().contains(r#"{"line":"end""#));
    while !is_over() {
        std::thread::yield_now();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_after_the_apply_ends_the_wait_for_a_stuck_reader() {
    for (name, code) in [("HUP", 129), ("INT", 130), ("TERM", 143)] {
        for rest in [&[][..], &["--report", "json=/dev/stderr"]] {
            let scene = scene(Faults::none());
            let (_unread, full) = full_pipe();
            let mut command = stoppable(&scene, &[&["apply", "--auto-approve"], rest].concat());
            let mut child = match rest {
                [] => command.stdout(full),
                _ => command.stderr(full),
            }
            .spawn()
            .unwrap();
            wait_for_journal_end(&scene);
            signal(&child, name);
            assert_eq!(wait_for_end(&mut child, name), Some(code), "{name} {rest:?}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn one_signal_ends_a_run_whose_report_is_not_read() {
    let scene = scene(Faults::none());
    let (_unread, full) = full_pipe();
    let mut command = stoppable(&scene, &["apply", "--auto-approve", "--rate", "patch=10"]);
    let mut child = command.stdout(full).spawn().unwrap();
    wait_for_requests(&scene, &mut child, 14);
    signal(&child, "TERM");
    assert_eq!(wait_for_end(&mut child, "the apply"), Some(143));
    assert_eq!(scene.patches().len(), 10);
}

#[cfg(target_os = "linux")]
#[test]
fn an_apply_whose_progress_is_not_read_sends_its_changes_and_ends_with_one_signal() {
    let scene = scene(Faults::none());
    let (_unread, full) = full_pipe();
    let mut command = stoppable(&scene, &["apply", "--auto-approve", "--rate", "patch=10"]);
    let mut child = command.stderr(full).spawn().unwrap();
    wait_for_requests(&scene, &mut child, 14);
    signal(&child, "TERM");
    assert_eq!(wait_for_end(&mut child, "the apply"), Some(143));
    assert_eq!(scene.patches().len(), 10);
}

/// Runs `rolecall` under a limit set by the shell's `ulimit`.
#[cfg(target_os = "linux")]
fn limited(scene: &Scene, limit: &str, words: &str) -> (Option<i32>, String) {
    let output = scene.shell(&format!("ulimit {limit} && exec \"$0\" {words}")).output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn too_few_file_descriptors_are_an_error_and_not_a_panic() {
    let words = ["apply --sandbox --auto-approve", "plan --sandbox", "doctor --sandbox"];
    let scene = Scene::offline().file("users.toml", users());
    // Limits slightly above 19 are left out. With such a limit, the sandbox in the same process would run out of descriptors for
    // its connections, and rolecall would wait for a response.
    for (number, words) in (5..20).chain([48]).zip(words.into_iter().cycle()) {
        let (code, text) = limited(&scene, &format!("-n {number}"), words);
        assert!(matches!(code, Some(0 | 1 | 4)), "{number} `{words}`: {code:?}\n{text}");
        assert!(!text.contains("bug") && !text.contains("panicked"), "{number} `{words}`:\n{text}");
        if number == 7 {
            assert!(text.contains("ulimit -n"), "{text}");
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_apply_on_a_full_disk_leaves_neither_an_empty_journal_nor_an_empty_gitignore() {
    for gitignore in [None, Some("*\n")] {
        let mut scene = scene(Faults::none());
        if let Some(gitignore) = gitignore {
            scene = scene.file(".rolecall/.gitignore", gitignore);
        }
        let (code, text) = limited(&scene, "-f 0", "apply --auto-approve");
        assert_eq!(code, Some(1), "{text}");
        assert_eq!(scene.patches(), Vec::<String>::new());
        assert_eq!(journals(&scene), Vec::<std::path::PathBuf>::new());
        scene.run("apply --auto-approve").exits(0);
        assert_eq!(std::fs::read_to_string(scene.folder().join(".rolecall/.gitignore")).unwrap(), "*\n");
        scene.run("rollback --last --auto-approve").exits(0);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_reaches_its_limit_stops_an_apply_as_a_full_disk_does() {
    let scene = scene(Faults::none());
    let (code, text) = limited(&scene, "-f 12", "apply --auto-approve");
    assert_eq!(code, Some(4), "{text}");
    assert!(text.contains("not attempted") && text.contains("File too large"), "{text}");
    // The limit on the file size also applies to reports and to commands that don't send any requests.
    for words in [
        "validate --report json=report.json",
        "man --into pages",
        "plan -o plan.json",
        "plan --report html=plan.html",
    ] {
        let (code, text) = limited(&scene, "-f 0", words);
        assert_eq!(code, Some(1), "`{words}`: {text}");
        assert!(text.contains("File too large"), "`{words}`: {text}");
    }
    scene.run("apply --auto-approve").exits(0);
    scene.run("plan --detailed-exitcode").exits(0);
}

#[cfg(target_os = "linux")]
#[test]
fn an_apply_that_cannot_continue_its_journal_says_to_free_space_or_to_choose_another_folder() {
    let scene = scene(Faults::none());
    let (code, text) = limited(&scene, "-f 1", "apply --auto-approve");
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(scene.patches(), Vec::<String>::new());
    assert!(text.contains("stopped because the journal cannot be written: File too large"), "{text}");
    let next =
        "Free some disk space, or pass --journal FILE with a path in another folder. Run `rolecall plan`";
    assert!(text.contains(next), "{text}");
    assert!(text.contains("\nIncomplete journal: .rolecall/journal/"), "{text}");
    assert!(!text.contains("Journal of all requests"), "{text}");
}

#[test]
fn an_unknown_outcome_says_what_the_last_read_showed() {
    // The first write gets no response. Before rolecall reads that user again, three refused writes stop the apply.
    let scene = scene(Faults::none().on(ApiOperation::UpdateUser).at(1, Fault::CutBefore));
    scene.pylon(|world| world.settings.token_can_write = false);
    let run = scene.run("apply --auto-approve --parallelism 1");
    let stdout = &run.exits(4).stdout;
    assert!(stdout.contains("unknown, may have been applied: "), "{stdout}");
    assert!(stdout.contains("; the last read still showed the old value\n"), "{stdout}");
}
