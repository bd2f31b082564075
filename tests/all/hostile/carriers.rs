//! The positions of untrusted text in a report, and how much of the text each format shows.
//!
//! A [`Deal`] assigns a different hostile string to each carrier and records the string for the judges to look for. Over all
//! rounds, every carrier gets every string.

use std::collections::BTreeSet;

use rolecall::printable::Printable;
use rolecall::report::Format;

/// The number of characters for a carrier whose entire text is shown.
const WHOLE: usize = usize::MAX;

// The commands whose CSV reports contain the text of a carrier.
const NONE: &[&str] = &[];
const PLAN: &[&str] = &["plan"];
const AGENDA: &[&str] = &["agenda"];
const PLAN_AND_AGENDA: &[&str] = &["plan", "agenda"];
const ROLES: &[&str] = &["roles"];
const ACCESS: &[&str] = &["access"];

macro_rules! carriers {
    ($($(#[$doc:meta])* $name:ident: $text:expr, $markdown:expr, $page:expr, $json:expr, $csv:expr;)+) => {
        /// A position of untrusted text in a report.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(super) enum Carrier { $($(#[$doc])* $name,)+ }

        impl Carrier {
            pub(super) const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Returns the number of characters shown in a command's report in this format, or `None` if the text isn't
            /// shown literally.
            pub(super) fn shown(self, format: Format, command: &str) -> Option<usize> {
                match (self, format) {
                    $((Self::$name, Format::Text | Format::Github) => $text,
                    (Self::$name, Format::Markdown) => $markdown,
                    (Self::$name, Format::Html) => $page,
                    (Self::$name, Format::Json) => if $json { Some(WHOLE) } else { None },
                    (Self::$name, Format::Csv) => $csv.contains(&command).then_some(WHOLE),)+
                }
            }
        }
    };
}

carriers! {
    // Columns: the number of characters shown in text and in a job's log, in Markdown, and in HTML; whether JSON contains the
    // value; the commands whose CSV reports contain it.
    Organization: Some(80), Some(254), Some(254), true, NONE;
    OrganizationId: Some(80), Some(254), Some(254), true, NONE;
    Place: Some(80), Some(254), Some(254), true, NONE;
    At: Some(WHOLE), Some(254), Some(254), true, NONE;
    Config: None, None, None, false, NONE;
    Only: Some(80), Some(254), Some(254), true, NONE;
    Saved: Some(WHOLE), None, None, true, NONE;
    Journal: Some(WHOLE), None, None, true, NONE;
    BaseName: Some(80), Some(80), Some(80), true, NONE;
    BaseValue: Some(300), Some(300), Some(300), true, NONE;
    RoleThatStays: Some(254), Some(254), Some(254), true, NONE;
    Unmanaged: None, Some(254), Some(254), true, NONE;
    Undeclared: None, Some(254), Some(254), true, NONE;
    UndeclaredRole: None, Some(254), Some(254), true, NONE;
    IntegrationId: None, None, None, true, NONE;
    IntegrationName: None, None, None, true, NONE;
    Address: Some(WHOLE), None, Some(254), true, PLAN;
    Name: Some(80), Some(80), Some(120), true, PLAN;
    Id: None, None, None, true, PLAN;
    Primary: Some(254), None, Some(254), true, PLAN;
    RoleBefore: Some(80), None, Some(120), true, PLAN;
    RoleAfter: Some(80), None, Some(120), true, PLAN;
    StatusBefore: Some(80), None, Some(120), true, PLAN;
    ThroughScim: Some(80), None, Some(120), true, PLAN;
    File: Some(WHOLE), None, Some(WHOLE), true, PLAN_AND_AGENDA;
    OriginReason: Some(60), Some(60), Some(60), true, PLAN;
    ErrorCode: Some(60), None, Some(60), false, NONE;
    ErrorText: Some(300), None, Some(300), false, NONE;
    RequestId: Some(60), None, Some(60), true, NONE;
    ProxyServer: Some(60), None, Some(60), false, NONE;
    ProxyText: Some(200), None, Some(200), false, NONE;
    WrongShape: Some(300), None, Some(300), false, NONE;
    WrongBody: Some(200), None, Some(200), false, NONE;
    NoAnswer: Some(300), None, Some(300), false, NONE;
    Stop: Some(200), None, Some(200), false, NONE;
    NearAddress: Some(254), Some(254), Some(254), true, NONE;
    DeactivatedName: Some(80), Some(254), Some(254), false, NONE;
    GuardedRole: Some(80), Some(80), Some(120), true, NONE;
    FigureRole: Some(80), None, None, false, NONE;
    RuleReason: Some(120), None, None, false, NONE;
    RemedyRole: None, None, None, false, NONE;
    AcknowledgedReason: Some(300), Some(300), Some(300), true, NONE;
    Expires: Some(254), Some(254), Some(254), true, NONE;
    ComingWhen: Some(WHOLE), Some(80), Some(WHOLE), true, AGENDA;
    ComingAddress: Some(WHOLE), Some(254), Some(254), true, AGENDA;
    ComingBefore: Some(80), Some(80), Some(120), true, AGENDA;
    ComingAfter: Some(80), Some(80), Some(120), true, AGENDA;
    ComingGain: Some(80), Some(80), Some(120), true, NONE;
    ComingLoss: Some(80), Some(80), Some(120), true, NONE;
    WindowAddress: None, None, Some(254), true, NONE;
    WindowFrom: None, None, Some(WHOLE), true, NONE;
    WindowUntil: None, None, Some(WHOLE), true, NONE;
    WindowRole: None, None, Some(120), true, NONE;
    WindowReason: None, None, Some(120), true, NONE;
    OldFile: Some(WHOLE), None, Some(120), true, NONE;
    NewFile: Some(WHOLE), None, Some(120), true, NONE;
    Subject: Some(300), Some(120), Some(120), true, NONE;
    AcknowledgedOf: None, None, None, true, NONE;
    Key: Some(80), Some(80), Some(120), true, NONE;
    ValueBefore: Some(160), Some(160), Some(400), true, NONE;
    ValueAfter: Some(160), Some(160), Some(400), true, NONE;
    Zone: Some(WHOLE), Some(WHOLE), Some(WHOLE), true, NONE;
    AgendaFile: Some(WHOLE), Some(80), Some(WHOLE), true, NONE;
    Timezone: Some(WHOLE), Some(80), Some(WHOLE), true, NONE;
    Until: Some(WHOLE), Some(80), None, true, NONE;
    EmptyFile: Some(WHOLE), Some(WHOLE), Some(WHOLE), true, NONE;
    Message: Some(4000), Some(4000), Some(4000), true, NONE;
    Help: Some(4000), Some(4000), Some(4000), true, NONE;
    Label: None, None, None, true, NONE;
    SourceName: None, None, None, true, NONE;
    SourceText: None, None, None, false, NONE;
    // The carriers in the report of `plan --blame`.
    BlamedId: None, None, None, true, PLAN;
    BlamedName: Some(80), Some(80), Some(80), true, PLAN;
    BlamedAddress: Some(254), Some(254), Some(254), true, PLAN;
    BlamedUnmanaged: Some(254), Some(254), Some(254), true, PLAN;
    BlamedSource: Some(80), Some(80), Some(80), true, PLAN;
    BlamedThrough: None, None, None, true, PLAN;
    BlamedAction: None, None, None, true, PLAN;
    BlamedBefore: None, None, None, true, PLAN;
    BlamedAfter: Some(80), Some(80), Some(80), true, PLAN;
    UnreadCode: Some(60), Some(60), Some(60), false, NONE;
    UnreadText: Some(300), None, Some(300), false, NONE;
    UnreadRequest: Some(60), None, Some(60), false, NONE;
    UnreadNoAnswer: Some(300), None, Some(300), false, NONE;
    // The carriers in the report of `rollback`.
    LeftAddress: Some(254), Some(254), Some(254), true, NONE;
    LostRole: Some(80), Some(80), Some(80), false, NONE;
    LostStatus: Some(60), Some(60), Some(60), false, NONE;
    GoneRole: Some(80), Some(80), Some(80), false, NONE;
    KeepFile: Some(WHOLE), None, Some(120), true, NONE;
    KeepText: None, None, None, false, NONE;
    UnwrittenAddress: Some(254), Some(254), Some(254), true, NONE;
    UnwrittenRole: Some(80), Some(80), Some(80), false, NONE;
    UnwrittenStatus: Some(80), Some(80), Some(80), false, NONE;
    // The carriers in the smaller reports, which are built in `sheets`.
    SheetOrganization: Some(80), Some(80), Some(80), true, NONE;
    SheetOrganizationId: Some(80), Some(80), Some(80), true, NONE;
    SheetPlace: Some(80), Some(80), Some(80), true, NONE;
    RoleName: Some(80), Some(80), Some(80), true, ROLES;
    RoleSlug: Some(80), Some(80), Some(80), true, ROLES;
    RoleId: Some(80), Some(80), Some(80), true, ROLES;
    UnknownRole: Some(80), Some(80), Some(80), true, ROLES;
    Asked: Some(254), Some(254), Some(254), true, NONE;
    AskedDeclared: Some(254), Some(254), Some(254), true, NONE;
    AskedId: Some(80), Some(80), Some(80), true, NONE;
    AskedName: Some(80), Some(80), Some(80), true, NONE;
    AskedPrimary: Some(254), Some(254), Some(254), true, NONE;
    AskedOther: Some(254), Some(254), Some(254), true, NONE;
    AskedAssigned: Some(80), Some(80), Some(80), true, NONE;
    AskedThroughScim: Some(80), Some(80), Some(80), true, NONE;
    AskedStatus: Some(80), Some(80), Some(80), true, NONE;
    AskedValue: Some(80), Some(80), Some(80), true, NONE;
    AskedOrigin: Some(60), Some(60), Some(60), false, NONE;
    AskedNear: Some(254), Some(254), Some(254), true, NONE;
    AskedBefore: Some(80), Some(80), Some(80), true, NONE;
    AskedAfter: Some(80), Some(80), Some(80), true, NONE;
    AskedWhen: Some(80), Some(80), Some(80), true, NONE;
    AskedSinceAuthor: Some(80), Some(80), Some(80), true, NONE;
    AskedSinceSubject: Some(80), Some(80), Some(80), true, NONE;
    CandidateAddress: Some(254), Some(254), Some(254), true, NONE;
    CandidateName: Some(80), Some(80), Some(80), true, NONE;
    // The carriers in the report of `access`.
    AccessOrganization: Some(80), Some(80), Some(80), true, ACCESS;
    AccessOrganizationId: Some(80), Some(80), Some(80), true, ACCESS;
    AccessPlace: Some(80), Some(80), Some(80), true, ACCESS;
    AccessFile: None, None, None, true, NONE;
    AccessAddress: Some(254), Some(254), Some(254), true, ACCESS;
    AccessOther: None, Some(254), Some(254), true, ACCESS;
    AccessName: None, Some(80), Some(80), true, ACCESS;
    AccessId: None, Some(80), Some(80), true, ACCESS;
    AccessStatus: None, Some(80), Some(80), true, ACCESS;
    AccessRole: Some(80), Some(80), Some(80), true, ACCESS;
    AccessRoleId: None, None, None, true, ACCESS;
    AccessActor: None, Some(80), Some(80), true, ACCESS;
    AccessActorId: None, None, None, true, ACCESS;
    AccessActorAddress: None, None, None, true, ACCESS;
    AccessSource: None, None, None, true, ACCESS;
    AccessAction: None, None, None, true, ACCESS;
    AccessOld: None, None, None, true, ACCESS;
    AccessNew: None, None, None, true, ACCESS;
    AccessDeclared: None, None, None, true, ACCESS;
    AccessRule: Some(240), Some(240), Some(240), true, ACCESS;
    AccessDeclaredRole: None, Some(80), Some(80), true, ACCESS;
    AccessOrigin: None, Some(60), Some(60), true, ACCESS;
    AccessPlaceOfLine: None, Some(200), Some(WHOLE), true, ACCESS;
    AccessAuthor: None, Some(80), Some(80), true, ACCESS;
    AccessSubject: None, Some(80), Some(80), true, ACCESS;
    AccessBefore: Some(80), Some(80), Some(80), true, ACCESS;
    AccessAfter: Some(80), Some(80), Some(80), true, ACCESS;
    AccessIntegrationId: Some(80), Some(80), Some(80), true, ACCESS;
    AccessIntegrationName: Some(80), Some(80), Some(80), true, ACCESS;
    AccessMissing: Some(254), Some(254), Some(254), true, ACCESS;
    AccessNear: Some(254), Some(254), Some(254), true, ACCESS;
    AccessSinceFile: Some(80), Some(80), Some(80), true, NONE;
    AccessGone: Some(80), Some(80), Some(80), true, ACCESS;
    AccessGoneName: None, None, None, true, ACCESS;
    AccessEarlier: Some(80), Some(80), Some(80), true, ACCESS;
    AccessEmailGained: Some(80), Some(80), Some(80), true, ACCESS;
    AccessEmailLost: Some(80), Some(80), Some(80), true, ACCESS;
    AccessGained: Some(80), Some(80), Some(80), true, ACCESS;
    AccessLost: Some(80), Some(80), Some(80), true, ACCESS;
    AccessUnread: Some(WHOLE), Some(WHOLE), Some(WHOLE), false, ACCESS;
    JournalPath: Some(80), Some(80), Some(80), true, NONE;
    JournalCommand: Some(20), Some(20), Some(20), true, NONE;
    JournalUser: Some(20), Some(20), Some(20), true, NONE;
    JournalHost: Some(20), Some(20), Some(20), true, NONE;
    JournalOrganization: None, None, None, true, NONE;
    JournalUndoes: None, None, None, true, NONE;
    AskedStanding: Some(WHOLE), Some(WHOLE), Some(WHOLE), false, NONE;
    DefaultRole: Some(80), Some(80), Some(80), false, NONE;
    WrittenFile: Some(80), Some(80), Some(80), true, NONE;
    WrittenText: None, None, None, false, NONE;
    NotWrittenAddress: Some(254), Some(254), Some(254), true, NONE;
    NotWrittenRole: Some(80), Some(80), Some(80), false, NONE;
    NotWrittenStatus: Some(80), Some(80), Some(80), false, NONE;
    CheckFound: Some(WHOLE), Some(WHOLE), Some(WHOLE), false, NONE;
    CheckRemedy: Some(300), Some(300), Some(300), false, NONE;
}

/// Assigns hostile strings to carriers.
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

    /// Returns a separate deal for the same round, for text that's in a report but isn't shown.
    pub(super) fn detached(&self) -> Self {
        Self { from: self.from, ..Self::new(self.strings) }
    }

    /// Starts a new round, in which every carrier gets a different string.
    pub(super) fn round(&mut self, from: usize) -> &mut Self {
        self.from = from;
        self
    }

    /// Returns the string assigned to this carrier in the current round.
    pub(super) fn raw(&mut self, carrier: Carrier) -> &'s str {
        let number = (self.from + 7 * carrier as usize) % self.strings.len();
        let text = &self.strings[number];
        // A carrier can occur several times in a report but is recorded only once.
        if self.known.insert((carrier, number)) {
            self.dealt.push((carrier, text));
        }
        text
    }

    pub(super) fn text(&mut self, carrier: Carrier) -> Printable {
        Printable::new(self.raw(carrier))
    }

    /// Returns the carriers recorded so far, with their strings.
    pub(super) fn dealt(&self) -> &[(Carrier, &'s str)] {
        &self.dealt
    }

    /// Returns the part of each string shown by the format, escaped and cut.
    pub(super) fn shown(&self, format: Format, command: &str) -> impl Iterator<Item = (Carrier, String)> {
        self.dealt.iter().filter_map(move |(carrier, raw)| {
            let limit = carrier.shown(format, command)?;
            let text = match format {
                Format::Json => (*raw).to_owned(),
                Format::Text | Format::Markdown | Format::Github | Format::Html | Format::Csv => {
                    Printable::cut(raw, limit).to_string()
                }
            };
            Some((*carrier, text))
        })
    }
}
