//! Files of the roster that were read and are written anew: all of them, or none.

use std::fs;
use std::io::{Error, Result};

use super::{Code, Trouble};
use crate::printable::Printable;
use crate::private::Staged;
use crate::problem::Problem;

/// A file that was read, and what is to stand in it.
pub(super) struct Rewritten<'a> {
    pub(super) name: &'a str,
    pub(super) before: &'a str,
    pub(super) after: String,
}

/// Writes each of them, unless somebody has written one since. Whatever can fail is done before the first takes its place.
pub(super) fn rewrite(files: &[Rewritten<'_>]) -> std::result::Result<(), Trouble> {
    let stage = |file: &Rewritten<'_>| {
        staged(file).map_err(|error| not_written(file.name, &error)).map(|staged| (shown(file.name), staged))
    };
    place(files.iter().map(stage).collect::<std::result::Result<_, _>>()?)
}

fn place(staged: Vec<(String, Staged)>) -> std::result::Result<(), Trouble> {
    let mut written: Vec<String> = Vec::new();
    for (name, staged) in staged {
        if let Err(error) = staged.place() {
            let problem = not_written(&name, &error);
            return Err(match written.as_slice() {
                [] => problem.into(),
                _ => Trouble::half(problem.help(format!("written are: {}", written.join(", ")))),
            });
        }
        written.push(name);
    }
    Ok(())
}

/// With the rights that it has.
fn staged(file: &Rewritten<'_>) -> Result<Staged> {
    let path = fs::canonicalize(file.name)?; // the file behind a link, not the link
    if fs::read(&path)? != file.before.as_bytes() {
        return Err(Error::other("it was changed while rolecall was at work; run again"));
    }
    Staged::open(&path)?.allow(fs::metadata(&path)?.permissions())?.fill(&file.after)
}

pub(super) fn not_written(name: &str, error: &Error) -> Problem {
    Problem::new(Code::NotWritten, format!("{} cannot be written: {error}", shown(name)))
}

fn shown(name: &str) -> String {
    Printable::cut(name, 200).to_string()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::*;
    use crate::exit::Exit;

    #[test]
    fn a_file_that_somebody_has_written_since_keeps_the_others_as_they_were() {
        let folder = tempfile::tempdir().unwrap();
        let names =
            ["one.toml", "two.toml"].map(|name| folder.path().join(name).to_string_lossy().into_owned());
        fs::write(&names[0], "a = 1\n").unwrap();
        fs::write(&names[1], "b = 3 # since\n").unwrap();
        let file = |name, before| Rewritten { name, before, after: "c = 0\n".into() };
        let trouble = rewrite(&[file(&names[0], "a = 1\n"), file(&names[1], "b = 2\n")]).err().unwrap();
        assert_eq!(trouble.exit, Exit::Failed);
        assert_eq!(fs::read_to_string(&names[0]).unwrap(), "a = 1\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn where_only_some_have_taken_their_place_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let staged = ["one.toml", "two.toml", "three.toml"].map(|name| {
            (name.to_owned(), Staged::open(&folder.path().join(name)).unwrap().fill("new").unwrap())
        });
        fs::create_dir(folder.path().join("two.toml")).unwrap(); // nothing can be renamed over a folder
        let trouble = place(staged.into()).err().unwrap();
        assert_eq!(trouble.exit, Exit::Partial);
        let problem = &trouble.problems.list[0];
        assert!(problem.message.starts_with("two.toml cannot be written: "), "{}", problem.message);
        assert_eq!(problem.help.as_deref(), Some("written are: one.toml"));
        assert!(!folder.path().join("three.toml").exists());
    }
}
