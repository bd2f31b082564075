//! Runs the real binary in a [`Scene`], which is a folder of files and, optionally, a Pylon. Tests compare the complete output.
//!
//! ```ignore
//! let scene = Scene::with_pylon(r#"{ "users": [ … ] }"#).file("users.toml", "…");
//! let run = scene.run("plan");
//! run.says("rolecall plan · …");
//! run.exits(0);
//! ```
//!
//! The binary talks to the sandbox over a real socket. Its environment contains only the scene's variables, and its clock is
//! fixed at [`NOW`]. A failed comparison prints the diff and the complete output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use pretty_assertions::assert_eq;
use rolecall::manual::check_csv;
use rolecall::report::Format;
use rolecall::sandbox::{Arrival, Faults, Limits, Running, SandboxState, Setup, World, start};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The current time in all stories: a Friday, 9:00 in Berlin.
pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";
/// The token for a scene's Pylon. It's longer than the values that reports show in full, and it contains characters at which
/// lines can be wrapped. No word in it makes a report redact the entire line.
pub(crate) const TOKEN: &str =
    "pylon_story_4f1c/9Zq+Wc2mRt7uXv0B/kL5nH8jD3sYpGeQfAaTiOo1EwMxUyVb6rC0zK4hJ8gF2dS6aPqW9=";

/// Returns the project's folder, or the one named in `ROLECALL_PROJECT`. `.ci/run` sets this variable to test the files of the
/// published crate.
pub(crate) fn project() -> PathBuf {
    std::env::var_os("ROLECALL_PROJECT").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

/// Returns `true` if `ROLECALL_SOAK` is set: test every case instead of a sample, which takes release mode and some minutes.
pub(crate) fn soak() -> bool {
    std::env::var_os("ROLECALL_SOAK").is_some()
}

/// A temporary folder with files and, optionally, a Pylon.
pub(crate) struct Scene {
    folder: TempDir,
    pylon: Option<Pylon>,
    environment: Vec<(String, String)>,
}

/// A sandbox that runs on its own thread until it is dropped.
struct Pylon {
    /// Always `Some`, except during the drop.
    parts: Option<(Running, oneshot::Sender<Running>, JoinHandle<()>)>,
}

impl Scene {
    /// Creates a scene without a Pylon. Every request fails.
    pub(crate) fn offline() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), pylon: None, environment: Vec::new() }
    }

    /// Creates a scene with a Pylon in this state, without rate limits. For the format, see docs/sandbox.md.
    pub(crate) fn with_pylon(state: &str) -> Self {
        Self::with_troubled_pylon(state, Faults::none())
    }

    /// Creates a scene with a Pylon that injects these faults.
    pub(crate) fn with_troubled_pylon(state: &str, faults: Faults) -> Self {
        let state = with_readable_roles(state);
        let state =
            SandboxState::parse(&state).unwrap_or_else(|error| panic!("the story's pylon.json: {error}"));
        let world = World::new(state, NOW.parse().unwrap())
            .unwrap_or_else(|problems| panic!("the story's pylon.json: {problems:?}"));
        let world = world.with_limits(Limits::off()).with_token(TOKEN);
        let pylon = Pylon::start(Setup { faults, ..Setup::new(world) });
        let base_url = pylon.running().base_url();
        let mut scene = Self::offline();
        scene.pylon = Some(pylon);
        scene.env("PYLON_BASE_URL", &base_url).env("PYLON_API_TOKEN", TOKEN)
    }

    /// Adds or replaces a file.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Sets an environment variable for all subsequent runs.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Returns the working directory of all commands.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `rolecall` with whitespace-separated arguments.
    pub(crate) fn run(&self, words: &str) -> Run {
        self.run_with(&words.split_whitespace().collect::<Vec<_>>(), "")
    }

    /// Runs `rolecall` with whitespace-separated arguments and additional environment variables.
    pub(crate) fn run_in(&self, words: &str, variables: &[(&str, &str)]) -> Run {
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let mut command = self.command(&arguments);
        command.envs(variables.iter().copied());
        Self::finished(command, &arguments, "")
    }

    /// Runs `rolecall` in a subfolder of the scene's folder, creating it if needed.
    pub(crate) fn run_below(&self, folder: &str, words: &str) -> Run {
        let folder = self.folder.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let mut command = self.command(&arguments);
        command.current_dir(folder);
        Self::finished(command, &arguments, "")
    }

    /// Runs `rolecall` with the given arguments and standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Run {
        Self::finished(self.command(arguments), arguments, stdin)
    }

    fn finished(mut command: Command, arguments: &[&str], stdin: &str) -> Run {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes()); // fails if the run exits without reading its input
        let output = child.wait_with_output().unwrap();
        Run {
            command: arguments.join(" "),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code(),
        }
    }

    /// Returns a command ready to be spawned.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.prepared(env!("CARGO_BIN_EXE_rolecall"));
        command.args(arguments);
        command
    }

    /// Returns a shell command in which `$0` is the path of `rolecall`.
    #[cfg(unix)]
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut shell = self.prepared("sh");
        shell.args(["-c", script, env!("CARGO_BIN_EXE_rolecall")]);
        shell
    }

    /// Returns a command for a program that runs `rolecall`, with the scene's folder and environment.
    pub(crate) fn prepared(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env_clear().env("ROLECALL_NOW", NOW);
        command.env("HOME", "/dev/null"); // otherwise, lock files would pile up in the account's home folder
        // `.ci/coverage` sets this path. Without it, the coverage counters would be written to the scene's folder.
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn running(&self) -> &Running {
        self.pylon.as_ref().expect("a scene with a Pylon").running()
    }

    /// Returns all requests that the scene's Pylon has received so far, in order.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.running().requests()
    }

    /// Returns the sorted methods and paths of all requests that the scene's Pylon has received so far.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self
            .arrivals()
            .iter()
            .map(|arrival| format!("{} {}", arrival.request.method, arrival.request.path))
            .collect();
        asked.sort();
        asked
    }

    /// Returns the sorted paths and bodies of all writes that the scene's Pylon has received so far.
    pub(crate) fn patches(&self) -> Vec<String> {
        let arrivals = self.arrivals();
        let patches = arrivals.iter().filter(|arrival| arrival.request.method == "PATCH");
        let mut patches: Vec<String> = patches
            .map(|patch| format!("{} {}", patch.request.path, String::from_utf8_lossy(&patch.request.body)))
            .collect();
        patches.sort();
        patches
    }

    /// Calls `look` with the [`World`] of the scene's Pylon, without sending a request.
    pub(crate) fn pylon<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.running().with_world(look)
    }
}

/// Adds the built-in roles with readable IDs, such as `role_admin`, unless the state already declares roles.
fn with_readable_roles(state: &str) -> String {
    let mut state: serde_json::Value =
        serde_json::from_str(state).unwrap_or_else(|error| panic!("the story's pylon.json: {error}"));
    let role = |slug: &str, name: &str| serde_json::json!({ "id": format!("role_{slug}"), "name": name, "slug": slug });
    let roles = [role("admin", "Admin"), role("member", "Member"), role("viewer", "Viewer")];
    state.as_object_mut().expect("an object").entry("roles").or_insert_with(|| roles.to_vec().into());
    state.to_string()
}

impl Pylon {
    fn start(setup: Setup) -> Self {
        let (tell, started) = std::sync::mpsc::channel();
        let (stop, stopped) = oneshot::channel::<Running>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tell.send(start(setup).await.unwrap()).unwrap();
                if let Ok(running) = stopped.await {
                    let _ = running.stop().await;
                }
            });
        });
        Self { parts: Some((started.recv().unwrap(), stop, thread)) }
    }

    fn running(&self) -> &Running {
        let (running, ..) = self.parts.as_ref().expect("it is not dropped yet");
        running
    }
}

impl Drop for Pylon {
    fn drop(&mut self) {
        if let Some((running, stop, thread)) = self.parts.take() {
            let _ = stop.send(running);
            let _ = thread.join();
        }
    }
}

pub(crate) struct Run {
    command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: Option<i32>,
}

impl Run {
    /// Checks the entire standard output. A leading line break in `expected` is ignored.
    #[track_caller]
    pub(crate) fn says(&self, expected: &str) -> &Self {
        let expected = expected.strip_prefix('\n').unwrap_or(expected);
        assert!(
            self.stderr.is_empty() || !self.stdout.is_empty(),
            "rolecall {} complained:\n{}",
            self.command,
            self.stderr
        );
        assert_eq!(self.stdout, expected, "standard output of `rolecall {}`", self.command);
        self
    }

    /// Checks the entire standard error. A leading line break in `expected` is ignored.
    #[track_caller]
    pub(crate) fn complains(&self, expected: &str) -> &Self {
        assert_eq!(
            self.stderr,
            expected.strip_prefix('\n').unwrap_or(expected),
            "standard error of `rolecall {}`",
            self.command
        );
        self
    }

    /// Checks that standard error has this diagnostic code on a line by itself.
    #[track_caller]
    pub(crate) fn names(&self, code: &str) -> &Self {
        assert!(
            self.stderr.lines().any(|line| line == code),
            "`rolecall {}` does not name {code}:\n{}",
            self.command,
            self.stderr
        );
        self
    }

    /// Checks that standard error contains these words, regardless of line breaks.
    #[track_caller]
    pub(crate) fn mentions(&self, words: &str) -> &Self {
        let one_line =
            self.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(
            one_line.contains(words),
            "`rolecall {}` does not mention {words:?}:\n{}",
            self.command,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) -> &Self {
        assert_eq!(
            self.exit,
            Some(code),
            "exit code of `rolecall {}`, which said:\n{}\n{}",
            self.command,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Runs a test on all items concurrently, for tests that spend most of their time waiting.
pub(crate) fn concurrently<T: Send>(items: impl Iterator<Item = T>, test: impl Fn(T) + Sync) {
    let test = &test;
    std::thread::scope(|threads| {
        for item in items {
            threads.spawn(move || test(item));
        }
    });
}

/// Returns the formats for people, which are all formats except JSON and CSV.
pub(crate) fn formats_for_people() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| match format {
        Format::Text | Format::Markdown | Format::Github | Format::Html => true,
        Format::Json | Format::Csv => false,
    })
}

/// Returns the formats supported by a command. The command can include its arguments.
pub(crate) fn formats_of(command: &str) -> impl Iterator<Item = Format> {
    let name = command.split(' ').next().unwrap_or_default();
    let has_csv = check_csv(name).is_ok();
    Format::ALL.into_iter().filter(move |format| *format != Format::Csv || has_csv)
}

impl Scene {
    /// Runs `rolecall` with these arguments and returns its report in each of [`formats_for_people`].
    #[track_caller]
    pub(crate) fn reports_for_people(&self, words: &str, exit: i32) -> Vec<String> {
        let file = |format: Format| format!("report.{}", format.as_str());
        let flags: Vec<String> = formats_for_people()
            .map(|format| format!("--report {}={}", format.as_str(), file(format)))
            .collect();
        self.run(&format!("{words} {}", flags.join(" "))).exits(exit);
        formats_for_people()
            .map(|format| fs::read_to_string(self.folder().join(file(format))).unwrap())
            .collect()
    }

    /// Returns the host and port of the scene's Pylon as shown in reports.
    pub(crate) fn host(&self) -> String {
        self.running().base_url().trim_start_matches("http://").to_owned()
    }
}
