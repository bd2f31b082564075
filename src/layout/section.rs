//! A header with the keys below it. Keys are sorted into a fixed order, but no key moves past a blank line or a comment.
//! A comment may be about the key below it or about all that follow, so that key and the comment stay where they are.

use toml_edit::Value;

use super::page::Page;
use super::pen::{Pen, dotted, order_below, rank};
use super::sheet::{Around, Block};
use crate::roster::keys;

/// A header, what stands around it, and its keys.
pub(super) struct Section<'t> {
    pub(super) path: Vec<&'t str>,
    /// `[[path]]`.
    pub(super) array: bool,
    pub(super) head: Around<'t>,
    pub(super) entries: Vec<Entry<'t>>,
}

/// A key below a header (or below none), and its value.
pub(super) struct Entry<'t> {
    pub(super) path: Vec<&'t str>,
    pub(super) value: &'t Value,
    pub(super) around: Around<'t>,
}

/// Keys that follow one another without a blank line.
pub(super) struct Run<'t> {
    /// A blank line divides it from what is above it.
    pub(super) after_blank: bool,
    /// The comments that head it.
    pub(super) standing: Vec<Block<'t>>,
    pub(super) entries: Vec<Entry<'t>>,
    /// The comments directly below it.
    pub(super) foot: Block<'t>,
}

impl<'t> Section<'t> {
    /// A section without comments.
    pub(super) fn bare(path: Vec<&'t str>) -> Self {
        Self { path, array: false, head: Around::default(), entries: Vec::new() }
    }

    /// Puts comments below the last line.
    pub(super) fn add_foot(&mut self, foot: Block<'t>) {
        let last = self.entries.last_mut().map_or(&mut self.head, |entry| &mut entry.around);
        last.foot.extend(foot);
    }

    /// Writes it.
    pub(super) fn write(self, page: &mut Page, pen: Pen<'t>) {
        let Self { path, array, head, entries } = self;
        write_head(page, &path, array, &head);
        if !head.foot.is_empty() {
            page.blank();
        }
        write_keys(page, pen, entries, order_of(&path));
    }
}

/// Writes keys, sorted into `order` within each run.
pub(super) fn write_keys<'t>(page: &mut Page, pen: Pen<'t>, keys: Vec<Entry<'t>>, order: &[&str]) {
    for (number, run) in runs(keys, |_| false).into_iter().enumerate() {
        let Run { after_blank: _, standing, mut entries, foot } = run;
        if number > 0 {
            page.blank();
        }
        sort(&mut entries, order);
        page.standing(&standing);
        entries.into_iter().for_each(|entry| entry.write(page, pen));
        page.block(&foot);
    }
}

/// Sorts keys that no comment divides. A key below a comment stays first, since the comment may be about it.
fn sort(entries: &mut [Entry<'_>], order: &[&str]) {
    for keys in entries.chunk_by_mut(|_, next| next.around.above.is_empty()) {
        let first = usize::from(!keys[0].around.above.is_empty());
        keys[first..].sort_by_key(|entry| rank(&entry.path, order));
    }
}

/// Writes a header with its comments.
pub(super) fn write_head(page: &mut Page, path: &[&str], array: bool, head: &Around<'_>) {
    let Around { after_blank: _, standing, above, behind, foot } = head;
    page.blank();
    page.standing(standing);
    page.block(above);
    let path = dotted(path);
    page.code(&if array { format!("[[{path}]]") } else { format!("[{path}]") }, *behind);
    page.block(foot);
}

impl<'t> Entry<'t> {
    /// Writes it with the comments directly around it.
    pub(super) fn write(self, page: &mut Page, pen: Pen<'t>) {
        let Self { path, value, around } = self;
        let Around { after_blank: _, standing: _, above, behind, foot } = around;
        page.block(&above);
        page.code(&pen.entry(&path, value), behind);
        page.block(&foot);
    }
}

/// Divides keys at blank lines, and above each key that `begins` a run.
pub(super) fn runs<'t>(entries: Vec<Entry<'t>>, begins: impl Fn(&Around<'t>) -> bool) -> Vec<Run<'t>> {
    let mut runs: Vec<Run<'_>> = Vec::new();
    for mut entry in entries {
        let standing = std::mem::take(&mut entry.around.standing);
        let foot = std::mem::take(&mut entry.around.foot);
        match runs.last_mut() {
            Some(run) if !entry.around.after_blank && run.foot.is_empty() && !begins(&entry.around) => {
                run.entries.push(entry);
                run.foot = foot;
            }
            _ => {
                let after_blank =
                    entry.around.after_blank || runs.last().is_some_and(|run| !run.foot.is_empty());
                runs.push(Run { after_blank, standing, entries: vec![entry], foot });
            }
        }
    }
    runs
}

/// In which order a section has its keys.
fn order_of(path: &[&str]) -> &'static [&'static str] {
    match path {
        ["workspace"] => keys::WORKSPACE,
        ["policy"] => keys::POLICY,
        ["guardrails"] => keys::GUARDRAIL,
        ["acknowledge"] => order_below("acknowledge"),
        ["users", _] => keys::PERSON,
        ["users", _, "windows"] => order_below("windows"),
        _ => &[],
    }
}
