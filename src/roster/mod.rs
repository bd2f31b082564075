//! Reads `users.toml` and its team files, and checks them without a request to Pylon.
//!
//! * [`read`] finds and reads the files. `settings` reads the keys that only the root file has, and `people` those of every file.
//!   `fields` reads one value of one type. `keys` lists the keys of each table, `field` lists the fields of a person, and
//!   `guardrail` lists the guardrails.
//! * `checks` looks at what needs more than one person or file, and [`role_rules`] at who may have which role. `named` finds the roles that are named anywhere in the files.
//! * If a file is not TOML, `explain` reports every mistake and reads the rest. `syntax` names the mistakes, and `repeats` finds what
//!   is declared twice. `hints` knows what people write instead of a key or a value.
//! * Every declared value keeps its place ([`Sourced`]), up to the plan.
//! * The result is a complete and valid roster, or a list of all problems.
//!
//! [`crate::desired`] decides what applies at one instant: defaults, windows, and expired acknowledgments.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;

mod checks;
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
pub mod role_rules;
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
pub use role_rules::{EmailPattern, OnViolation, RoleRule};

/// A role as a file names it: by name, slug, or ID.
pub type RoleName = FieldValue;

/// Everything that the files declare.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The text that the places refer to.
    pub sources: Sources,
    /// The place of each key of the root file, by its dotted name, such as `guardrails.max_changes`. A key that is not in the map
    /// has its default.
    pub setting_places: BTreeMap<String, Place>,
    /// The time zone of local dates and times, which is UTC by default.
    pub timezone: TimeZone,
    /// Whether declared addresses may have characters outside ASCII.
    pub allow_unicode_emails: bool,
    pub workspace: Workspace,
    pub policy: Policy,
    pub guardrails: GuardrailRules,
    pub acknowledgments: Vec<Acknowledgment>,
    /// The declared people, sorted by address, without duplicates.
    pub people: Vec<DeclaredPerson>,
    /// The keys of `[defaults]` that apply to no person of their file.
    pub unused_defaults: Vec<(Field, Place)>,
}

impl Roster {
    /// Returns the person who is declared by this address.
    pub fn person(&self, email: &Email) -> Option<&DeclaredPerson> {
        let at = self.people.binary_search_by(|person| person.email.value.cmp(email)).ok()?;
        self.people.get(at)
    }
}

impl Default for Roster {
    /// Returns what an empty file declares: no people, and all defaults.
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
            unused_defaults: Vec::new(),
        }
    }
}

/// `[workspace]` names the pinned organization. rolecall refuses to run with any other one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// The ID of the organization, as `GET /me` returns it. `None` allows every organization.
    pub organization: Option<Sourced<String>>,
    /// The region of the organization, which decides the host.
    pub region: Option<Sourced<Region>>,
}

words! {
    /// Where an organization is hosted. Each region has its own host (Pylon API, "Regions").
    #[derive(Hash, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Region {
        /// The API is at `https://api.usepylon.com`.
        Us = "us",
        /// The API is at `https://api.eu.usepylon.com`.
        Eu = "eu",
    }
}

impl Region {
    /// Returns the host of the API (Pylon API, "Hosts").
    pub const fn host(self) -> &'static str {
        match self {
            Self::Us => "api.usepylon.com",
            Self::Eu => "api.eu.usepylon.com",
        }
    }
}

/// `[policy]` decides what rolecall does about a difference in each field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    pub fields: PerField<Stance>,
    /// This is about roles that are assigned in addition to the declared one.
    pub extra_roles: Stance,
}

words! {
    /// What rolecall does about a difference between the files and Pylon.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Stance {
        /// The plan shows the difference as a change, and an apply makes the change.
        #[default]
        Enforce = "enforce",
        /// The plan shows the difference, but it is not a change and an apply leaves it alone.
        Observe = "observe",
        /// The values are not compared.
        Ignore = "ignore",
    }
}

/// `[guardrails]` limits what one apply may do. Keys that are not declared have their defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GuardrailRules {
    /// How many people one apply may change.
    pub max_changes: MaxChanges,
    /// The minimum of each guarded role. `None` means two holders of the role with the slug `admin`.
    pub keep_at_least: Option<Vec<RoleLimit>>,
    /// The maximum of each role that has one.
    pub keep_at_most: Vec<RoleLimit>,
    /// How many people must have the status `active` after an apply.
    pub keep_active: u64,
    /// These people are never changed.
    pub protected: Vec<Sourced<Email>>,
    pub unmanaged: Unmanaged,
    pub missing: Missing,
    /// `[[rule]]`: who may hold which role.
    pub role_rules: Vec<RoleRule>,
}

/// The minimum of the role with the slug `admin` if `keep_at_least` is not declared.
pub const DEFAULT_MINIMUM: u64 = 2;

impl GuardrailRules {
    /// Returns whether a guardrail counts people who are not declared, and passes if the list of users lacks them. One incomplete
    /// response could then hide what the guardrail should block, so rolecall reads the list twice. Declared people are also searched
    /// for, and a minimum can only block too much.
    pub fn needs_whole_list(&self) -> bool {
        let Self {
            max_changes: _,
            keep_at_least: _,
            keep_at_most,
            keep_active: _,
            protected: _,
            missing: _,
            unmanaged,
            role_rules,
        } = self;
        let blocks = |rule: &RoleRule| rule.on_violation == OnViolation::Block;
        *unmanaged == Unmanaged::Block || !keep_at_most.is_empty() || role_rules.iter().any(blocks)
    }
}

impl Default for GuardrailRules {
    fn default() -> Self {
        Self {
            max_changes: MaxChanges::Share { percent: 25 },
            keep_at_least: None,
            keep_at_most: Vec::new(),
            keep_active: 0,
            protected: Vec::new(),
            unmanaged: Unmanaged::Report,
            missing: Missing::Report,
            role_rules: Vec::new(),
        }
    }
}

/// `max_changes` limits how many people one apply may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// A share of the declared people who are in Pylon, rounded down. Ten changes are always allowed.
    Share {
        /// The value is at most 100.
        percent: u8,
    },
    /// The maximum number of people. 0 allows no changes.
    Count(u64),
}

impl fmt::Display for MaxChanges {
    /// Writes it as TOML: `"25%"` or `40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share { percent } => write!(f, "\"{percent}%\""),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// An entry of `keep_at_least` or `keep_at_most`, which limits the holders of one role after an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLimit {
    pub role: Sourced<RoleName>,
    /// The lowest or the highest number of holders.
    pub holders: u64,
}

words! {
    /// What rolecall does about people in Pylon who are not in any file.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Unmanaged {
        /// The plan does not mention them.
        Ignore = "ignore",
        /// The plan shows how many there are.
        Report = "report",
        /// The guardrail blocks the apply.
        Block = "block",
    }
}

words! {
    /// What rolecall does about declared people who are not in Pylon, or are deactivated there.
    #[derive(JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Missing {
        /// The plan lists who they are.
        Report = "report",
        /// The guardrail blocks the apply.
        Block = "block",
    }
}

/// An accepted risk, which `[[acknowledge]]` declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgment {
    pub place: Place,
    pub risk: AcknowledgedRisk,
    pub reason: String,
    /// The acknowledgment is expired from this instant on.
    pub expires: Sourced<Moment>,
}

impl Acknowledgment {
    /// Returns whether it has an effect at this instant. Expired acknowledgments are listed in reports, but ignored.
    pub fn is_active(&self, at: Timestamp) -> bool {
        at < self.expires.value.at
    }
}

/// A risk that was acknowledged, with its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcknowledgedRisk {
    /// At most this many people may change.
    MaxChanges(u64),
    /// At most this many declared people may be missing from Pylon.
    Missing(u64),
    /// At most this many people in Pylon may be unmanaged.
    Unmanaged(u64),
    /// The role must keep at least this many holders.
    KeepAtLeast(Sourced<RoleName>, u64),
    /// The role may have at most this many holders.
    KeepAtMost(Sourced<RoleName>, u64),
    /// At least this many people must stay active.
    KeepActive(u64),
    /// This protected person may change.
    Protected(Sourced<Email>),
    /// This person owns the token, and may lose a guarded role.
    TokenOwner(Sourced<Email>),
    /// This person may hold a role in Pylon that a rule does not allow.
    Rule(Sourced<Email>),
}

impl AcknowledgedRisk {
    /// Returns the guardrail that reports this risk.
    pub const fn guardrail(&self) -> Guardrail {
        match self {
            Self::MaxChanges(_) => Guardrail::MaxChanges,
            Self::Missing(_) => Guardrail::Missing,
            Self::Unmanaged(_) => Guardrail::Unmanaged,
            Self::KeepAtLeast(..) => Guardrail::KeepAtLeast,
            Self::KeepAtMost(..) => Guardrail::KeepAtMost,
            Self::KeepActive(_) => Guardrail::KeepActive,
            Self::Protected(_) => Guardrail::Protected,
            Self::TokenOwner(_) => Guardrail::TokenOwner,
            Self::Rule(_) => Guardrail::Rule,
        }
    }

    /// Returns the role that the risk is about, if it is about one.
    pub const fn role(&self) -> Option<&Sourced<RoleName>> {
        match self {
            Self::KeepAtLeast(role, _) | Self::KeepAtMost(role, _) => Some(role),
            Self::MaxChanges(_)
            | Self::Missing(_)
            | Self::Unmanaged(_)
            | Self::KeepActive(_)
            | Self::Protected(_)
            | Self::TokenOwner(_)
            | Self::Rule(_) => None,
        }
    }

    /// Returns the user that the risk is about, if it is about one.
    pub const fn user(&self) -> Option<&Sourced<Email>> {
        match self {
            Self::Protected(user) | Self::TokenOwner(user) | Self::Rule(user) => Some(user),
            Self::MaxChanges(_)
            | Self::Missing(_)
            | Self::Unmanaged(_)
            | Self::KeepAtLeast(..)
            | Self::KeepAtMost(..)
            | Self::KeepActive(_) => None,
        }
    }
}

/// One person, as the files declare them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPerson {
    /// The place is that of the key.
    pub email: Sourced<Email>,
    /// These values apply outside all windows. `None` leaves the field alone.
    pub values: PerField<Option<DeclaredValue>>,
    /// The windows are in the order of the file.
    pub windows: Vec<Window>,
}

/// A value outside all windows. It was checked when it was read: a status is one of [`Status::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredValue {
    pub value: Sourced<FieldValue>,
    /// Whether it comes from `[defaults]` instead of the person's own entry.
    pub from_defaults: bool,
}

/// Values that apply for a limited time: from `from`, inclusive, until `until`, exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub place: Place,
    /// `None` if the window has no start.
    pub from: Option<Sourced<Moment>>,
    /// The first instant after the window. `None` if it does not end.
    pub until: Option<Sourced<Moment>>,
    pub sets: PerField<Option<Sourced<FieldValue>>>,
    /// The status after the window, for people who still have the status of the window.
    pub then: Option<Sourced<FieldValue>>,
    pub reason: Option<String>,
}
