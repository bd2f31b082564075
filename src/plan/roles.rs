//! Resolves the role names used in the files. This includes names in windows that haven't started yet, so that a typo is
//! reported right away instead of when the window starts.

use std::collections::HashMap;

use super::PlanCode;
use crate::observed::{Found, ObservedState, Role, RoleCatalog, RoleId};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::roster::role_rules::violations;
use crate::roster::{DeclaredPerson, Field, FieldValue, RoleName, Roster};
use crate::secret::{MASK, has_secret_prefix};
use crate::source::Place;
use crate::spelling::did_you_mean;

/// Maps every role name in the files to the role's ID in Pylon. If the files don't set `keep_at_least`, the organization is
/// guaranteed to have an Admin role, i.e. one with the slug `admin`.
#[derive(Debug, Clone, Default)]
pub struct NamedRoles(HashMap<RoleName, RoleId>);

impl NamedRoles {
    /// Resolves all role names used in the files.
    ///
    /// # Errors
    /// Returns one problem per name that matches no role or several roles, located at the first use of the name. Also returns a
    /// problem if the files don't set `keep_at_least` and no role has the slug `admin`, because the default minimum would silently
    /// have no effect.
    pub fn look_up(roster: &Roster, catalog: &RoleCatalog) -> Result<Self, Vec<Problem>> {
        let mut found = HashMap::new();
        let mut problems = Vec::new();
        for (name, places) in roster.named_roles() {
            match catalog.meant(name)[..] {
                [role] => {
                    found.insert(name.clone(), role.id.clone());
                }
                [] => problems.push(unknown(name, &places, catalog)),
                ref roles => problems.push(ambiguous(name, &places, roles)),
            }
        }
        if roster.guardrails.keep_at_least.is_none() && catalog.admin().is_none() {
            problems.push(no_admin_role(catalog));
        }
        if problems.is_empty() { Ok(Self(found)) } else { Err(problems) }
    }

    /// Returns a problem for each declared role that a rule forbids. Unlike the offline check, this check compares roles by
    /// ID and considers all of a person's addresses in Pylon.
    pub fn against_rules(&self, roster: &Roster, observed: &ObservedState) -> Vec<Problem> {
        let other_addresses = |person: &DeclaredPerson| match observed.find(&person.email.value) {
            Found::Primary(known) | Found::Secondary(known) => known.addresses().cloned().collect(),
            Found::Several(_) | Found::NotFound => Vec::new(),
        };
        let is_same = |one: &RoleName, other: &RoleName| self.id(one) == self.id(other);
        violations(&roster.people, &roster.guardrails.role_rules, other_addresses, is_same)
    }

    /// Translates a declared value to Pylon's representation: the ID for a role, or the value itself for a status. Returns `None`
    /// only for a role from a different roster.
    pub fn value<'v>(&'v self, field: Field, declared: &'v FieldValue) -> Option<&'v FieldValue> {
        if field.facts().names_role { self.id(declared).map(|role| &role.0) } else { Some(declared) }
    }

    /// Returns the ID for a role name used in the files, or `None` for a name from a different roster.
    pub fn id(&self, name: &RoleName) -> Option<&RoleId> {
        self.0.get(name)
    }
}

fn no_admin_role(catalog: &RoleCatalog) -> Problem {
    Problem::new(
        PlanCode::NoAdminRole,
        "no role has the slug `admin`, so the default minimum of two administrators has no effect",
    )
    .help(format!(
        "name the guarded roles, for example with `keep_at_least = {{ Owner = 2 }}` in `[guardrails]`; the roles are: {}",
        names(catalog)
    ))
}

fn names(catalog: &RoleCatalog) -> String {
    catalog.iter().map(|role| Printable::new(&role.name).to_string()).collect::<Vec<_>>().join(", ")
}

fn unknown(name: &str, places: &[Place], catalog: &RoleCatalog) -> Problem {
    let spellings = catalog.iter().flat_map(|role| [role.name.as_str(), role.slug.as_str()]);
    let all = names(catalog);
    let help = match did_you_mean(name, spellings) {
        Some(near) => format!("did you mean `{}`? The roles are: {all}", Printable::new(near)),
        None => format!("the roles are: {all}"),
    };
    // The message includes the name because the excerpt from the file might not show it (the name can be escaped or on another
    // line).
    let shown = if has_secret_prefix(name) { Printable::new(MASK) } else { Printable::cut(name, 60) };
    let message = format!("the organization has no role `{shown}`{}", elsewhere(places));
    problem_at(PlanCode::UnknownRole, message, places, "no such role").help(help)
}

fn ambiguous(name: &str, places: &[Place], roles: &[&Role]) -> Problem {
    let ids: Vec<String> = roles
        .iter()
        .map(|role| {
            let [id, name, slug] = [&*role.id.0, &role.name, &role.slug].map(|text| Printable::cut(text, 60));
            format!("{id} (name {name}, slug {slug})")
        })
        .collect();
    let message = format!(
        "`{}` is ambiguous: it is the name, slug, or ID of {} roles{}",
        Printable::cut(name, 60),
        roles.len(),
        elsewhere(places)
    );
    problem_at(PlanCode::AmbiguousRole, message, places, "which one?")
        .help(format!("write the ID of the role that you mean: {}", ids.join(", ")))
}

fn problem_at(code: PlanCode, message: String, places: &[Place], label: &str) -> Problem {
    let problem = Problem::new(code, message);
    match places.first() {
        Some(place) => problem.at(*place, label),
        None => problem,
    }
}

fn elsewhere(places: &[Place]) -> String {
    match places.len() {
        0 | 1 => String::new(),
        2 => " (used in 1 more place)".into(),
        many => format!(" (used in {} more places)", many - 1),
    }
}
