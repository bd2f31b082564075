//! What two versions of the files declare differently: facts with their places settled.

use jiff::Timestamp;

use super::compose::window_line;
use super::plan::WindowLine;
use crate::comparison::{Comparison, Difference, Item, Kind, Said, Subject};
use crate::printable::Printable;
use crate::roster::{Email, Roster};
use crate::source::{Location, Sources};

/// Two versions and what differs.
#[derive(Debug, Clone)]
pub struct ComparisonReport {
    /// The root file of the old version.
    pub old: Printable,
    /// The root file of the new version.
    pub new: Printable,
    /// How many people the new version declares.
    pub declared: usize,
    /// What differs, in the order of [`Subject`].
    pub differences: Vec<DifferenceEntry>,
    /// When the report was made: where the windows' line of time begins.
    pub now: Timestamp,
    /// The windows, in the new version, of people who differ.
    pub windows: Vec<WindowLine>,
}

/// One subject that differs.
#[derive(Debug, Clone)]
pub struct DifferenceEntry {
    /// Which.
    pub subject: Subject,
    /// Whether one version says nothing of it.
    pub kind: Kind,
    /// Which of its keys differ.
    pub items: Vec<ItemLine>,
}

/// One key that differs.
#[derive(Debug, Clone)]
pub struct ItemLine {
    /// The key.
    pub key: Printable,
    /// What the old version says.
    pub old: Option<SaidLine>,
    /// What the new version says.
    pub new: Option<SaidLine>,
    /// Whether a reviewer must not miss it.
    pub weighty: bool,
    /// Whether it names a role that only Pylon can tell from a kept one.
    pub unresolved: bool,
}

/// What a version says of a key.
#[derive(Debug, Clone)]
pub struct SaidLine {
    /// The value as TOML.
    pub value: Printable,
    /// The zone in which its times are meant, where the versions differ in that.
    pub zone: Option<Printable>,
    /// Where it stands; nothing where it is rolecall's own default.
    pub location: Option<Location>,
    /// It comes from the `[defaults]` of its file.
    pub from_defaults: bool,
}

/// How many people differ, and in which way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct People {
    /// Newly declared.
    pub added: usize,
    /// No longer declared.
    pub removed: usize,
    /// Declared differently.
    pub changed: usize,
}

impl ComparisonReport {
    /// What differs between `old` and `new`, the root files of which are called so.
    pub fn new(old: (&Roster, Printable), new: (&Roster, Printable), now: Timestamp) -> Self {
        let ((old, old_file), (new, new_file)) = (old, new);
        let comparison = Comparison::between(old, new);
        let ahead = new.windows_ahead(now);
        let differs = |email: &Email| {
            let subject = Subject::Person(email.clone());
            comparison.differences.binary_search_by(|other| other.subject.cmp(&subject)).is_ok()
        };
        let windows = ahead.iter().filter(|ahead| differs(&ahead.email));
        Self {
            old: old_file,
            new: new_file,
            declared: new.people.len(),
            windows: windows.map(|ahead| window_line(ahead, &new.sources)).collect(),
            differences: comparison
                .differences
                .iter()
                .map(|difference| entry(difference, old, new))
                .collect(),
            now,
        }
    }

    /// How many people differ.
    pub fn people(&self) -> People {
        let mut people = People::default();
        let entries = self.differences.iter().filter(|entry| matches!(entry.subject, Subject::Person(_)));
        for entry in entries {
            match entry.kind {
                Kind::Added => people.added += 1,
                Kind::Removed => people.removed += 1,
                Kind::Changed => people.changed += 1,
            }
        }
        people
    }

    /// The subjects that are no people.
    pub fn settings(&self) -> impl Iterator<Item = &DifferenceEntry> {
        self.differences.iter().filter(|entry| !matches!(entry.subject, Subject::Person(_)))
    }

    /// Whether a reviewer must not miss something.
    pub fn is_weighty(&self) -> bool {
        self.differences.iter().any(DifferenceEntry::is_weighty)
    }
}

impl DifferenceEntry {
    /// Whether a reviewer must not miss something in it.
    pub fn is_weighty(&self) -> bool {
        self.items.iter().any(|item| item.weighty)
    }
}

fn entry(difference: &Difference, old: &Roster, new: &Roster) -> DifferenceEntry {
    let Difference { subject, kind, items } = difference;
    let item = |item: &Item| {
        let Item { key, old: before, new: after, weighty, unresolved } = item;
        ItemLine {
            key: Printable::new(key),
            old: before.as_ref().map(|said| said_line(said, &old.sources)),
            new: after.as_ref().map(|said| said_line(said, &new.sources)),
            weighty: *weighty,
            unresolved: *unresolved,
        }
    };
    DifferenceEntry { subject: subject.clone(), kind: *kind, items: items.iter().map(item).collect() }
}

fn said_line(said: &Said, sources: &Sources) -> SaidLine {
    let Said { value, zone, place, from_defaults } = said;
    SaidLine {
        value: Printable::new(value),
        zone: zone.as_deref().map(Printable::new),
        location: place.map(|place| sources.locate(place)),
        from_defaults: *from_defaults,
    }
}
