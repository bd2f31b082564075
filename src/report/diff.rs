//! Line-based diffs for the human-readable formats.

use similar::{ChangeTag, TextDiff};

use crate::printable::Printable;
use crate::secret::{MASK, mask_secret, secret_lines};
use crate::toml_text;

/// The maximum length of a line, in characters.
const LONGEST_LINE: usize = 320;
/// The number of unchanged lines to show before and after each difference.
const CONTEXT: usize = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// The lines, each with a tag that says whether it was added, was removed, or is the same.
    pub lines: Vec<(ChangeTag, String)>,
}

impl Hunk {
    pub(super) fn between(before: &[String], after: &[String]) -> Self {
        let [before, after] =
            [before, after].map(|lines| lines.iter().map(String::as_str).collect::<Vec<_>>());
        let diff = TextDiff::from_slices(&before, &after);
        let lines = diff.iter_all_changes().map(|change| (change.tag(), change.value().to_owned()));
        Self { lines: lines.collect() }
    }

    /// Formats the hunk as a diff. Every line ends with a newline.
    pub fn text(&self) -> String {
        self.lines.iter().map(|(tag, line)| format!("{tag}{line}").trim_end().to_owned() + "\n").collect()
    }
}

/// Diffs two versions of a file, with `CONTEXT` unchanged lines around each difference. Potential secrets are masked, and long
/// lines are truncated.
pub fn diff_texts(before: &str, after: &str) -> Vec<Hunk> {
    let diff = TextDiff::from_lines(before, after);
    let groups = diff.grouped_ops(CONTEXT);
    let secret_lines = [before, after].map(|text| (text, secret_lines(text)));
    let hunk = |ops: &Vec<similar::DiffOp>| {
        let changes = ops.iter().flat_map(|op| diff.iter_changes(op));
        let lines = changes.map(|change| {
            let line = change.value().trim_end_matches(['\n', '\r']).replace('\t', "    ");
            let (text, secret_lines) = &secret_lines[usize::from(change.old_index().is_none())];
            let start = change.value().as_ptr() as usize - text.as_ptr() as usize;
            let is_secret = secret_lines.binary_search(&start).is_ok() && !line.trim().is_empty();
            let line = if is_secret { MASK.to_owned() } else { mask_secret(&line) };
            (change.tag(), toml_text::line(Printable::cut(&line, LONGEST_LINE).raw()))
        });
        Hunk { lines: lines.collect() }
    };
    groups.iter().map(hunk).collect()
}
