//! Property tests for windows: at any instant, a person has the value that the documentation specifies.

use std::fmt::Write;

use jiff::{SignedDuration, Timestamp};
use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::Strategy;
use proptest::sample::select;
use rolecall::roster::Field;

use super::holds;
use crate::rosters::read;

/// Midnight UTC on the day before daylight saving time starts in Berlin.
const START: &str = "2026-03-28T00:00:00Z";
/// Hours from [`START`] until Berlin switches from UTC+1 to UTC+2.
const FORWARD: i64 = 25;
const STATUSES: [&str; 3] = ["active", "away", "out_of_office"];
/// Number of hours that `then` stays in effect.
const THEN_HOURS: i64 = 48;

/// A window with times in hours since [`START`].
#[derive(Debug, Clone)]
struct Meant {
    from: Option<i64>,
    until: Option<i64>,
    role: Option<&'static str>,
    status: Option<&'static str>,
    then: Option<&'static str>,
    /// Selects the notation of each time.
    spelling: usize,
}

#[derive(Debug, Clone)]
struct Person {
    role: Option<&'static str>,
    status: Option<&'static str>,
    windows: Vec<Meant>,
    berlin: bool,
}

fn start() -> Timestamp {
    START.parse().unwrap()
}

fn instant(hours: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hours)
}

/// Writes a time in one of several notations: in UTC, with an offset, in the file's time zone, or (at midnight) as a date.
fn written(hours: i64, spelling: usize, berlin: bool) -> String {
    let zone = if !berlin {
        0
    } else if hours < FORWARD {
        1
    } else {
        2
    };
    let shown = |offset_minutes: i64| {
        let local = instant(hours) + SignedDuration::from_mins(offset_minutes);
        local.to_string().trim_end_matches('Z').to_owned()
    };
    let local = shown(zone * 60);
    match spelling {
        0 => shown(0) + "Z",
        1 => shown(330) + "+05:30",
        2 => shown(-180) + "-03:00",
        _ => local.strip_suffix("T00:00:00").map_or(local.clone(), str::to_owned),
    }
}

fn people() -> impl Strategy<Value = Person> {
    let role = || select(vec!["Admin", "Member", "Viewer"]);
    let status = || select(STATUSES.to_vec());
    let window = (
        option::weighted(0.9, 0..120_i64),
        option::weighted(0.9, 1..40_i64),
        option::of(role()),
        option::weighted(0.6, status()),
        status(),
        0..4_usize,
    );
    (option::weighted(0.8, role()), option::of(status()), vec(window, 0..4), 0..2_u8).prop_map(
        |(role, declared_status, windows, berlin)| {
            let windows = windows.into_iter().map(|(from, length, in_window, status, then, spelling)| {
                let until = length.map(|length| from.unwrap_or(0) + length);
                let needs_then = status.is_some() && until.is_some() && declared_status.is_none();
                Meant {
                    from,
                    until,
                    role: in_window,
                    status,
                    then: Some(then).filter(|_| needs_then),
                    spelling,
                }
            });
            Person { role, status: declared_status, windows: windows.collect(), berlin: berlin == 1 }
        },
    )
}

fn text(person: &Person) -> String {
    let mut fields = Vec::new();
    fields.extend(person.role.map(|role| format!("role = \"{role}\"")));
    fields.extend(person.status.map(|status| format!("status = \"{status}\"")));
    let windows: Vec<String> =
        person.windows.iter().map(|window| window_text(window, person.berlin)).collect();
    fields.push(format!("windows = [{}]", windows.join(", ")));
    let zone = if person.berlin { "Europe/Berlin" } else { "UTC" };
    format!("timezone = \"{zone}\"\n[users]\n\"bo@acme.example\" = {{ {} }}\n", fields.join(", "))
}

fn window_text(window: &Meant, berlin: bool) -> String {
    let Meant { from, until, role, status, then, spelling } = window;
    let mut text = String::from("{ ");
    for (key, time) in [("from", from), ("until", until)] {
        if let Some(hours) = time {
            write!(text, "{key} = {}, ", written(*hours, *spelling, berlin)).unwrap();
        }
    }
    for (key, word) in [("role", role), ("status", status), ("then", then)] {
        if let Some(word) = word {
            write!(text, "{key} = \"{word}\", ").unwrap();
        }
    }
    text.trim_end_matches([' ', ',']).to_owned() + " }"
}

/// Returns `true` if the window covers the instant, given in nanoseconds since [`START`].
fn covers(window: &Meant, at: i128) -> bool {
    window.from.is_none_or(|from| nanos(from) <= at) && window.until.is_none_or(|until| at < nanos(until))
}

fn nanos(hours: i64) -> i128 {
    i128::from(hours) * 3_600_000_000_000
}

/// Computes the role as described in docs/users-toml.md.
fn expected_role(person: &Person, at: i128) -> Option<&'static str> {
    person.windows.iter().filter(|window| covers(window, at)).find_map(|window| window.role).or(person.role)
}

/// Computes the status as described in docs/users-toml.md, for a person with the status `current` in Pylon.
fn expected_status(person: &Person, at: i128, current: &str) -> Option<&'static str> {
    let mut covering = person.windows.iter().filter(|window| covers(window, at));
    covering.find_map(|window| window.status).or(person.status).or_else(|| {
        let mut ended: Vec<(i64, &str, &str)> = Vec::new();
        for Meant { until, status, then, .. } in &person.windows {
            let (Some(until), Some(status), Some(then)) = (until, status, then) else { continue };
            let age = at - nanos(*until);
            if (0..nanos(THEN_HOURS)).contains(&age) {
                ended.push((*until, status, then));
            }
        }
        ended.sort_unstable();
        // Find the most recently ended window whose status is the current one.
        let (number, (_, _, mut result)) =
            ended.iter().copied().enumerate().rfind(|(_, (_, status, _))| *status == current)?;
        let later = &ended[number + 1..];
        if later.iter().any(|(_, _, then)| *then == current) {
            return None;
        }
        for (_, status, then) in later {
            if result == *status {
                result = then;
            }
        }
        STATUSES.into_iter().find(|status| *status == result)
    })
}

/// Returns `true` if the windows are valid according to docs/users-toml.md.
fn is_sound(person: &Person) -> bool {
    let meet = |one: &Meant, other: &Meant| {
        let last = 200 * 3_600_000_000_000;
        (0..last / 3_600_000_000_000).any(|hour| covers(one, nanos(hour)) && covers(other, nanos(hour)))
            // Also compare the times before and after all windows.
            || covers(one, i128::MIN) && covers(other, i128::MIN)
            || covers(one, i128::MAX) && covers(other, i128::MAX)
    };
    let clash = |one: &Meant, other: &Meant| {
        let both =
            one.role.is_some() && other.role.is_some() || one.status.is_some() && other.status.is_some();
        both && meet(one, other)
    };
    let alone = |window: &Meant| {
        let says_something = window.role.is_some() || window.status.is_some();
        let has_way_back = window.role.is_none() || person.role.is_some();
        says_something && has_way_back
    };
    person.windows.iter().all(alone)
        && person
            .windows
            .iter()
            .enumerate()
            .all(|(index, window)| person.windows[..index].iter().all(|earlier| !clash(earlier, window)))
}

#[test]
fn windows_give_the_documented_value_at_every_instant() {
    let (mut sound, mut instants) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    holds(500, &(people(), vec(0..250 * 3_600_000_i64, 8)), |(person, at_random)| {
        let roster = match read(text(&person)) {
            Ok(roster) => roster,
            Err(problems) => {
                assert!(!is_sound(&person), "refused: {:#?}\n{}", problems.list, text(&person));
                return;
            }
        };
        assert!(is_sound(&person), "accepted:\n{}", text(&person));
        sound.set(sound.get() + 1);
        let edges = person.windows.iter().flat_map(|window| window.from.into_iter().chain(window.until));
        let and_then = person.windows.iter().filter_map(|window| Some(window.until? + THEN_HOURS));
        let edges = edges.chain(and_then).flat_map(|hours| (-1..=1).map(move |by| nanos(hours) + by));
        let at_random = at_random.into_iter().map(|millis| i128::from(millis) * 1_000_000);
        for at in edges.chain(at_random) {
            let now = Timestamp::from_nanosecond(start().as_nanosecond() + at).unwrap();
            let resolved = roster.resolve_at(now);
            let desired = &resolved.people[0];
            let role = desired.values.role.as_ref().map(|role| role.value.value.to_string());
            assert_eq!(role.as_deref(), expected_role(&person, at), "at {now}:\n{}", text(&person));
            for current in STATUSES.into_iter().chain([""]) {
                let status = |current: &str| {
                    desired.value_for(Field::Status, current).map(|status| &*status.value.value)
                };
                let found = status(current);
                let text = || format!("{current} at {now}:\n{}", text(&person));
                assert_eq!(found, expected_status(&person, at, current), "{}", text());
                // One apply is enough: a second one must not change the values set by the first.
                let set = found.unwrap_or(current);
                assert_eq!(status(set).unwrap_or(set), set, "{}", text());
            }
            instants.set(instants.get() + 1);
        }
    });
    assert!(*sound.get_mut() > 200 && *instants.get_mut() > 2000, "{sound:?} rosters, {instants:?} instants");
}
