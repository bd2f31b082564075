//! Computes the plan by comparing the desired state with the observed state.

use std::collections::{BTreeMap, HashMap};

use super::PlanCode;
use super::change::{Absence, Absent, Change, Edit, Plan, Subject};
use super::roles::NamedRoles;
use super::suggest::suggest;
use crate::desired::{DesiredPerson, DesiredState};
use crate::observed::{Found, HeldValues, ObservedState, Person, UserId};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::{Field, Policy, Stance};
use crate::source::Place;

impl Plan {
    /// Computes the changes that would bring `observed` in sync with `desired`. `policy` determines which differences become
    /// changes.
    ///
    /// # Errors
    /// Returns an error if a person is declared under several addresses, or if a declared address matches several people in
    /// Pylon.
    pub fn draw(
        desired: &DesiredState,
        observed: &ObservedState,
        roles: &NamedRoles,
        policy: Policy,
    ) -> Result<Self, Vec<Problem>> {
        Ok(Drawing::of_everyone(desired, observed, roles, policy)?.finish())
    }

    /// Computes the plan for `desired`, which covers only some of the declared people. `declared` is the total number of
    /// declared people. The plan's lists of missing and unmanaged people stay empty. Returns `None` if planning fails.
    pub(super) fn draw_some(
        desired: &DesiredState,
        observed: &ObservedState,
        roles: &NamedRoles,
        policy: Policy,
        declared: usize,
    ) -> Option<Self> {
        let Drawing { plan, .. } = Drawing::of_everyone(desired, observed, roles, policy).ok()?;
        Some(Self { declared, absent: Vec::new(), ..plan })
    }
}

/// One of a person's declared addresses.
#[derive(Debug, Clone, Copy)]
struct DeclaredAddress {
    place: Place,
    is_primary: bool,
}

struct Drawing<'a> {
    observed: &'a ObservedState,
    roles: &'a NamedRoles,
    policy: Policy,
    plan: Plan,
    /// Each person's first declared address.
    declared: HashMap<&'a UserId, DeclaredAddress>,
    /// People declared under more than one address, with all of those addresses.
    twice: BTreeMap<&'a UserId, (&'a Person, Vec<DeclaredAddress>)>,
    problems: Vec<Problem>,
}

impl<'a> Drawing<'a> {
    /// Compares all people in `desired` with Pylon. Fails if an address matches several people or a person is declared under
    /// several addresses.
    fn of_everyone(
        desired: &DesiredState,
        observed: &'a ObservedState,
        roles: &'a NamedRoles,
        policy: Policy,
    ) -> Result<Self, Vec<Problem>> {
        let mut drawing = Self {
            observed,
            roles,
            policy,
            plan: Plan::empty(observed, desired.people.len()),
            declared: HashMap::with_capacity(desired.people.len()),
            twice: BTreeMap::new(),
            problems: Vec::new(),
        };
        desired.people.iter().for_each(|person| drawing.person(person));
        let Self { twice, problems, .. } = &mut drawing;
        problems.extend(twice.values().flat_map(|(person, addresses)| declared_twice(person, addresses)));
        if drawing.problems.is_empty() { Ok(drawing) } else { Err(drawing.problems) }
    }

    fn person(&mut self, desired: &DesiredPerson) {
        let (person, is_secondary) = match self.observed.find(&desired.email.value) {
            Found::Primary(person) => (person, false),
            Found::Secondary(person) => (person, true),
            Found::NotFound => {
                // `finish` fills in the suggestion, once the list of unmanaged people is known.
                let absence = Absence::Missing { did_you_mean: None };
                self.plan.absent.push(Absent { email: desired.email.clone(), absence });
                return;
            }
            Found::Several(people) => {
                self.problems.push(ambiguous(desired, &people));
                return;
            }
        };
        let address = DeclaredAddress { place: desired.email.place, is_primary: !is_secondary };
        if let Some(first) = self.declared.get(&person.id) {
            let (_, addresses) = self.twice.entry(&person.id).or_insert_with(|| (person, vec![*first]));
            addresses.push(address);
            return;
        }
        self.declared.insert(&person.id, address);
        if person.deactivated {
            let absence = Absence::Deactivated { name: person.name.clone() };
            self.plan.absent.push(Absent { email: desired.email.clone(), absence });
            return;
        }
        if is_secondary {
            self.plan.found_elsewhere.push(Subject::new(desired.email.clone(), person));
        }
        self.compare(desired, person);
    }

    fn compare(&mut self, desired: &DesiredPerson, person: &Person) {
        let (mut enforced, mut observed, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
        for field in Field::ALL {
            match self.edit(field, desired, person) {
                Some((Stance::Enforce, edit)) => enforced.push(edit),
                Some((Stance::Observe, edit)) => observed.push(edit),
                Some((Stance::Ignore, edit)) => ignored.push(edit),
                None => {}
            }
        }
        let Plan { changes, observed: only_observed, ignored: only_ignored, in_sync, .. } = &mut self.plan;
        if enforced.is_empty() && observed.is_empty() && ignored.is_empty() {
            *in_sync += 1;
        }
        for (edits, changes) in [(enforced, changes), (observed, only_observed), (ignored, only_ignored)] {
            if !edits.is_empty() {
                changes.push(Change { subject: Subject::new(desired.email.clone(), person), edits });
            }
        }
    }

    /// Returns the edit needed for one field, along with the policy for this difference. Returns `None` if no value is desired or
    /// Pylon already has the desired value.
    fn edit(&self, field: Field, desired: &DesiredPerson, person: &Person) -> Option<(Stance, Edit)> {
        let current = person.status();
        let desired = desired.value_for(field, current).or_else(|| desired.overdue_value(field, current))?;
        let to = self.roles.value(field, &desired.value.value)?;
        if person.has_only(field, to) {
            return None;
        }
        let HeldValues { assigned: from, from_scim } = person.held[field].clone();
        let edit = Edit {
            field,
            from,
            to: to.clone(),
            through_scim: from_scim,
            place: desired.value.place,
            origin: desired.origin.clone(),
        };
        let stance = self.policy.fields[field];
        let stance = if edit.origin.is_overdue() && stance == Stance::Enforce {
            Stance::Observe
        } else if edit.only_removes_roles() {
            self.policy.extra_roles
        } else {
            stance
        };
        Some((stance, edit))
    }

    fn finish(self) -> Plan {
        let Self { observed, mut plan, declared: known, .. } = self;
        let unmanaged =
            observed.people().filter(|person| !person.deactivated && !known.contains_key(&person.id));
        plan.unmanaged = unmanaged.map(|person| person.email.clone()).collect();
        plan.unmanaged.sort();
        suggest(&mut plan.absent, &plan.unmanaged);
        plan
    }
}

fn ambiguous(desired: &DesiredPerson, people: &[&Person]) -> Problem {
    /// The maximum number of user IDs in the help text.
    const NAMED: usize = 20;
    let mut ids: Vec<&str> = people.iter().take(NAMED).map(|person| person.id.as_str()).collect();
    let more = format!("{} more", people.len().saturating_sub(NAMED));
    ids.extend((people.len() > NAMED).then_some(more.as_str()));
    let message = format!(
        "{} people in Pylon have the address {}",
        people.len(),
        Printable::new(desired.email.value.as_str())
    );
    Problem::new(PlanCode::AmbiguousPerson, message).at(desired.email.place, "which one?").help(format!(
        "their IDs are {}; declare the person under an address that no other user has",
        ids.join(" and ")
    ))
}

/// Returns a problem for each address to delete from the files. The address to keep is the primary address if it's declared.
/// Otherwise, it's the first declared address.
fn declared_twice(person: &Person, addresses: &[DeclaredAddress]) -> Vec<Problem> {
    let message = format!("{} is declared under several addresses", Printable::new(&person.name));
    let primary = Printable::new(person.email.as_str());
    let kept = addresses.iter().position(|address| address.is_primary);
    let (label, help) = match kept {
        Some(_) => ("keep this one, the primary address", format!("keep the primary address, {primary}")),
        None => ("the same person", format!("declare the person once, under the primary address, {primary}")),
    };
    let kept = kept.unwrap_or(0);
    let deleted = addresses.iter().enumerate().filter(|(number, _)| *number != kept);
    deleted
        .map(|(_, address)| {
            Problem::new(PlanCode::DeclaredTwice, message.clone())
                .at(address.place, "delete this one")
                .at(addresses[kept].place, label)
                .help(help.clone())
        })
        .collect()
}
