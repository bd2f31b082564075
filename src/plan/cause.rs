//! The reason an edit is in a plan: the files changed, a window began or ended, or Pylon drifted.
//!
//! The cause depends on the desired values in the base version and in the current files. If a window for the field recently
//! began or ended, the cause also depends on the value that the current files declare for the moment just before. Every edit
//! has exactly one cause. It's never [`Cause::ThisChange`] if the base version and the current files are identical.

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::change::{Change, Edit, Plan};
use crate::desired::{Origin, THEN_DURATION, resolve_person};
use crate::every::words;
use crate::observed::RoleCatalog;
use crate::roster::{DeclaredPerson, Field, FieldValue, Roster, Window};

/// How long a window can be the cause of a difference after it starts or ends. A window's `then` applies for the same length of
/// time. Neither requires an apply on the day of the transition.
pub const RECENT: SignedDuration = THEN_DURATION;

words! {
    /// The reason an edit is in a plan.
    #[derive(PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
    #[serde(rename_all = "snake_case")]
    pub enum Cause {
        /// The declared value or the policy for it differs from the base version.
        ThisChange = "this change",
        /// The declared value did not change, but a window for it began or ended less than 48 hours ago.
        Scheduled = "scheduled",
        /// The declared value did not change, but Pylon has a different one.
        Drift = "drift",
    }
}

/// The two versions of the files to compare, both evaluated at `now`.
#[derive(Clone, Copy)]
pub struct Versions<'a> {
    pub base: &'a Roster,
    pub present: &'a Roster,
    pub roles: &'a RoleCatalog,
    pub now: Timestamp,
    /// The current time minus [`RECENT`], even if `now` is set to another time with `--at`. A window that began or ended earlier
    /// can't be the cause of a difference.
    pub recent_since: Timestamp,
}

impl Versions<'_> {
    /// Returns the cause of every edit, grouped by change in plan order.
    pub fn causes(&self, plan: &Plan) -> Vec<Vec<Cause>> {
        let mut causes = Vec::with_capacity(plan.changes.len());
        for change in &plan.changes {
            causes.push(change.edits.iter().map(|edit| self.cause(change, edit)).collect());
        }
        causes
    }

    fn cause(&self, change: &Change, edit: &Edit) -> Cause {
        if self.has_other_policy(edit)
            || self.wanted(self.base, change, edit, self.now).as_ref() != Some(&edit.to)
        {
            return Cause::ThisChange;
        }
        if matches!(edit.origin, Origin::After { .. }) {
            return Cause::Scheduled; // the edit reverts the status of an ended window
        }
        // If no apply ran for a while, Pylon can still have the value from before any of the recent transitions.
        let mut recent = self.recent_transitions(change, edit.field);
        if recent.any(|at| self.had_value_before(at, change, edit)) { Cause::Scheduled } else { Cause::Drift }
    }

    /// Returns `true` if the edit exists only because the policy has changed since the base version. Chooses the applicable
    /// policy in the same way as [`Plan::draw`].
    fn has_other_policy(&self, edit: &Edit) -> bool {
        let (base, present) = (&self.base.policy, &self.present.policy);
        if edit.only_removes_roles() {
            base.extra_roles != present.extra_roles
        } else {
            base.fields[edit.field] != present.fields[edit.field]
        }
    }

    /// Returns the value that `files` declare for the edited field at time `at`, in Pylon's representation.
    fn wanted(&self, files: &Roster, change: &Change, edit: &Edit, at: Timestamp) -> Option<FieldValue> {
        let person = declared(files, change)?;
        let current = edit.from.first().map_or("", |value| &**value);
        let desired = resolve_person(person, at);
        self.roles.value_meant(edit.field, &desired.value_for(edit.field, current)?.value.value)
    }

    /// Returns the starts and ends, since `recent_since`, of the windows that set this field.
    fn recent_transitions(&self, change: &Change, field: Field) -> impl Iterator<Item = Timestamp> {
        let windows = declared(self.present, change).into_iter().flat_map(|person| &person.windows);
        let sets_field = move |window: &&Window| window.sets[field].is_some();
        let instants = windows.filter(sets_field).flat_map(|window| [&window.from, &window.until]);
        let instants = instants.flatten().map(|moment| moment.value.at);
        instants.filter(|at| *at <= self.now && *at > self.recent_since)
    }

    /// Returns `true` if Pylon still has the value desired just before `at`, or if no value was desired at that time.
    fn had_value_before(&self, at: Timestamp, change: &Change, edit: &Edit) -> bool {
        let before = at.saturating_sub(SignedDuration::from_nanos(1)).unwrap_or(Timestamp::MIN);
        match self.wanted(self.present, change, edit, before) {
            None => true,
            Some(wanted) => edit.from == [wanted],
        }
    }
}

/// Finds the changed person in `files` by trying each of the person's addresses, because the two versions might declare different
/// addresses.
fn declared<'r>(files: &'r Roster, change: &Change) -> Option<&'r DeclaredPerson> {
    change.subject.addresses().find_map(|email| files.person(email))
}
