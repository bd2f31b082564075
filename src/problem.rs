//! Defines a problem to report: what is wrong, where, and what to do next.
//!
//! Each problem has a stable code `module::what_happened`. The module that raises it lists its codes with `codes!`, and
//! docs/diagnostics.md explains them. A message shows at most a few escaped characters of a value. The excerpt shows the rest.

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

/// A place that a problem is about, and its label in the excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    pub place: Place,
    /// The label has only a few words.
    pub text: String,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The code is stable: `roster::bad_email`.
    pub code: &'static str,
    /// What is wrong, in the terms of the user.
    pub message: String,
    /// The first label has the main place. The list is empty if the problem is not about a file.
    pub labels: Vec<Label>,
    pub help: Option<String>,
}

impl Problem {
    /// Returns a problem without a place.
    pub fn new(code: impl Into<&'static str>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into(), labels: Vec::new(), help: None }
    }

    #[must_use]
    pub fn at(mut self, place: Place, text: impl Into<String>) -> Self {
        self.labels.push(Label { place, text: text.into() });
        self
    }

    /// Returns whether it is a warning, which stops no command.
    pub fn is_warning(&self) -> bool {
        self.code.starts_with("lint::")
    }

    /// Returns the problem together with the text that its places refer to.
    pub fn with_sources(self, sources: &Sources) -> Problems {
        Problems::new(sources.clone(), vec![self])
    }

    /// Adds what to do next.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

/// All problems of a run, with the text that their places refer to. The list is empty only for valid files.
#[derive(Debug, Clone)]
pub struct Problems {
    pub sources: Sources,
    /// The problems are in the order of files and lines. Those without a place come first.
    pub list: Vec<Problem>,
}

impl Problems {
    /// Sorts the problems by place, so that the same files always give the same report.
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
    /// Converts a problem without places. If it has places, use [`Problem::with_sources`], because they cannot be shown without the
    /// text.
    fn from(problem: Problem) -> Self {
        debug_assert!(problem.labels.is_empty(), "{} has a place, but no texts to show it in", problem.code);
        Self { sources: Sources::default(), list: vec![problem] }
    }
}
