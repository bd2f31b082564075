//! When what is desired changes by itself: the beginnings and ends of windows, in order; and the windows themselves.

use jiff::Timestamp;

use super::{Desired, DesiredPerson, resolve_person};
use crate::roster::{DeclaredPerson, Email, Field, Moment, Roster, Window};
use crate::source::Place;

/// What is desired of one person changes in one field.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Transition {
    /// When, as the file wrote it.
    pub moment: Moment,
    /// Of whom.
    pub email: Email,
    /// Which field.
    pub field: Field,
    /// What is desired before, as the files name it; nothing where the value was left alone.
    pub from: Option<String>,
    /// What is desired from then on; nothing where the value is left alone again.
    pub to: Option<String>,
    /// Where it is declared: the new value, or the window that ends.
    pub place: Place,
}

/// A window that holds or will, and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ahead {
    /// Whose.
    pub email: Email,
    /// The window.
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

fn at_edge(person: &DeclaredPerson, moment: &Moment, window: Place) -> impl Iterator<Item = Transition> {
    let before = resolve_person(
        person,
        Timestamp::from_nanosecond(moment.at.as_nanosecond() - 1).unwrap_or(Timestamp::MIN),
    );
    let after = resolve_person(person, moment.at);
    let role = (before.role.as_ref().map(role_text), after.role.as_ref().map(role_text));
    let status = (status_text(&before), status_text(&after));
    let email = person.email.value.clone();
    let moment = moment.clone();
    [(Field::Role, role), (Field::Status, status)].into_iter().filter_map(move |(field, (before, after))| {
        let (from, to) = (before.map(|(text, _)| text), after.as_ref().map(|(text, _)| text.clone()));
        let place = after.map_or(window, |(_, place)| place);
        (from != to).then(|| Transition {
            moment: moment.clone(),
            email: email.clone(),
            field,
            from,
            to,
            place,
        })
    })
}

fn role_text(desired: &Desired<crate::roster::RoleName>) -> (String, Place) {
    (desired.value.value.to_string(), desired.value.place)
}

/// If the window only has to be undone, the way back of the one that ended last, which is what most people will see.
fn status_text(desired: &DesiredPerson) -> Option<(String, Place)> {
    let status = desired.status.as_ref().or(desired.ways_back.first())?.value;
    Some((status.value.as_str().to_owned(), status.place))
}
