//! Finds the roles that the files name: in entries of people, in windows, in guardrails, and in acknowledgments. Every command checks
//! all of them against the organization, so that all commands accept the same files.

use std::collections::BTreeMap;

use super::{DeclaredPerson, RoleName, Roster};
use crate::source::{Place, Sourced};

impl Roster {
    /// Returns every role that the files name, with the places that name it, in the order of files and lines.
    pub fn named_roles(&self) -> BTreeMap<&RoleName, Vec<Place>> {
        let of_people = self.people.iter().flat_map(of_person);
        let limits = self.guardrails.keep_at_least.iter().flatten().chain(&self.guardrails.keep_at_most);
        let limited = limits.map(|limit| &limit.role);
        let accepted = self.acknowledgments.iter().filter_map(|acknowledgment| acknowledgment.risk.role());
        let mut named: BTreeMap<&RoleName, Vec<Place>> = BTreeMap::new();
        for Sourced { value, place } in of_people.chain(limited).chain(accepted) {
            named.entry(value).or_default().push(*place);
        }
        for places in named.values_mut() {
            places.sort_unstable();
            places.dedup(); // all people with the default role have its place
        }
        named
    }
}

fn of_person(person: &DeclaredPerson) -> impl Iterator<Item = &Sourced<RoleName>> {
    let in_windows = person.windows.iter().filter_map(|window| window.sets.role.as_ref());
    person.values.role.iter().map(|declared| &declared.value).chain(in_windows)
}
