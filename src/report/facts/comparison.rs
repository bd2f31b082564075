//! The differences between two versions of the files.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::agenda::WindowLine;
use crate::comparison::{self, ComparedSubject, DifferenceEntry, Kind};
use crate::printable::Printable;
use crate::roster::{Email, Roster};

/// `compare`: the differences between two versions of the files.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparisonReport {
    /// The root file of the old version.
    pub old: Printable,
    /// The root file of the new version.
    pub new: Printable,
    /// The number of people declared in the new version.
    pub declared: usize,
    pub summary: ComparisonSummary,
    /// Sorted by subject: settings come before people.
    pub differences: Vec<DifferenceEntry>,
    /// The current time, which the timeline marks as now.
    #[serde(skip)]
    pub now: Timestamp,
    /// The windows in the new version, for people who differ.
    pub windows: Vec<WindowLine>,
}

/// The number of people and settings that differ.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct ComparisonSummary {
    pub people_added: usize,
    pub people_removed: usize,
    pub people_changed: usize,
    pub settings: usize,
    /// Whether there are differences that a reviewer must not miss.
    pub sensitive: bool,
}

impl ComparisonReport {
    /// Compares two versions of the files, each given as a roster and the name of its root file.
    pub fn new(old: (&Roster, Printable), new: (&Roster, Printable), now: Timestamp) -> Self {
        let ((old, old_file), (new, new_file)) = (old, new);
        let differences = comparison::differences(old, new, None);
        let differs = |email: &Email| {
            let subject = ComparedSubject::Person { email: email.clone() };
            differences.binary_search_by(|other| other.subject.cmp(&subject)).is_ok()
        };
        let mut windows = new.current_and_coming_windows(now);
        windows.retain(|(email, _)| differs(email));
        Self {
            old: old_file,
            new: new_file,
            declared: new.people.len(),
            summary: ComparisonSummary::new(&differences),
            windows: windows.into_iter().map(|window| WindowLine::new(window, &new.sources)).collect(),
            differences,
            now,
        }
    }
}

impl ComparisonSummary {
    fn new(differences: &[DifferenceEntry]) -> Self {
        let mut summary = Self::default();
        for DifferenceEntry { subject, kind, items, keeps: _, keeps_guarded: _ } in differences {
            summary.sensitive |= items.iter().any(|item| item.sensitive);
            match (subject, kind) {
                (ComparedSubject::Person { .. }, Kind::Added) => summary.people_added += 1,
                (ComparedSubject::Person { .. }, Kind::Removed) => summary.people_removed += 1,
                (ComparedSubject::Person { .. }, Kind::Changed) => summary.people_changed += 1,
                _ => summary.settings += 1,
            }
        }
        summary
    }
}
