//! When what is desired changes by itself: the beginnings and ends of windows, in order; and the windows themselves.

use jiff::Timestamp;

use super::resolve_person;
use crate::roster::{DeclaredPerson, Email, Field, FieldValue, Moment, Roster, Window};
use crate::source::Place;

/// What is desired of one person changes in one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// When, as the file wrote it.
    pub moment: Moment,
    pub email: Email,
    pub field: Field,
    /// What is desired before, as the files name it; nothing where the value was left alone.
    pub from: Option<FieldValue>,
    /// What is desired from then on; nothing where the value is left alone again.
    pub to: Option<FieldValue>,
    /// Where it is declared: the new value, or the window that ends.
    pub place: Place,
}

/// A window that holds or will, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    pub email: Email,
    pub window: Window,
}

impl Roster {
    /// The windows that have not ended by `now`, in order of their beginning and of address.
    pub fn windows_ahead(&self, now: Timestamp) -> Vec<Ahead> {
        let of_person = |person: &DeclaredPerson| -> Vec<Ahead> {
            let lasts = |window: &&Window| window.until.as_ref().is_none_or(|until| now < until.value.at);
            let windows = person.windows.iter().filter(lasts).cloned();
            windows.map(|window| Ahead { email: person.email.value.clone(), window }).collect()
        };
        let mut ahead: Vec<Ahead> = self.people.iter().flat_map(of_person).collect();
        let begin = |ahead: &Ahead| ahead.window.from.as_ref().map(|from| from.value.at);
        ahead.sort_by(|one, other| begin(one).cmp(&begin(other)).then_with(|| one.email.cmp(&other.email)));
        ahead
    }

    /// The transitions after `now`, in order of time and address.
    pub fn agenda(&self, now: Timestamp) -> Vec<Transition> {
        let mut transitions: Vec<Transition> =
            self.people.iter().flat_map(|person| of_person(person, now)).collect();
        transitions.sort();
        transitions.dedup();
        transitions
    }
}

fn of_person(person: &DeclaredPerson, now: Timestamp) -> Vec<Transition> {
    let edges = person.windows.iter().flat_map(|window| {
        let Window { place, from, until, .. } = window;
        from.iter().chain(until).map(move |moment| (&moment.value, *place))
    });
    let coming = edges.filter(|(moment, _)| moment.at > now);
    coming.flat_map(|(moment, window)| at_edge(person, moment, window)).collect()
}

fn at_edge(person: &DeclaredPerson, moment: &Moment, window: Place) -> Vec<Transition> {
    let before = resolve_person(
        person,
        Timestamp::from_nanosecond(moment.at.as_nanosecond() - 1).unwrap_or(Timestamp::MIN),
    );
    let after = resolve_person(person, moment.at);
    let mut transitions = Vec::new();
    for field in Field::ALL {
        let [from, to] = [&before, &after].map(|desired| desired.likely_value(field));
        let [from_value, to_value] = [from, to].map(|desired| desired.map(|it| it.value.value.clone()));
        if from_value != to_value {
            transitions.push(Transition {
                moment: moment.clone(),
                email: person.email.value.clone(),
                field,
                from: from_value,
                to: to_value,
                place: to.map_or(window, |desired| desired.value.place),
            });
        }
    }
    transitions
}
