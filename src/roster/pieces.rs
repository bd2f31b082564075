//! A file cut into pieces, so that the parser's tree is never larger than one of them.
//!
//! Nearly all of a large file are the lines below `[users]`, and a tree of a hundred thousand of them takes 170 MB. So these
//! rows are taken out and parsed a piece at a time; what is left is the frame: the file without them.
//!
//! Both readings say the same, or the file is read whole ([`Cut::whole`]). Without an error in the frame, its line `[users]`
//! is a header: in an array or in braces `users` is no value, and there are no strings of several lines. Without an error
//! in a piece, it ends where a line of TOML ends, and the next piece begins there. What only the whole file shows, a key
//! that stands in two pieces, the reader looks for by itself (`people`, `rules`).

use std::borrow::Cow;
use std::ops::Range;

/// So large is a piece: large enough that its tree is made of memory that is warm already, and no larger.
pub(super) const PIECE: usize = 32 * 1024;
const HEADER: &str = "[users]";

/// A text without the rows of `[users]`, and these.
pub(super) struct Cut<'t> {
    /// The text without the rows.
    pub(super) frame: Cow<'t, str>,
    rows: &'t str,
    at: usize,
    /// Bytes a piece.
    size: usize,
}

/// What has to be added to an offset in a part of a text for one in the whole.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shift {
    /// Up to here in the part …
    from: usize,
    /// … this much, …
    before: usize,
    /// … and from there on this much.
    by: usize,
}

impl Shift {
    /// The shift of a part that is made of two ranges of the text, with `gap` bytes between them that are not in it.
    pub(super) fn of_two(first: &Range<usize>, gap: usize, second: &Range<usize>) -> Self {
        let from = first.len() + gap;
        Self { from, before: first.start, by: second.start.wrapping_sub(from) }
    }

    pub(super) fn span(self, span: Range<usize>) -> Range<usize> {
        let shifted =
            |offset: usize| offset.wrapping_add(if offset >= self.from { self.by } else { self.before });
        shifted(span.start)..shifted(span.end)
    }
}

impl<'t> Cut<'t> {
    /// All of the text as frame.
    pub(super) fn whole(text: &'t str) -> Self {
        Self { frame: Cow::Borrowed(text), rows: "", at: text.len(), size: 0 }
    }

    /// The text, and apart from it the rows below the first `[users]`, in pieces of about `size` bytes.
    pub(super) fn in_pieces_of(size: usize, text: &'t str) -> Self {
        let Range { start, end } = rows_of(text);
        let rows = &text[start..end];
        let frame = format!("{}{}", &text[..start], &text[end..]);
        let may_hide_the_header = frame.contains("\"\"\"") || frame.contains("'''");
        // A byte order mark is passed over where a text begins, and is an error anywhere else.
        if rows.is_empty() || rows.starts_with('\u{feff}') || may_hide_the_header {
            return Self::whole(text);
        }
        Self { frame: Cow::Owned(frame), rows, at: start, size }
    }

    /// Whether there is anything beside the frame.
    pub(super) fn has_rows(&self) -> bool {
        !self.rows.is_empty()
    }

    /// From the frame to the text.
    pub(super) fn shift(&self) -> Shift {
        Shift { from: self.at, before: 0, by: self.rows.len() }
    }

    /// The rows, piece by piece.
    pub(super) fn pieces(&self) -> Pieces<'t> {
        Pieces { rest: self.rows, at: self.at, size: self.size }
    }
}

/// Whole lines, each piece with the way from it to the text.
pub(super) struct Pieces<'t> {
    rest: &'t str,
    at: usize,
    size: usize,
}

impl<'t> Iterator for Pieces<'t> {
    type Item = (Shift, &'t str);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        // Only in front of a quote where a line begins: what else begins a line may go on with the one before.
        let far = self.rest.floor_char_boundary(self.size);
        let end = self.rest[far..].find("\n\"").map_or(self.rest.len(), |newline| far + newline + 1);
        let (piece, rest) = self.rest.split_at(end);
        let shift = Shift { from: 0, before: 0, by: self.at };
        (self.rest, self.at) = (rest, self.at + end);
        Some((shift, piece))
    }
}

/// The lines between the first line `[users]` and the next one that begins with `[`.
fn rows_of(text: &str) -> Range<usize> {
    let header = text.match_indices(HEADER).map(|(at, _)| at).find(|at| is_header(text, *at));
    let Some(newline) = header.and_then(|at| Some(at + text[at..].find('\n')?)) else {
        return text.len()..text.len();
    };
    let start = newline + 1;
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        if line.trim_start_matches([' ', '\t']).starts_with('[') {
            break;
        }
        end += line.len();
    }
    start..end
}

/// Whether the `[users]` at this place has its line for itself and a comment.
fn is_header(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']);
    let after = text[at + HEADER.len()..].trim_start_matches([' ', '\t']);
    (before.is_empty() || before.ends_with('\n'))
        && (after.starts_with(['#', '\n']) || after.starts_with("\r\n"))
}

#[cfg(test)]
mod tests {
    use super::super::read::{Reader, Root};
    use super::*;

    /// What comes of reading, with every place and excerpt; nothing where the file has to be read whole.
    fn read(text: &str, piece: Option<usize>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        std::fs::write(&path, text).unwrap();
        let mut reader = Reader::whole();
        reader.piece = piece;
        let roster = reader.read_root(&Root::named(&path).ok().unwrap());
        let is_clear = !reader.is_unclear || piece.is_none();
        let told = match reader.finish(roster) {
            Ok(roster) => format!("{roster:?}"),
            Err(problems) => {
                let labels = problems.list.iter().flat_map(|problem| &problem.labels);
                let excerpts: Vec<_> = labels.map(|label| problems.sources.excerpt(label.place)).collect();
                format!("{:?}\n{excerpts:?}", problems.list)
            }
        };
        is_clear.then(|| told.replace(&*folder.path().to_string_lossy(), ""))
    }

    fn whole(text: &str) -> Option<String> {
        read(text, None)
    }

    /// In pieces of a line, if there are any.
    fn in_pieces(text: &str) -> Option<String> {
        if Cut::in_pieces_of(0, text).has_rows() { read(text, Some(0)) } else { None }
    }

    #[test]
    fn rows_are_cut_in_front_of_a_quote_and_end_before_a_bracket() {
        let text = "[defaults]\nrole = \"A\"\n[users] # people\n\"a\" = {}\nb = {\n}\n\n\"c\" = {}\n  [policy]\n\"d\" = 1\n";
        let cut = Cut::in_pieces_of(0, text);
        assert_eq!(cut.frame, "[defaults]\nrole = \"A\"\n[users] # people\n  [policy]\n\"d\" = 1\n");
        let pieces: Vec<&str> = cut.pieces().map(|(_, piece)| piece).collect();
        assert_eq!(pieces, ["\"a\" = {}\nb = {\n}\n\n", "\"c\" = {}\n"]);
        for (shift, piece) in cut.pieces() {
            assert_eq!(&text[shift.span(0..piece.len())], piece);
        }
        let at = cut.frame.find("[policy]").unwrap();
        assert_eq!(&text[cut.shift().span(at..at + 8)], "[policy]");
    }

    #[test]
    fn what_hides_the_header_or_goes_over_a_cut_is_read_whole() {
        for text in [
            "x = \"\"\"\n[users]\n\"a@b.co\" = {}\n[y]\n\"\"\"\n",
            "x = [\n[users]\n\"a@b.co\" = {}\n[]]\n",
            "x = {\n[users]\n\"a@b.co\" = {}\n[y]\n}\n",
            "[users]\n\"a@b.co\" = { role = \"\"\"\n\"b@b.co\" = {}\n\"\"\" }\n",
            "[users]\n\"a@b.co\" = { windows = [\n[users]\n] }\n",
            "[users]\n\"a@b.co\" = {}\n\"a@b.co\" = {}\n",
            "[users]\n\"a@b.co\" = 1\n\"a@b.co\" = 2\n",
            "[users]\n\"a\" = {}\n\"a\" = {}\n",
            "[users]\n\"a@b.co\".role = \"A\"\n\"a@b.co\".status = \"away\"\n",
            "[users]\n\"a@b.co\" = {}\n[users.\"a@b.co\"]\nrole = \"A\"\n",
            "[users]\n\"a@b.co\" = {}\n[users]\n\"b@b.co\" = {}\n",
            "users.x = 1\n[users]\n\"a@b.co\" = {}\n",
            "[users]\n\"a@b.co\" = {}\n\"b@b.co\" = {\n",
        ] {
            assert_eq!(in_pieces(text), None, "{text}");
        }
    }

    #[test]
    fn in_pieces_or_whole_a_file_says_the_same() {
        const ROWS: &[&str] = &[
            "\"a@b.co\" = {}\n",
            "\"A@b.co\" = { role = \"Lead\" }\r\n",
            "\"b@b.co\" = { role = 1, token = \"s3cret\" }\n",
            "\"c@b.co\" = { status = \"actve\" } # é\n",
            "\"d@b.co\" = { windows = [\n  { from = 2026-12-20, until = 2026-12-24, status = \"away\" },\n] }\n",
            "\"e@b.co\".role = \"Lead\"\n",
            "\"e@b.co\".status = \"away\"\n",
            "\"zoë@b.co\" = {}\n",
            "'f@b.co' = { reason = \"\"\"\n\"x\"\n\"\"\" }\n",
            "\"nobody\" = {}\n",
            "\"g@b.co\" = 3\n",
            "# \"comment\"\n",
        ];
        const OTHERS: &[&str] = &[
            "[users]\n",
            "[users]\n",
            " [users] # all\r\n",
            "[users.\"c@b.co\"]\n",
            "[defaults]\n",
            "[policy]\n",
            "[[acknowledge]]\n",
            "role = \"Admin\"\n",
            "status = \"away\"\n",
            "guardrails = 1\n",
            "bare = {}\n",
            "\"h@b.co\" = {\n",
            "}\n",
            "x = [\n",
            "]\n",
            "\"\"\"\n",
            "\n",
            "\u{feff}\n",
        ];
        let mut rng = fastrand::Rng::with_seed(7);
        let mut clear = 0;
        for _ in 0..1500 {
            let mut text = String::new();
            let (before, below) = (rng.usize(0..3), rng.usize(1..8));
            (0..before).for_each(|_| text += rng.choice(OTHERS).unwrap());
            text += "[users]\n";
            // Mostly rows: of files in which nothing fits, all are read whole.
            for _ in 0..below {
                let lines = if rng.u8(0..10) < 8 { ROWS } else { OTHERS };
                text += rng.choice(lines).unwrap();
            }
            if let Some(told) = in_pieces(&text) {
                assert_eq!(Some(told), whole(&text), "{text}");
                clear += 1;
            }
        }
        assert!(clear > 250, "hardly anything was read in pieces: {clear}");
    }
}
