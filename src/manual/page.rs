//! Manual pages. `clap_mangen` renders the flags, and this module renders all other sections.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::verbs::{GROUPS, VERBS, Verb};
use super::{EXITS, START, WRONG_USAGE, about, command};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManualPage {
    /// The documented command, or `None` for rolecall itself.
    pub verb: Option<&'static str>,
    /// The file name, such as `rolecall-plan.1`.
    pub file: String,
    pub text: String,
}

const DESCRIPTION: &str = "\
rolecall keeps the roles and statuses of your Pylon (usepylon.com) users in git. You declare them in users.toml. \
`rolecall plan` shows in a pull request what would change, and `rolecall apply` applies the changes after the merge.";

/// The environment variables and their descriptions. The Boolean is `true` for variables read only by commands that connect to
/// Pylon.
const VARIABLES: &[(&str, bool, &str)] = &[
    ("ROLECALL_CONFIG", false, "The root file, unless --config is given."),
    ("PYLON_API_TOKEN", true, "The API token, unless --token-file is given. An Admin creates it in Pylon."),
    ("PYLON_BASE_URL", true, "The same as --base-url."),
    ("ROLECALL_RATE", true, "The values for --rate, separated by commas, as in `patch=10,search=60`."),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        true,
        "The proxy to use for requests to Pylon, as in http://proxy.example:3128, and the hosts to connect to directly. \
         Requests to this machine never use a proxy.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        true,
        "A PEM file, and folders with PEM files. Their certificates are trusted instead of the system's.",
    ),
    (
        "XDG_RUNTIME_DIR, XDG_CACHE_HOME, HOME",
        false,
        "The folders in which an apply creates its lock, each in a subfolder `rolecall` (for HOME, in `.cache/rolecall`). It \
         also creates a lock in `.rolecall` next to the root file.",
    ),
    (
        "GITHUB_WORKSPACE, GITHUB_STEP_SUMMARY",
        false,
        "Set by GitHub Actions. --format github names files relative to the first, and appends the job summary to the second.",
    ),
    ("NO_COLOR", false, "If set, output has no colors unless --color always is given."),
    (
        "ROLECALL_NOW",
        false,
        "A time, as in 2026-11-20T08:00:00Z, to use instead of the current time. Use it to try out windows. While it is set, \
         rolecall changes nothing unless Pylon is on this machine.",
    ),
];

const FILES: &[(&str, &str)] = &[
    (
        "users.toml",
        "The root file, unless --config or ROLECALL_CONFIG names another. Inside a git repository, rolecall uses the nearest one in the \
         current folder or a parent folder, up to the root of the repository. It may include team files.",
    ),
    (".rolecall/journal/", "Next to the root file: a journal of each apply, for `rolecall rollback`."),
    (
        ".rolecall/sandbox.json",
        "Next to the root file: the state that --sandbox keeps between runs. Delete it to start again.",
    ),
    (
        "pylon.json",
        "Next to the root file: the description of your organization from which --sandbox starts. `rolecall sandbox --write-state \
         pylon.json` writes one.",
    ),
];

/// Returns all pages, starting with rolecall's own.
pub fn pages() -> Vec<ManualPage> {
    let mut command = command();
    command.build();
    let verbs = VERBS.iter().filter_map(|verb| Some(verb_page(verb, command.find_subcommand(verb.name)?)));
    std::iter::once(main_page(&command)).chain(verbs).collect()
}

fn main_page(command: &Command) -> ManualPage {
    let mut roff = Roff::new();
    section(&mut roff, "DESCRIPTION", DESCRIPTION);
    roff.control("SH", ["COMMANDS"]);
    for (group, names) in GROUPS {
        roff.control("SS", [*group]);
        for name in *names {
            let about = command.find_subcommand(name).map(about).unwrap_or_default();
            entry(&mut roff, &format!("rolecall-{name}(1)"), &about);
        }
    }
    let variables: Vec<_> = VARIABLES.iter().map(|(name, _, means)| (*name, *means)).collect();
    let lists = [("EXIT STATUS", EXITS), ("ENVIRONMENT", &variables), ("FILES", FILES), ("EXAMPLES", START)];
    let others: Vec<String> = VERBS.iter().map(|verb| page_name(verb.name)).collect();
    ManualPage { verb: None, file: "rolecall.1".into(), text: text(command, &roff, &lists, &others) }
}

fn verb_page(verb: &Verb, command: &Command) -> ManualPage {
    let mut roff = Roff::new();
    section(&mut roff, "DESCRIPTION", verb.more);
    let exits: Vec<_> = verb.exits.iter().copied().chain([WRONG_USAGE]).collect();
    let of_connection = VARIABLES.iter().filter(|(_, is_of_connection, _)| *is_of_connection);
    let variables: Vec<_> = of_connection.map(|(name, _, means)| (*name, *means)).collect();
    let connects = command.get_arguments().any(|arg| arg.get_long() == Some("token-file"));
    let mut lists = vec![("EXIT STATUS", exits.as_slice())];
    if connects {
        lists.extend([("ENVIRONMENT", variables.as_slice()), ("FILES", FILES)]);
    }
    lists.push(("EXAMPLES", verb.examples));
    let group = GROUPS.iter().find(|(_, names)| names.contains(&verb.name));
    let siblings = group.into_iter().flat_map(|(_, names)| names.iter()).filter(|name| **name != verb.name);
    let others: Vec<String> =
        std::iter::once("`rolecall`(1)".to_owned()).chain(siblings.map(|name| page_name(name))).collect();
    let file = format!("rolecall-{}.1", verb.name);
    ManualPage { verb: Some(verb.name), file, text: text(command, &roff, &lists, &others) }
}

fn page_name(verb: &str) -> String {
    format!("`rolecall-{verb}`(1)")
}

/// Renders a page from the sections generated by `clap_mangen`, the description, and lists of terms.
fn text(
    command: &Command,
    description: &Roff,
    lists: &[(&str, &[(&str, &str)])],
    others: &[String],
) -> String {
    let mut end = Roff::new();
    for (title, rows) in lists {
        end.control("SH", [*title]);
        for (term, means) in *rows {
            entry(&mut end, term, means);
        }
    }
    section(&mut end, "SEE ALSO", &others.join(", "));
    // Unhide all flags because clap_mangen omits the text of flags that are hidden from the short help.
    let man = Man::new(command.clone().mut_args(|arg| arg.hide_short_help(false)));
    let title = man.get_filename().trim_end_matches(".1").to_uppercase();
    // roff drops an empty date argument, which would shift the source into the date's position.
    let man =
        man.title(title).date(" ").source(concat!("rolecall ", env!("CARGO_PKG_VERSION"))).manual("rolecall");
    let mut bytes = Vec::new();
    let rendered = man
        .render_title(&mut bytes)
        .and_then(|()| man.render_name_section(&mut bytes))
        .and_then(|()| man.render_synopsis_section(&mut bytes))
        .and_then(|()| description.to_writer(&mut bytes))
        .and_then(|()| man.render_options_section(&mut bytes))
        .and_then(|()| end.to_writer(&mut bytes));
    rendered.unwrap_or_else(|error| unreachable!("writing to memory cannot fail: {error}"));
    one_page(&String::from_utf8_lossy(&bytes))
}

/// Merges separately rendered sections into one page: removes repeated preambles, nests the groups of flags under OPTIONS, and
/// renders code spans in bold.
fn one_page(sections: &str) -> String {
    let mut page = PREAMBLE.to_owned();
    let mut is_in_options = false;
    for line in sections.replace(PREAMBLE, "").lines() {
        let heading = line.strip_prefix(".SH ");
        match heading {
            Some(group) if is_in_options && group != "\"EXIT STATUS\"" => page += &format!(".SS {group}"),
            Some(heading) => {
                is_in_options = heading == "OPTIONS";
                page += line;
            }
            None => page += &in_bold(line),
        }
        page.push('\n');
    }
    page
}

fn in_bold(line: &str) -> String {
    let pieces = line.split('`').enumerate();
    pieces
        .map(|(number, piece)| if number % 2 == 1 { format!("\\fB{piece}\\fR") } else { piece.to_owned() })
        .collect()
}

/// The preamble written by `clap_mangen` before each section.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

fn section(roff: &mut Roff, title: &str, text: &str) {
    roff.control("SH", [title]);
    roff.text([roman(text)]);
}

fn entry(roff: &mut Roff, term: &str, means: &str) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(means)]);
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_page_has_the_text_of_flags_that_the_short_help_hides() {
        let page = pages().into_iter().find(|page| page.verb == Some("plan")).unwrap();
        assert!(page.text.contains("Exit with code 2 if there are changes to apply"), "{}", page.text);
        assert!(page.text.contains("All other paths are relative to it."), "{}", page.text);
    }

    #[test]
    fn every_command_has_a_page_with_all_sections() {
        let pages = pages();
        assert_eq!(pages[0].file, "rolecall.1");
        assert_eq!(pages.len(), VERBS.len() + 1);
        for ManualPage { verb, file, text } in &pages {
            let typed = verb.map_or("rolecall".to_owned(), |verb| format!("rolecall {verb}"));
            assert_eq!(*file, typed.replace(' ', "-") + ".1");
            assert!(text.contains(&format!("\n.SH SYNOPSIS\n\\fB{typed}\\fR [")), "{file}:\n{text}");
            let title = format!("\n.TH {} 1 ", file.trim_end_matches(".1").to_uppercase());
            assert!(text.contains(&title), "{file}:\n{text}");
            assert_eq!(text.matches(PREAMBLE).count(), 1, "{file}");
            for section in
                ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "\"EXIT STATUS\"", "EXAMPLES", "\"SEE ALSO\""]
            {
                assert_eq!(
                    text.matches(&format!("\n.SH {section}\n")).count(),
                    1,
                    "{file} {section}:\n{text}"
                );
            }
        }
        assert!(pages[0].text.contains("\n.SH ENVIRONMENT\n") && pages[0].text.contains("\n.SH FILES\n"));
    }
}
