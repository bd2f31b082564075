//! The plan and its parts: old beside new, sorted, without no-ops.
//!
//! A change is a list of edits, one per field that differs. Nothing here knows which fields there are, except where a field is
//! special.

use crate::desired::Origin;
use crate::observed::{ObservedState, Organization, RoleId, UserId};
use crate::roster::{Email, Field, FieldValue, PerField, Status};
use crate::source::{Place, Sourced};

/// What would change, and what was noticed on the way. A function of the files, the organization and the instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The organization it is for.
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
    pub in_sync: usize,
    /// Declared people who are not there, sorted by address.
    pub absent: Vec<Absent>,
    /// Declared people who were found under another of their addresses, sorted by address.
    pub found_elsewhere: Vec<Subject>,
    /// The primary addresses of active people whom no file declares, sorted.
    pub unmanaged: Vec<Email>,
}

/// Who a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The address by which the person is declared.
    pub email: Sourced<Email>,
    pub id: UserId,
    /// Their primary address in Pylon.
    pub primary: Email,
    /// Their other addresses in Pylon.
    pub secondary: Vec<Email>,
    pub name: String,
}

/// Everything that changes for one person, which is one `PATCH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub subject: Subject,
    /// At least one edit, in the order of [`Field::ALL`], at most one per field.
    pub edits: Vec<Edit>,
}

/// From the values before to the one value afterwards, of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub field: Field,
    /// The values that Pylon has, sorted. A person can have several roles, or an empty status, which is no value.
    pub from: Vec<FieldValue>,
    pub to: FieldValue,
    /// Values that the person has through SCIM groups, before and afterwards.
    pub through_scim: Vec<FieldValue>,
    /// Where the new value is declared.
    pub place: Place,
    pub origin: Origin,
}

/// What rolls a change back, and what a rollback cannot restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inverse {
    /// Restores every field that is not in `lost`. `None` if no field is left.
    pub change: Option<Change>,
    pub lost: Vec<Lost>,
}

/// The values from before that no `PATCH` restores: a `PATCH` sets exactly one role, and one of [`Status::ALL`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub field: Field,
    pub from: Vec<FieldValue>,
}

/// What one `PATCH /users/{id}` sets: absolute values, only those that change.
pub type Patch = PerField<Option<FieldValue>>;

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
    Missing {
        /// The nearest address of somebody whom no file declares.
        did_you_mean: Option<Email>,
    },
    /// The person is deactivated in Pylon; roles and statuses of theirs mean nothing.
    Deactivated { name: String },
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
            in_sync: 0,
            absent: Vec::new(),
            found_elsewhere: Vec::new(),
            unmanaged: Vec::new(),
        }
    }

    /// The same plan, of these people alone. What guardrails count stays that of the whole organization.
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
        self.in_sync = self.only.iter().filter(|email| !differs(email)).count();
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
    pub fn edit(&self, field: Field) -> Option<&Edit> {
        self.edits.iter().find(|edit| edit.field == field)
    }

    /// The `PATCH` that makes this change.
    pub fn patch(&self) -> Patch {
        PerField::from_fn(|field| self.edit(field).map(|edit| edit.to.clone()))
    }

    /// What rolls it back, as far as a `PATCH` can. Place and origin stay those of the change, because no file declares the way
    /// back.
    pub fn inverse(&self) -> Inverse {
        let (mut edits, mut lost) = (Vec::new(), Vec::new());
        for edit in &self.edits {
            match edit.inverse() {
                Ok(inverse) => edits.push(inverse),
                Err(unrestorable) => lost.push(unrestorable),
            }
        }
        let change = Self { subject: self.subject.clone(), edits };
        Inverse { change: Some(change).filter(|change| !change.edits.is_empty()), lost }
    }

    /// The role that the person would newly hold.
    pub fn role_gained(&self) -> Option<RoleId> {
        let edit = self.edit(Field::Role)?;
        let is_new = !edit.from.contains(&edit.to) && !edit.through_scim.contains(&edit.to);
        is_new.then(|| RoleId(edit.to.clone()))
    }

    /// The roles that the person would no longer hold.
    pub fn roles_lost(&self) -> impl Iterator<Item = RoleId> {
        self.edit(Field::Role).into_iter().flat_map(|edit| {
            let is_lost = |role: &&FieldValue| **role != edit.to && !edit.through_scim.contains(role);
            edit.from.iter().filter(is_lost).map(|role| RoleId(role.clone()))
        })
    }
}

impl Edit {
    fn inverse(&self) -> Result<Self, Lost> {
        let Self { field, from, to, through_scim: _, place: _, origin: _ } = self;
        let can_be_set = |value: &FieldValue| match field {
            Field::Role => true,
            Field::Status => Status::named(value).is_some(),
        };
        match from.as_slice() {
            [before] if can_be_set(before) => {
                Ok(Self { from: vec![to.clone()], to: before.clone(), ..self.clone() })
            }
            _ => Err(Lost { field: *field, from: from.clone() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;
    use crate::source::Sources;

    fn change(edits: &[(Field, &[&str], &str)]) -> Change {
        let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
        let bo = Email::observed("bo@acme.example");
        Change {
            subject: Subject {
                email: Sourced::new(bo.clone(), place),
                id: UserId::new("u_bo").unwrap(),
                primary: bo,
                secondary: Vec::new(),
                name: "Bo".into(),
            },
            edits: edits
                .iter()
                .map(|(field, from, to)| Edit {
                    field: *field,
                    from: from.iter().map(|value| FieldValue::from(*value)).collect(),
                    to: (*to).into(),
                    through_scim: if *field == Field::Role { vec!["lead".into()] } else { Vec::new() },
                    place,
                    origin: Origin::Person,
                })
                .collect(),
        }
    }

    #[test]
    fn a_change_is_taken_back_by_the_same_with_its_ends_exchanged() {
        let there = change(&[(Field::Role, &["member"], "admin"), (Field::Status, &["active"], "away")]);
        let back = change(&[(Field::Role, &["admin"], "member"), (Field::Status, &["away"], "active")]);
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
            let change = change(&[(Field::Role, from, to)]);
            let id = |role: &str| RoleId(role.into());
            let lost: Vec<RoleId> = lost.iter().copied().map(id).collect();
            assert_eq!(change.roles_lost().collect::<Vec<_>>(), lost, "{from:?} → {to}");
            assert_eq!(change.role_gained(), gained.map(id), "{from:?} → {to}");
        }
    }

    #[test]
    fn a_person_is_known_by_the_declared_address_the_primary_one_and_the_others() {
        let bo = change(&[]).subject;
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
        let (role, status) = (Field::Role, Field::Status);
        for (edits, back, lost) in [
            (&[(role, &[][..], "admin")][..], &[][..], &[(role, &[][..])][..]),
            (&[(role, &["admin", "member"], "admin")], &[], &[(role, &["admin", "member"])]),
            (&[(status, &[], "away")], &[], &[(status, &[])]),
            (&[(status, &["on_a_call"], "away")], &[], &[(status, &["on_a_call"])]),
            (
                &[(role, &["admin", "member"], "admin"), (status, &["away"], "active")],
                &[(status, &["active"][..], "away")],
                &[(role, &["admin", "member"])],
            ),
            (&[(role, &[], "admin"), (status, &[], "away")], &[], &[(role, &[]), (status, &[])]),
        ] {
            let back = (!back.is_empty()).then(|| change(back));
            let values = |from: &[&str]| from.iter().map(|value| FieldValue::from(*value)).collect();
            let lost = lost.iter().map(|(field, from)| Lost { field: *field, from: values(from) }).collect();
            assert_eq!(change(edits).inverse(), Inverse { change: back, lost });
        }
    }
}
