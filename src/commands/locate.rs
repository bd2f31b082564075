//! Locates the root file through `-C`, `--config`, `ROLECALL_CONFIG`, or a search of the parent folders in the git repository.
//!
//! The search never goes above the repository root or into a folder owned by another user. Otherwise, anyone with write access to
//! `/tmp` could plant a `users.toml` there for everyone working below it.

use std::ffi::OsString;
use std::fs::DirEntry;
use std::path::{Path, PathBuf};

use super::{CommandCode, CommandError, Environment, folder, hide_tokens, journals};
use crate::cli::{CONFIG, Cli, Command, Common, ConfigOrigin};
use crate::invocation::{path_word, quoted};
use crate::output::say;
use crate::printable::Printable;
use crate::problem::Problem;
use crate::report::text::wrap::whole;
use crate::roster::{Roster, RosterCode};

/// Changes to the folder passed to `-C` and chooses the root file. If the root file comes from `ROLECALL_CONFIG` or a parent
/// folder, prints which one is used.
pub(super) fn config(cli: &mut Cli, environment: &mut Environment) -> Result<(), Problem> {
    if let Some(folder) = &cli.common.folder {
        let folder_name = Printable::path(folder);
        std::env::set_current_dir(folder).map_err(|error| {
            Problem::new(CommandCode::NoFolder, format!("cannot change to the folder {folder_name}: {error}"))
                .help("pass an existing folder with -C")
        })?;
        environment.folder = std::env::current_dir().unwrap_or_default();
        hide_tokens(&environment.token_sources); // a relative path to a token file is resolved against the new folder
    }
    let mut is_default = false;
    let (config, origin) = match (cli.common.named.take(), environment.config.take()) {
        (Some(named), variable) => {
            is_default = variable.is_none() && named.as_os_str() == CONFIG;
            (named, ConfigOrigin::Named)
        }
        (None, Some(named)) => (named, ConfigOrigin::Variable),
        (None, None) => nearest(&environment.folder, owner),
    };
    if let Some(note) = note(&config, &origin)
        && cli.command.facts().uses_config
        && !cli.common.quiet
    {
        say(&note);
    }
    if let Command::Rollback(args) = &mut cli.command
        && args.last
    {
        // Replace `--last` with the name of the journal. The rollback writes a journal of its own, so from then on, `--last`
        // would refer to that journal instead of the one to resume.
        args.of = journals::newest_for(folder(&config), &args.connection);
    }
    cli.use_config(config, origin);
    if is_default {
        cli.common.invocation.config.clear(); // suggested commands find the file without `-c`
    }
    Ok(())
}

/// Returns a note about which file is used if `ROLECALL_CONFIG` named it, or if it was found in a parent folder.
fn note(config: &Path, origin: &ConfigOrigin) -> Option<String> {
    let config = whole(Printable::path(config).as_str());
    match origin {
        ConfigOrigin::Variable => Some(format!("Using {config} (ROLECALL_CONFIG)")),
        ConfigOrigin::Parent => Some(format!("Using {config} (the nearest users.toml)")),
        ConfigOrigin::Named | ConfigOrigin::Folder | ConfigOrigin::Nowhere(_) => None,
    }
}

/// Finds the nearest `users.toml` in this folder or its ancestors, up to the root of the git repository. `owner` returns the user
/// ID of a folder's owner. If there's no such file, returns the path in this folder, where `import` would write it.
fn nearest(folder: &Path, owner: impl Fn(&Path) -> Option<u32>) -> (PathBuf, ConfigOrigin) {
    if has(folder, CONFIG) {
        return (CONFIG.into(), ConfigOrigin::Folder);
    }
    let Some(folders) = up_to_repository_root(folder, owner) else {
        let searched = "in this folder; parent folders are searched only inside a git repository";
        return (CONFIG.into(), ConfigOrigin::Nowhere(searched.into()));
    };
    if let Some(level) = folders.iter().position(|parent| has(parent, CONFIG)) {
        return (parent_folder(level).join(CONFIG), ConfigOrigin::Parent);
    }
    let searched = match folders.len() - 1 {
        0 => "in this folder, which is the root of the git repository".into(),
        level => format!(
            "in this folder or in a parent folder up to {}, the root of the git repository",
            parent_folder(level).display()
        ),
    };
    (CONFIG.into(), ConfigOrigin::Nowhere(searched))
}

/// Returns `true` if the folder has an entry with this name. Dangling symbolic links count too, because ignoring one would
/// silently select another file.
fn has(folder: &Path, name: &str) -> bool {
    folder.join(name).symlink_metadata().is_ok()
}

/// Lists this folder and its ancestors up to the root of the git repository. Returns `None` outside a repository, or if a folder
/// on the way has a different owner than this one.
fn up_to_repository_root(folder: &Path, owner: impl Fn(&Path) -> Option<u32>) -> Option<Vec<&Path>> {
    let folder_owner = owner(folder);
    let mut folders = Vec::new();
    for parent in folder.ancestors().take_while(|parent| owner(parent) == folder_owner) {
        folders.push(parent);
        if has(parent, ".git") {
            return Some(folders);
        }
    }
    None
}

/// Builds the relative path that goes up this number of levels.
fn parent_folder(levels: usize) -> PathBuf {
    std::iter::repeat_n("..", levels).collect()
}

/// Rejects a team file as the config, because a plan from it would ignore the guardrails, the pinned organization, and everyone
/// else declared by the root file.
pub(super) fn check_is_root(config: &Path) -> Result<(), Problem> {
    // If the config can't be resolved, the reason will be reported when we read it.
    let (Ok(real), Ok(start), Ok(current)) =
        (config.canonicalize(), folder(config).canonicalize(), Path::new(".").canonicalize())
    else {
        return Ok(());
    };
    // Outside a repository, it's safe to search all parent folders with the same owner, because this check can reject a config
    // but never selects one.
    let with_same_owner = || start.ancestors().take_while(|parent| owner(parent) == owner(&start)).collect();
    for parent in up_to_repository_root(&start, owner).unwrap_or_else(with_same_owner) {
        let root = parent.join(CONFIG);
        if root.canonicalize().is_ok_and(|root| root != real) && includes(&root, &real) {
            let root = match (root.strip_prefix(&current), current.strip_prefix(parent)) {
                (Ok(below), _) => below.to_owned(),
                (Err(_), Ok(down)) => parent_folder(down.components().count()).join(CONFIG),
                (Err(_), Err(_)) => root,
            };
            let word = quoted(&path_word(&root));
            let [config, root] = [config, &root].map(Printable::path);
            return Err(Problem::new(
                CommandCode::TeamFile,
                format!("{config} is a team file of {root}, whose guardrails and pinned organization would not apply"),
            )
            .help(format!("run the command with -c {word}; `plan` and `apply` can be limited to a person with --only EMAIL")));
        }
    }
    Ok(())
}

/// Returns `true` if `root` includes `file`, even if `root` has errors.
fn includes(root: &Path, file: &Path) -> bool {
    let sources = match Roster::read(root) {
        Ok(roster) => roster.sources,
        Err(problems) => problems.sources,
    };
    sources.iter().any(|(name, _)| Path::new(name).canonicalize().is_ok_and(|path| path == file))
}

/// Returns the user ID of a folder's owner, if the platform supports it.
fn owner(folder: &Path) -> Option<u32> {
    #[cfg(unix)]
    return folder.metadata().ok().map(|metadata| std::os::unix::fs::MetadataExt::uid(&metadata));
    #[cfg(not(unix))]
    None
}

/// Adds the searched folders to the error for a missing root file. Other errors are returned unchanged.
pub(super) fn explained(mut error: CommandError, command: &Command, common: &Common) -> CommandError {
    if let ConfigOrigin::Nowhere(searched) = &common.origin
        && command.facts().uses_config
    {
        let is_missing = |problem: &&mut Problem| {
            problem.code == RosterCode::FileMissing.as_str() && problem.labels.is_empty()
        };
        for problem in error.problems.list.iter_mut().filter(is_missing) {
            problem.message = format!("there is no {CONFIG} {searched}");
            if let Some((below, help)) = below().zip(problem.help.as_ref()) {
                problem.help = Some(format!("to use {below}, add -c {below}; otherwise, {help}"));
            }
        }
    }
    error
}

/// Returns the nearest root file below the current folder (e.g., the one that `demo` wrote), quoted for the shell.
fn below() -> Option<String> {
    /// The number of levels to search.
    const DEPTH: usize = 3;
    /// The maximum number of entries to look at, which limits the duration of the search.
    const MOST_ENTRIES: usize = 1000;
    let (mut folders, mut entries_left) = (vec![PathBuf::from(".")], MOST_ENTRIES);
    for _ in 0..DEPTH {
        let mut below = Vec::new();
        for folder in folders {
            let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(entries_left);
            let entries: Vec<_> = entries.collect();
            entries_left -= entries.len();
            let is_hidden = |name: &OsString| name.to_string_lossy().starts_with('.');
            let is_searched = |entry: &DirEntry| entry.path().is_dir() && !is_hidden(&entry.file_name());
            below.extend(entries.iter().filter(|entry| is_searched(entry)).map(DirEntry::path));
        }
        let files = below.iter().map(|folder| folder.join(CONFIG)).filter(|file| file.is_file());
        if let Some(file) = files.min() {
            return Some(quoted(&path_word(file.strip_prefix(".").unwrap_or(&file))));
        }
        folders = below;
    }
    None
}

#[cfg(test)]
mod tests {
    use std::fs;

    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_parent_folder_of_another_user_is_not_searched() {
        let folder = tempfile::tempdir().unwrap();
        let (shared, own) = (folder.path(), folder.path().join("own"));
        fs::create_dir_all(own.join("teams")).unwrap();
        fs::create_dir(shared.join(".git")).unwrap();
        fs::write(shared.join(CONFIG), "").unwrap();
        let one_user = |_: &Path| Some(1000);
        assert_eq!(nearest(&own.join("teams"), one_user), ("../../users.toml".into(), ConfigOrigin::Parent));
        let two_users = |folder: &Path| Some(if folder.starts_with(&own) { 1000 } else { 1001 });
        let (config, origin) = nearest(&own.join("teams"), two_users);
        assert_eq!(config, Path::new(CONFIG));
        assert!(matches!(origin, ConfigOrigin::Nowhere(_)), "{origin:?}");
    }
}
