//! Records how rolecall was invoked, so that suggested commands (quoted for a shell) can include the same flags.

use std::fmt::Write as _;
use std::path::Path;

use crate::printable::Printable;

/// The maximum length of a word in a suggested command, in characters. Longer words are truncated.
const LONGEST_WORD: usize = 200;

#[derive(Debug, Clone)]
pub struct Invocation {
    /// The arguments `-C DIR`. Empty if the flag isn't given.
    pub folder: Vec<String>,
    /// The arguments `-c FILE`. Empty if rolecall would find the same root file from the same folder without them.
    pub config: Vec<String>,
    /// The path of the `pylon.json` next to the root file, which describes the organization that the sandbox imitates.
    pub description: String,
    /// The flags that select the Pylon server and the token, such as `--sandbox` or `--region us`.
    pub pylon: Vec<String>,
    /// The arguments that repeat the current operation, such as `apply plan.json`.
    pub again: Vec<String>,
    /// Returns `true` if the command accepts the flag.
    pub takes: fn(command: &str, flag: &str) -> bool,
}

impl Default for Invocation {
    fn default() -> Self {
        Self {
            folder: Vec::new(),
            config: Vec::new(),
            description: "pylon.json".into(),
            pylon: Vec::new(),
            again: vec!["apply".into()],
            takes: |_, _| true,
        }
    }
}

impl Invocation {
    /// Returns the command with the given words and this run's flags. It's safe to print and quoted for a shell.
    pub fn command(&self, words: &[&str]) -> String {
        let mut command = "rolecall".to_owned();
        for word in words.iter().copied().chain(self.flags(words)) {
            let _ = write!(command, " {}", quoted(word));
        }
        command
    }

    /// Returns the command that repeats the current operation.
    pub fn again(&self) -> String {
        self.command(&self.again.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// Returns the command that repeats the current operation with a different `--max-changes`.
    pub fn again_with_limit(&self, max_changes: u64) -> String {
        const FLAG: &str = "--max-changes";
        let limit = max_changes.to_string();
        let end = self.again.iter().position(|word| word == FLAG).unwrap_or(self.again.len());
        let kept = self.again.iter().take(end).chain(self.again.iter().skip(end + 2));
        self.command(&kept.map(String::as_str).chain([FLAG, &limit]).collect::<Vec<_>>())
    }

    /// Returns the command that writes `pylon.json`, the description of the organization from which the sandbox starts.
    pub fn describe(&self) -> String {
        self.command(&["sandbox", "--write-state", &self.description])
    }

    /// Adds this run's flags to every command in `text`, i.e., anything in backticks that starts with `rolecall`.
    pub fn complete(&self, text: &str) -> String {
        let mut complete = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once("`rolecall ") {
            let Some((words, after)) = behind.split_once('`') else { break };
            let _ = write!(complete, "{before}`rolecall {words}");
            for flag in self.flags(&words.split(' ').collect::<Vec<_>>()) {
                let _ = write!(complete, " {}", quoted(flag));
            }
            complete.push('`');
            rest = after;
        }
        complete + rest
    }

    fn flags(&self, words: &[&str]) -> impl Iterator<Item = &str> {
        let verb = words.first().copied().unwrap_or_default();
        // A suggested `import --state` always copies the real organization, never the sandbox.
        let is_copy = words.contains(&"--state");
        let takes_config = (self.takes)(verb, "config");
        let takes_pylon = !is_copy && (self.takes)(verb, "sandbox");
        let config = self.config.iter().filter(move |_| takes_config);
        let pylon = self.pylon.iter().filter(move |_| takes_pylon);
        self.folder.iter().chain(config).chain(pylon).map(String::as_str)
    }
}

/// Formats a path as a command-line argument. A path with a leading dash is prefixed with `./`, because it would otherwise look
/// like a flag.
pub fn path_word(path: &Path) -> String {
    let path = path.to_string_lossy();
    if path.starts_with('-') { format!("./{path}") } else { path.into_owned() }
}

/// Makes a word of a command safe to print and to paste into a shell. Words with characters that are special in a shell are put
/// in single quotes (POSIX, Shell Command Language, 2.2). Control characters are escaped.
pub fn quoted(word: &str) -> String {
    // Escape backticks because suggested commands are enclosed in them.
    let word = Printable::cut(word, LONGEST_WORD).to_string().replace('`', "\\u{60}");
    let is_plain = |char: char| char.is_alphanumeric() || "-_.:/@=,+%".contains(char);
    if !word.is_empty() && word.chars().all(is_plain) {
        word
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    fn invocation() -> Invocation {
        Invocation {
            folder: Vec::new(),
            config: vec!["-c".into(), "our team/users.toml".into()],
            description: "our team/pylon.json".into(),
            pylon: vec!["--sandbox".into()],
            again: vec!["apply".into(), "it's.json".into()],
            takes: |verb, flag| verb != "sandbox" || flag != "sandbox",
        }
    }

    #[test]
    fn a_suggested_command_has_the_flags_of_the_run_and_can_be_pasted() {
        let invocation = invocation();
        assert_eq!(invocation.command(&["plan"]), "rolecall plan -c 'our team/users.toml' --sandbox");
        assert_eq!(invocation.again(), r"rolecall apply 'it'\''s.json' -c 'our team/users.toml' --sandbox");
        assert_eq!(
            invocation.describe(),
            "rolecall sandbox --write-state 'our team/pylon.json' -c 'our team/users.toml'"
        );
        assert_eq!(Invocation::default().command(&["plan"]), "rolecall plan");
        assert_eq!([path_word(Path::new("-x")), quoted(""), quoted("`")], ["./-x", "''", "'\\u{60}'"]);
    }

    #[test]
    fn a_command_with_another_limit_replaces_the_old_one() {
        let again = |words: &[&str]| Invocation {
            again: words.iter().map(|word| (*word).to_owned()).collect(),
            ..Invocation::default()
        };
        for words in [&["apply", "plan.json"][..], &["apply", "plan.json", "--max-changes", "5"]] {
            let command = again(words).again_with_limit(11);
            assert_eq!(command, "rolecall apply plan.json --max-changes 11");
        }
        let command =
            again(&["apply", "--max-changes", "5", "--only", "bo@acme.example"]).again_with_limit(7);
        assert_eq!(command, "rolecall apply --only bo@acme.example --max-changes 7");
    }

    #[test]
    fn a_suggested_command_runs_in_the_folder_of_this_run() {
        let invocation = Invocation { folder: vec!["-C".into(), "infra".into()], ..invocation() };
        assert_eq!(
            invocation.command(&["plan"]),
            "rolecall plan -C infra -c 'our team/users.toml' --sandbox"
        );
        assert_eq!(
            invocation.complete("run `rolecall schema`"),
            "run `rolecall schema -C infra -c 'our team/users.toml' --sandbox`"
        );
    }

    #[test]
    fn commands_in_a_text_get_the_flags_and_other_code_does_not() {
        let text = "run `rolecall plan` or `rolecall sandbox`, not `plan`; `rolecall import --state f`; `rolecall has no end";
        assert_eq!(
            invocation().complete(text),
            "run `rolecall plan -c 'our team/users.toml' --sandbox` or `rolecall sandbox -c 'our team/users.toml'`, not \
             `plan`; `rolecall import --state f -c 'our team/users.toml'`; `rolecall has no end"
        );
        assert_eq!(Invocation::default().complete(text), text);
    }
}
