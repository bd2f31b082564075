//! A problem to report: what is wrong, where, and what to do next.
//!
//! Every module raises its own. Each problem has a stable code `module::what_happened` from the list of that module (see `codes!`),
//! explained in docs/diagnostics.md. The sentence names a value at most in a few escaped characters; the
//! excerpt shows it.

use crate::source::{Place, Sources};

/// Declares the diagnostic codes of a module.
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

/// A place that a problem is about, and what to say at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub place: Place,
    /// What to say there; a few words.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The stable code, as in `roster::bad_email`.
    pub code: &'static str,
    /// What is wrong, in the user's words.
    pub message: String,
    /// Where: the first is the main place. Empty where the problem is in no file.
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place yet.
    pub fn new(code: impl Into<&'static str>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), labels: Vec::new(), help: None }
    }

    #[must_use]
    pub fn at(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// By itself, with the texts that its places are in.
    pub fn with_sources(self, sources: &Sources) -> Problems {
        Problems::new(sources.clone(), vec![self])
    }

    /// Says what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// Everything that is wrong, with the texts it is wrong in. Never empty.
#[derive(Debug, Clone)]
pub struct Problems {
    /// The files that the places are in.
    pub sources: Sources,
    /// The problems in the order of files and lines; those without a place come first.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Sorts by place, so that the same files always give the same report.
    pub fn new(sources: Sources, mut list: Vec<Problem>) -> Self {
        list.sort_by(|a, b| {
            let key = |problem: &Problem| problem.labels.first().map(|label| label.place);
            key(a).cmp(&key(b)).then_with(|| a.code.cmp(b.code)).then_with(|| a.message.cmp(&b.message))
        });
        list.dedup();
        Self { sources, list }
    }

    /// Adds the problems of other files.
    pub fn append(&mut self, others: Self) {
        let Self { sources, mut list } = others;
        let labels = list.iter_mut().flat_map(|problem| &mut problem.labels);
        labels.for_each(|label| label.place = label.place.shifted(self.sources.len()));
        self.sources.append(sources);
        self.list.append(&mut list);
    }
}

impl From<Problem> for Problems {
    /// A problem that is in no file. For one in a file, use [`Problem::with_sources`]: without the texts, its places could not be shown.
    fn from(problem: Problem) -> Self {
        debug_assert!(
            problem.labels.is_empty(),
            "{} is in a file, and nobody says which texts",
            problem.code
        );
        Self { sources: Sources::default(), list: vec![problem] }
    }
}
