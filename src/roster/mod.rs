//! What the files declare: `users.toml` and its team files, read and checked without a request to Pylon.
//!
//! * [`read`] finds and reads the files. `settings` reads the keys that only the root file has, and `people` those of every file.
//!   `fields` reads one value of one type. `keys` lists the keys of each table, `field` is the table of what a person can have, and
//!   `guardrail` lists the guardrails.
//! * `rules` checks what needs more than one person or file. `named` finds the roles that are named anywhere in the files.
//! * If a file is not TOML, `explain` reports every mistake and reads the rest. `syntax` names the mistakes, and `repeats` finds what
//!   is declared twice. `hints` knows what people write instead of a key or a value.
//! * Every declared value keeps its place ([`Sourced`]) all the way into the plan.
//! * A roster is either complete and valid, or it is the list of everything that is wrong.
//!
//! [`crate::desired`] decides what applies at one instant: defaults, windows, and expired acknowledgments.

use std::collections::BTreeMap;
use std::fmt;

use jiff::tz::TimeZone;
use schemars::JsonSchema;

pub mod code;
pub mod email;
mod explain;
mod field;
mod fields;
pub mod guardrail;
mod hints;
pub(crate) mod keys;
pub mod moment;
mod named;
mod people;
pub mod read;
mod repeats;
mod rules;
pub mod schema;
mod settings;
mod syntax;

use crate::every::words;
use crate::source::{Place, Sourced, Sources};
pub use code::RosterCode;
pub use email::Email;
pub use field::{Field, FieldValue, PerField, Status};
pub use guardrail::Guardrail;
pub use moment::Moment;

/// A role as a file names it: by name, slug or id.
pub type RoleName = FieldValue;

/// Everything that the files declare.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The texts that the places are in.
    pub sources: Sources,
    /// Where the root file's own keys stand, by their dotted names: `guardrails.max_changes`. What is not here has its
    /// default.
    pub setting_places: BTreeMap<String, Place>,
    /// In which zone local dates and times are meant; `UTC` unless declared.
    pub timezone: TimeZone,
    /// Whether addresses outside ASCII may be declared.
    pub allow_unicode_emails: bool,
    /// The organization and the region that the files are for.
    pub workspace: Workspace,
    /// What to do about a difference, field by field.
    pub policy: Policy,
    /// The limits of an apply.
    pub guardrails: GuardrailRules,
    /// Risks that were reviewed and accepted for a time.
    pub acknowledgments: Vec<Acknowledgment>,
    /// The declared people, sorted by address, each once.
    pub people: Vec<DeclaredPerson>,
}

impl Default for Roster {
    /// What an empty file declares: no people, and every default.
    fn default() -> Self {
        Self {
            sources: Sources::default(),
            setting_places: BTreeMap::new(),
            timezone: TimeZone::UTC,
            allow_unicode_emails: false,
            workspace: Workspace::default(),
            policy: Policy::default(),
            guardrails: GuardrailRules::default(),
            acknowledgments: Vec::new(),
            people: Vec::new(),
        }
    }
}

/// `[workspace]`: refuse to run against anything else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// The ID of the organization, as in the response of `GET /me`.
    pub organization: Option<Sourced<String>>,
    /// The region whose host is asked.
    pub region: Option<Sourced<Region>>,
}

words! {
    /// Where an organization is hosted. Each region has its own host (Pylon API, "Regions").
    #[derive(Hash, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Region {
        /// `https://api.usepylon.com`
        Us = "us",
        /// `https://api.eu.usepylon.com`
        Eu = "eu",
    }
}

impl Region {
    /// Its host (Pylon API, "Hosts").
    pub const fn host(self) -> &'static str {
        match self {
            Self::Us => "api.usepylon.com",
            Self::Eu => "api.eu.usepylon.com",
        }
    }
}

/// `[policy]`: what to do about a difference in each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// The declared value against the one in Pylon.
    pub fields: PerField<Stance>,
    /// Roles assigned beyond the declared one.
    pub extra_roles: Stance,
}

words! {
    /// What a difference between the files and Pylon leads to.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Stance {
        /// It is a change: shown in the plan, written by an apply.
        #[default]
        Enforce = "enforce",
        /// It is shown in the plan, never written and never pending.
        Observe = "observe",
        /// It is not looked at.
        Ignore = "ignore",
    }
}

/// `[guardrails]`, with the documented defaults for what is not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailRules {
    /// How many people one apply may change.
    pub max_changes: MaxChanges,
    /// The minimum of each guarded role. `None` means two holders of the role with the slug `admin`.
    pub keep_at_least: Option<Vec<Minimum>>,
    /// How many people must keep the status `active`.
    pub keep_active: u64,
    /// These people are never changed.
    pub protected: Vec<Sourced<Email>>,
    /// What people in Pylon who are in no file mean.
    pub unmanaged: Unmanaged,
    /// What declared people who are not in Pylon mean.
    pub missing: Missing,
}

/// The minimum of the role with the slug `admin` if `keep_at_least` is not declared.
pub const DEFAULT_MINIMUM: u64 = 2;

impl GuardrailRules {
    /// Whether a guardrail passes because people are absent from Pylon. One response that leaves people out could then hide what
    /// the guardrail should block, so the listing is read twice.
    pub fn depends_on_absence(&self) -> bool {
        let Self { max_changes: _, keep_at_least: _, keep_active: _, protected: _, missing: _, unmanaged } =
            self;
        *unmanaged == Unmanaged::Block
    }
}

impl Default for GuardrailRules {
    fn default() -> Self {
        Self {
            max_changes: MaxChanges::Share { percent: 25 },
            keep_at_least: None,
            keep_active: 0,
            protected: Vec::new(),
            unmanaged: Unmanaged::Report,
            missing: Missing::Report,
        }
    }
}

/// `max_changes`: people changed in one apply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// A share of those declared, rounded down, but ten are always allowed.
    Share {
        /// At most 100.
        percent: u8,
    },
    /// Exactly so many; 0 freezes.
    Count(u64),
}

impl fmt::Display for MaxChanges {
    /// As TOML has it: `"25%"`, `40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share { percent } => write!(f, "\"{percent}%\""),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// The minimum of one role, an entry of `keep_at_least`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Minimum {
    pub role: Sourced<RoleName>,
    /// The minimum number of holders after an apply.
    pub holders: u64,
}

words! {
    /// What people in Pylon who are in no file mean.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Unmanaged {
        /// They are not mentioned.
        Ignore = "ignore",
        /// They are counted in the plan.
        Report = "report",
        /// The apply is refused.
        Block = "block",
    }
}

words! {
    /// What people mean who are declared but not in Pylon, or deactivated there.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Missing {
        /// They are shown in the plan.
        Report = "report",
        /// The apply is refused.
        Block = "block",
    }
}

/// An accepted risk, which `[[acknowledge]]` declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgment {
    pub place: Place,
    /// Which risk, and how much of it.
    pub risk: AcknowledgedRisk,
    pub reason: String,
    /// From this instant on, the acknowledgment is expired.
    pub expires: Sourced<Moment>,
}

/// How much of which risk was acknowledged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcknowledgedRisk {
    /// So many people may change.
    MaxChanges(u64),
    /// So many declared people may be missing.
    Missing(u64),
    /// So many people in Pylon may be unmanaged.
    Unmanaged(u64),
    /// The role may go down to so many holders.
    KeepAtLeast(Sourced<RoleName>, u64),
    /// The active people may go down to so many.
    KeepActive(u64),
    /// This protected person may change.
    Protected(Sourced<Email>),
    /// The token's own user, this person, may lose a guarded role.
    TokenOwner(Sourced<Email>),
}

impl AcknowledgedRisk {
    /// The guardrail that is acknowledged.
    pub const fn guardrail(&self) -> Guardrail {
        match self {
            Self::MaxChanges(_) => Guardrail::MaxChanges,
            Self::Missing(_) => Guardrail::Missing,
            Self::Unmanaged(_) => Guardrail::Unmanaged,
            Self::KeepAtLeast(..) => Guardrail::KeepAtLeast,
            Self::KeepActive(_) => Guardrail::KeepActive,
            Self::Protected(_) => Guardrail::Protected,
            Self::TokenOwner(_) => Guardrail::TokenOwner,
        }
    }

    /// The user that it is about, if it is about one.
    pub const fn user(&self) -> Option<&Sourced<Email>> {
        match self {
            Self::Protected(user) | Self::TokenOwner(user) => Some(user),
            Self::MaxChanges(_)
            | Self::Missing(_)
            | Self::Unmanaged(_)
            | Self::KeepAtLeast(..)
            | Self::KeepActive(_) => None,
        }
    }
}

/// One person, as the files declare them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPerson {
    /// By which address; the place is that of the key.
    pub email: Sourced<Email>,
    /// The values outside every window. A field without a value is left alone.
    pub values: PerField<Option<DeclaredValue>>,
    /// Time-bound values, in the order of the file.
    pub windows: Vec<Window>,
}

/// A value outside every window. It was checked when it was read: a status is one of [`Status::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredValue {
    pub value: Sourced<FieldValue>,
    /// Whether it comes from `[defaults]` instead of the person's own entry.
    pub from_defaults: bool,
}

/// A time-bound value. Holds from `from` (always, if absent) until `until` (for good, if absent), exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub place: Place,
    /// The first instant of the window.
    pub from: Option<Sourced<Moment>>,
    /// The first instant after it.
    pub until: Option<Sourced<Moment>>,
    /// The values during the window.
    pub sets: PerField<Option<Sourced<FieldValue>>>,
    /// The status afterwards, for people who still show the status of the window.
    pub then: Option<Sourced<FieldValue>>,
    pub reason: Option<String>,
}
