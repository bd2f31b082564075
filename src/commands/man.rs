//! `man`: prints a manual page or writes all of them to files.

use std::fs;
use std::path::Path;

use super::CommandCode;
use crate::cli::ManArgs;
use crate::manual::pages;
use crate::printable::Printable;
use crate::problem::Problem;

/// Returns the requested page or, with `--into`, the paths of the files written.
pub(super) fn text(args: &ManArgs) -> Result<String, Problem> {
    match &args.into {
        Some(folder) => write(folder),
        None => {
            let page = pages().into_iter().find(|page| page.verb == args.verb.as_deref());
            Ok(page.map(|page| page.text).unwrap_or_default()) // clap rejects other verbs
        }
    }
}

fn write(folder: &Path) -> Result<String, Problem> {
    let not_written = |path: &Path, error: &std::io::Error| {
        let name = Printable::path(path);
        Problem::new(CommandCode::NotWritten, format!("cannot write {name}: {error}"))
    };
    fs::create_dir_all(folder).map_err(|error| not_written(folder, &error))?;
    let mut written = String::new();
    for page in pages() {
        let path = folder.join(page.file);
        fs::write(&path, page.text).map_err(|error| not_written(&path, &error))?;
        written += &format!("{}\n", Printable::new(&path.to_string_lossy()));
    }
    Ok(written)
}
