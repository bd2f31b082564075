//! A history's starting point: a world and a roster that differs from it.

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rolecall::desired::DesiredState;
use rolecall::observed::ObservedState;
use rolecall::plan::guardrails::Review;
use rolecall::plan::roles::NamedRoles;
use rolecall::plan::{Plan, ReviewedPlan};
use rolecall::roster::{
    DeclaredPerson, DeclaredValue, Email, GuardrailRules, MaxChanges, PerField, Policy, RoleLimit, RoleName,
    Roster, Status, Workspace,
};
use rolecall::sandbox::{Limits, Role, SandboxState, World, WrittenUser};
use rolecall::source::{Place, Sourced, Sources};

use crate::builders::{BuildState, readable_roles};

/// An organization and the files that describe it.
#[derive(Clone)]
pub(super) struct Scene {
    world: World,
    pub(super) roster: Arc<Roster>,
    pub(super) desired: Arc<DesiredState>,
}

/// A person in Pylon, along with their declared values.
pub(super) struct Who {
    pub(super) is: WrittenUser,
    pub(super) role: Option<&'static str>,
    pub(super) status: Option<Status>,
}

impl Who {
    pub(super) fn with_role(is: WrittenUser, role: &'static str) -> Self {
        Self { is, role: Some(role), status: None }
    }

    pub(super) fn with_status(is: WrittenUser, status: Status) -> Self {
        Self { is, role: None, status: Some(status) }
    }
}

/// Returns the address of the `number`th person to change. The addresses sort in numerical order.
pub(super) fn email(number: usize) -> String {
    format!("person{number:05}@acme.example")
}

impl Scene {
    /// Creates a scene with the roles Admin, Member, and Viewer.
    pub(super) fn new(people: Vec<Who>, token_user: Option<&str>, minimums: Option<&[(&str, u64)]>) -> Self {
        Self::of(people, None, token_user, minimums, &[])
    }

    /// Creates a scene in which roles have minimums and maximums.
    pub(super) fn with_limits(
        people: Vec<Who>,
        roles: Vec<Role>,
        minimums: &[(&str, u64)],
        maximums: &[(&str, u64)],
    ) -> Self {
        Self::of(people, Some(roles), None, Some(minimums), maximums)
    }

    pub(super) fn with_roles(people: Vec<Who>, roles: Vec<Role>, minimums: Option<&[(&str, u64)]>) -> Self {
        Self::of(people, Some(roles), None, minimums, &[])
    }

    fn of(
        people: Vec<Who>,
        roles: Option<Vec<Role>>,
        token_user: Option<&str>,
        minimums: Option<&[(&str, u64)]>,
        maximums: &[(&str, u64)],
    ) -> Self {
        let mut sources = Sources::default();
        let file = sources.add("users.toml".into(), String::new());
        let place = Place::new(file, 0..0);
        let role_name = |role: &str| Sourced::new(RoleName::from(role), place);
        let declared_value = |value: &str| DeclaredValue { value: role_name(value), from_defaults: false };
        let mut declared: Vec<DeclaredPerson> = people
            .iter()
            .map(|who| DeclaredPerson {
                email: Sourced::new(Email::observed(&who.is.email), place),
                values: PerField {
                    role: who.role.map(declared_value),
                    status: who.status.map(Status::as_str).map(declared_value),
                },
                windows: Vec::new(),
            })
            .collect();
        declared.sort_by(|a, b| a.email.value.cmp(&b.email.value));
        let limit = |(role, holders): &(&str, u64)| RoleLimit { role: role_name(role), holders: *holders };
        let guardrails = GuardrailRules {
            max_changes: MaxChanges::Count(u64::MAX),
            keep_at_least: minimums.map(|minimums| minimums.iter().map(limit).collect()),
            keep_at_most: maximums.iter().map(limit).collect(),
            ..GuardrailRules::default()
        };
        let roster = Roster {
            sources,
            setting_places: std::collections::BTreeMap::new(),
            timezone: TimeZone::UTC,
            allow_unicode_emails: false,
            workspace: Workspace::default(),
            policy: Policy::default(),
            guardrails,
            acknowledgments: Vec::new(),
            people: declared,
            unused_defaults: Vec::new(),
        };
        let roles = roles.unwrap_or_else(readable_roles);
        let mut state = SandboxState::with_users(people.into_iter().map(|who| who.is)).roles(roles);
        if let Some(email) = token_user {
            let world = World::new(state.clone(), Timestamp::UNIX_EPOCH).expect("a sound state");
            state.token_user = world.user(email).expect("the token's user is there").id;
        }
        let world = World::new(state, Timestamp::UNIX_EPOCH).expect("a sound state");
        let desired = roster.resolve_at(Timestamp::UNIX_EPOCH);
        Self { world, roster: Arc::new(roster), desired: Arc::new(desired) }
    }

    /// Creates a scene in which `changes` people are to change: in turn, their role, their status, or both. There are also
    /// three unchanged administrators.
    pub(super) fn of_changes(changes: usize) -> Self {
        let stays = (0..3).map(|number| {
            Who::with_role(WrittenUser::new(&format!("admin{number}@acme.example"), "admin"), "admin")
        });
        let change = |number: usize| {
            let is = WrittenUser::new(&email(number), "member");
            match number % 3 {
                0 => Who::with_role(is, "viewer"),
                1 => Who::with_status(is, Status::Away),
                _ => Who { is, role: Some("viewer"), status: Some(Status::OutOfOffice) },
            }
        };
        Self::new(stays.chain((0..changes).map(change)).collect(), None, None)
    }

    pub(super) fn world(&self, limits: Limits) -> World {
        self.world.clone().with_limits(limits)
    }

    pub(super) fn declared(&self) -> Vec<Email> {
        self.desired.people.iter().map(|person| person.email.value.clone()).collect()
    }

    /// Returns the plan for the observed state. A blocked plan isn't rejected. Tests can carry it out as if it had been
    /// acknowledged.
    pub(super) fn plan(&self, observed: &ObservedState) -> ReviewedPlan {
        let Self { roster, desired, .. } = self;
        let roles = NamedRoles::look_up(roster, &observed.roles).expect("known roles");
        let plan = Plan::draw(desired, observed, &roles, roster.policy).expect("distinct people");
        plan.review(Review { observed, roster, at: Timestamp::UNIX_EPOCH, roles: &roles, max_changes: None })
    }
}
