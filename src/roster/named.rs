//! Collects every role mentioned in the files: in people's entries, windows, guardrails, rules, and acknowledgments. Every command
//! checks all of these roles against the organization, so a file is valid either for all commands or for none.

use std::collections::BTreeMap;

use super::{DeclaredPerson, RoleName, Roster};
use crate::source::{Place, Sourced};

impl Roster {
    /// Returns every role mentioned in the files, with all of its places in file and line order.
    pub fn named_roles(&self) -> BTreeMap<&RoleName, Vec<Place>> {
        let of_people = self.people.iter().flat_map(DeclaredPerson::declared_roles);
        let limits = self.guardrails.keep_at_least.iter().flatten().chain(&self.guardrails.keep_at_most);
        let limited = limits.map(|limit| &limit.role);
        let allowed = self.guardrails.role_rules.iter().flat_map(|rule| &rule.roles);
        let accepted =
            self.acknowledgments.iter().filter_map(|acknowledgment| acknowledgment.risk.role.as_ref());
        let mut named: BTreeMap<&RoleName, Vec<Place>> = BTreeMap::new();
        for Sourced { value, place } in of_people.chain(limited).chain(allowed).chain(accepted) {
            named.entry(value).or_default().push(*place);
        }
        for places in named.values_mut() {
            places.sort_unstable();
            places.dedup(); // the default role has the same place for everyone who inherits it
        }
        named
    }
}

impl DeclaredPerson {
    /// Returns the declared role, followed by the roles set by windows.
    pub fn declared_roles(&self) -> impl Iterator<Item = &Sourced<RoleName>> {
        let in_windows = self.windows.iter().filter_map(|window| window.sets.role.as_ref());
        self.values.role.iter().map(|declared| &declared.value).chain(in_windows)
    }
}
