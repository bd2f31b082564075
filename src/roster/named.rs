//! Finds the roles that the files name: in entries of people, in windows, in guardrails, in rules, and in acknowledgments. Every command checks
//! all of them against the organization, so that all commands accept the same files.

use std::collections::BTreeMap;

use super::{DeclaredPerson, RoleName, Roster};
use crate::source::{Place, Sourced};

impl Roster {
    /// Returns every role that the files name, with the places that name it, in the order of files and lines.
    pub fn named_roles(&self) -> BTreeMap<&RoleName, Vec<Place>> {
        let of_people = self.people.iter().flat_map(DeclaredPerson::declared_roles);
        let limits = self.guardrails.keep_at_least.iter().flatten().chain(&self.guardrails.keep_at_most);
        let limited = limits.map(|limit| &limit.role);
        let allowed = self.guardrails.role_rules.iter().flat_map(|rule| &rule.roles);
        let accepted = self.acknowledgments.iter().filter_map(|acknowledgment| acknowledgment.risk.role());
        let mut named: BTreeMap<&RoleName, Vec<Place>> = BTreeMap::new();
        for Sourced { value, place } in of_people.chain(limited).chain(allowed).chain(accepted) {
            named.entry(value).or_default().push(*place);
        }
        for places in named.values_mut() {
            places.sort_unstable();
            places.dedup(); // all people with the default role have its place
        }
        named
    }
}

impl DeclaredPerson {
    /// Returns the declared role, and those of all windows.
    pub fn declared_roles(&self) -> impl Iterator<Item = &Sourced<RoleName>> {
        let in_windows = self.windows.iter().filter_map(|window| window.sets.role.as_ref());
        self.values.role.iter().map(|declared| &declared.value).chain(in_windows)
    }
}
