//! How a story is told: a [`Scene`] has files and perhaps a Pylon; a command runs in it; what it said is compared whole.
//!
//! ```ignore
//! let scene = Scene::with_pylon(r#"{ "users": [ … ] }"#).file("users.toml", "…");
//! let run = scene.run("plan");
//! run.says("rolecall plan · …");
//! run.exits(0);
//! ```
//!
//! The real binary runs, against the embedded Pylon on a real socket, with an environment of its own and the calendar
//! fixed at [`NOW`]. A comparison that fails shows the difference; nothing of a failed run is hidden.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::JoinHandle;

use pretty_assertions::assert_eq;
use rolecall::report::Format;
use rolecall::sandbox::{Arrival, Faults, Limits, Running, SandboxState, Setup, World, start};
use tempfile::TempDir;
use tokio::sync::oneshot;

/// The instant at which all stories play: a Friday, 9:00 in Berlin.
pub(crate) const NOW: &str = "2026-11-20T08:00:00Z";
/// The token of the Pylon in a scene: longer than what reports show of a value, with a sign at which lines break, and without a
/// word that would hide its line.
pub(crate) const TOKEN: &str =
    "pylon_story_4f1c/9Zq+Wc2mRt7uXv0B/kL5nH8jD3sYpGeQfAaTiOo1EwMxUyVb6rC0zK4hJ8gF2dS6aPqW9=";

/// Files in a folder of their own, and perhaps a Pylon to talk to.
pub(crate) struct Scene {
    folder: TempDir,
    pylon: Option<Pylon>,
    environment: Vec<(String, String)>,
}

/// A sandbox on a thread of its own, until this is dropped.
struct Pylon {
    /// Until it is dropped.
    parts: Option<(Running, oneshot::Sender<Running>, JoinHandle<()>)>,
}

impl Scene {
    /// No Pylon: whatever asks for one fails.
    pub(crate) fn offline() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), pylon: None, environment: Vec::new() }
    }

    /// A Pylon with this state (docs/sandbox.md has the format), without limits.
    pub(crate) fn with_pylon(state: &str) -> Self {
        Self::with_troubled_pylon(state, Faults::none())
    }

    /// A Pylon on which things go wrong.
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

    /// Adds a file, or overwrites it.
    pub(crate) fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    /// Sets a variable for the runs to come.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(known, _)| known != name);
        self.environment.push((name.into(), value.into()));
        self
    }

    /// The folder in which commands run.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Runs `rolecall` with these words.
    pub(crate) fn run(&self, words: &str) -> Run {
        self.run_with(&words.split_whitespace().collect::<Vec<_>>(), "")
    }

    /// Runs `rolecall` with these words and these further variables.
    pub(crate) fn run_in(&self, words: &str, variables: &[(&str, &str)]) -> Run {
        let arguments: Vec<&str> = words.split_whitespace().collect();
        let mut command = self.command(&arguments);
        command.envs(variables.iter().copied());
        Self::finished(command, &arguments, "")
    }

    /// Runs `rolecall` with these arguments and this standard input.
    pub(crate) fn run_with(&self, arguments: &[&str], stdin: &str) -> Run {
        Self::finished(self.command(arguments), arguments, stdin)
    }

    fn finished(mut command: Command, arguments: &[&str], stdin: &str) -> Run {
        let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes()); // a run that reads nothing may be over already
        let output = child.wait_with_output().unwrap();
        Run {
            command: arguments.join(" "),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit: output.status.code(),
        }
    }

    /// The command, ready to be started.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rolecall"));
        command.args(arguments).current_dir(self.folder.path()).env_clear().env("ROLECALL_NOW", NOW);
        command.env("HOME", "/dev/null"); // without it, that of the account would collect locks
        // Where `.ci/coverage` wants what the binary counts; else it would lie in the scene's folder.
        command.envs(std::env::var_os("LLVM_PROFILE_FILE").map(|file| ("LLVM_PROFILE_FILE", file)));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// A shell command in which `$0` is `rolecall`.
    #[cfg(unix)]
    pub(crate) fn shell(&self, script: &str) -> Command {
        let rolecall = self.command(&[]);
        let mut shell = Command::new("sh");
        shell.args(["-c", script]).arg(rolecall.get_program()).current_dir(self.folder.path()).env_clear();
        shell.envs(rolecall.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }

    fn running(&self) -> &Running {
        self.pylon.as_ref().expect("a scene with a Pylon").running()
    }

    /// What Pylon was asked, in order of arrival.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.running().requests()
    }

    /// What Pylon was asked: method and path, sorted.
    pub(crate) fn asked(&self) -> Vec<String> {
        let mut asked: Vec<String> = self
            .arrivals()
            .iter()
            .map(|arrival| format!("{} {}", arrival.request.method, arrival.request.path))
            .collect();
        asked.sort();
        asked
    }

    /// The writes that arrived: path and body, sorted.
    pub(crate) fn patches(&self) -> Vec<String> {
        let arrivals = self.arrivals();
        let patches = arrivals.iter().filter(|arrival| arrival.request.method == "PATCH");
        let mut patches: Vec<String> = patches
            .map(|patch| format!("{} {}", patch.request.path, String::from_utf8_lossy(&patch.request.body)))
            .collect();
        patches.sort();
        patches
    }

    /// Looks into Pylon, or changes it behind rolecall's back.
    pub(crate) fn pylon<T>(&self, look: impl FnOnce(&mut World) -> T) -> T {
        self.running().with_world(look)
    }
}

/// Gives the built-in roles IDs that are easy to read, such as `role_admin`, unless the story has roles of its own.
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

/// What came of a command.
pub(crate) struct Run {
    command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit: Option<i32>,
}

impl Run {
    /// The whole of standard output, but for the first line break of `expected`, which lets it begin on a line of its own.
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

    /// The whole of standard error, likewise.
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

    /// Standard error names this diagnostic.
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

    /// Standard error says this, wherever its lines break.
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

    /// The exit code.
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

/// The formats that have sentences. JSON has facts.
pub(crate) fn formats_for_people() -> impl Iterator<Item = Format> {
    Format::ALL.into_iter().filter(|format| match format {
        Format::Text | Format::Markdown | Format::Github | Format::Html => true,
        Format::Json => false,
    })
}

impl Scene {
    /// Runs `rolecall` with these words, and returns its report in each of [`formats_for_people`].
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

    /// Host and port of the Pylon, as reports name it.
    pub(crate) fn host(&self) -> String {
        self.running().base_url().trim_start_matches("http://").to_owned()
    }
}
