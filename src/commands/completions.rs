//! `completions`: prints a completion script for a shell.

use crate::cli::CompletionsArgs;
use crate::manual;

pub(super) fn text(args: &CompletionsArgs) -> String {
    let mut bytes = Vec::new();
    clap_complete::generate(args.shell, &mut manual::completed(), "rolecall", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
