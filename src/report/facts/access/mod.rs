//! The access review: who has which role in Pylon, who assigned it and when, and which line of the files declares it.
//!
//! `tables` lays the review out for human readers, and `changes` compares it with an earlier review.

mod changes;
mod tables;

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

pub use changes::{AccessChanges, AccountChange, ChangeKind, EarlierReview};

use super::OrganizationLine;
use super::compose::integration_line;
use super::explanation::{DeclarationLine, SinceLine};
use super::plan::{BlameLine, EditLine, IntegrationLine, PlanReport};
use crate::desired::{DesiredPerson, DesiredState, Origin};
use crate::every::words;
use crate::observed::{Found, HeldValues, ObservedState, Person, RoleId, UserId};
use crate::printable::Printable;
use crate::pylon::inquiry::Findings;
use crate::report::words::why_unread;
use crate::roster::{Email, Field, FieldValue, RoleRule, Roster};
use crate::source::Location;

/// `access`: who has which role, and why.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccessReport {
    pub organization: OrganizationLine,
    /// The time at which Pylon was read, as an RFC 3339 timestamp in UTC.
    #[schemars(with = "String")]
    pub read_at: Timestamp,
    pub rolecall_version: &'static str,
    /// `null` if there are no files. In that case, everyone is unmanaged.
    pub files: Option<FilesLine>,
    /// How much of the audit log was read. If it was not read to the end, `role_set` is `null` for everyone.
    pub audit_log: LogLine,
    /// A sentence about each source that could not be read, with the reason.
    pub unread: Vec<String>,
    pub summary: AccessSummary,
    /// The differences from the earlier review. Present only with `--since`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<AccessChanges>,
    /// Sorted by privilege, then by address. The Admin role comes first, followed by other guarded roles, other roles by name,
    /// people without a role, and deactivated people.
    pub people: Vec<AccessLine>,
    /// Users without an email address, sorted by ID. They do not count as people.
    pub integration_users: Vec<IntegrationLine>,
    /// Declared people without an account in Pylon, sorted by address.
    pub not_found: Vec<NotFoundLine>,
}

/// The files read, and the commit they belong to.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FilesLine {
    /// The commit that is checked out, or `null` if git cannot determine it.
    pub commit: Option<String>,
    /// Whether any file differs from `commit`, or `null` if there is no commit.
    pub modified: Option<bool>,
    /// The SHA-256 digest of `list`, formatted as one line per file with its digest, two spaces, and its name.
    pub sha256: String,
    /// Sorted by name.
    pub list: Vec<FileDigest>,
}

/// A file and its digest, as printed by `sha256sum`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileDigest {
    pub sha256: String,
    /// The path relative to the root file's folder.
    pub name: Printable,
}

/// How much of the audit log was read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct LogLine {
    /// Whether the audit log was read to the end. If so, `role_set` is `null` only for people without an entry about their
    /// role.
    pub complete: bool,
    /// The reason the audit log was not read to the end.
    pub reason: Option<String>,
}

/// The number of people in each category.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct AccessSummary {
    /// People who can sign in. Deactivated people are not counted in `admins`, `unmanaged`, `not_in_sync`, `observed`,
    /// `ignored`, and `against_rule` either.
    pub active: usize,
    pub admins: usize,
    pub unmanaged: usize,
    pub not_in_sync: usize,
    pub observed: usize,
    pub ignored: usize,
    /// People with a role forbidden by a rule.
    pub against_rule: usize,
    pub deactivated: usize,
    pub integration_users: usize,
    pub not_found: usize,
}

words! {
    /// How a person in Pylon compares with the files. For a deactivated person, the state is always `deactivated`.
    #[derive(Hash, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum AccessState {
        InSync = "in sync",
        /// An apply would change the person's role or status.
        NotInSync = "not in sync",
        /// There are differences, but the policy only observes them.
        Observed = "observed",
        /// There are differences, but the policy ignores them.
        Ignored = "ignored",
        /// The person is not declared in any file.
        Unmanaged = "unmanaged",
        /// The person can no longer sign in.
        Deactivated = "deactivated",
    }
}

words! {
    /// How a person holds a role.
    #[derive(Hash, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Held {
        /// The role is assigned to the person directly.
        Assigned = "assigned",
        /// The person holds the role only through a SCIM group.
        Scim = "SCIM group",
    }
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct AccessLine {
    pub email: Printable,
    pub other_emails: Vec<Printable>,
    pub name: Printable,
    pub id: Printable,
    /// The status in Pylon. Empty if the person has none.
    pub status: Printable,
    /// Sorted by privilege, highest first.
    pub roles: Vec<HeldRole>,
    /// The newest audit log entry about the role. `null` if there is no such entry, or if the log was not read to the end.
    pub role_set: Option<BlameLine>,
    /// `null` if the person is not declared in any file.
    pub declared: Option<DeclarationLine>,
    /// The currently declared role. `null` if the files leave the role alone.
    pub declared_role: Option<DeclaredRole>,
    /// The rules that apply to the person, in the order of the root file.
    pub rules: Vec<AppliedRule>,
    pub state: AccessState,
    /// The changes an apply would make.
    pub pending: Vec<EditLine>,
    /// Differences left alone because the policy only observes them.
    pub observed: Vec<EditLine>,
    /// Differences left alone because the policy ignores them.
    pub ignored: Vec<EditLine>,
    pub unmanaged: bool,
    pub deactivated: bool,
    /// Whether the person is listed in `protected`.
    pub protected: bool,
    /// Whether the person owns the token used for this run.
    pub owns_token: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct HeldRole {
    pub name: Printable,
    pub id: Printable,
    pub held: Held,
    /// Whether this is the built-in Admin role.
    pub admin: bool,
    /// Whether this is a guarded role, which is Admin or a role with a minimum.
    pub guarded: bool,
    /// Whether this is the person's declared role.
    pub declared: bool,
}

/// A person's declared role, and the line that declares it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct DeclaredRole {
    /// The role, as written in the file.
    pub value: Printable,
    pub origin: Origin,
    /// The line that sets the value, in the person's entry, in `[defaults]`, or in a window.
    pub location: Location,
    /// The commit that last changed the line at `location`, or `null` if git cannot determine it.
    pub since: Option<SinceLine>,
}

/// A rule that restricts a person's roles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AppliedRule {
    /// The allowed roles and the reason.
    pub rule: Printable,
    pub location: Location,
    /// Whether the person can use a role forbidden by the rule.
    pub violated: bool,
}

/// A declared person without an account in Pylon.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct NotFoundLine {
    pub declared: DeclarationLine,
    pub declared_role: Option<DeclaredRole>,
    /// The most similar address of an unmanaged person.
    pub did_you_mean: Option<Printable>,
}

/// The inputs to an access review.
pub struct AccessSources<'a> {
    pub observed: &'a ObservedState,
    /// Where the organization was read from: `us`, `eu`, `sandbox`, or the host.
    pub place: &'a str,
    pub read_at: Timestamp,
    /// `None` if there are no files.
    pub declared: Option<DeclaredSources<'a>>,
    /// The audit log entries about roles.
    pub findings: &'a Findings,
    /// Looks up the commit that last changed a line.
    pub since: &'a dyn Fn(&Location) -> Option<SinceLine>,
    /// A sentence about each source other than the audit log that couldn't be read, with the reason.
    pub unread: Vec<String>,
}

/// The declarations in the files, and the differences from Pylon.
pub struct DeclaredSources<'a> {
    pub roster: &'a Roster,
    pub desired: &'a DesiredState,
    pub plan: &'a PlanReport,
    pub guarded: HashSet<&'a RoleId>,
    pub files: FilesLine,
}

impl AccessReport {
    /// Creates the review for everyone in `sources.observed`.
    pub fn new(mut sources: AccessSources<'_>) -> Self {
        let reason = sources.findings.unread.as_ref().map(why_unread);
        let mut unread: Vec<String> =
            reason.iter().map(|why| format!("each role's history: {why}")).collect();
        unread.append(&mut sources.unread);
        let reviewer = Reviewer::new(&sources);
        let mut people: Vec<&Person> = sources.observed.people().collect();
        people.sort_by_cached_key(|person| reviewer.rank(person));
        let people: Vec<AccessLine> = people.into_iter().map(|person| reviewer.line(person)).collect();
        let not_found = reviewer.not_found();
        let integrations = &sources.observed.integrations;
        let mut summary = AccessSummary {
            integration_users: integrations.len(),
            not_found: not_found.len(),
            ..AccessSummary::default()
        };
        people.iter().for_each(|line| summary.add(line));
        Self {
            organization: OrganizationLine::new(&sources.observed.organization, sources.place),
            read_at: sources.read_at,
            rolecall_version: env!("CARGO_PKG_VERSION"),
            audit_log: LogLine { complete: reason.is_none(), reason },
            unread,
            summary,
            since: None,
            people,
            integration_users: integrations.iter().map(integration_line).collect(),
            not_found,
            files: sources.declared.map(|declared| declared.files),
        }
    }
}

impl AccessLine {
    fn is_privileged(&self) -> bool {
        self.roles.iter().any(|role| role.guarded)
    }

    /// Returns the roles that the person holds instead of the declared role or in addition to it, regardless of the policy.
    /// Returns none for deactivated people, or if the files leave the role alone.
    fn beyond_declared(&self) -> impl Iterator<Item = &HeldRole> {
        let is_compared = self.declared_role.is_some() && !self.deactivated;
        self.roles.iter().filter(move |role| is_compared && !role.declared)
    }

    /// Returns `true` if the person is declared and has a role, but the files leave the role alone.
    fn is_role_left_alone(&self) -> bool {
        !self.unmanaged && !self.deactivated && self.declared_role.is_none() && !self.roles.is_empty()
    }

    fn is_against_rule(&self) -> bool {
        self.rules.iter().any(|rule| rule.violated)
    }
}

impl AccessSummary {
    fn add(&mut self, line: &AccessLine) {
        if line.deactivated {
            self.deactivated += 1;
            return;
        }
        self.active += 1;
        self.admins += usize::from(line.roles.iter().any(|role| role.admin));
        self.against_rule += usize::from(line.is_against_rule());
        match line.state {
            AccessState::InSync | AccessState::Deactivated => {}
            AccessState::NotInSync => self.not_in_sync += 1,
            AccessState::Observed => self.observed += 1,
            AccessState::Ignored => self.ignored += 1,
            AccessState::Unmanaged => self.unmanaged += 1,
        }
    }
}

/// The inputs to a review, indexed by person.
struct Reviewer<'a> {
    sources: &'a AccessSources<'a>,
    declared: HashMap<&'a UserId, &'a DesiredPerson>,
    pending: HashMap<&'a str, &'a [EditLine]>,
    observed: HashMap<&'a str, &'a [EditLine]>,
    ignored: HashMap<&'a str, &'a [EditLine]>,
}

/// The sort key of a person: whether they are deactivated, the privilege of the highest role they can use, their address, and
/// their ID.
type Rank = (bool, Privilege, Email, UserId);

/// The sort key of a role. The variants are ordered by privilege, highest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Privilege {
    Admin,
    /// The name and ID of the role, as for `Other`.
    Guarded(String, RoleId),
    Other(String, RoleId),
    NoRole,
}

impl<'a> Reviewer<'a> {
    fn new(sources: &'a AccessSources<'a>) -> Self {
        let AccessSources { observed, declared, .. } = sources;
        let mut by_id = HashMap::new();
        let (mut pending, mut only_observed, mut ignored) = (HashMap::new(), HashMap::new(), HashMap::new());
        if let Some(DeclaredSources { desired, plan, .. }) = declared {
            for person in &desired.people {
                if let Found::Primary(found) | Found::Secondary(found) = observed.find(&person.email.value) {
                    by_id.insert(&found.id, person);
                }
            }
            let edits =
                |change: &'a super::plan::ChangeLine| (change.person.id.raw(), change.edits.as_slice());
            pending = plan.changes.iter().map(edits).collect();
            only_observed = plan.observed.iter().map(edits).collect();
            ignored = plan.ignored.iter().map(edits).collect();
        }
        Self { sources, declared: by_id, pending, observed: only_observed, ignored }
    }

    fn rank(&self, person: &Person) -> Rank {
        let highest = person.held.role.all().map(|role| self.privilege(&RoleId(role.clone()))).min();
        // Deactivated people can't use any role.
        let privilege = highest.filter(|_| !person.deactivated).unwrap_or(Privilege::NoRole);
        (person.deactivated, privilege, person.email.clone(), person.id.clone())
    }

    fn privilege(&self, role: &RoleId) -> Privilege {
        let roles = &self.sources.observed.roles;
        if self.is_admin(role) {
            Privilege::Admin
        } else if self.is_guarded(role) {
            Privilege::Guarded(roles.label(role), role.clone())
        } else {
            Privilege::Other(roles.label(role), role.clone())
        }
    }

    /// Returns `true` if the role is guarded. Without files, only the Admin role is guarded.
    fn is_guarded(&self, role: &RoleId) -> bool {
        let declared = self.sources.declared.as_ref();
        self.is_admin(role) || declared.is_some_and(|declared| declared.guarded.contains(role))
    }

    fn is_admin(&self, role: &RoleId) -> bool {
        self.sources.observed.roles.admin().is_some_and(|admin| admin.id == *role)
    }

    fn line(&self, person: &Person) -> AccessLine {
        let Person { id, email, secondary, name, held: _, deactivated } = person;
        let status = person.status();
        let declared = self.declared.get(id).copied();
        let edits = |map: &HashMap<&str, &[EditLine]>| {
            map.get(id.as_str()).map_or_else(Vec::new, |edits| edits.to_vec())
        };
        let (pending, observed, ignored) =
            (edits(&self.pending), edits(&self.observed), edits(&self.ignored));
        let state = if *deactivated {
            AccessState::Deactivated
        } else if declared.is_none() {
            AccessState::Unmanaged
        } else if !pending.is_empty() {
            AccessState::NotInSync
        } else if !observed.is_empty() {
            AccessState::Observed
        } else if !ignored.is_empty() {
            AccessState::Ignored
        } else {
            AccessState::InSync
        };
        let others = secondary.iter().filter(|other| *other != email);
        AccessLine {
            email: Printable::new(email.as_str()),
            other_emails: others.map(|other| Printable::new(other.as_str())).collect(),
            name: Printable::new(name),
            id: Printable::new(id.as_str()),
            status: Printable::new(status),
            roles: self.roles(person, declared),
            role_set: self.role_set(id),
            declared: declared.and_then(|desired| self.declaration(desired)),
            declared_role: declared.and_then(|desired| self.declared_role(desired, Some(status))),
            rules: self.rules(person, declared),
            state,
            pending,
            observed,
            ignored,
            unmanaged: declared.is_none(),
            deactivated: *deactivated,
            protected: self.is_protected(person),
            owns_token: self.sources.observed.token_user.as_ref() == Some(id),
        }
    }

    fn roles(&self, person: &Person, declared: Option<&DesiredPerson>) -> Vec<HeldRole> {
        let value = declared.and_then(|desired| desired.value_for(Field::Role, person.status()));
        let catalog = &self.sources.observed.roles;
        let declared = value.and_then(|value| catalog.value_meant(Field::Role, &value.value.value));
        let HeldValues { assigned, from_scim } = &person.held.role;
        let with = |held: Held| move |role: &FieldValue| (RoleId(role.clone()), held);
        let mut roles: Vec<(RoleId, Held)> = assigned.iter().map(with(Held::Assigned)).collect();
        roles.extend(from_scim.iter().map(with(Held::Scim)));
        roles.sort_by_cached_key(|(role, _)| self.privilege(role));
        let label = |role: &RoleId| Printable::new(&self.sources.observed.roles.label(role));
        let line = |(role, held): (RoleId, Held)| HeldRole {
            name: label(&role),
            id: Printable::new(&role.0),
            held,
            admin: self.is_admin(&role),
            guarded: self.is_guarded(&role),
            declared: declared.as_ref() == Some(&role.0),
        };
        roles.into_iter().map(line).collect()
    }

    /// Returns the newest log entry about the person's role. Returns `None` if there is no such entry, or if part of the log is
    /// unread and could contain a newer entry.
    fn role_set(&self, id: &UserId) -> Option<BlameLine> {
        let Findings { blames, unread, is_available: _ } = self.sources.findings;
        blames.get(&(id.clone(), Field::Role)).filter(|_| unread.is_none()).cloned()
    }

    fn declaration(&self, desired: &DesiredPerson) -> Option<DeclarationLine> {
        let location = self.sources.declared.as_ref()?.roster.sources.locate(desired.email.place);
        let since = (self.sources.since)(&location);
        Some(DeclarationLine { email: Printable::new(desired.email.value.as_str()), location, since })
    }

    /// Returns the currently declared role. `status` is the person's status in Pylon, if they have an account.
    fn declared_role(&self, desired: &DesiredPerson, status: Option<&str>) -> Option<DeclaredRole> {
        let value = match status {
            Some(status) => desired.value_for(Field::Role, status),
            None => desired.likely_value(Field::Role),
        }?;
        let location = self.sources.declared.as_ref()?.roster.sources.locate(value.value.place);
        Some(DeclaredRole {
            value: Printable::new(&value.value.value),
            origin: value.origin.clone(),
            since: (self.sources.since)(&location),
            location,
        })
    }

    fn rules(&self, person: &Person, declared: Option<&DesiredPerson>) -> Vec<AppliedRule> {
        let Some(DeclaredSources { roster, .. }) = &self.sources.declared else { return Vec::new() };
        let declared = declared.map(|declared| &declared.email.value);
        let addresses = || person.addresses().chain(declared);
        let rules = roster.guardrails.role_rules.iter().filter(|rule| rule.applies_to(addresses()));
        let line = |rule: &RoleRule| {
            let catalog = &self.sources.observed.roles;
            let is_allowed = |held: &FieldValue| {
                let allowed = rule.roles.iter().map(|role| catalog.value_meant(Field::Role, &role.value));
                allowed.flatten().any(|allowed| allowed == *held)
            };
            let mut held = person.held.role.all();
            AppliedRule {
                rule: Printable::new(&rule.text()),
                location: roster.sources.locate(rule.place),
                violated: !person.deactivated && held.any(|held| !is_allowed(held)),
            }
        };
        rules.map(line).collect()
    }

    fn is_protected(&self, person: &Person) -> bool {
        let mut protected =
            self.sources.declared.iter().flat_map(|declared| &declared.roster.guardrails.protected);
        protected.any(|email| person.is(&email.value))
    }

    fn not_found(&self) -> Vec<NotFoundLine> {
        let Some(DeclaredSources { desired, plan, .. }) = &self.sources.declared else { return Vec::new() };
        let near: HashMap<&str, &Printable> = plan
            .missing
            .iter()
            .filter_map(|line| Some((line.email.raw(), line.did_you_mean.as_ref()?)))
            .collect();
        let mut lines = Vec::new();
        for person in &desired.people {
            let email = &person.email.value;
            if self.sources.observed.find(email) == Found::NotFound {
                lines.extend(self.declaration(person).map(|declared| NotFoundLine {
                    declared,
                    declared_role: self.declared_role(person, None),
                    did_you_mean: near.get(email.as_str()).copied().cloned(),
                }));
            }
        }
        lines
    }
}
