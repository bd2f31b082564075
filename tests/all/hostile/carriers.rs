//! The places in a report that can have text from outside, and how much of the text each format shows.
//!
//! A [`Deal`] gives each carrier a different hostile string and remembers it, so that a judge can look for it. Over all
//! rounds, every carrier gets every string.

use std::collections::BTreeSet;

use rolecall::printable::Printable;
use rolecall::report::Format;

/// The whole text is shown.
const WHOLE: usize = usize::MAX;

macro_rules! carriers {
    ($($(#[$doc:meta])* $name:ident: $text:expr, $markdown:expr, $page:expr, $json:expr;)+) => {
        /// A place in a report that can have text from outside.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Carrier { $($(#[$doc])* $name,)+ }

        impl Carrier {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns how many characters the format shows. `None` if it does not show the text, or not literally.
            pub(super) const fn shown(self, format: Format) -> Option<usize> {
                match (self, format) {
                    $((Self::$name, Format::Text | Format::Github) => $text,
                    (Self::$name, Format::Markdown) => $markdown,
                    (Self::$name, Format::Html) => $page,
                    (Self::$name, Format::Json) => if $json { Some(WHOLE) } else { None },)+
                }
            }
        }
    };
}

carriers! {
    // characters shown in text (and in a job's log), in markdown, and on a page; and whether JSON contains it
    Organization: Some(80), Some(80), Some(120), true;
    OrganizationId: Some(80), Some(80), Some(120), true;
    Place: Some(80), Some(80), Some(120), true;
    At: Some(WHOLE), Some(80), Some(120), true;
    Config: None, None, None, false;
    Only: Some(80), Some(80), Some(120), true;
    Saved: Some(WHOLE), None, None, true;
    Journal: Some(WHOLE), None, None, true;
    BaseName: Some(80), Some(80), Some(80), true;
    BaseValue: Some(300), Some(300), Some(300), true;
    RoleThatStays: Some(80), Some(80), Some(120), true;
    Unmanaged: None, Some(80), Some(120), true;
    IntegrationId: None, None, None, true;
    IntegrationName: None, None, None, true;
    Address: Some(WHOLE), None, Some(120), true;
    Name: Some(80), Some(80), Some(120), true;
    Id: None, None, None, true;
    Primary: Some(254), None, Some(120), true;
    RoleBefore: Some(80), None, Some(120), true;
    RoleAfter: Some(80), None, Some(120), true;
    StatusBefore: Some(80), None, Some(120), true;
    ThroughScim: Some(80), None, Some(120), true;
    File: Some(WHOLE), None, Some(WHOLE), true;
    OriginReason: Some(60), Some(60), Some(60), true;
    ErrorCode: Some(60), None, Some(60), false;
    ErrorText: Some(300), None, Some(300), false;
    RequestId: Some(60), None, Some(60), true;
    ProxyServer: Some(60), None, Some(60), false;
    ProxyText: Some(200), None, Some(200), false;
    WrongShape: Some(300), None, Some(300), false;
    WrongBody: Some(200), None, Some(200), false;
    NoAnswer: Some(300), None, Some(300), false;
    Stop: Some(200), None, Some(200), false;
    NearAddress: Some(254), Some(80), Some(120), true;
    DeactivatedName: Some(80), Some(80), Some(120), false;
    GuardedRole: Some(80), Some(80), Some(120), true;
    FigureRole: Some(80), None, None, false;
    RuleReason: Some(120), None, None, false;
    RemedyRole: None, None, None, false;
    AcknowledgedReason: Some(120), Some(300), Some(300), true;
    Expired: Some(WHOLE), Some(80), Some(120), true;
    ComingWhen: Some(WHOLE), Some(80), Some(WHOLE), true;
    ComingAddress: Some(WHOLE), Some(80), Some(120), true;
    ComingBefore: Some(80), Some(80), Some(120), true;
    ComingAfter: Some(80), Some(80), Some(120), true;
    WindowAddress: None, None, Some(120), true;
    WindowFrom: None, None, Some(WHOLE), true;
    WindowUntil: None, None, Some(WHOLE), true;
    WindowRole: None, None, Some(120), true;
    WindowReason: None, None, Some(120), true;
    OldFile: Some(WHOLE), None, Some(120), true;
    NewFile: Some(WHOLE), None, Some(120), true;
    Subject: Some(300), Some(120), Some(120), true;
    AcknowledgedOf: None, None, None, true;
    Key: Some(80), Some(80), Some(120), true;
    ValueBefore: Some(160), Some(160), Some(400), true;
    ValueAfter: Some(160), Some(160), Some(400), true;
    Zone: Some(WHOLE), Some(WHOLE), Some(WHOLE), true;
    AgendaFile: Some(WHOLE), Some(80), Some(WHOLE), true;
    Timezone: Some(WHOLE), Some(80), Some(WHOLE), true;
    Until: Some(WHOLE), Some(80), None, true;
    EmptyFile: Some(WHOLE), Some(WHOLE), Some(WHOLE), true;
    Message: Some(4000), Some(4000), Some(4000), true;
    Help: Some(4000), Some(4000), Some(4000), true;
    Label: None, None, None, true;
    SourceName: None, None, None, true;
    SourceText: None, None, None, false;
    // of `plan --blame`
    BlamedId: None, None, None, true;
    BlamedName: Some(80), Some(80), Some(80), true;
    BlamedAddress: Some(80), Some(80), Some(80), true;
    BlamedUnmanaged: Some(80), Some(80), Some(80), true;
    BlamedSource: Some(80), Some(80), Some(80), true;
    BlamedThrough: None, None, None, true;
    BlamedAction: None, None, None, true;
    BlamedBefore: None, None, None, true;
    BlamedAfter: Some(80), Some(80), Some(80), true;
    UnreadCode: Some(60), Some(60), Some(60), false;
    UnreadText: Some(300), None, Some(300), false;
    UnreadRequest: Some(60), None, Some(60), false;
    UnreadNoAnswer: Some(300), None, Some(300), false;
    // of `rollback`
    LeftAddress: Some(254), Some(80), Some(120), true;
    LostRole: Some(80), Some(80), Some(80), false;
    LostStatus: Some(60), Some(60), Some(60), false;
    GoneRole: Some(80), Some(80), Some(80), false;
    KeepFile: Some(WHOLE), None, Some(120), true;
    KeepText: None, None, None, false;
    UnwrittenAddress: Some(254), Some(80), Some(120), true;
    UnwrittenRole: Some(80), Some(80), Some(80), false;
    UnwrittenStatus: Some(80), Some(80), Some(80), false;
    // of the commands that print a sheet
    SheetOrganization: Some(80), Some(80), Some(80), true;
    SheetOrganizationId: Some(80), Some(80), Some(80), true;
    SheetPlace: Some(80), Some(80), Some(80), true;
    RoleName: Some(80), Some(80), Some(80), true;
    RoleSlug: Some(80), Some(80), Some(80), true;
    RoleId: Some(80), Some(80), Some(80), true;
    UnknownRole: Some(80), Some(80), Some(80), true;
    Asked: Some(254), Some(254), Some(254), true;
    AskedDeclared: Some(80), Some(80), Some(80), true;
    AskedId: Some(80), Some(80), Some(80), true;
    AskedName: Some(80), Some(80), Some(80), true;
    AskedPrimary: Some(80), Some(80), Some(80), true;
    AskedOther: Some(80), Some(80), Some(80), true;
    AskedAssigned: Some(80), Some(80), Some(80), true;
    AskedThroughScim: Some(80), Some(80), Some(80), true;
    AskedStatus: Some(80), Some(80), Some(80), true;
    AskedValue: Some(80), Some(80), Some(80), true;
    AskedOrigin: Some(60), Some(60), Some(60), false;
    AskedNear: Some(254), Some(254), Some(254), true;
    AskedBefore: Some(80), Some(80), Some(80), true;
    AskedAfter: Some(80), Some(80), Some(80), true;
    AskedWhen: Some(80), Some(80), Some(80), true;
    AskedSinceAuthor: Some(80), Some(80), Some(80), true;
    AskedSinceSubject: Some(80), Some(80), Some(80), true;
    CandidateAddress: Some(80), Some(80), Some(80), true;
    CandidateName: Some(80), Some(80), Some(80), true;
    JournalPath: Some(80), Some(80), Some(80), true;
    JournalCommand: Some(20), Some(20), Some(20), true;
    JournalUser: Some(20), Some(20), Some(20), true;
    JournalHost: Some(20), Some(20), Some(20), true;
    JournalOrganization: None, None, None, true;
    AskedStanding: Some(WHOLE), Some(WHOLE), Some(WHOLE), false;
    WrittenFile: Some(80), Some(80), Some(80), true;
    WrittenText: None, None, None, false;
    NotWrittenAddress: Some(80), Some(80), Some(80), true;
    NotWrittenRole: Some(80), Some(80), Some(80), false;
    NotWrittenStatus: Some(80), Some(80), Some(80), false;
    CheckFound: Some(WHOLE), Some(WHOLE), Some(WHOLE), false;
    CheckRemedy: Some(300), Some(300), Some(300), false;
}

/// Gives hostile strings to carriers.
pub(super) struct Deal<'s> {
    strings: &'s [String],
    from: usize,
    dealt: Vec<(Carrier, &'s str)>,
    known: BTreeSet<(Carrier, usize)>,
}

impl<'s> Deal<'s> {
    pub(super) fn new(strings: &'s [String]) -> Self {
        Self { strings, from: 0, dealt: Vec::new(), known: BTreeSet::new() }
    }

    /// Returns another deal in the same round, for texts that a report contains but does not show.
    pub(super) fn detached(&self) -> Self {
        Self { from: self.from, ..Self::new(self.strings) }
    }

    /// Starts round `from`, which shifts the strings of the carriers.
    pub(super) fn round(&mut self, from: usize) -> &mut Self {
        self.from = from;
        self
    }

    /// Returns the string of this carrier in the current round.
    pub(super) fn raw(&mut self, carrier: Carrier) -> &'s str {
        let number = (self.from + 7 * carrier as usize) % self.strings.len();
        let text = &self.strings[number];
        // A carrier may occur many times in a report, but it is recorded once.
        if self.known.insert((carrier, number)) {
            self.dealt.push((carrier, text));
        }
        text
    }

    pub(super) fn text(&mut self, carrier: Carrier) -> Printable {
        Printable::new(self.raw(carrier))
    }

    /// Returns the carriers and their strings.
    pub(super) fn dealt(&self) -> &[(Carrier, &'s str)] {
        &self.dealt
    }

    /// Returns what the format shows of each string, escaped and cut.
    pub(super) fn shown(&self, format: Format) -> impl Iterator<Item = (Carrier, String)> {
        self.dealt.iter().filter_map(move |(carrier, raw)| {
            let limit = carrier.shown(format)?;
            let text = if format == Format::Json {
                (*raw).to_owned()
            } else {
                Printable::cut(raw, limit).to_string()
            };
            Some((*carrier, text))
        })
    }
}
