//! Checks the docs: the commands run, the TOML is valid, and the tables are complete.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use pretty_assertions::assert_eq;
use rolecall::commands::diagnostic_codes;
use rolecall::exit::Exit;
use rolecall::manual::VERBS;
use rolecall::report::Format;
use rolecall::roster::{Guardrail, Region};

use crate::harness::{Scene, project};

pub(super) fn pages() -> Vec<PathBuf> {
    let in_docs = fs::read_dir(project().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let mut pages: Vec<PathBuf> =
        in_docs.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect();
    pages.extend(
        ["README.md", "examples/README.md", "CONTRIBUTING.md", "SECURITY.md"]
            .map(|page| project().join(page)),
    );
    pages.sort();
    pages
}

/// Extracts the fenced code blocks in the given language from a page.
pub(super) fn blocks(page: &Path, language: &str) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut blocks = Vec::new();
    let mut open: Option<String> = None;
    for line in text.lines() {
        match (&mut open, line.strip_prefix("```")) {
            (None, Some(named)) if named == language => open = Some(String::new()),
            (None, _) => {}
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => *block += &format!("{line}\n"),
        }
    }
    blocks
}

/// Sets up a [`Scene`] with the files in examples/, as in a fresh clone of the repository.
fn clone() -> Scene {
    let mut scene = Scene::offline();
    let mut folders = vec![project().join("examples")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != ".rolecall") {
                folders.push(path);
            } else if path.is_file() {
                let name = path.strip_prefix(project()).unwrap().to_str().unwrap().to_owned();
                scene = scene.file(&name, fs::read(&path).unwrap());
            }
        }
    }
    scene
}

/// Runs a `$ …` line from a code block as a shell would, and returns the output as shown by a terminal.
fn shown(scene: Scene, line: &str) -> String {
    let (line, with_code) = line.strip_suffix("; echo $?").map_or((line, false), |line| (line, true));
    let mut scene = scene;
    let mut words: Vec<&str> = line.split_whitespace().collect();
    while let Some((name, value)) = words[0].split_once('=') {
        scene = scene.env(name, value);
        words.remove(0);
    }
    let arguments = match words.as_slice() {
        ["cargo", "run", "--", arguments @ ..] | ["rolecall", arguments @ ..] => arguments,
        other => panic!("a block runs rolecall, not {other:?}"),
    };
    let run = scene.run_with(arguments, "");
    let code = if with_code { format!("{}\n", run.exit.unwrap()) } else { String::new() };
    assert!(
        with_code || run.exit == Some(0),
        "`{line}` exits with {:?}:\n{}{}",
        run.exit,
        run.stdout,
        run.stderr
    );
    // Convert the CRLF line endings of CSV reports, because the docs use LF.
    run.stdout.replace("\r\n", "\n") + &run.stderr + &code
}

#[test]
fn every_command_in_the_docs_prints_the_documented_output() {
    let mut ran = 0;
    for page in pages() {
        for block in blocks(&page, "console") {
            let (command, expected) = block
                .strip_prefix("$ ")
                .and_then(|block| block.split_once('\n'))
                .expect("a block begins with `$ `");
            let shown = shown(clone(), command);
            if std::env::var_os("ROLECALL_BLESS").is_some_and(|value| value == "1") {
                let text = fs::read_to_string(&page).unwrap();
                fs::write(&page, text.replace(&block, &format!("$ {command}\n{shown}"))).unwrap();
            } else {
                assert_eq!(shown, expected, "`{command}` in {}: ROLECALL_BLESS=1 writes it", page.display());
            }
            ran += 1;
        }
    }
    assert!(ran >= 5, "only {ran} blocks ran");
}

#[test]
fn every_command_named_in_the_docs_exists() {
    // The docs use these names for jobs and checks rather than commands.
    const NAMES: &[&str] = &["rolecall check"];
    let mut named = 0;
    let mut wrongly: Vec<String> = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        let in_blocks = blocks(&page, "sh");
        let in_blocks = in_blocks.iter().flat_map(|block| block.lines());
        let in_sentences = text.lines().filter(|line| !line.starts_with("```"));
        let in_sentences = in_sentences.flat_map(|line| line.split('`').skip(1).step_by(2));
        for written in in_blocks.chain(in_sentences).filter(|written| written.starts_with("rolecall ")) {
            let command = written.split('#').next().unwrap().split(['>', '|', ';']).next().unwrap();
            if command.contains('…') || NAMES.contains(&command) {
                continue;
            }
            let wrong = rolecall::manual::parse(command.split_whitespace().map(Into::into)).err();
            let wrong = wrong.filter(clap::Error::use_stderr); // help isn't an error
            wrongly.extend(wrong.map(|error| format!("`{written}` in {}: {error}", page.display())));
            named += 1;
        }
    }
    assert!(wrongly.is_empty(), "{}", wrongly.join("\n"));
    assert!(named > 40, "only {named} commands were found");
}

#[test]
fn every_piece_of_toml_in_the_docs_is_valid() {
    let mut read = 0;
    for page in pages() {
        for block in blocks(&page, "toml") {
            let scene = Scene::offline().file("users.toml", &block).file("teams/emea.toml", "");
            let run = scene.run("validate");
            assert_eq!(run.exit, Some(0), "in {}:\n{block}\n{}", page.display(), run.stderr);
            read += 1;
        }
    }
    assert!(read >= 8, "only {read} blocks were read");
}

#[test]
fn every_diagnostic_is_explained_exactly_once() {
    let codes = diagnostic_codes();
    let unique: BTreeSet<&str> = codes.iter().copied().collect();
    assert_eq!(unique.len(), codes.len(), "two modules raise the same code");
    let text = fs::read_to_string(project().join("docs/diagnostics.md")).unwrap();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let explained: Vec<&str> = rows.map(|(code, _)| code).collect();
    let unique_rows: BTreeSet<&str> = explained.iter().copied().collect();
    assert_eq!(unique_rows.len(), explained.len(), "a code is explained twice");
    assert_eq!(unique_rows, unique);
}

#[test]
fn every_diagnostic_on_the_on_call_page_exists() {
    let page = fs::read_to_string(project().join("docs/oncall.md")).unwrap();
    let named = page.split('`').skip(1).step_by(2).filter(|code| code.contains("::") && !code.ends_with('…'));
    let codes = diagnostic_codes();
    let unknown: Vec<&str> = named.clone().filter(|code| !codes.contains(code)).collect();
    assert!(unknown.is_empty() && named.count() >= 10, "{unknown:?}");
}

#[test]
fn every_exit_code_is_documented() {
    let text = fs::read_to_string(project().join("docs/exit-codes.md")).unwrap();
    let exits = [
        Exit::Done,
        Exit::Failed,
        Exit::Pending,
        Exit::Blocked,
        Exit::Partial,
        Exit::PlanMismatch,
        Exit::Usage,
    ];
    for exit in exits {
        assert!(text.contains(&format!("\n| {} |", exit.code())), "{exit:?}");
    }
    for (signal, code) in [(1, 129), (2, 130), (15, 143)] {
        assert_eq!(i32::from(Exit::Signal(signal).code()), code);
        assert!(text.contains(&code.to_string()));
    }
}

#[test]
fn every_guardrail_region_format_and_command_is_documented() {
    let page = |name: &str| fs::read_to_string(project().join(name)).unwrap();
    let (safety, oncall) = (page("docs/safety.md"), page("docs/oncall.md"));
    let keys = page("docs/users-toml.md");
    for guardrail in Guardrail::ALL.map(Guardrail::as_str) {
        let is_in_a_row = |page: &str| {
            let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split(" | ").next());
            rows.into_iter().any(|cell| cell.split('`').any(|name| name == guardrail))
        };
        assert!(is_in_a_row(&safety), "{guardrail} has no row in docs/safety.md");
        assert!(is_in_a_row(&oncall), "{guardrail} has no row in docs/oncall.md");
        assert!(keys.contains(guardrail), "{guardrail} is not in docs/users-toml.md");
    }
    let description = page("docs/pylon-users.openapi.yaml");
    let regions = keys.lines().find(|line| line.starts_with("region = ")).unwrap();
    for region in Region::ALL {
        let mut words = regions.split(|char: char| !char.is_ascii_alphanumeric());
        assert!(words.any(|word| word == region.as_str()), "{region:?}: {regions}");
        assert!(description.contains(&format!("\"https://{}\"", region.host())), "{region:?}");
    }
    let reports = page("docs/reports.md");
    for format in Format::ALL {
        assert!(reports.contains(&format!("\n| `{}` |", format.as_str())), "{format:?}");
    }
    let told = page("README.md") + &page("docs/everyday.md") + &page("docs/sandbox.md") + &keys;
    for verb in VERBS {
        assert!(told.contains(&format!("rolecall {}", verb.name)), "no page tells of {}", verb.name);
    }
}

#[test]
fn every_dependency_has_its_reason() {
    let manifest: toml::Table = fs::read_to_string(project().join("Cargo.toml")).unwrap().parse().unwrap();
    let targets = manifest["target"].as_table().unwrap().values();
    let everywhere = ["dependencies", "dev-dependencies"].map(|name| &manifest[name]);
    let tables = everywhere.into_iter().chain(targets.map(|target| &target["dependencies"]));
    let used: BTreeSet<&str> =
        tables.flat_map(|table| table.as_table().unwrap().keys()).map(String::as_str).collect();
    let text = fs::read_to_string(project().join("CONTRIBUTING.md")).unwrap();
    let rows =
        text.split("\n## Dependencies").nth(1).unwrap().lines().filter_map(|line| line.strip_prefix("| "));
    let crates = rows.skip(1).map(|row| row.split('|').next().unwrap().trim_start_matches("tests:"));
    let explained: BTreeSet<&str> =
        crates.flat_map(|cell| cell.split([',', ' ', '(', ')'])).filter(|name| !name.is_empty()).collect();
    assert_eq!(explained, used);
}

#[test]
fn links_between_the_docs_pages_work() {
    let mut anchored = 0;
    let alone = ["SECURITY.md", "CHANGELOG.md"].map(|page| project().join(page));
    for page in pages().into_iter().chain(alone) {
        let text = fs::read_to_string(&page).unwrap();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.starts_with("http")) {
            let (file, anchor) =
                link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
            let target = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(target.exists(), "{} links to {link}", page.display());
            if let Some(anchor) = anchor {
                let there = anchors(&fs::read_to_string(&target).unwrap());
                assert!(
                    there.contains(anchor),
                    "{} links to {link}, and there are {there:?}",
                    page.display()
                );
                anchored += 1;
            }
        }
    }
    assert!(anchored >= 5, "only {anchored} links have an anchor");
}

/// Returns the anchors that GitHub generates for a page's headings: lowercase, with hyphens for spaces and no other
/// punctuation. A repeated heading gets a numeric suffix. Lines in fenced blocks are not headings.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut fenced = false;
    for line in text.lines() {
        fenced ^= line.starts_with("```");
        let heading = line.trim_start_matches('#');
        if fenced || heading.len() == line.len() || !heading.starts_with(' ') {
            continue;
        }
        let kept = heading.trim().to_lowercase().replace(' ', "-");
        let anchor: String =
            kept.chars().filter(|char| char.is_alphanumeric() || "-_".contains(*char)).collect();
        let mut name = anchor.clone();
        for number in 1.. {
            if anchors.insert(name) {
                break;
            }
            name = format!("{anchor}-{number}");
        }
    }
    anchors
}

#[test]
fn anchors_are_made_as_github_makes_them() {
    let page =
        "# What `plan` can't do\n```sh\n# no heading\n```\n## Pace\n## Pace\n#none\n### A, b: 1.2 (c)\n";
    let expected = ["what-plan-cant-do", "pace", "pace-1", "a-b-12-c"].map(str::to_owned);
    assert_eq!(anchors(page), BTreeSet::from(expected));
}

/// The pull request comment shown in docs/reports.md must match the one written for examples/careful.
#[test]
fn the_comment_in_the_docs_is_what_the_example_writes() {
    let scene = clone();
    scene.run("plan --sandbox --config examples/careful/users.toml --report markdown=plan.md").exits(3);
    let comment = fs::read_to_string(scene.folder().join("plan.md")).unwrap();
    let indented: String = comment
        .lines()
        .map(|line| if line.is_empty() { "\n".to_owned() } else { format!("    {line}\n") })
        .collect();
    let page = fs::read_to_string(project().join("docs/reports.md")).unwrap();
    assert!(page.contains(&indented), "docs/reports.md does not have:\n{indented}");
}

#[test]
fn every_name_on_the_architecture_page_exists() {
    let page = fs::read_to_string(project().join("docs/architecture.md")).unwrap();
    let names = page.split('`').skip(1).step_by(2);
    let (paths, names): (Vec<&str>, Vec<&str>) =
        names.partition(|name| name.starts_with("src/") || name.starts_with("tests/"));
    for path in &paths {
        assert!(project().join(path).exists(), "{path} is not there");
    }
    let items: Vec<&str> =
        names.into_iter().filter(|name| name.contains("::") && !name.contains(['(', ' '])).collect();
    for item in &items {
        assert!(module_exists(item), "{item} is nowhere");
    }
    assert!(paths.len() > 8 && items.len() > 30, "{paths:?} {items:?}");
}

/// Returns `true` if every module in `path` exists and the file or folder of the last module contains the names that follow.
fn module_exists(path: &str) -> bool {
    let mut room = project().join("src");
    let mut rest = path.split("::").peekable();
    while let Some(next) =
        rest.next_if(|next| next.chars().all(|char| char.is_ascii_lowercase() || char == '_'))
    {
        let (folder, file) = (room.join(next), room.join(format!("{next}.rs")));
        if folder.is_dir() {
            room = folder;
        } else if file.is_file() {
            room = file;
            break;
        } else {
            return room != project().join("src") && is_defined_in(&room, next);
        }
    }
    rest.all(|name| is_defined_in(&room, name))
}

fn is_defined_in(room: &Path, name: &str) -> bool {
    let said = |path: &Path| fs::read_to_string(path).is_ok_and(|text| text.contains(name));
    if room.is_file() {
        return said(room);
    }
    fs::read_dir(room).unwrap().any(|file| said(&file.unwrap().path()))
}
