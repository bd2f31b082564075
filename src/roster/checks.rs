//! Checks that involve more than one key, such as duplicate people and inconsistent windows.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::DateTime;

use super::email::foreign_letters;
use super::{DeclaredPerson, Email, Field, Moment, RoleRule, Roster, RosterCode, Window, keys};
use crate::printable::Printable;
use crate::problem::Problem;
use crate::secret::contains_secret;
use crate::source::{Place, Sourced};

/// Sorts people by address, then by place. Reports people declared more than once, whether in different files or with different
/// spellings, and keeps only the first entry of each person.
pub(super) fn sort_without_duplicates(people: &mut Vec<DeclaredPerson>, problems: &mut Vec<Problem>) {
    people.sort_by(|one, other| one.email.cmp(&other.email));
    people.dedup_by(|again, first| {
        let is_again = again.email.value == first.email.value;
        problems.extend(is_again.then(|| duplicate(&again.email, first.email.place)));
        is_again
    });
}

/// Returns the addresses in `protected`, acknowledgments, and rules. If such an address only resembles a person's address, the
/// setting silently has no effect. For example, the person isn't protected.
fn named_in_settings(roster: &Roster) -> Vec<Sourced<Email>> {
    let Roster { guardrails, acknowledgments, .. } = roster;
    let users = acknowledgments.iter().filter_map(|known| known.risk.user());
    let mut named: Vec<Sourced<Email>> = guardrails.protected.iter().chain(users).cloned().collect();
    named.extend(guardrails.role_rules.iter().flat_map(RoleRule::addresses));
    named
}

fn is_foreign(email: &Email) -> bool {
    !email.as_str().is_ascii()
}

/// Reports pairs of look-alike addresses in which at least one address contains non-ASCII characters. Pairs of ASCII addresses
/// are never reported because `l` and `1` look alike in too many real names.
pub(super) fn check_look_alikes(roster: &Roster, problems: &mut Vec<Problem>) {
    let declared = roster.people.iter().map(|person| &person.email);
    let named = named_in_settings(roster);
    if !declared.clone().chain(&named).any(|email| is_foreign(&email.value)) {
        return;
    }
    let mut alike: BTreeMap<String, Vec<&Sourced<Email>>> = BTreeMap::new();
    for email in declared {
        alike.entry(email.value.skeleton()).or_default().push(email);
    }
    for email in &named {
        let group = alike.get(&email.value.skeleton()).map_or(&[][..], Vec::as_slice);
        let is_declared = group.iter().any(|declared| declared.value == email.value);
        let is_odd = |other: &&&Sourced<Email>| is_foreign(&email.value) || is_foreign(&other.value);
        let other = group.iter().filter(|_| !is_declared).find(is_odd);
        problems.extend(other.map(|other| look_alike(email, other)));
    }
    for mut emails in alike.into_values().filter(|emails| emails.len() > 1) {
        emails.sort_by_key(|email| (is_foreign(&email.value), email.place));
        let first = emails[0];
        let foreign = emails[1..].iter().filter(|email| is_foreign(&email.value));
        problems.extend(foreign.map(|email| look_alike(email, first)));
    }
}

impl Roster {
    /// Returns the addresses in `new` that can't be declared because [`RosterCode::LookAlike`] would be reported, along with the
    /// address that each one looks like. If two new addresses look alike, the ASCII one can be declared.
    pub fn look_alikes(&self, new: &[&Email]) -> HashMap<Email, Email> {
        let mut known: Vec<Email> = self.people.iter().map(|person| person.email.value.clone()).collect();
        known.extend(named_in_settings(self).into_iter().map(|email| email.value));
        let mut found = HashMap::new();
        if !known.iter().chain(new.iter().copied()).any(is_foreign) {
            return found;
        }
        let mut alike: HashMap<String, Vec<&Email>> = HashMap::new();
        for email in &known {
            alike.entry(email.skeleton()).or_default().push(email);
        }
        let mut new = new.to_vec();
        new.sort_by_key(|email| is_foreign(email));
        for email in new {
            let group = alike.entry(email.skeleton()).or_default();
            let is_odd = |other: &&&Email| **other != email && (is_foreign(email) || is_foreign(other));
            match group.iter().find(is_odd) {
                Some(other) => drop(found.insert(email.clone(), (*other).clone())),
                None => group.push(email),
            }
        }
        found
    }
}

fn look_alike(email: &Sourced<Email>, other: &Sourced<Email>) -> Problem {
    let message = format!("{} looks like {}, but is a different address", email.value, other.value);
    Problem::new(RosterCode::LookAlike, message)
        .at(email.place, foreign_letters(email.value.as_str()))
        .at(other.place, "looks the same")
        .help(
            "delete the address that does not exist in Pylon, or retype it; check in Pylon which of the two is real",
        )
}

/// Builds the problem for an address declared a second time.
pub(super) fn duplicate(again: &Sourced<Email>, first: Place) -> Problem {
    Problem::new(RosterCode::DuplicatePerson, format!("{} is declared twice", named(again.value.as_str())))
        .at(again.place, "declared again here")
        .at(first, "first declared here")
        .help("keep one of the two entries; letter case does not matter in an address")
}

/// Formats an address for use in a sentence. An address that might contain a secret is replaced with `this address`.
pub(super) fn named(address: &str) -> String {
    if address.is_empty() {
        "an empty address".to_owned()
    } else if contains_secret(address) {
        "this address".to_owned()
    } else {
        Printable::cut(address, 254).raw().to_owned()
    }
}

/// The maximum number of windows per person: one per day of a leap year.
const MAX_WINDOWS: usize = 366;

/// Reports invalid windows, as well as overlapping windows that set the same field.
pub(super) fn check_windows(person: &DeclaredPerson, problems: &mut Vec<Problem>) {
    if person.windows.len() > MAX_WINDOWS {
        // The check below compares every pair of windows, which takes quadratic time.
        let message = format!("{} has {} windows", person.email.value, person.windows.len());
        let problem = Problem::new(RosterCode::TooManyWindows, message).at(person.email.place, "too many");
        problems.push(
            problem.help(format!(
                "a person may have at most {MAX_WINDOWS} windows; delete those that have ended"
            )),
        );
        return;
    }
    for window in &person.windows {
        check_window(person, window, problems);
    }
    for (index, window) in person.windows.iter().enumerate() {
        for earlier in &person.windows[..index] {
            let both = |field: &Field| window.sets[*field].is_some() && earlier.sets[*field].is_some();
            for field in Field::ALL.iter().filter(|field| both(field) && overlap(earlier, window)) {
                problems.push(
                    Problem::new(
                        RosterCode::OverlappingWindows,
                        format!("two windows of {} set the {field} at the same time", person.email.value),
                    )
                    .at(window.place, "this window overlaps")
                    .at(earlier.place, "with this window")
                    .help("`until` is exclusive: end one window on the day the next one begins"),
                );
            }
        }
    }
}

fn check_window(person: &DeclaredPerson, window: &Window, problems: &mut Vec<Problem>) {
    let Window { place, from, until, sets, then: _, reason: _ } = window;
    if let (Some(from), Some(until)) = (from, until)
        && from.value.at >= until.value.at
    {
        problems.push(
            Problem::new(
                RosterCode::BackwardsWindow,
                "this window ends before it starts, or at the same time",
            )
            .at(until.place, "not after `from`")
            .help(if is_earlier_as_written(&from.value, &until.value) {
                format!(
                    "daylight saving time skips one of these times, so it is read as an hour later: `from` is {} and `until` is {}",
                    from.value.at, until.value.at
                )
            } else {
                "`until` is the first instant after the window; for one whole day, set it to the next day".to_owned()
            }),
        );
    }
    if sets.is_none() {
        problems.push(
            Problem::new(
                RosterCode::EmptyWindow,
                format!("this window sets neither {}", Field::any(" nor ")),
            )
            .at(*place, format!("no {}", Field::ALL.map(Field::as_str).join(" or ")))
            .help(format!("add {}", Field::ALL.map(|field| format!("`{field} = …`")).join(" or "))),
        );
    }
    check_value_after(person, window, problems);
}

/// Returns `true` if both moments are local date-times and, as written, `one` is before `other`.
fn is_earlier_as_written(one: &Moment, other: &Moment) -> bool {
    let local = |moment: &Moment| {
        let has_offset =
            moment.written.get("2026-12-20".len()..).is_some_and(|time| time.contains(['Z', 'z', '+', '-']));
        (!has_offset).then(|| moment.written.parse::<DateTime>().ok()).flatten()
    };
    local(one).zip(local(other)).is_some_and(|(one, other)| one < other)
}

/// Reports roles that are declared only in a window, and statuses without a value after the window. Also reports a `then` that
/// has no effect or contradicts the person's entry.
fn check_value_after(person: &DeclaredPerson, window: &Window, problems: &mut Vec<Problem>) {
    let Window { place: _, from: _, until, sets, then, reason: _ } = window;
    for (field, value) in sets.some().filter(|(field, _)| person.values[*field].is_none()) {
        if field != Field::OF_THEN {
            problems.push(no_way_back(field, value.place, &declare_outside(field)));
        } else if then.is_none() && until.is_some() {
            let help = format!("add `then = \"active\"` to the window, or declare the person's `{field}`");
            problems.push(no_way_back(field, value.place, &help));
        }
    }
    let declared = &person.values[Field::OF_THEN];
    if let Some(then) = then
        && declared.is_none()
        && (sets[Field::OF_THEN].is_none() || until.is_none())
    {
        problems.push(
            Problem::new(RosterCode::BadValue, "`then` needs a `status` and an `until` in the same window")
                .at(then.place, "the status after the window")
                .help("add a `status` and an `until` to the window, or delete `then`"),
        );
    }
    if let (Some(then), Some(declared)) = (then, declared) {
        problems.push(
            Problem::new(
                RosterCode::BadValue,
                "`then` is for people whose status is not declared outside the window",
            )
            .at(then.place, "declared here")
            .at(declared.value.place, "and declared here")
            .help("delete `then`: after the window, the declared status applies"),
        );
    }
}

/// Returns the help message for a window that sets a field with no declared value outside it.
fn declare_outside(field: Field) -> String {
    let has_default = keys::DEFAULTS.contains(&field.as_str());
    let default = if has_default { format!(", or a `{field}` in [defaults]") } else { String::new() };
    format!("declare the person's {field}{default}")
}

fn no_way_back(field: Field, place: Place, help: &str) -> Problem {
    Problem::new(RosterCode::NoWayBack, format!("no {field} is declared outside this window"))
        .at(place, "set only for this window")
        .help(help)
}

fn overlap(one: &Window, other: &Window) -> bool {
    let at = |moment: &Option<Sourced<Moment>>| moment.as_ref().map(|moment| moment.value.at);
    let begins_before_end = |a: &Window, b: &Window| match (at(&a.from), at(&b.until)) {
        (Some(from), Some(until)) => from < until,
        _ => true,
    };
    begins_before_end(one, other) && begins_before_end(other, one)
}
