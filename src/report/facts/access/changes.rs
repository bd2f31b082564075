//! Compares an access review with an earlier one to find new and removed accounts as well as roles gained and lost.
//!
//! Accounts are matched by user ID and roles by role ID, so a new address or a renamed role isn't reported as a new account
//! or role.

use std::collections::HashMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{AccessLine, AccessReport, IntegrationLine, OrganizationLine};
use crate::every::words;
use crate::printable::Printable;
use crate::roster::Email;

/// The differences from an earlier review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AccessChanges {
    /// The time of the earlier review.
    #[schemars(with = "String")]
    pub read_at: Timestamp,
    /// The file of the earlier review, as given on the command line.
    pub file: Printable,
    /// The accounts that differ, in the order of the review, followed by the accounts that are gone.
    pub accounts: Vec<AccountChange>,
}

/// An account that differs between the reviews.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, JsonSchema)]
pub struct AccountChange {
    pub id: Printable,
    /// The current primary address, or the last known one if the account is gone. `null` for an integration user.
    pub email: Option<Printable>,
    pub name: Printable,
    pub kind: ChangeKind,
    /// The earlier primary address, if it has changed.
    pub email_before: Option<Printable>,
    /// Other addresses that the person has gained since the earlier review.
    pub emails_gained: Vec<Printable>,
    /// Other addresses that the person has lost since the earlier review.
    pub emails_lost: Vec<Printable>,
    /// Names of roles the person has gained since the earlier review.
    pub gained: Vec<Printable>,
    /// Names of roles the person has lost since the earlier review.
    pub lost: Vec<Printable>,
    /// Whether the person is now declared in a file. Set for a new person, and if it differs from the earlier review.
    /// Otherwise, `null`.
    pub managed: Option<bool>,
    /// Whether the person is now deactivated. Set for a new person who is deactivated, and if it differs from the earlier
    /// review. Otherwise, `null`.
    pub deactivated: Option<bool>,
    /// Whether the person can now use the Admin role or another guarded role, but could not at the time of the earlier
    /// review.
    pub gained_guarded: bool,
}

words! {
    /// How an account differs from the earlier review.
    #[derive(Hash, Default, Serialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum ChangeKind {
        New = "new",
        #[default]
        Changed = "changed",
        Gone = "gone",
    }
}

/// The parts of an earlier review needed for the comparison. Unknown keys are ignored because newer versions may add some.
#[derive(Debug, Clone, Deserialize)]
pub struct EarlierReview {
    pub organization: OrganizationLine,
    pub read_at: Timestamp,
    people: Vec<EarlierPerson>,
    integration_users: Vec<IntegrationLine>,
}

#[derive(Debug, Clone, Deserialize)]
struct EarlierPerson {
    id: Printable,
    email: Printable,
    other_emails: Vec<Printable>,
    name: Printable,
    roles: Vec<EarlierRole>,
    unmanaged: bool,
    deactivated: bool,
}

#[derive(Debug, Clone, Deserialize)]
struct EarlierRole {
    id: Printable,
    name: Printable,
}

impl AccessReport {
    /// Records the differences from an earlier review of the same organization.
    pub fn add_changes(&mut self, earlier: EarlierReview, file: Printable) {
        let EarlierReview { organization: _, read_at, people, integration_users } = earlier;
        let mut left: HashMap<&str, &EarlierPerson> =
            people.iter().map(|person| (person.id.raw(), person)).collect();
        let mut accounts = Vec::new();
        for line in &self.people {
            match left.remove(line.id.raw()) {
                Some(before) => accounts.extend(line.changed_since(before)),
                None => accounts.push(line.as_new()),
            }
        }
        let was_there = |user: &IntegrationLine| integration_users.iter().any(|before| before.id == user.id);
        let is_there = |user: &IntegrationLine| self.integration_users.iter().any(|now| now.id == user.id);
        let new = self.integration_users.iter().filter(|user| !was_there(user));
        accounts.extend(new.map(|user| AccountChange::of_integration(user, ChangeKind::New)));
        let mut gone_people: Vec<&EarlierPerson> = left.into_values().collect();
        gone_people.sort_by(|one, other| (&one.email, &one.id).cmp(&(&other.email, &other.id)));
        accounts.extend(gone_people.into_iter().map(EarlierPerson::as_gone));
        let gone_users = integration_users.iter().filter(|user| !is_there(user));
        accounts.extend(gone_users.map(|user| AccountChange::of_integration(user, ChangeKind::Gone)));
        self.since = Some(AccessChanges { read_at, file, accounts });
    }
}

impl AccessLine {
    /// Describes a person who isn't in the earlier review.
    fn as_new(&self) -> AccountChange {
        AccountChange {
            gained: self.roles.iter().map(|role| role.name.clone()).collect(),
            managed: Some(!self.unmanaged),
            deactivated: self.deactivated.then_some(true),
            gained_guarded: !self.deactivated && self.is_privileged(),
            ..AccountChange::new(ChangeKind::New, &self.id, Some(&self.email), &self.name)
        }
    }

    /// Returns how the person differs from the earlier review, or `None` if nothing has changed.
    fn changed_since(&self, before: &EarlierPerson) -> Option<AccountChange> {
        let EarlierPerson { id: _, email, other_emails, name: _, roles, unmanaged, deactivated } = before;
        let gained = || self.roles.iter().filter(|role| roles.iter().all(|before| before.id != role.id));
        let lost = roles.iter().filter(|before| self.roles.iter().all(|role| role.id != before.id));
        let same = AccountChange::new(ChangeKind::Changed, &self.id, Some(&self.email), &self.name);
        let change = AccountChange {
            email_before: (*email != self.email).then(|| email.clone()),
            emails_gained: without(&self.other_emails, other_emails, email),
            emails_lost: without(other_emails, &self.other_emails, &self.email),
            gained: gained().map(|role| role.name.clone()).collect(),
            lost: lost.map(|role| role.name.clone()).collect(),
            managed: (*unmanaged != self.unmanaged).then_some(!self.unmanaged),
            deactivated: (*deactivated != self.deactivated).then_some(self.deactivated),
            gained_guarded: !self.deactivated
                && (gained().any(|role| role.guarded) || *deactivated && self.is_privileged()),
            ..same.clone()
        };
        (change != same).then_some(change)
    }
}

/// Returns the addresses in `emails` that are neither in `others` nor `primary`.
fn without(emails: &[Printable], others: &[Printable], primary: &Printable) -> Vec<Printable> {
    let address = |email: &Printable| Email::observed(email.raw());
    let known: Vec<Email> = others.iter().chain([primary]).map(address).collect();
    emails.iter().filter(|email| !known.contains(&address(email))).cloned().collect()
}

impl EarlierPerson {
    /// Describes a person who is only in the earlier review.
    fn as_gone(&self) -> AccountChange {
        let Self { id, email, other_emails: _, name, roles, unmanaged: _, deactivated: _ } = self;
        AccountChange {
            lost: roles.iter().map(|role| role.name.clone()).collect(),
            ..AccountChange::new(ChangeKind::Gone, id, Some(email), name)
        }
    }
}

impl AccountChange {
    /// Creates an account change without any differences.
    fn new(kind: ChangeKind, id: &Printable, email: Option<&Printable>, name: &Printable) -> Self {
        Self { id: id.clone(), email: email.cloned(), name: name.clone(), kind, ..Self::default() }
    }

    fn of_integration(user: &IntegrationLine, kind: ChangeKind) -> Self {
        let IntegrationLine { id, name } = user;
        Self::new(kind, id, None, name)
    }

    /// Describes each difference, such as `gains Admin` or `loses Viewer`. `shown` truncates names.
    pub(in crate::report) fn words(&self, shown: impl Fn(&Printable) -> Printable) -> Vec<Printable> {
        let Self {
            id: _,
            email: _,
            name: _,
            kind,
            email_before,
            emails_gained,
            emails_lost,
            gained,
            lost,
            managed,
            deactivated,
            gained_guarded: _,
        } = self;
        let mut words: Vec<String> = Vec::new();
        words.extend((*kind != ChangeKind::Changed).then(|| kind.as_str().to_owned()));
        words.extend(gained.iter().map(|role| format!("gains {}", shown(role))));
        words.extend(lost.iter().map(|role| format!("loses {}", shown(role))));
        words.extend(email_before.iter().map(|before| format!("renamed from {}", shown(before))));
        words.extend(emails_gained.iter().map(|email| format!("new address {}", shown(email))));
        words.extend(emails_lost.iter().map(|email| format!("without address {}", shown(email))));
        words.extend(managed.map(|managed| if managed { "managed" } else { "unmanaged" }.to_owned()));
        words.extend(deactivated.map(|gone| if gone { "deactivated" } else { "reactivated" }.to_owned()));
        words.iter().map(|words| Printable::new(words)).collect()
    }
}
