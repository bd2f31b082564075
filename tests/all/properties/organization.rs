//! Random people, and random files that declare them. People have any status, several assigned roles, roles from SCIM, and
//! secondary addresses, and some are deactivated. The files use every key in `users.toml`.

use std::collections::BTreeSet;
use std::fmt;

use jiff::Timestamp;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use rolecall::desired::DesiredState;
use rolecall::observed::{
    HeldValues, ObservedState, Organization, Person, Role, RoleCatalog, RoleId, UserId,
};
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::plan::{Patch, Plan, ReviewedPlan};
use rolecall::problem::Problem;
use rolecall::roster::{Email, Field, FieldValue, PerField, Roster};

use crate::rosters::{held, read};

/// The time at which the files are resolved.
pub(super) const NOW: &str = "2026-11-20T08:00:00Z";

/// The ID, name, and slug of each role. Files have to refer to the two roles named Lead by ID or slug.
pub(super) const ROLES: [(&str, &str, &str); 5] = [
    ("role_admin", "Admin", "admin"),
    ("role_member", "Member", "member"),
    ("role_viewer", "Viewer", "viewer"),
    ("role_lead_1", "Lead", "lead-emea"),
    ("role_lead_2", "Lead", "lead-us"),
];
const STATUSES: [&str; 3] = ["active", "away", "out_of_office"];
/// Statuses that Pylon can report but that can't be expressed in a file.
const OTHER_STATUSES: [&str; 3] = ["", "on_a_call", "Active"];

/// An organization and a matching `users.toml`.
#[derive(Clone)]
pub(super) struct Case {
    pub(super) people: Vec<Person>,
    pub(super) token_user: Option<UserId>,
    pub(super) text: String,
}

/// A case after reading and resolving the file.
pub(super) struct Resolved {
    pub(super) roster: Roster,
    pub(super) desired: DesiredState,
    pub(super) observed: ObservedState,
    pub(super) roles: NamedRoles,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "acting as {:?}, users.toml:\n{}", self.token_user, self.text)?;
        for Person { id, email, secondary, name: _, held, deactivated } in &self.people {
            let also: Vec<&str> = secondary.iter().map(Email::as_str).collect();
            let deactivated = if *deactivated { "deactivated" } else { "" };
            writeln!(f, "{} {email} {also:?} {held:?} {deactivated}", id.as_str())?;
        }
        Ok(())
    }
}

impl Case {
    pub(super) fn resolve(&self) -> Resolved {
        let roster = read(&self.text)
            .unwrap_or_else(|problems| panic!("valid files: {:#?}\n{}", problems.list, self.text));
        let desired = roster.resolve_at(now());
        let observed = observed(&self.people, self.token_user.clone());
        let roles = NamedRoles::look_up(&roster, &observed.roles).expect("known roles");
        Resolved { roster, desired, observed, roles }
    }
}

impl Resolved {
    pub(super) fn plan(&self) -> Result<Plan, Vec<Problem>> {
        self.plan_on(&self.observed)
    }

    pub(super) fn plan_on(&self, observed: &ObservedState) -> Result<Plan, Vec<Problem>> {
        Plan::draw(&self.desired, observed, &self.roles, self.roster.policy)
    }

    pub(super) fn review(&self, plan: Plan) -> ReviewedPlan {
        let Self { roster, observed, roles, .. } = self;
        plan.review(Review { observed, roster, at: now(), roles, max_changes: None })
    }
}

/// Applies a patch to a person, independently of the code under test.
pub(super) fn patched(person: &Person, patch: &Patch) -> Person {
    let Patch { role, status } = patch;
    let mut person = person.clone();
    if let Some(role) = role {
        person.held.role.assigned = vec![role.clone()];
    }
    if let Some(status) = status {
        person.held.status.assigned = vec![status.clone()];
    }
    person
}

pub(super) fn now() -> Timestamp {
    NOW.parse().unwrap()
}

pub(super) fn catalog() -> RoleCatalog {
    let role = |(id, name, slug): (&str, &str, &str)| Role {
        id: RoleId(id.into()),
        name: name.into(),
        slug: slug.into(),
    };
    RoleCatalog::new(ROLES.map(role).to_vec())
}

/// Builds the observed state of these people, in this order.
pub(super) fn observed<'p>(
    people: impl IntoIterator<Item = &'p Person>,
    token_user: Option<UserId>,
) -> ObservedState {
    let organization = Organization { id: "org_1".into(), name: "Acme".into() };
    let mut state = ObservedState::new(organization, token_user, catalog());
    people.into_iter().for_each(|person| state.insert(person.clone()));
    state
}

/// Returns one of the addresses of person `number`: the primary one (also in capitals), an alias, or an old one.
pub(super) fn address(number: usize, which: usize) -> String {
    match which % 4 {
        0 => format!("p{number:02}@acme.example"),
        1 => format!("P{number:02}@Acme.example"),
        2 => format!("p{number:02}.alias@acme.example"),
        _ => format!("p{number:02}@old.example"),
    }
}

/// Returns the values of a person with these roles, given as indices into [`ROLES`].
fn with_roles(assigned: &BTreeSet<usize>, scim: &BTreeSet<usize>, status: &str) -> PerField<HeldValues> {
    let ids = |numbers: &mut dyn Iterator<Item = &usize>| {
        numbers.map(|number| ROLES[*number].0.into()).collect::<BTreeSet<FieldValue>>().into_iter().collect()
    };
    let role =
        HeldValues { assigned: ids(&mut assigned.iter()), from_scim: ids(&mut scim.difference(assigned)) };
    PerField { role, ..held("", status) }
}

/// Generates a spelling of a role: its ID, its slug, or its name if unique.
fn spelling() -> impl Strategy<Value = &'static str> {
    let spellings = ROLES.iter().flat_map(|(id, name, slug)| [*id, *slug, *name]);
    select(spellings.filter(|spelling| *spelling != "Lead").collect::<Vec<_>>())
}

/// Generates a set of role numbers. Admin is more likely because it's guarded by default.
fn some_roles(size: std::ops::RangeInclusive<usize>) -> impl Strategy<Value = BTreeSet<usize>> {
    let number = prop_oneof![2 => Just(0), 3 => 0..ROLES.len()];
    vec(number, size).prop_map(BTreeSet::from_iter)
}

fn person(number: usize) -> impl Strategy<Value = Person> {
    let status = prop_oneof![4 => select(STATUSES.to_vec()), 1 => select(OTHER_STATUSES.to_vec())];
    let other_addresses = prop_oneof![
        12 => Just(vec![]),
        4 => Just(vec![address(number, 2)]),
        4 => Just(vec![address(number, 2), address(number, 3)]),
        1 => Just(vec![address(number, 2), address(number, 2).to_uppercase()]),
        1 => Just(vec![address(number, 1), "team@acme.example".to_owned()]),
    ];
    let roles = prop_oneof![1 => some_roles(0..=0), 6 => some_roles(1..=1), 2 => some_roles(2..=4)];
    let scim =
        prop_oneof![5 => Just(0..=0), 1 => Just(1..=2)].prop_flat_map(|size| btree_set(0..ROLES.len(), size));
    let deactivated = prop_oneof![7 => Just(false), 1 => Just(true)];
    (roles, scim, status, other_addresses, deactivated).prop_map(
        move |(assigned, scim, status, secondary, deactivated)| Person {
            id: UserId::new(&format!("u_{number:02}")).unwrap(),
            email: Email::observed(&address(number, 0)),
            secondary: secondary.iter().map(|email| Email::observed(email)).collect(),
            name: format!("Person {number}"),
            held: with_roles(&assigned, &scim, status),
            deactivated,
        },
    )
}

/// Generates up to `up_to` people, numbered in order.
fn people(up_to: usize) -> impl Strategy<Value = Vec<Person>> {
    (0..=up_to).prop_flat_map(|count| (0..count).map(person).collect::<Vec<_>>())
}

/// Generates a value for `field`, as it might appear in a file.
fn declared_value(field: Field) -> BoxedStrategy<&'static str> {
    match field {
        Field::Role => spelling().boxed(),
        Field::Status => select(STATUSES.to_vec()).boxed(),
    }
}

/// Generates a person's table: values for any of the fields, and possibly a window that's valid alongside them.
fn declaration() -> impl Strategy<Value = String> {
    let values = Field::ALL.map(|field| option::weighted(0.6, declared_value(field))).to_vec();
    let in_window = Field::ALL.map(declared_value).to_vec();
    let window = (0..4_u8, 0..Field::ALL.len(), in_window, declared_value(Field::OF_THEN));
    (values, window).prop_map(|(values, (kind, number, in_window, then))| {
        let field = Field::ALL[number];
        let is_declared = |wanted: Field| {
            Field::ALL.into_iter().zip(&values).any(|(field, value)| field == wanted && value.is_some())
        };
        let set = format!("{field} = \"{}\"", in_window[number]);
        let then = if is_declared(Field::OF_THEN) { String::new() } else { format!(", then = \"{then}\"") };
        let window = match kind {
            0 if field == Field::OF_THEN => format!("{{ until = 2026-12-01, {set}{then} }}"),
            1 if field == Field::OF_THEN => format!("{{ until = 2026-11-19T12:00:00Z, {set}{then} }}"),
            0 | 1 if is_declared(field) => format!("{{ from = 2026-11-01, until = 2026-12-01, {set} }}"),
            _ => String::new(),
        };
        let mut parts = vec![format!("windows = [{window}]")];
        for (field, value) in Field::ALL.into_iter().zip(&values) {
            parts.extend(value.map(|value| format!("{field} = \"{value}\"")));
        }
        format!("{{ {} }}", parts.join(", "))
    })
}

/// Generates the `[users]` table. Most of the declared people exist in the organization. Some are declared under a secondary
/// address, and a few under two addresses.
fn users(up_to: usize) -> impl Strategy<Value = String> {
    let which = prop_oneof![6 => Just(0_usize), 1 => Just(1), 2 => Just(2), 1 => Just(3)];
    btree_map(0..up_to + 2, (which, declaration(), option::weighted(0.01, declaration())), 0..=up_to)
        .prop_map(|users| {
            let mut text = "[users]\n".to_owned();
            for (number, (which, declaration, again)) in users {
                text += &format!("\"{}\" = {declaration}\n", address(number, which));
                if let Some(again) = again.filter(|_| which != 2) {
                    text += &format!("\"{}\" = {again}\n", address(number, 2));
                }
            }
            text
        })
}

fn someone(up_to: usize) -> impl Strategy<Value = String> {
    prop_oneof![8 => (0..up_to + 1, 0..4_usize).prop_map(|(number, which)| address(number, which)),
        1 => Just("team@acme.example".to_owned())]
}

fn guardrails(up_to: usize) -> impl Strategy<Value = String> {
    let max_changes = prop_oneof![
        (0..=100_u8).prop_map(|share| format!("\"{share}%\"")),
        (0..=6_u64).prop_map(|count| count.to_string())
    ];
    let role_limits = || {
        btree_map(spelling(), 0..=5_u64, 0..=3).prop_map(|limits| {
            let limits: Vec<String> =
                limits.iter().map(|(role, limit)| format!("\"{role}\" = {limit}")).collect();
            format!("{{ {} }}", limits.join(", "))
        })
    };
    let protected = vec(someone(up_to), 1..=2).prop_map(|who| format!("{who:?}"));
    (
        option::of(max_changes),
        option::of(role_limits()),
        option::weighted(0.3, role_limits()),
        option::of((0..=6_u64).prop_map(|minimum| minimum.to_string())),
        option::weighted(0.2, protected),
        option::of(select(vec!["\"ignore\"", "\"report\"", "\"block\""])),
        option::of(select(vec!["\"report\"", "\"block\""])),
    )
        .prop_map(
            |(max_changes, keep_at_least, keep_at_most, keep_active, protected, unmanaged, missing)| {
                let keys = [
                    ("max_changes", max_changes),
                    ("keep_at_least", keep_at_least),
                    ("keep_at_most", keep_at_most),
                    ("keep_active", keep_active),
                    ("protected", protected),
                    ("unmanaged", unmanaged.map(str::to_owned)),
                    ("missing", missing.map(str::to_owned)),
                ];
                let lines = keys.into_iter().filter_map(|(key, value)| Some(format!("{key} = {}\n", value?)));
                format!("[guardrails]\n{}", lines.collect::<String>())
            },
        )
}

fn acknowledgment(up_to: usize) -> impl Strategy<Value = String> {
    let expires = prop_oneof![4 => Just("2026-12-01"), 1 => Just("2026-11-20T08:00:00Z")];
    (0..9_u8, 0..=6_u64, spelling(), someone(up_to), expires).prop_map(
        |(kind, figure, role, user, expires)| {
            let risk = match kind {
                0 => format!("guardrail = \"max_changes\"\nup_to = {figure}"),
                1 => format!("guardrail = \"missing\"\nup_to = {figure}"),
                2 => format!("guardrail = \"unmanaged\"\nup_to = {figure}"),
                3 => format!("guardrail = \"keep_at_least\"\nrole = \"{role}\"\ndown_to = {figure}"),
                8 => format!("guardrail = \"rule\"\nuser = \"{user}\""),
                7 => format!("guardrail = \"keep_at_most\"\nrole = \"{role}\"\nup_to = {figure}"),
                4 => format!("guardrail = \"keep_active\"\ndown_to = {figure}"),
                5 => format!("guardrail = \"protected\"\nuser = \"{user}\""),
                _ => format!("guardrail = \"token_owner\"\nuser = \"{user}\""),
            };
            format!("[[acknowledge]]\n{risk}\nreason = \"for a reason\"\nexpires = {expires}\n")
        },
    )
}

/// Generates a rule, which might disallow some of the file's roles.
fn rule(up_to: usize) -> impl Strategy<Value = String> {
    let pattern = || {
        prop_oneof![
            3 => someone(up_to),
            1 => Just("*@old.example".to_owned()),
            1 => Just("p0*@acme.example".to_owned()),
            1 => Just("*.alias@Acme.example".to_owned()),
        ]
    };
    let on_violation = option::of(select(vec!["report", "block"]));
    (vec(pattern(), 1..=2), vec(pattern(), 0..=1), vec(spelling(), 1..=3), on_violation).prop_map(
        |(emails, except, roles, on_violation)| {
            let on_violation = on_violation.map(|word| format!("on_violation = \"{word}\"\n"));
            format!(
                "[[rule]]\nemails = {emails:?}\nexcept = {except:?}\nroles = {roles:?}\nreason = \"a reason\"\n{}",
                on_violation.unwrap_or_default()
            )
        },
    )
}

fn settings(up_to: usize) -> impl Strategy<Value = String> {
    let stance = || prop_oneof![4 => Just("enforce"), 1 => Just("observe"), 1 => Just("ignore")];
    let policy = (Field::ALL.map(|_| stance()).to_vec(), stance()).prop_map(|(stances, extra)| {
        let mut text = format!("[policy]\nextra_roles = \"{extra}\"\n");
        for (field, stance) in Field::ALL.into_iter().zip(stances) {
            text += &format!("{field} = \"{stance}\"\n");
        }
        text
    });
    let defaults = option::weighted(0.3, spelling())
        .prop_map(|role| role.map_or_else(String::new, |role| format!("[defaults]\nrole = \"{role}\"\n")));
    (policy, guardrails(up_to), vec(acknowledgment(up_to), 0..=3), defaults).prop_map(
        |(policy, guardrails, acknowledgments, defaults)| {
            policy + &guardrails + &acknowledgments.concat() + &defaults
        },
    )
}

/// Generates an organization of up to `up_to` people and the files for it.
pub(super) fn cases(up_to: usize) -> impl Strategy<Value = Case> {
    let rules = vec(rule(up_to), 0..=2);
    let token_user = option::of(any::<proptest::sample::Index>());
    (people(up_to), users(up_to), settings(up_to), rules, token_user).prop_map(
        |(people, users, settings, rules, token_user)| {
            let token_user = token_user.filter(|_| !people.is_empty());
            let token_user = token_user.map(|index| index.get(&people).id.clone());
            let mut text = settings + &users;
            for rule in rules {
                // Leave out a rule that the file breaks, because it would make the file invalid.
                let with_rule = format!("{rule}{text}");
                if read(&with_rule).is_ok() {
                    text = with_rule;
                }
            }
            Case { people, token_user, text }
        },
    )
}

/// Generates an organization in which many people gain and lose three guarded roles, some of them with a maximum.
pub(super) fn cases_of_guarded_roles() -> impl Strategy<Value = Case> {
    let person = (btree_set(0..3_usize, 0..=2), option::weighted(0.1, 0..3_usize), 0..3_usize);
    let minimums = (0..=4_u64, 0..=4_u64, 0..=3_u64, option::weighted(0.2, 0..=4_u64));
    let maximums = option::of(vec(option::of(0..=5_u64), 3));
    (vec(person, 1..=9), minimums, maximums, option::weighted(0.3, any::<proptest::sample::Index>()))
        .prop_map(|(drawn, (admins, members, viewers, again), maximums, token_user)| {
            let mut text = format!(
                "[guardrails]\nkeep_at_least = {{ Admin = {admins}, Member = {members}, Viewer = {viewers}"
            );
            if let Some(again) = again {
                text += &format!(", role_admin = {again}");
            }
            text += " }\n";
            for (role, maximum) in maximums.iter().flat_map(|maximums| ROLES.iter().zip(maximums)) {
                if let Some(maximum) = maximum {
                    text += &format!("keep_at_most.{} = {maximum}\n", role.0);
                }
            }
            text += "[users]\n";
            let mut people = Vec::new();
            for (number, (assigned, scim, declared)) in drawn.into_iter().enumerate() {
                text += &format!("\"{}\" = {{ role = \"{}\" }}\n", address(number, 0), ROLES[declared].0);
                people.push(Person {
                    id: UserId::new(&format!("u_{number:02}")).unwrap(),
                    email: Email::observed(&address(number, 0)),
                    secondary: Vec::new(),
                    name: format!("Person {number}"),
                    held: with_roles(&assigned, &scim.into_iter().collect(), "active"),
                    deactivated: false,
                });
            }
            let token_user = token_user.map(|index| index.get(&people).id.clone());
            Case { people, token_user, text }
        })
}
