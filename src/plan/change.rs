//! The data types that make up a plan.
//!
//! Plans are sorted and never contain no-op changes. A change holds one edit, with the old and new values, for each field that
//! differs.

use crate::desired::Origin;
use crate::observed::{ObservedState, Organization, Person, RoleId, UserId};
use crate::roster::{Email, Field, FieldValue, PerField};
use crate::source::{Place, Sourced};

/// The changes that an apply would make, plus the other results of comparing the files with Pylon, such as unmanaged people.
/// Planning is deterministic: the same files, organization, and time always yield the same plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    pub organization: Organization,
    /// The token's owner, if Pylon reports one.
    pub token_user: Option<UserId>,
    /// The number of declared people.
    pub declared: usize,
    /// The people selected with `--only`, sorted. Empty if the plan covers everyone.
    pub only: Vec<Email>,
    /// The changes, sorted by declared address.
    pub changes: Vec<Change>,
    /// Differences that the policy only observes, and values that were not set in time after a window, sorted by declared address.
    /// These are reported but never applied.
    pub observed: Vec<Change>,
    /// Differences that the policy ignores, sorted by declared address. The summary of a plan shows only how many people they
    /// affect.
    pub ignored: Vec<Change>,
    /// The number of declared people without any difference.
    pub in_sync: usize,
    /// Declared people who are either not found in Pylon or deactivated there, sorted by address.
    pub absent: Vec<Absent>,
    /// People declared under a secondary address, sorted by declared address.
    pub found_elsewhere: Vec<Subject>,
    /// The primary addresses of all unmanaged people who aren't deactivated, sorted.
    pub unmanaged: Vec<Email>,
}

/// The person affected by a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The declared address, which can differ from the primary address in Pylon.
    pub email: Sourced<Email>,
    pub id: UserId,
    pub primary: Email,
    pub secondary: Vec<Email>,
    pub name: String,
}

/// All changes to one person, sent as a single `PATCH`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    pub subject: Subject,
    /// At least one edit, and at most one per field, in the order of [`Field::ALL`].
    pub edits: Vec<Edit>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub field: Field,
    /// The current values in Pylon, sorted. Only the role can have several, and an empty status counts as no value.
    pub from: Vec<FieldValue>,
    pub to: FieldValue,
    /// Values granted through SCIM groups, which the edit leaves untouched.
    pub through_scim: Vec<FieldValue>,
    /// Where the files declare the new value.
    pub place: Place,
    pub origin: Origin,
}

/// The change that undoes another change, plus the old values that can't be restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inverse {
    /// The change that restores every field not listed in `lost`, or `None` if no field can be restored.
    pub change: Option<Change>,
    pub lost: Vec<Lost>,
}

/// A field whose old values can't be restored. A `PATCH` sets exactly one value, and only if [`Field::accepts`] allows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lost {
    pub field: Field,
    pub from: Vec<FieldValue>,
}

/// The values set by one `PATCH /users/{id}`. A field that is `None` is left unchanged.
pub type Patch = PerField<Option<FieldValue>>;

/// A declared person who was not found in Pylon or is deactivated there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    pub email: Sourced<Email>,
    pub absence: Absence,
}

/// The reason a declared person cannot be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Absence {
    /// Pylon has no user with this address.
    Missing {
        /// The suggested correction: the most similar address of an unmanaged person, if there is a similar one (see
        /// [`super::suggest`]).
        did_you_mean: Option<Email>,
    },
    /// The person is deactivated in Pylon, so their role and status have no effect.
    Deactivated { name: String },
}

impl Plan {
    /// Returns a plan without changes. `declared` is the number of declared people.
    pub fn empty(observed: &ObservedState, declared: usize) -> Self {
        Self {
            organization: observed.organization.clone(),
            token_user: observed.token_user.clone(),
            declared,
            only: Vec::new(),
            changes: Vec::new(),
            observed: Vec::new(),
            ignored: Vec::new(),
            in_sync: 0,
            absent: Vec::new(),
            found_elsewhere: Vec::new(),
            unmanaged: Vec::new(),
        }
    }

    /// Limits the plan to the people in `only`, or returns it unchanged if `only` is empty. The declared count and the unmanaged
    /// people still cover the whole organization.
    #[must_use]
    pub fn only(mut self, only: &[Email]) -> Self {
        if only.is_empty() {
            return self;
        }
        let is_meant = |email: &Sourced<Email>| only.contains(&email.value);
        self.changes.retain(|change| is_meant(&change.subject.email));
        self.observed.retain(|change| is_meant(&change.subject.email));
        self.ignored.retain(|change| is_meant(&change.subject.email));
        self.absent.retain(|absent| is_meant(&absent.email));
        self.found_elsewhere.retain(|subject| is_meant(&subject.email));
        self.only = only.to_vec();
        self.only.sort();
        self.only.dedup();
        let differs = |email: &Email| {
            let changes = self.changes.iter().chain(&self.observed).chain(&self.ignored);
            let changes = changes.map(|change| &change.subject.email.value);
            changes.chain(self.absent.iter().map(|absent| &absent.email.value)).any(|other| other == email)
        };
        self.in_sync = self.only.iter().filter(|email| !differs(email)).count();
        self
    }
}

impl Subject {
    /// Creates the subject for `person`, who is declared as `email`.
    pub fn new(email: Sourced<Email>, person: &Person) -> Self {
        let Person { id, email: primary, secondary, name, held: _, deactivated: _ } = person;
        Self {
            email,
            id: id.clone(),
            primary: primary.clone(),
            secondary: secondary.clone(),
            name: name.clone(),
        }
    }

    /// Returns the declared address followed by all addresses in Pylon. The same address can appear twice.
    pub fn addresses(&self) -> impl Iterator<Item = &Email> {
        [&self.email.value, &self.primary].into_iter().chain(&self.secondary)
    }

    /// Returns `true` if `email` is one of [`Self::addresses`].
    pub fn is(&self, email: &Email) -> bool {
        self.addresses().any(|address| address == email)
    }
}

impl Change {
    pub fn edit(&self, field: Field) -> Option<&Edit> {
        self.edits.iter().find(|edit| edit.field == field)
    }

    /// Returns the `PATCH` body for this change.
    pub fn patch(&self) -> Patch {
        PerField::from_fn(|field| self.edit(field).map(|edit| edit.to.clone()))
    }

    /// Returns the change that restores the old values, plus the old values that no `PATCH` can restore. Because restored values
    /// aren't declared anywhere, each inverse edit keeps the original edit's place and origin.
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

    /// Returns the role the person would gain, if any.
    pub fn role_gained(&self) -> Option<RoleId> {
        let edit = self.edit(Field::Role)?;
        let is_new = !edit.from.contains(&edit.to) && !edit.through_scim.contains(&edit.to);
        is_new.then(|| RoleId(edit.to.clone()))
    }

    /// Returns the roles the person would lose.
    pub fn roles_lost(&self) -> impl Iterator<Item = RoleId> {
        self.edit(Field::Role).into_iter().flat_map(|edit| {
            let is_lost = |role: &&FieldValue| **role != edit.to && !edit.through_scim.contains(role);
            edit.from.iter().filter(is_lost).map(|role| RoleId(role.clone()))
        })
    }
}

impl Edit {
    /// Returns `true` if the person already has the new role, so that only other roles are removed.
    pub fn only_removes_roles(&self) -> bool {
        self.from.contains(&self.to)
    }

    fn inverse(&self) -> Result<Self, Lost> {
        let Self { field, from, to, through_scim: _, place: _, origin: _ } = self;
        match from.as_slice() {
            [before] if field.accepts(before) => {
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
    fn the_inverse_of_a_change_swaps_the_old_and_new_values() {
        let there = change(&[(Field::Role, &["member"], "admin"), (Field::Status, &["active"], "away")]);
        let back = change(&[(Field::Role, &["admin"], "member"), (Field::Status, &["away"], "active")]);
        assert_eq!(there.inverse(), Inverse { change: Some(back.clone()), lost: Vec::new() });
        assert_eq!(back.inverse(), Inverse { change: Some(there), lost: Vec::new() });
    }

    #[test]
    fn a_role_held_through_scim_is_neither_lost_nor_gained() {
        for (from, to, lost, gained) in [
            (&["member"][..], "admin", &["member"][..], Some("admin")),
            (&["lead", "member"], "admin", &["member"], Some("admin")), // `lead` comes from SCIM
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
    fn a_subject_matches_its_declared_primary_and_secondary_addresses() {
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
    fn the_inverse_restores_what_a_patch_can_and_lists_the_rest_as_lost() {
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
