//! What windows will bring, as the files declare it, without asking Pylon.

use jiff::Timestamp;

use super::compose::{coming_line, window_line};
use super::plan::{ComingLine, WindowLine};
use crate::printable::Printable;
use crate::roster::{Moment, Roster};

/// The transitions to come.
#[derive(Debug, Clone)]
pub struct AgendaReport {
    /// The root file.
    pub file: Printable,
    /// The zone of local dates and times.
    pub timezone: Printable,
    /// From when on.
    pub now: Timestamp,
    /// Until when, if that was asked for.
    pub until: Option<Printable>,
    /// What changes by itself, in order of time and address.
    pub coming: Vec<ComingLine>,
    /// The windows behind it, and those that hold.
    pub windows: Vec<WindowLine>,
}

impl AgendaReport {
    /// The agenda of `roster` from `now`, `until` then or for ever.
    pub fn new(roster: &Roster, file: Printable, now: Timestamp, until: Option<&Moment>) -> Self {
        let is_asked = |at: Timestamp| until.is_none_or(|until| at < until.at);
        let coming = roster.agenda(now);
        let coming = coming.iter().filter(|transition| is_asked(transition.moment.at));
        let windows = roster.windows_ahead(now);
        let begins = |from: Option<Timestamp>| from.is_none_or(is_asked);
        let windows =
            windows.iter().filter(|ahead| begins(ahead.window.from.as_ref().map(|from| from.value.at)));
        Self {
            file,
            timezone: Printable::new(roster.timezone.iana_name().unwrap_or("UTC")),
            now,
            until: until.map(|until| Printable::new(&until.written)),
            coming: coming.map(|transition| coming_line(transition, &roster.sources)).collect(),
            windows: windows.map(|ahead| window_line(ahead, &roster.sources)).collect(),
        }
    }
}
