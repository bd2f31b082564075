//! Writes all of the roster's files or none of them, unless a rename fails midway.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::{Path, PathBuf};

use super::{CommandCode, CommandError};
use crate::printable::Printable;
use crate::private::Staged;
use crate::problem::Problem;
use crate::regular::{STDIN_NAME, is_stream};
use crate::target_file::{FilledFile, TargetFile};

/// A file to rewrite, with its original and its new content.
pub(super) struct Rewritten<'a> {
    pub(super) name: &'a str,
    pub(super) before: &'a str,
    pub(super) after: String,
}

/// Writes all files, or none if any of them has changed since it was read. All files are staged before the first one is
/// replaced.
pub(super) fn rewrite(files: Vec<Rewritten<'_>>) -> std::result::Result<(), CommandError> {
    let mut prepared = Vec::new();
    for Rewritten { name, before, after } in files {
        prepared
            .push((shown(name), prepare(name, before, after).map_err(|error| not_written(name, &error))?));
    }
    place(prepared)
}

fn prepare(name: &str, before: &str, after: String) -> Result<FilledFile> {
    let path = name.as_ref();
    if name == STDIN_NAME || is_stream(path) {
        return Err(Error::other("it is not a regular file; `rolecall fmt -` writes to standard output"));
    }
    if fs::read(path)? != before.as_bytes() {
        return Err(Error::other("it was changed while rolecall was running; run the command again"));
    }
    TargetFile::open(path)?.fill(after)
}

fn place(prepared: Vec<(String, FilledFile)>) -> std::result::Result<(), CommandError> {
    let mut written: Vec<String> = Vec::new();
    for (name, file) in prepared {
        file.place().map_err(|error| after(&written, not_written(&name, &error), ""))?;
        written.push(name);
    }
    Ok(())
}

/// Extends a problem with the names of the files already written. `advice` tells the user what to do with these files.
fn after(written: &[String], problem: Problem, advice: &str) -> CommandError {
    match written {
        [] => problem.into(),
        _ => CommandError::half(
            problem.help(format!("these files were written: {}{advice}", written.join(", "))),
        ),
    }
}

/// A file to create at `path`, with its name in messages.
pub(super) struct Created {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) text: String,
}

/// Stages all files, and then creates them in order. If another process has created one of them in the meantime, the file isn't
/// overwritten, and the error is the problem from `exists`.
pub(super) fn create(
    files: &[Created],
    exists: impl Fn(&str) -> Problem,
) -> std::result::Result<(), CommandError> {
    let mut prepared = Vec::new();
    for Created { name, path, text } in files {
        prepared.push((name, staged(path, text).map_err(|error| not_written(name, &error))?));
    }
    let mut written = Vec::new();
    for (name, staged) in prepared {
        staged.place_new().map_err(|error| {
            let problem = match error.kind() {
                ErrorKind::AlreadyExists => exists(name),
                _ => not_written(name, &error),
            };
            after(&written, problem, "; delete them, then run the command again")
        })?;
        written.push(shown(name));
    }
    Ok(())
}

/// Stages a new file that every user can read, because it's meant to be committed to git.
fn staged(path: &Path, text: &str) -> Result<Staged> {
    let staged = Staged::open(path)?;
    #[cfg(unix)]
    let staged = {
        use std::os::unix::fs::PermissionsExt;
        staged.allow(fs::Permissions::from_mode(0o644))?
    };
    staged.fill(text)
}

pub(super) fn not_written(name: &str, error: &Error) -> Problem {
    let problem = Problem::new(CommandCode::NotWritten, format!("cannot write {}: {error}", shown(name)));
    // Our own errors already say what to do.
    if error.kind() == ErrorKind::Other {
        return problem;
    }
    problem.help("check that the file and its folder are writable and that the disk is not full, then run the command again")
}

pub(super) fn shown(name: &str) -> String {
    Printable::cut(name, 200).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn no_file_is_written_if_one_was_changed_since() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["one.toml", "two.toml"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
        fs::write(&names[0], "a = 1\n").unwrap();
        fs::write(&names[1], "b = 3 # since\n").unwrap();
        let file = |name, before| Rewritten { name, before, after: "c = 0\n".into() };
        let error = rewrite(vec![file(&names[0], "a = 1\n"), file(&names[1], "b = 2\n")]).err().unwrap();
        assert_eq!(error.exit, Exit::Failed);
        assert_eq!(fs::read_to_string(&names[0]).unwrap(), "a = 1\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn the_written_files_are_named_if_one_fails() {
        let folder = tempfile::tempdir().unwrap();
        let staged = ["one.toml", "two.toml", "three.toml"].map(|name| {
            let target = TargetFile::open(&folder.path().join(name)).unwrap();
            (name.to_owned(), target.fill("new".into()).unwrap())
        });
        fs::create_dir(folder.path().join("two.toml")).unwrap(); // a file can't be renamed over a directory
        let error = place(staged.into()).err().unwrap();
        assert_eq!(error.exit, Exit::Partial);
        let problem = &error.problems.list[0];
        assert!(problem.message.starts_with("cannot write two.toml: "), "{}", problem.message);
        assert_eq!(problem.help.as_deref(), Some("these files were written: one.toml"));
        assert!(!folder.path().join("three.toml").exists());
    }
}
