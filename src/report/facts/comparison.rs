//! The differences between two versions of the files.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::agenda::WindowLine;
use crate::comparison::{ComparedSubject, Comparison, Difference, Item, Kind, StatedValue};
use crate::every::words;
use crate::printable::Printable;
use crate::roster::{Email, Roster};
use crate::source::{Location, Sources};

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

/// A person or a setting that differs.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct DifferenceEntry {
    pub subject: ComparedSubject,
    pub kind: Kind,
    /// Sorted in the canonical order of the keys.
    pub items: Vec<ItemLine>,
    /// The roles a person keeps in Pylon after being removed from the files. Only set in a plan with a base version.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keeps: Vec<Printable>,
    /// Whether one of the roles in `keeps` is guarded.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_guarded: bool,
}

words! {
    /// The reason a plan does not write a difference between two versions of the files.
    #[derive(Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Unwritten {
        /// Pylon already has the new value.
        AlreadyInPylon = "Pylon has this value",
        /// The plan sets this value, either for another reason or as part of a window.
        InThisPlan = "set by a change above",
        /// A window determines when the value applies.
        OnADate = "takes effect on a date",
        /// The window has ended.
        WindowEnded = "the window has ended",
        /// The person was not found in Pylon or is deactivated there.
        NotFound = "not found in Pylon",
        /// The policy does not enforce the field.
        NotEnforced = "not enforced by the policy",
        /// The person or the value is no longer declared. Pylon keeps the current value.
        NoLongerDeclared = "no longer declared",
        /// The person is now declared under another of their addresses.
        OtherAddress = "declared under another address",
        /// The difference is in a setting, not in a person's values.
        Setting = "setting",
    }
}

#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ItemLine {
    pub key: Printable,
    pub old: Option<ComparedValue>,
    pub new: Option<ComparedValue>,
    /// Whether the difference is important to review. `true` for settings, and for roles that are or might be guarded.
    pub sensitive: bool,
    /// Whether the value names a role that might be guarded. Without Pylon, names, slugs, and IDs cannot be matched to each
    /// other.
    pub unresolved: bool,
    /// The reason the plan does not write the difference. Only set in a plan with a base version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unwritten: Option<Unwritten>,
}

/// A key's declared value in one of the versions.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ComparedValue {
    /// The value, written in TOML.
    pub value: Printable,
    /// The time zone of local times in the value. `null` if both versions use the same one, or if the value has no local times.
    pub zone: Option<Printable>,
    /// Where the value is declared. `null` if it is a built-in default.
    pub location: Option<Location>,
    /// Whether the value comes from the `[defaults]` of its file.
    pub from_defaults: bool,
}

impl ComparisonReport {
    /// Compares `old` with `new`. Each version comes with the name of its root file.
    pub fn new(old: (&Roster, Printable), new: (&Roster, Printable), now: Timestamp) -> Self {
        let ((old, old_file), (new, new_file)) = (old, new);
        let Comparison { differences } = Comparison::between(old, new, None);
        let differs = |email: &Email| {
            let subject = ComparedSubject::Person { email: email.clone() };
            differences.binary_search_by(|other| other.subject.cmp(&subject)).is_ok()
        };
        let mut windows = new.current_and_coming_windows(now);
        windows.retain(|window| differs(&window.email));
        Self {
            old: old_file,
            new: new_file,
            declared: new.people.len(),
            summary: ComparisonSummary::new(&differences),
            windows: windows.iter().map(|window| WindowLine::new(window, &new.sources)).collect(),
            differences: differences
                .into_iter()
                .map(|difference| DifferenceEntry::new(difference, &old.sources, &new.sources))
                .collect(),
            now,
        }
    }
}

impl ComparisonSummary {
    fn new(differences: &[Difference]) -> Self {
        let mut summary = Self::default();
        for Difference { subject, kind, items } in differences {
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

impl DifferenceEntry {
    pub(super) fn new(difference: Difference, old: &Sources, new: &Sources) -> Self {
        let Difference { subject, kind, items } = difference;
        let item = |item: Item| {
            let Item { key, old: before, new: after, sensitive, unresolved } = item;
            ItemLine {
                key: Printable::new(&key),
                old: before.map(|said| ComparedValue::new(&said, old)),
                new: after.map(|said| ComparedValue::new(&said, new)),
                sensitive,
                unresolved,
                unwritten: None,
            }
        };
        Self {
            subject,
            kind,
            items: items.into_iter().map(item).collect(),
            keeps: Vec::new(),
            keeps_guarded: false,
        }
    }
}

impl ComparedValue {
    fn new(said: &StatedValue, sources: &Sources) -> Self {
        let StatedValue { value, zone, place, from_defaults } = said;
        Self {
            value: Printable::new(value),
            zone: zone.as_deref().map(Printable::new),
            location: place.map(|place| sources.locate(place)),
            from_defaults: *from_defaults,
        }
    }
}
