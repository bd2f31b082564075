//! The CSV records of an access review: one per account in Pylon and one per declared person without an account.

use std::collections::HashMap;

use super::{
    AccessLine, AccessReport, AccountChange, AppliedRule, ChangeKind, DeclaredRole, HeldRole,
    IntegrationLine, NotFoundLine,
};
use crate::printable::Printable;
use crate::report::facts::edits::{blame_cells, origin_cells};
use crate::report::facts::explanation::{DeclarationLine, SinceLine};
use crate::report::facts::plan::{BlameLine, EditLine};
use crate::report::records::{Cell, Record, Records};
use crate::report::words;
use crate::source::Location;

#[derive(Clone, Copy)]
enum AccessRow<'r> {
    Person(&'r AccessLine),
    Integration(&'r IntegrationLine),
    NotFound(&'r NotFoundLine),
    /// An account that exists only in the earlier review.
    Gone(&'r AccountChange),
}

impl AccessReport {
    /// Returns the records in this order: people, integration users, declared people without an account, and accounts that no
    /// longer exist.
    pub fn records(&self) -> Records {
        let people = self.people.iter().map(AccessRow::Person);
        let integrations = self.integration_users.iter().map(AccessRow::Integration);
        let accounts = || self.since.iter().flat_map(|since| &since.accounts);
        let gone = accounts().filter(|account| account.kind == ChangeKind::Gone).map(AccessRow::Gone);
        let not_found = self.not_found.iter().map(AccessRow::NotFound);
        let rows: Vec<AccessRow<'_>> = people.chain(integrations).chain(not_found).chain(gone).collect();
        let changes: HashMap<&str, &AccountChange> =
            accounts().map(|account| (account.id.raw(), account)).collect();
        let change = |row: &AccessRow<'_>| row.id().and_then(|id| changes.get(id).copied());
        Records::new(&rows)
            .beside(rows.iter().map(change))
            .beside(rows.iter().map(|row| row.person().map(|line| RoleCells(&line.roles))))
            .beside(
                rows.iter().map(|row| row.person().and_then(|line| Some(RoleSet(line.role_set.as_ref()?)))),
            )
            .beside(rows.iter().map(AccessRow::declared))
            .beside(rows.iter().map(AccessRow::declared_role))
            .beside(rows.iter().map(StateCells))
            .beside(rows.iter().map(|_| Run(self)))
    }
}

impl<'r> AccessRow<'r> {
    /// Returns the user ID, or `None` for a person without an account.
    fn id(&self) -> Option<&'r str> {
        match self {
            Self::Person(line) => Some(line.id.raw()),
            Self::Integration(line) => Some(line.id.raw()),
            Self::NotFound(_) => None,
            Self::Gone(account) => Some(account.id.raw()),
        }
    }

    const fn person(&self) -> Option<&'r AccessLine> {
        match self {
            Self::Person(line) => Some(line),
            Self::Integration(_) | Self::NotFound(_) | Self::Gone(_) => None,
        }
    }

    fn declared(&self) -> Option<&'r DeclarationLine> {
        match self {
            Self::Person(line) => line.declared.as_ref(),
            Self::Integration(_) | Self::Gone(_) => None,
            Self::NotFound(line) => Some(&line.declared),
        }
    }

    fn declared_role(&self) -> Option<&'r DeclaredRole> {
        match self {
            Self::Person(line) => line.declared_role.as_ref(),
            Self::Integration(_) | Self::Gone(_) => None,
            Self::NotFound(line) => line.declared_role.as_ref(),
        }
    }
}

impl Record<6> for AccessRow<'_> {
    const COLUMNS: [&'static str; 6] = ["kind", "email", "other_emails", "name", "id", "status"];

    fn cells(&self) -> [Cell; 6] {
        let none = Cell::default;
        match self {
            AccessRow::Person(AccessLine { email, other_emails, name, id, status, .. }) => {
                ["person".into(), email.into(), other_emails.into(), name.into(), id.into(), status.into()]
            }
            AccessRow::Integration(IntegrationLine { id, name }) => {
                ["integration_user".into(), none(), none(), name.into(), id.into(), none()]
            }
            AccessRow::NotFound(NotFoundLine { declared, declared_role: _, did_you_mean: _ }) => {
                ["not_found".into(), (&declared.email).into(), none(), none(), none(), none()]
            }
            AccessRow::Gone(AccountChange { email, name, id, .. }) => {
                ["gone".into(), email.as_ref().into(), none(), name.into(), id.into(), none()]
            }
        }
    }
}

impl Record<1> for AccountChange {
    const COLUMNS: [&'static str; 1] = ["change"];

    fn cells(&self) -> [Cell; 1] {
        [(&self.words(Printable::clone)).into()]
    }
}

struct RoleCells<'r>(&'r [HeldRole]);

impl Record<6> for RoleCells<'_> {
    const COLUMNS: [&'static str; 6] = ["roles", "role_ids", "held", "not_declared", "admin", "guarded"];

    fn cells(&self) -> [Cell; 6] {
        let (mut names, mut ids, mut ways, mut others) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut is_admin, mut is_guarded) = (false, false);
        for HeldRole { name, id, held, admin, guarded, declared } in self.0 {
            names.push(name.clone());
            ids.push(id.clone());
            ways.push(Cell::word(held));
            others.extend((!declared).then(|| name.clone()));
            is_admin |= admin;
            is_guarded |= guarded;
        }
        let (names, ids, others) = ((&names).into(), (&ids).into(), (&others).into());
        [names, ids, Cell::list(ways), others, is_admin.into(), is_guarded.into()]
    }
}

/// The audit log entry about a role.
struct RoleSet<'r>(&'r BlameLine);

impl Record<9> for RoleSet<'_> {
    const COLUMNS: [&'static str; 9] = [
        "role_set_actor_id",
        "role_set_actor_name",
        "role_set_actor_email",
        "role_set_source",
        "role_set_action",
        "role_set_at",
        "role_set_old",
        "role_set_new",
        "role_set_outdated",
    ];

    fn cells(&self) -> [Cell; 9] {
        blame_cells(self.0)
    }
}

impl Record<7> for DeclarationLine {
    const COLUMNS: [&'static str; 7] =
        ["declared_email", "file", "line", "since_commit", "since_at", "since_author", "since_subject"];

    fn cells(&self) -> [Cell; 7] {
        let Self { email, location, since } = self;
        let Location { file, line, column: _ } = location;
        let [commit, at, author, subject] = since_cells(since.as_ref());
        [email.into(), file.into(), (*line).into(), commit, at, author, subject]
    }
}

impl Record<10> for DeclaredRole {
    const COLUMNS: [&'static str; 10] = [
        "declared_role",
        "origin",
        "origin_until",
        "origin_reason",
        "role_file",
        "role_line",
        "role_since_commit",
        "role_since_at",
        "role_since_author",
        "role_since_subject",
    ];

    fn cells(&self) -> [Cell; 10] {
        let Self { value, origin, location, since } = self;
        let Location { file, line, column: _ } = location;
        let [kind, until, reason] = origin_cells(origin);
        let [commit, at, author, subject] = since_cells(since.as_ref());
        [value.into(), kind, until, reason, file.into(), (*line).into(), commit, at, author, subject]
    }
}

fn since_cells(since: Option<&SinceLine>) -> [Cell; 4] {
    let Some(SinceLine { commit, at, author, subject }) = since else { return Default::default() };
    [commit.into(), (*at).into(), author.into(), subject.into()]
}

/// How a row compares with the files.
struct StateCells<'r>(&'r AccessRow<'r>);

impl Record<10> for StateCells<'_> {
    const COLUMNS: [&'static str; 10] = [
        "rules",
        "violated_rules",
        "state",
        "pending",
        "observed",
        "unmanaged",
        "deactivated",
        "protected",
        "owns_token",
        "did_you_mean",
    ];

    fn cells(&self) -> [Cell; 10] {
        let line = match self.0 {
            AccessRow::Person(line) => line,
            AccessRow::Integration(_) | AccessRow::Gone(_) => return Default::default(),
            AccessRow::NotFound(NotFoundLine { declared: _, declared_role: _, did_you_mean }) => {
                let mut cells: [Cell; 10] = Default::default();
                (cells[2], cells[9]) = ("not_found".into(), did_you_mean.as_ref().into());
                return cells;
            }
        };
        let AccessLine {
            email: _,
            other_emails: _,
            name: _,
            id: _,
            status: _,
            roles: _,
            role_set: _,
            declared: _,
            declared_role: _,
            rules,
            state,
            pending,
            observed,
            unmanaged,
            deactivated,
            protected,
            owns_token,
        } = line;
        let named = |rule: &AppliedRule| Printable::new(&format!("{} ({})", rule.rule, rule.location));
        [
            (&rules.iter().map(named).collect::<Vec<_>>()).into(),
            (&rules.iter().filter(|rule| rule.violated).map(named).collect::<Vec<_>>()).into(),
            Cell::word(state),
            edits_cell(pending),
            edits_cell(observed),
            (*unmanaged).into(),
            (*deactivated).into(),
            (*protected).into(),
            (*owns_token).into(),
            Cell::default(),
        ]
    }
}

/// Formats a person's edits, e.g. `role Viewer → Member; status away → active`.
fn edits_cell(edits: &[EditLine]) -> Cell {
    let text = |edit: &EditLine| {
        let change = words::change(&words::before(&edit.from), edit.to.as_str());
        Printable::new(&format!("{} {change}", edit.field))
    };
    (&edits.iter().map(text).collect::<Vec<_>>()).into()
}

/// Facts about the review as a whole. CSV has no other place for them, so they're repeated in every row.
struct Run<'r>(&'r AccessReport);

impl Record<11> for Run<'_> {
    const COLUMNS: [&'static str; 11] = [
        "organization_id",
        "organization_name",
        "organization_place",
        "commit",
        "modified",
        "files_sha256",
        "audit_log_complete",
        "unread",
        "rolecall_version",
        "since",
        "read_at",
    ];

    fn cells(&self) -> [Cell; 11] {
        let AccessReport {
            organization,
            read_at,
            rolecall_version,
            files,
            audit_log,
            unread,
            summary: _,
            since,
            people: _,
            integration_users: _,
            not_found: _,
        } = self.0;
        let files = files.as_ref();
        [
            (&organization.id).into(),
            (&organization.name).into(),
            (&organization.place).into(),
            files.and_then(|files| files.commit.as_ref()).into(),
            files.and_then(|files| files.modified).into(),
            files.map(|files| &files.sha256).into(),
            audit_log.complete.into(),
            Cell::list(unread.iter().map(Cell::from)),
            (*rolecall_version).into(),
            since.as_ref().map(|since| since.read_at).into(),
            (*read_at).into(),
        ]
    }
}
