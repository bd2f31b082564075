//! A problem to report to the user: what's wrong, where, and how to fix it.
//!
//! Each problem has a stable code of the form `module::what_happened`. Modules declare their own codes with `codes!`, and
//! docs/diagnostics.md documents them. Messages quote only the beginning of a long value and escape its special characters. The
//! excerpt below a message shows the rest.

use std::collections::{BTreeSet, HashMap};

use crate::secret::{MASK, secret_words, words};
use crate::source::{Place, Sources};

/// Declares a module's diagnostic codes.
macro_rules! codes {
    ($(#[$meta:meta])* pub enum $name:ident $variants:tt) => {
        $crate::every::words! {
            $(#[$meta])*
            #[derive(PartialOrd, Ord, Hash)]
            pub enum $name $variants
        }

        impl From<$name> for &'static str {
            fn from(code: $name) -> Self { code.as_str() }
        }
    };
}
pub(crate) use codes;

/// A problem's location, along with its label in the excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub place: Place,
    /// A short description of the location, such as `declared here`.
    pub text: String,
}

/// A problem: an error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// A stable code such as `roster::bad_email`.
    pub code: &'static str,
    /// A description of the problem in the user's terms.
    pub message: String,
    /// The locations involved, starting with the main location. Empty if the problem isn't in a file.
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

impl Problem {
    /// Creates a problem without a location.
    pub fn new(code: impl Into<&'static str>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), labels: Vec::new(), help: None }
    }

    #[must_use]
    pub fn at(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// Returns `true` if the problem is a warning. Warnings cause a command to fail only with `validate --deny warnings`.
    pub fn is_warning(&self) -> bool {
        self.code.starts_with("lint::")
    }

    /// Masks words that look like secrets only because of the rest of their source line, such as a comment about a token. A
    /// long line can have many problems, so `words_of_lines` caches the words, keyed by the address and length of their lines.
    fn hide_secrets<'s>(
        &mut self,
        sources: &'s Sources,
        words_of_lines: &mut HashMap<(*const u8, usize), BTreeSet<&'s str>>,
    ) {
        let Self { code: _, message, labels, help } = self;
        for place in labels.iter().map(|label| label.place).collect::<Vec<_>>() {
            let lines = sources.lines(place);
            let hidden = words_of_lines.entry((lines.as_ptr(), lines.len()));
            let hidden = hidden.or_insert_with(|| secret_words(lines).map(|(_, word)| word).collect());
            let texts =
                labels.iter_mut().map(|label| &mut label.text).chain([&mut *message]).chain(&mut *help);
            if !hidden.is_empty() {
                texts.for_each(|text| *text = without_words(text, hidden));
            }
        }
    }

    /// Combines the problem with the sources its locations refer to.
    pub fn with_sources(self, sources: &Sources) -> Problems {
        Problems::new(sources.clone(), vec![self])
    }

    /// Adds a suggestion for what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Replaces the words of `text` that are in `hidden` with [`MASK`]. Also replaces any long word that's the beginning of a hidden
/// word because messages can truncate words.
fn without_words(text: &str, hidden: &BTreeSet<&str>) -> String {
    let is_hidden = |word: &str| {
        let next = hidden.range(word..).next();
        next.is_some_and(|next| *next == word || word.len() >= 16 && next.starts_with(word))
    };
    let (mut shown, mut done) = (String::new(), 0);
    for (at, word) in words(text).filter(|(_, word)| is_hidden(word)) {
        shown += &text[done..at];
        shown += MASK;
        done = at + word.len();
    }
    shown + &text[done..]
}

/// A list of problems, and the sources their locations refer to. The list is empty only if the files are valid.
#[derive(Debug, Clone)]
pub struct Problems {
    pub sources: Sources,
    /// The problems, in file and line order. Problems without a location come first. [`Problems::append`] adds the
    /// problems of other files at the end.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Sorts the problems by location and removes duplicates, so that the same files always produce the same report. Also masks
    /// words in the problems if they look like secrets in the source text.
    pub fn new(sources: Sources, mut list: Vec<Problem>) -> Self {
        let mut words_of_lines = HashMap::new();
        list.iter_mut().for_each(|problem| problem.hide_secrets(&sources, &mut words_of_lines));
        list.sort_by(|a, b| {
            let key = |problem: &Problem| problem.labels.first().map(|label| label.place);
            key(a).cmp(&key(b)).then_with(|| a.code.cmp(b.code)).then_with(|| a.message.cmp(&b.message))
        });
        list.dedup();
        Self { sources, list }
    }

    /// Appends the problems of other files, along with the sources of these files.
    pub fn append(&mut self, others: Self) {
        let Self { sources, mut list } = others;
        let labels = list.iter_mut().flat_map(|problem| &mut problem.labels);
        labels.for_each(|label| label.place = label.place.shifted(self.sources.len()));
        self.sources.append(sources);
        self.list.append(&mut list);
    }
}

impl From<Problem> for Problems {
    /// Converts a problem without a location. For a problem with a location, use [`Problem::with_sources`], since displaying a
    /// location requires the source text.
    fn from(problem: Problem) -> Self {
        assert!(problem.labels.is_empty(), "{} has a place, but no texts to show it in", problem.code);
        Self { sources: Sources::default(), list: vec![problem] }
    }
}
