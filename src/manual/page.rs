//! Manual pages: the flags as `clap_mangen` writes them, and the sections that it does not know.

use clap::Command;
use clap_mangen::Man;
use clap_mangen::roff::{Inline, Roff, bold, roman};

use super::verbs::{GROUPS, VERBS, Verb};
use super::{EXITS, START, WRONG_USAGE, command};

/// A manual page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The verb, or nothing for the page of rolecall itself.
    pub verb: Option<&'static str>,
    /// The name of its file: `rolecall-plan.1`.
    pub file: String,
    /// The page, as `man` reads it.
    pub text: String,
}

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
    ("NO_COLOR", false, "No colours, unless --color always."),
    (
        "ROLECALL_NOW",
        false,
        "An instant, as in 2026-11-20T08:00:00Z, that stands for the present: to try what a window will do. \
         A Pylon that is not on this machine is not changed as on another day.",
    ),
];

/// What lies where.
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

/// Every page, that of rolecall itself first.
pub fn pages() -> Vec<Page> {
    let mut command = command();
    command.build();
    let verbs = VERBS.iter().filter_map(|verb| Some(of_verb(verb, command.find_subcommand(verb.name)?)));
    std::iter::once(of_all(&command)).chain(verbs).collect()
}

fn of_all(command: &Command) -> Page {
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    paragraph(
        &mut roff,
        "Who is an administrator in Pylon (usepylon.com), who is a member, who is away, is declared in users.toml, which lies in git. \
         `rolecall plan` shows in a pull request what would change, and `rolecall apply` changes it on merge.",
    );
    roff.control("SH", ["COMMANDS"]);
    for (group, names) in GROUPS {
        roff.control("SS", [*group]);
        for name in *names {
            let about = command.find_subcommand(name).and_then(Command::get_about);
            roff.control("TP", []);
            roff.text([bold(format!("rolecall-{name}")), roman("(1)")]);
            paragraph(&mut roff, &about.map(ToString::to_string).unwrap_or_default());
        }
    }
    let mut end = Roff::new();
    exits(&mut end, EXITS);
    environment(&mut end, true);
    files(&mut end);
    examples(&mut end, START);
    let others: Vec<String> = VERBS.iter().map(|verb| format!("rolecall-{}", verb.name)).collect();
    see_also(&mut end, &others);
    Page { verb: None, file: "rolecall.1".into(), text: joined(command, &roff, &end) }
}

fn of_verb(verb: &Verb, command: &Command) -> Page {
    let asks = command.get_arguments().any(|arg| arg.get_long() == Some("token-file"));
    let mut roff = Roff::new();
    roff.control("SH", ["DESCRIPTION"]);
    paragraph(&mut roff, verb.more);
    let mut end = Roff::new();
    exits(&mut end, &verb.exits.iter().copied().chain([WRONG_USAGE]).collect::<Vec<_>>());
    if asks {
        environment(&mut end, false);
        files(&mut end);
    }
    examples(&mut end, verb.examples);
    let group = GROUPS.iter().find(|(_, names)| names.contains(&verb.name));
    let siblings = group.into_iter().flat_map(|(_, names)| names.iter()).filter(|name| **name != verb.name);
    let others =
        std::iter::once("rolecall".to_owned()).chain(siblings.map(|name| format!("rolecall-{name}")));
    see_also(&mut end, &others.collect::<Vec<_>>());
    let file = format!("rolecall-{}.1", verb.name);
    Page { verb: Some(verb.name), file, text: joined(command, &roff, &end) }
}

/// What `clap_mangen` knows, its name and its flags, between what it does not.
fn joined(command: &Command, middle: &Roff, end: &Roff) -> String {
    let man = Man::new(command.clone());
    let name = man.get_filename();
    let name = name.trim_end_matches(".1");
    let title = name.to_uppercase();
    let version = env!("CARGO_PKG_VERSION");
    let mut synopsis = Roff::new();
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim_end();
    let typed = command.get_bin_name().unwrap_or(name);
    synopsis.control("SH", ["SYNOPSIS"]);
    synopsis.text([bold(typed), roman(usage.strip_prefix(typed).unwrap_or_default())]);
    let parts = [
        PREAMBLE.to_owned(),
        // By hand, since the empty day would be left out: pages that are made anew should stay the same.
        format!(".TH \"{title}\" 1 \"\" \"rolecall {version}\" \"rolecall\"\n"),
        section(|bytes| man.render_name_section(bytes)),
        synopsis.to_roff(),
        middle.to_roff(),
        section(|bytes| man.render_options_section(bytes)),
        end.to_roff(),
    ];
    parts.concat()
}

/// A section of `clap_mangen`'s: without the first lines, which a page needs once; what stands in backticks bold; the groups of
/// flags below one heading.
fn section(render: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    render(&mut bytes).unwrap_or_else(|error| unreachable!("memory takes it: {error}"));
    let text = String::from_utf8_lossy(&bytes);
    let lines = text.strip_prefix(PREAMBLE).unwrap_or(&text).lines();
    lines
        .map(|line| match line.strip_prefix(".SH ") {
            Some(heading) if !["NAME", "OPTIONS"].contains(&heading) => format!(".SS {heading}\n"),
            Some(_) => format!("{line}\n"),
            None => in_bold(line) + "\n",
        })
        .collect()
}

fn in_bold(line: &str) -> String {
    let pieces = line.split('`').enumerate();
    pieces
        .map(|(number, piece)| if number % 2 == 1 { format!("\\fB{piece}\\fR") } else { piece.to_owned() })
        .collect()
}

/// How roff is told of apostrophes; what `clap_mangen` writes first.
const PREAMBLE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

fn exits(roff: &mut Roff, rows: &[(&str, &str)]) {
    roff.control("SH", ["EXIT STATUS"]);
    for (code, means) in rows {
        term(roff, code, means);
    }
}

fn environment(roff: &mut Roff, whole: bool) {
    roff.control("SH", ["ENVIRONMENT"]);
    for (name, _, means) in VARIABLES.iter().filter(|(_, of_asking, _)| whole || *of_asking) {
        term(roff, name, means);
    }
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    for (name, is) in FILES {
        term(roff, name, is);
    }
}

fn examples(roff: &mut Roff, rows: &[(&str, &str)]) {
    roff.control("SH", ["EXAMPLES"]);
    for (command, what) in rows {
        term(roff, command, what);
    }
}

fn see_also(roff: &mut Roff, names: &[String]) {
    roff.control("SH", ["SEE ALSO"]);
    let mut line = Vec::new();
    for name in names {
        if !line.is_empty() {
            line.push(roman(", "));
        }
        line.extend([bold(name), roman("(1)")]);
    }
    roff.text(line);
}

fn term(roff: &mut Roff, name: &str, means: &str) {
    roff.control("TP", []);
    roff.text([bold(name)]);
    paragraph(roff, means);
}

/// A text; what stands in backticks is bold.
fn paragraph(roff: &mut Roff, text: &str) {
    let pieces: Vec<Inline> = text
        .split('`')
        .enumerate()
        .map(|(number, piece)| if number % 2 == 1 { bold(piece) } else { roman(piece) })
        .collect();
    roff.text(pieces);
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
            assert!(text.contains(&format!("\n.SH SYNOPSIS\n\\fB{typed}\\fR [OPTIONS]")), "{file}:\n{text}");
            let title = format!("\n.TH \"{}\" 1 ", file.trim_end_matches(".1").to_uppercase());
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
