//! Lists scheduled changes and the windows that cause them. Scheduled changes happen without any edit to the files.

use jiff::Timestamp;

use super::resolve_person;
use crate::roster::{DeclaredPerson, Email, Field, FieldValue, Moment, Roster, Window};
use crate::source::Place;

/// A scheduled change to one field of a person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// The start or end of a window.
    pub moment: Moment,
    pub email: Email,
    pub field: Field,
    /// The desired value before the change, as written in the files, or `None` if the field was left alone.
    pub from: Option<FieldValue>,
    /// The desired value from `moment` onward, or `None` if the field is left alone from then on.
    pub to: Option<FieldValue>,
    /// The location of the new value. If the field has no new value, this is the location of the window that ends.
    pub place: Place,
}

impl Transition {
    /// Returns `true` if the value stays the same and only its spelling changes, such as from a role's name to its slug.
    pub fn is_respelling(&self, is_same_role: impl Fn(&str, &str) -> bool) -> bool {
        let is_same = |(from, to): (&FieldValue, &FieldValue)| is_same_role(from, to);
        self.field.facts().names_role && self.from.as_ref().zip(self.to.as_ref()).is_some_and(is_same)
    }
}

impl Roster {
    /// Returns all windows that haven't ended by `now`, each with the address of the person it belongs to. They are sorted by
    /// start and then by address.
    pub fn current_and_coming_windows(&self, now: Timestamp) -> Vec<(&Email, &Window)> {
        let windows = self
            .people
            .iter()
            .flat_map(|person| person.windows.iter().map(|window| (&person.email.value, window)));
        let lasts = |window: &Window| window.until.as_ref().is_none_or(|until| now < until.value.at);
        let mut all: Vec<(&Email, &Window)> = windows.filter(|(_, window)| lasts(window)).collect();
        all.sort_by_key(|(email, window)| (window.from.as_ref().map(|from| from.value.at), *email));
        all
    }

    /// Returns all transitions after `now`, sorted by time and then by address. Roles are compared as text, so a role that's
    /// merely spelled differently counts as a transition.
    pub fn agenda(&self, now: Timestamp) -> Vec<Transition> {
        let mut transitions: Vec<Transition> =
            self.people.iter().flat_map(|person| of_person(person, now)).collect();
        // If one window ends when another starts, both edges give the same transition.
        transitions.sort_by(|one, other| identity(one).cmp(&identity(other)));
        transitions.dedup_by(|one, other| identity(one) == identity(other));
        transitions
    }
}

fn identity(transition: &Transition) -> (Timestamp, &Email, Field) {
    (transition.moment.at, &transition.email, transition.field)
}

fn of_person(person: &DeclaredPerson, now: Timestamp) -> Vec<Transition> {
    let edges = person.windows.iter().flat_map(|window| {
        window.from.iter().chain(&window.until).map(move |moment| (&moment.value, window))
    });
    let coming = edges.filter(|(moment, _)| moment.at > now);
    coming.flat_map(|(moment, window)| at_edge(person, moment, window)).collect()
}

/// Returns the changes to the fields that `window` sets, at its start or end (`moment`). Another field may change at the same
/// instant, but not because of this window.
fn at_edge(person: &DeclaredPerson, moment: &Moment, window: &Window) -> Vec<Transition> {
    let before = resolve_person(
        person,
        Timestamp::from_nanosecond(moment.at.as_nanosecond() - 1).unwrap_or(Timestamp::MIN),
    );
    let after = resolve_person(person, moment.at);
    let mut transitions = Vec::new();
    for (field, _) in window.sets.some() {
        let [from, to] = [&before, &after].map(|desired| desired.likely_value(field));
        let [from_value, to_value] = [from, to].map(|desired| desired.map(|it| it.value.value.clone()));
        if from_value != to_value {
            transitions.push(Transition {
                moment: moment.clone(),
                email: person.email.value.clone(),
                field,
                from: from_value,
                to: to_value,
                place: to.map_or(window.place, |desired| desired.value.place),
            });
        }
    }
    transitions
}
