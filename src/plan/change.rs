//! The plan and its parts: old beside new, sorted, without no-ops.
//!
//! Functions here destructure in full, so that a new field of a person is a compile error in each place that has to
//! know of it: the difference, the patch, the inverse.

use crate::desired::Origin;
use crate::observed::{ObservedState, Organization, RoleId, UserId};
use crate::roster::{Email, Status};
use crate::source::{Place, Sourced};

/// What would change, and what was noticed on the way. A function of the files, the organisation and the instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The organisation it is for.
    pub organization: Organization,
    /// Who the token acts as.
    pub token_user: Option<UserId>,
    /// How many people are declared.
    pub declared: usize,
    /// The people it is limited to (`--only`), sorted; empty where it is about everybody.
    pub only: Vec<Email>,
    /// The changes, sorted by declared address.
    pub changes: Vec<Change>,
    /// Differences that the policy only observes, sorted likewise. Never written, never pending.
    pub observed: Vec<Change>,
    /// Declared people who are as they should be.
    pub in_step: usize,
    /// Declared people who are not there, sorted by address.
    pub absent: Vec<Absent>,
    /// Declared people who were found under another of their addresses, sorted by address.
    pub found_elsewhere: Vec<Subject>,
    /// The primary addresses of active people whom no file declares, sorted.
    pub undeclared: Vec<Email>,
}

/// Who a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The address by which the person is declared.
    pub email: Sourced<Email>,
    /// Their id in Pylon.
    pub id: UserId,
    /// Their primary address in Pylon.
    pub primary: Email,
    /// Their other addresses in Pylon.
    pub secondary: Vec<Email>,
    /// Their name in Pylon.
    pub name: String,
}

/// Everything that changes for one person; one `PATCH`. At least one of the fields is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Who.
    pub subject: Subject,
    /// The assigned role.
    pub role: Option<RoleEdit>,
    /// The status.
    pub status: Option<StatusEdit>,
}

/// From the assigned roles to the one declared role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleEdit {
    /// The roles assigned before, sorted by id; none, one or several.
    pub from: Vec<RoleId>,
    /// The one role afterwards.
    pub to: RoleId,
    /// Roles that the person holds through SCIM groups, before and afterwards.
    pub through_scim: Vec<RoleId>,
    /// Where it is declared.
    pub place: Place,
    /// Why it is desired.
    pub origin: Origin,
}

/// From one status to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatusEdit {
    /// As Pylon has it; may be empty, or a word this program does not know.
    pub from: String,
    /// As it should be.
    pub to: Status,
    /// Where it is declared.
    pub place: Place,
    /// Why it is desired.
    pub origin: Origin,
}

/// What takes a change back: the way back for what has one, and what has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inverse {
    /// Restores every field that is not among `lost`; nothing where none is left.
    pub change: Option<Change>,
    /// What no `PATCH` brings back. Empty where the change can be taken back whole.
    pub lost: Vec<Lost>,
}

/// A value from before that no `PATCH` brings back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lost {
    /// No role was assigned: a `PATCH` replaces the assigned roles by one, and never by none.
    NoRole,
    /// Several roles were assigned, sorted by id: a `PATCH` assigns exactly one.
    SeveralRoles(Vec<RoleId>),
    /// The status was empty, or a word that Pylon shows and does not accept.
    Status(String),
}

/// What one `PATCH /users/{id}` sets: absolute values, only those that change.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Patch {
    /// The one assigned role.
    pub role: Option<RoleId>,
    /// The status.
    pub status: Option<Status>,
}

/// A declared person who is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The address, and where it is declared.
    pub email: Sourced<Email>,
    /// In which way they are not there.
    pub absence: Absence,
}

/// In which way somebody is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// Nobody has this address.
    Missing {
        /// The nearest address of somebody whom no file declares.
        did_you_mean: Option<Email>,
    },
    /// The person is deactivated in Pylon; roles and statuses of theirs mean nothing.
    Deactivated {
        /// Their name in Pylon.
        name: String,
    },
}

impl Plan {
    /// A plan that changes nothing yet, where so many people are declared.
    pub fn empty(observed: &ObservedState, declared: usize) -> Self {
        Self {
            organization: observed.organization.clone(),
            token_user: observed.token_user.clone(),
            declared,
            only: Vec::new(),
            changes: Vec::new(),
            observed: Vec::new(),
            in_step: 0,
            absent: Vec::new(),
            found_elsewhere: Vec::new(),
            undeclared: Vec::new(),
        }
    }

    /// The same plan, of these people alone. What guardrails count stays that of the whole organisation.
    #[must_use]
    pub fn only(mut self, only: &[Email]) -> Self {
        if only.is_empty() {
            return self;
        }
        let is_meant = |email: &Sourced<Email>| only.contains(&email.value);
        self.changes.retain(|change| is_meant(&change.subject.email));
        self.observed.retain(|change| is_meant(&change.subject.email));
        self.absent.retain(|absent| is_meant(&absent.email));
        self.found_elsewhere.retain(|subject| is_meant(&subject.email));
        self.only = only.to_vec();
        self.only.sort();
        self.only.dedup();
        let differs = |email: &Email| {
            let changes = self.changes.iter().chain(&self.observed).map(|change| &change.subject.email.value);
            changes.chain(self.absent.iter().map(|absent| &absent.email.value)).any(|other| other == email)
        };
        self.in_step = self.only.iter().filter(|email| !differs(email)).count();
        self
    }
}

impl Subject {
    /// Returns every address by which this person is declared or known; one may be there twice.
    pub fn addresses(&self) -> impl Iterator<Item = &Email> {
        [&self.email.value, &self.primary].into_iter().chain(&self.secondary)
    }

    /// Whether the address is one by which this person is declared or known.
    pub fn is(&self, email: &Email) -> bool {
        self.addresses().any(|address| address == email)
    }
}

impl Change {
    /// The request body that brings it about.
    pub fn patch(&self) -> Patch {
        let Self { subject: _, role, status } = self;
        Patch { role: role.as_ref().map(|edit| edit.to.clone()), status: status.as_ref().map(|edit| edit.to) }
    }

    /// What takes it back: from how it is afterwards to how it was before, as far as a `PATCH` can say that. Place and
    /// reason stay those of the change, since no file declares the way back.
    pub fn inverse(&self) -> Inverse {
        let Self { subject, role, status } = self;
        let mut lost = Vec::new();
        let mut keep = |unrestorable: Lost| lost.push(unrestorable);
        let role = role.as_ref().and_then(|edit| edit.inverse().map_err(&mut keep).ok());
        let status = status.as_ref().and_then(|edit| edit.inverse().map_err(&mut keep).ok());
        let change = Self { subject: subject.clone(), role, status };
        Inverse { change: Some(change).filter(|change| !change.is_empty()), lost }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        let Self { subject: _, role, status } = self;
        role.is_none() && status.is_none()
    }
}

impl RoleEdit {
    fn inverse(&self) -> Result<Self, Lost> {
        let Self { from, to, through_scim, place, origin } = self;
        match from.as_slice() {
            [] => Err(Lost::NoRole),
            [only] => Ok(Self {
                from: vec![to.clone()],
                to: only.clone(),
                through_scim: through_scim.clone(),
                place: *place,
                origin: origin.clone(),
            }),
            several => Err(Lost::SeveralRoles(several.to_vec())),
        }
    }

    /// Roles that the person would no longer hold.
    pub fn lost(&self) -> impl Iterator<Item = &RoleId> {
        self.from.iter().filter(|role| **role != self.to && !self.through_scim.contains(role))
    }

    /// The role that the person would newly hold.
    pub fn gained(&self) -> Option<&RoleId> {
        Some(&self.to).filter(|role| !self.from.contains(role) && !self.through_scim.contains(role))
    }
}

impl StatusEdit {
    fn inverse(&self) -> Result<Self, Lost> {
        let Self { from, to, place, origin } = self;
        let known = Status::ALL.into_iter().find(|status| status.as_str() == from);
        let before = known.ok_or_else(|| Lost::Status(from.clone()))?;
        Ok(Self { from: to.as_str().to_owned(), to: before, place: *place, origin: origin.clone() })
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::source::Sources;

    fn change(role: Option<(&[&str], &str)>, status: Option<(&str, Status)>) -> Change {
        let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
        let id = |role: &str| RoleId(role.into());
        let bo = Email::observed("bo@acme.example");
        Change {
            subject: Subject {
                email: Sourced::new(bo.clone(), place),
                id: UserId::new("u_bo").unwrap(),
                primary: bo,
                secondary: Vec::new(),
                name: "Bo".into(),
            },
            role: role.map(|(from, to)| RoleEdit {
                from: from.iter().copied().map(id).collect(),
                to: id(to),
                through_scim: vec![id("lead")],
                place,
                origin: Origin::Person,
            }),
            status: status.map(|(from, to)| StatusEdit {
                from: from.into(),
                to,
                place,
                origin: Origin::Person,
            }),
        }
    }

    #[test]
    fn a_change_is_taken_back_by_the_same_with_its_ends_exchanged() {
        let there = change(Some((&["member"], "admin")), Some(("active", Status::Away)));
        let back = change(Some((&["admin"], "member")), Some(("away", Status::Active)));
        assert_eq!(there.inverse(), Inverse { change: Some(back.clone()), lost: Vec::new() });
        assert_eq!(back.inverse(), Inverse { change: Some(there), lost: Vec::new() });
    }

    #[test]
    fn a_role_that_stays_through_scim_is_neither_lost_nor_gained() {
        for (from, to, lost, gained) in [
            (&["member"][..], "admin", &["member"][..], Some("admin")),
            (&["lead", "member"], "admin", &["member"], Some("admin")), // `lead` is held through SCIM
            (&["member"], "lead", &["member"], None),
            (&["admin", "member"], "admin", &["member"], None),
            (&[], "admin", &[], Some("admin")),
        ] {
            let edit = change(Some((from, to)), None).role.unwrap();
            assert_eq!(edit.lost().map(|role| &*role.0).collect::<Vec<_>>(), lost, "{from:?} → {to}");
            assert_eq!(edit.gained().map(|role| &*role.0), gained, "{from:?} → {to}");
        }
    }

    #[test]
    fn a_person_is_known_by_the_declared_address_the_primary_one_and_the_others() {
        let bo = change(None, None).subject;
        let bo = Subject {
            primary: Email::observed("b.lindqvist@acme.example"),
            secondary: vec![Email::observed("bo@old.example")],
            ..bo
        };
        for (address, is_theirs) in [
            ("bo@acme.example", true),
            ("b.lindqvist@acme.example", true),
            ("bo@old.example", true),
            ("cy@acme.example", false),
        ] {
            assert_eq!(bo.is(&Email::observed(address)), is_theirs, "{address}");
        }
    }

    #[test]
    fn what_no_patch_can_say_is_lost_and_the_rest_is_taken_back() {
        let several = || Lost::SeveralRoles(vec![RoleId("admin".into()), RoleId("member".into())]);
        for (role, status, back, lost) in [
            (Some((&[][..], "admin")), None, None, vec![Lost::NoRole]),
            (Some((&["admin", "member"][..], "admin")), None, None, vec![several()]),
            (None, Some(("", Status::Away)), None, vec![Lost::Status(String::new())]),
            (None, Some(("on_a_call", Status::Away)), None, vec![Lost::Status("on_a_call".into())]),
            (
                Some((&["admin", "member"][..], "admin")),
                Some(("away", Status::Active)),
                Some(change(None, Some(("active", Status::Away)))),
                vec![several()],
            ),
            (
                Some((&[][..], "admin")),
                Some(("", Status::Away)),
                None,
                vec![Lost::NoRole, Lost::Status(String::new())],
            ),
        ] {
            assert_eq!(change(role, status).inverse(), Inverse { change: back, lost });
        }
    }
}
