//! The table of an access review, with a row per account in Pylon and per declared person without an account.

use std::collections::HashMap;

use serde::Serialize;

use super::{Cell, Columns, cell, origin, window};
use crate::printable::Printable;
use crate::report::facts::access::{
    AccessLine, AccessReport, AccountChange, AppliedRule, ChangeKind, DeclaredRole, NotFoundLine,
};
use crate::report::facts::explanation::DeclarationLine;
use crate::report::facts::plan::{EditLine, IntegrationLine};
use crate::report::words;

/// The kind and the state of a row for a declared person without an account.
const NOT_FOUND: &str = "not_found";

#[derive(Clone, Copy)]
pub(super) struct AccessRow<'r> {
    kind: &'static str,
    email: Option<&'r Printable>,
    name: Option<&'r Printable>,
    id: Option<&'r Printable>,
    person: Option<&'r AccessLine>,
    /// The difference from the earlier review.
    change: Option<&'r AccountChange>,
    declared: Option<&'r DeclarationLine>,
    declared_role: Option<&'r DeclaredRole>,
    did_you_mean: Option<&'r Printable>,
    report: &'r AccessReport,
}

pub(super) const COLUMNS: Columns<'_, fn(AccessRow<'_>) -> Cell> = &[
    ("kind", |row| cell(row.kind)),
    ("email", |row| cell(row.email)),
    ("other_emails", |row| cell(&row.person?.other_emails)),
    ("name", |row| cell(row.name)),
    ("id", |row| cell(row.id)),
    ("status", |row| cell(&row.person?.status)),
    ("change", |row| cell(row.change?.words(Printable::clone))),
    ("roles", |row| list(row.person?.roles.iter().map(|role| &role.name))),
    ("role_ids", |row| list(row.person?.roles.iter().map(|role| &role.id))),
    ("held", |row| list(row.person?.roles.iter().map(|role| role.held))),
    ("not_declared", |row| {
        list(row.person?.roles.iter().filter(|role| !role.declared).map(|role| &role.name))
    }),
    ("admin", |row| cell(row.person?.roles.iter().any(|role| role.admin))),
    ("guarded", |row| cell(row.person?.roles.iter().any(|role| role.guarded))),
    ("role_set_actor_id", |row| cell(&row.person?.role_set.as_ref()?.actor_id)),
    ("role_set_actor_name", |row| cell(&row.person?.role_set.as_ref()?.actor_name)),
    ("role_set_actor_email", |row| cell(&row.person?.role_set.as_ref()?.actor_email)),
    ("role_set_source", |row| cell(&row.person?.role_set.as_ref()?.source)),
    ("role_set_action", |row| cell(&row.person?.role_set.as_ref()?.action)),
    ("role_set_at", |row| cell(row.person?.role_set.as_ref()?.at)),
    ("role_set_old", |row| cell(&row.person?.role_set.as_ref()?.old)),
    ("role_set_new", |row| cell(&row.person?.role_set.as_ref()?.new)),
    ("role_set_outdated", |row| cell(row.person?.role_set.as_ref()?.outdated)),
    ("declared_email", |row| cell(&row.declared?.email)),
    ("file", |row| cell(&row.declared?.location.file)),
    ("line", |row| cell(row.declared?.location.line)),
    ("since_commit", |row| cell(&row.declared?.since.as_ref()?.commit)),
    ("since_at", |row| cell(row.declared?.since.as_ref()?.at)),
    ("since_author", |row| cell(&row.declared?.since.as_ref()?.author)),
    ("since_subject", |row| cell(&row.declared?.since.as_ref()?.subject)),
    ("declared_role", |row| cell(&row.declared_role?.value)),
    ("origin", |row| origin(&row.declared_role?.origin)),
    ("origin_until", |row| cell(window(&row.declared_role?.origin).0)),
    ("origin_reason", |row| cell(window(&row.declared_role?.origin).1)),
    ("role_file", |row| cell(&row.declared_role?.location.file)),
    ("role_line", |row| cell(row.declared_role?.location.line)),
    ("role_since_commit", |row| cell(&row.declared_role?.since.as_ref()?.commit)),
    ("role_since_at", |row| cell(row.declared_role?.since.as_ref()?.at)),
    ("role_since_author", |row| cell(&row.declared_role?.since.as_ref()?.author)),
    ("role_since_subject", |row| cell(&row.declared_role?.since.as_ref()?.subject)),
    ("rules", |row| list(row.person?.rules.iter().map(rule))),
    ("violated_rules", |row| list(row.person?.rules.iter().filter(|rule| rule.violated).map(rule))),
    ("state", |row| if row.kind == NOT_FOUND { cell(row.kind) } else { cell(row.person?.state) }),
    ("pending", |row| list(row.person?.pending.iter().map(edit))),
    ("observed", |row| list(row.person?.observed.iter().map(edit))),
    ("ignored", |row| list(row.person?.ignored.iter().map(edit))),
    ("unmanaged", |row| cell(row.person?.unmanaged)),
    ("deactivated", |row| cell(row.person?.deactivated)),
    ("protected", |row| cell(row.person?.protected)),
    ("owns_token", |row| cell(row.person?.owns_token)),
    ("did_you_mean", |row| cell(row.did_you_mean)),
    // CSV has no other place for facts about the review as a whole, so they're repeated in every row.
    ("organization_id", |row| cell(&row.report.organization.id)),
    ("organization_name", |row| cell(&row.report.organization.name)),
    ("organization_place", |row| cell(&row.report.organization.place)),
    ("commit", |row| cell(&row.report.files.as_ref()?.commit)),
    ("modified", |row| cell(row.report.files.as_ref()?.modified)),
    ("files_sha256", |row| cell(&row.report.files.as_ref()?.sha256)),
    ("audit_log_complete", |row| cell(row.report.audit_log.complete)),
    ("unread", |row| cell(&row.report.unread)),
    ("rolecall_version", |row| cell(row.report.rolecall_version)),
    ("since", |row| cell(row.report.since.as_ref()?.read_at)),
    ("read_at", |row| cell(row.report.read_at)),
];

/// Returns the rows in this order: people, integration users, declared people without an account, and accounts that no longer
/// exist.
pub(super) fn rows(report: &AccessReport) -> impl Iterator<Item = AccessRow<'_>> {
    let empty = AccessRow {
        kind: "",
        email: None,
        name: None,
        id: None,
        person: None,
        change: None,
        declared: None,
        declared_role: None,
        did_you_mean: None,
        report,
    };
    let people = report.people.iter().map(move |line| AccessRow {
        kind: "person",
        email: Some(&line.email),
        name: Some(&line.name),
        id: Some(&line.id),
        person: Some(line),
        declared: line.declared.as_ref(),
        declared_role: line.declared_role.as_ref(),
        ..empty
    });
    let integrations = report.integration_users.iter().map(move |IntegrationLine { id, name }| AccessRow {
        kind: "integration_user",
        name: Some(name),
        id: Some(id),
        ..empty
    });
    let not_found = report.not_found.iter().map(move |line| {
        let NotFoundLine { declared, declared_role, did_you_mean } = line;
        AccessRow {
            kind: NOT_FOUND,
            email: Some(&declared.email),
            declared: Some(declared),
            declared_role: declared_role.as_ref(),
            did_you_mean: did_you_mean.as_ref(),
            ..empty
        }
    });
    let accounts = move || report.since.iter().flat_map(|since| &since.accounts);
    let gone = accounts().filter(|account| account.kind == ChangeKind::Gone).map(move |account| AccessRow {
        kind: "gone",
        email: account.email.as_ref(),
        name: Some(&account.name),
        id: Some(&account.id),
        change: Some(account),
        ..empty
    });
    // If a person became an integration user, or the reverse, the same ID has two changes: gone and new.
    let others = accounts().filter(|account| account.kind != ChangeKind::Gone);
    let changes: HashMap<&Printable, &AccountChange> = others.map(|account| (&account.id, account)).collect();
    people
        .chain(integrations)
        .chain(not_found)
        .chain(gone)
        .map(move |row| AccessRow { change: row.change.or_else(|| changes.get(row.id?).copied()), ..row })
}

fn list<T: Serialize>(values: impl Iterator<Item = T>) -> Cell {
    cell(values.collect::<Vec<_>>())
}

fn rule(rule: &AppliedRule) -> String {
    format!("{} ({})", rule.rule, rule.location)
}

/// Formats an edit, e.g. `role Viewer → Member`.
fn edit(edit: &EditLine) -> String {
    format!("{} {}", edit.field, words::change(&words::before(&edit.from), edit.to.as_str()))
}
