//! Parses and validates `users.toml` and its team files without contacting Pylon.
//!
//! * [`read`] locates and reads the files. `settings` parses the keys allowed only in the root file, while `people` parses the
//!   tables that every file can have.
//! * `fields` parses individual values by type. `keys` lists the keys of each table, `field` defines the fields of a person,
//!   and `guardrail` defines the guardrails.
//! * `checks` runs the checks that span several people or files, [`role_rules`] enforces `[[rule]]`, and `named` collects every
//!   role mentioned in the files.
//! * If a file isn't valid TOML, `explain` reports every syntax error and still parses the rest of the file. `syntax` classifies
//!   the errors, `repeats` finds duplicate declarations, and `hints` maps common mistakes to the right key or value.
//! * Every declared value carries its source location ([`Sourced`]), which is preserved all the way into the plan.
//! * The result is either a complete, valid roster or a list of all problems.
//!
//! Windows and the expiry of acknowledgments depend on the current time, so [`crate::desired`] and [`crate::plan`] handle them
//! later.

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

/// A role as written in a file: a name, slug, or ID.
pub type RoleName = FieldValue;

/// Everything declared in the root file and its team files.
#[derive(Debug, Clone)]
pub struct Roster {
    /// The source text behind every [`Place`] in this roster.
    pub sources: Sources,
    /// The location of each key in the root file, by dotted name, such as `guardrails.max_changes`. Keys that aren't in the map
    /// have their default value.
    pub setting_places: BTreeMap<String, Place>,
    /// The time zone for dates and times without a UTC offset. Defaults to UTC.
    pub timezone: TimeZone,
    /// Whether declared addresses may contain non-ASCII characters.
    pub allow_unicode_emails: bool,
    pub workspace: Workspace,
    pub policy: Policy,
    pub guardrails: GuardrailRules,
    pub acknowledgments: Vec<Acknowledgment>,
    /// The declared people, sorted by address, without duplicates.
    pub people: Vec<DeclaredPerson>,
    /// Keys in `[defaults]` that no person in the same file uses.
    pub unused_defaults: Vec<(Field, Place)>,
}

impl Roster {
    /// Returns the person declared with this address.
    pub fn person(&self, email: &Email) -> Option<&DeclaredPerson> {
        let at = self.people.binary_search_by(|person| person.email.value.cmp(email)).ok()?;
        self.people.get(at)
    }
}

impl Default for Roster {
    /// Returns an empty roster, in which every setting has its default.
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

/// The `[workspace]` table, which names the pinned organization. rolecall refuses to run against any other organization.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Workspace {
    /// The organization ID, as returned by `GET /me`, or `None` to accept any organization.
    pub organization: Option<Sourced<String>>,
    /// The organization's region, which determines the API host.
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
    /// Returns the API host (Pylon API, "Hosts").
    pub const fn host(self) -> &'static str {
        match self {
            Self::Us => "api.usepylon.com",
            Self::Eu => "api.eu.usepylon.com",
        }
    }
}

/// The `[policy]` table, which controls how differences in each field are handled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    pub fields: PerField<Stance>,
    /// The policy for roles assigned in addition to the declared role.
    pub extra_roles: Stance,
}

words! {
    /// How to handle a difference between the files and Pylon.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Stance {
        /// The plan lists the difference as a change, and `apply` corrects it.
        #[default]
        Enforce = "enforce",
        /// The plan shows the difference, but does not count it as a change, and `apply` leaves it alone.
        Observe = "observe",
        /// The values are not compared.
        Ignore = "ignore",
    }
}

/// The `[guardrails]` table and the role rules, which limit a single apply. Omitted keys have their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GuardrailRules {
    /// The maximum number of people a single apply may change.
    pub max_changes: MaxChanges,
    /// The minimum number of holders of each guarded role. If `None`, the role with the slug `admin` needs at least two holders.
    pub keep_at_least: Option<Vec<RoleLimit>>,
    /// The maximum number of holders of each role listed in `keep_at_most`.
    pub keep_at_most: Vec<RoleLimit>,
    /// The minimum number of people who must have the status `active` after an apply.
    pub keep_active: u64,
    /// The addresses of people who must never be changed.
    pub protected: Vec<Sourced<Email>>,
    pub unmanaged: Unmanaged,
    pub missing: Missing,
    /// The `[[rule]]` tables, which restrict the roles of certain people.
    pub role_rules: Vec<RoleRule>,
}

/// The minimum number of holders of the role with the slug `admin` if `keep_at_least` isn't set.
pub const DEFAULT_MINIMUM: u64 = 2;

impl GuardrailRules {
    /// Returns `true` if an incomplete user listing could cause a guardrail to pass when it should block. If so, the listing is
    /// fetched twice.
    ///
    /// The other guardrails can't pass by mistake. Declared people are also looked up by address, and a minimum that counts too
    /// few people can only block.
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
        let blocks = |rule: &RoleRule| rule.on_violation.value == OnViolation::Block;
        *unmanaged == Unmanaged::Block || !keep_at_most.is_empty() || role_rules.iter().any(blocks)
    }
}

/// The `max_changes` guardrail, which limits the number of people a single apply may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxChanges {
    /// The maximum is a percentage of the declared people who are in Pylon and not deactivated. It is rounded down, but is
    /// never less than ten people.
    Share {
        /// The percentage of people who may be changed, from 0 to 100.
        percent: u8,
    },
    /// The maximum is an absolute number of people. 0 allows no changes.
    Count(u64),
}

impl Default for MaxChanges {
    fn default() -> Self {
        Self::Share { percent: 25 }
    }
}

impl fmt::Display for MaxChanges {
    /// Formats the limit as TOML: `"25%"` or `40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Share { percent } => write!(f, "\"{percent}%\""),
            Self::Count(count) => write!(f, "{count}"),
        }
    }
}

/// An entry of `keep_at_least` or `keep_at_most`, which limits the number of holders of a role after an apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleLimit {
    pub role: Sourced<RoleName>,
    /// The minimum number of holders for `keep_at_least`, or the maximum for `keep_at_most`.
    pub holders: u64,
}

words! {
    /// How to handle people in Pylon who are not declared.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Unmanaged {
        /// Unmanaged people are left out of the plan.
        Ignore = "ignore",
        /// The plan shows how many people are unmanaged.
        #[default]
        Report = "report",
        /// The guardrail blocks the apply.
        Block = "block",
    }
}

words! {
    /// How to handle declared people who are missing from Pylon or deactivated there.
    #[derive(Default, JsonSchema)]
    #[schemars(rename_all = "snake_case")]
    pub enum Missing {
        /// The plan lists these people.
        #[default]
        Report = "report",
        /// The guardrail blocks the apply.
        Block = "block",
    }
}

/// An accepted risk, declared with `[[acknowledge]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgment {
    pub place: Place,
    pub risk: AcknowledgedRisk,
    pub reason: Sourced<String>,
    /// The instant at which the acknowledgment expires.
    pub expires: Sourced<Moment>,
}

impl Acknowledgment {
    /// Returns `true` if the acknowledgment applies at this instant. Expired acknowledgments still appear in reports but have no
    /// effect.
    pub fn is_active(&self, at: Timestamp) -> bool {
        at < self.expires.value.at
    }
}

/// The guardrail that an acknowledgment overrides, and the limit of the override: a number of people or a single person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcknowledgedRisk {
    pub guardrail: Guardrail,
    /// The role whose holders are counted, if the guardrail has a limit per role.
    pub role: Option<Sourced<RoleName>>,
    pub limit: RiskLimit,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RiskLimit {
    /// The highest number of people that the guardrail accepts (`up_to`).
    UpTo(Sourced<u64>),
    /// The lowest number of people that the guardrail accepts (`down_to`).
    DownTo(Sourced<u64>),
    /// The guardrail is overridden for the person with this address (`user`).
    User(Sourced<Email>),
}

impl AcknowledgedRisk {
    /// Returns the address of the acknowledged person, or `None` if the acknowledgment has a count instead.
    pub const fn user(&self) -> Option<&Sourced<Email>> {
        match &self.limit {
            RiskLimit::User(user) => Some(user),
            RiskLimit::UpTo(_) | RiskLimit::DownTo(_) => None,
        }
    }
}

/// A person as declared in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredPerson {
    /// The person's address, with the location of the person's key in `[users]`.
    pub email: Sourced<Email>,
    /// The values outside all windows. `None` leaves the field alone.
    pub values: PerField<Option<DeclaredValue>>,
    /// The person's windows, in file order.
    pub windows: Vec<Window>,
}

/// A value that applies outside all windows. It was validated during parsing, so a status is always one of [`Status::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredValue {
    pub value: Sourced<FieldValue>,
    /// Whether the value was inherited from `[defaults]`.
    pub from_defaults: bool,
}

/// A set of values that applies for a limited time, from `from` (inclusive) to `until` (exclusive).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    pub place: Place,
    /// The start of the window, or `None` if it has no start.
    pub from: Option<Sourced<Moment>>,
    /// The first instant after the window, or `None` if it never ends.
    pub until: Option<Sourced<Moment>>,
    pub sets: PerField<Option<Sourced<FieldValue>>>,
    /// The status to set after the window if the person still has the window's status.
    pub then: Option<Sourced<FieldValue>>,
    pub reason: Option<String>,
}
