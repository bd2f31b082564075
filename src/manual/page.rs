//! Manual pages: the flags as `clap_mangen` writes them, and the sections that it does not know.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};

use super::verbs::{GROUPS, VERBS, Verb};
use super::{EXITS, START, WRONG_USAGE, command};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The verb, or nothing for the page of rolecall itself.
    pub verb: Option<&'static str>,
    /// The name of its file: `rolecall-plan.1`.
    pub file: String,
    /// The page, as `man` reads it.
    pub text: String,
}

const DESCRIPTION: &str = "\
Who is an administrator in Pylon (usepylon.com), who is a member, who is away, is declared in users.toml, which lies in git. \
`rolecall plan` shows in a pull request what would change, and `rolecall apply` changes it on merge.";

/// What is read from the environment, and whether only verbs that ask Pylon read it.
const VARIABLES: &[(&str, bool, &str)] = &[
    (
        "PYLON_API_TOKEN",
        true,
        "The token, unless --token-file names a file that holds it. An Admin creates it in Pylon.",
    ),
    ("PYLON_BASE_URL", true, "As --base-url."),
    ("ROLECALL_RATE", true, "As --rate, separated by commas: `patch=10,search=60`."),
    (
        "HTTPS_PROXY, ALL_PROXY, NO_PROXY",
        true,
        "The proxy through which Pylon is asked, as in http://proxy.example:3128, and the hosts that are asked directly. \
         This machine itself is never asked through a proxy.",
    ),
    (
        "SSL_CERT_FILE, SSL_CERT_DIR",
        true,
        "A file in PEM, or folders of such files: their certificates are trusted instead of those of the system.",
    ),
    (
        "XDG_RUNTIME_DIR, XDG_CACHE_HOME, HOME",
        false,
        "Where the lock of an apply lies: in the folder `rolecall` of each (of HOME, in `.cache`), and beside the root file in `.rolecall`.",
    ),
    (
        "GITHUB_WORKSPACE, GITHUB_STEP_SUMMARY",
        false,
        "Set by GitHub: what --format github names files by, and where it puts the summary.",
    ),
    ("NO_COLOR", false, "No colors, unless --color always."),
    (
        "ROLECALL_NOW",
        false,
        "An instant, as in 2026-11-20T08:00:00Z, that stands for the present: to try what a window will do. \
         A Pylon that is not on this machine is not changed as on another day.",
    ),
];

const FILES: &[(&str, &str)] = &[
    ("users.toml", "The root file, unless --config names another. Team files are those that it includes."),
    (".rolecall/journal/", "Beside the root file: what each apply did, for `rolecall rollback`."),
    (".rolecall/sandbox.json", "Next to the root file: the state of --sandbox. Delete it to start again."),
    (
        "pylon.json",
        "Next to the root file: the description of your organization from which --sandbox starts. `rolecall sandbox --write-state \
         pylon.json` writes one.",
    ),
];

/// Returns every page, that of rolecall itself first.
pub fn pages() -> Vec<Page> {
    let mut command = command();
    command.build();
    let verbs = VERBS.iter().filter_map(|verb| Some(verb_page(verb, command.find_subcommand(verb.name)?)));
    std::iter::once(main_page(&command)).chain(verbs).collect()
}

fn main_page(command: &Command) -> Page {
    let mut roff = Roff::new();
    section(&mut roff, "DESCRIPTION", DESCRIPTION);
    roff.control("SH", ["COMMANDS"]);
    for (group, names) in GROUPS {
        roff.control("SS", [*group]);
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            entry(
                &mut roff,
                &format!("rolecall-{name}(1)"),
                &about.map(ToString::to_string).unwrap_or_default(),
            );
        }
    }
    let variables: Vec<_> = VARIABLES.iter().map(|(name, _, means)| (*name, *means)).collect();
    let lists = [("EXIT STATUS", EXITS), ("ENVIRONMENT", &variables), ("FILES", FILES), ("EXAMPLES", START)];
    let others: Vec<String> = VERBS.iter().map(|verb| page_name(verb.name)).collect();
    Page { verb: None, file: "rolecall.1".into(), text: text(command, &roff, &lists, &others) }
}

fn verb_page(verb: &Verb, command: &Command) -> Page {
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
    Page { verb: Some(verb.name), file, text: text(command, &roff, &lists, &others) }
}

fn page_name(verb: &str) -> String {
    format!("`rolecall-{verb}`(1)")
}

/// Puts the sections of `clap_mangen` around `description`, and lists of terms below them.
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
    let man = Man::new(command.clone());
    let title = man.get_filename().trim_end_matches(".1").to_uppercase();
    // An empty date would be left out, and the source would take its place.
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
    rendered.unwrap_or_else(|error| unreachable!("memory takes it: {error}"));
    one_page(&String::from_utf8_lossy(&bytes))
}

/// Makes one page of sections that were rendered one by one: the preamble once, groups of flags below OPTIONS, and text between
/// backticks in bold.
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

/// The lines about apostrophes with which `clap_mangen` begins each section.
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
    fn every_verb_has_a_page_with_every_section() {
        let pages = pages();
        assert_eq!(pages[0].file, "rolecall.1");
        assert_eq!(pages.len(), VERBS.len() + 1);
        for Page { verb, file, text } in &pages {
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
