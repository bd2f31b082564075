//! Properties of a saved plan: it admits the reviewed changes, a subset of them, or none.

use std::cell::Cell;

use pretty_assertions::assert_eq;
use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_oneof};
use proptest::sample::{Index, select};
use rolecall::observed::{RoleCatalog, UserId};
use rolecall::plan::saved::{Binding, Operation, SavedPlan};
use rolecall::plan::{Change, Plan};
use rolecall::roster::Email;
use serde_json::Value;

use super::holds;
use super::organization::cases;

const BINDING: Binding<'static> = Binding { host: "us", files: "sha256:00" };

fn save(plan: &Plan) -> SavedPlan {
    SavedPlan::new(plan, BINDING, "2026-11-20T08:00:00Z".into(), Value::Null)
}

/// Generates plans with at least one change.
fn plans() -> impl Strategy<Value = Plan> {
    cases(5).prop_filter_map("a plan that changes something", |case| {
        case.resolve().plan().ok().filter(|plan| !plan.changes.is_empty())
    })
}

#[test]
fn a_saved_plan_reads_back_unchanged() {
    holds(60, &plans(), |plan| {
        let saved = save(&plan);
        let json = saved.to_json();
        let back = SavedPlan::parse(&json).expect("what was written");
        assert_eq!(back, saved);
        assert_eq!(back.to_json(), json);
    });
}

#[test]
fn a_saved_plan_admits_any_subset_of_the_reviewed_changes() {
    holds(60, &(plans(), any::<u64>()), |(plan, mask)| {
        let saved = SavedPlan::parse(&save(&plan).to_json()).unwrap();
        let is_left = |index: usize| mask >> (index % 64) & 1 == 1;
        let part: Vec<Change> = plan
            .changes
            .iter()
            .enumerate()
            .filter(|(index, _)| is_left(*index))
            .map(|(_, change)| change.clone())
            .collect();
        let in_sync = plan.changes.len() - part.len();
        assert_eq!(
            saved.admits(&Plan { changes: part, ..plan }, BINDING, &RoleCatalog::default()),
            Ok(in_sync)
        );
    });
}

/// Alters one part of a change. Returns `false` if the change doesn't have that part.
type Alteration = fn(&mut Change) -> bool;

const ALTERATIONS: [Alteration; 8] = [
    |change| {
        change.subject.id = UserId::new("u_other").unwrap();
        true
    },
    |change| {
        change.subject.email.value = Email::observed("other@acme.example");
        true
    },
    |change| change.edits.first_mut().map(|edit| edit.to = "other".into()).is_some(),
    |change| change.edits.last_mut().map(|edit| edit.to = "other".into()).is_some(),
    |change| change.edits.first_mut().map(|edit| edit.from.push("other".into())).is_some(),
    |change| change.edits.last_mut().map(|edit| edit.from.push("other".into())).is_some(),
    |change| change.edits.len() > 1 && change.edits.pop().is_some(),
    |change| {
        let is_several = change.edits.len() > 1;
        change.edits.reverse();
        is_several && change.edits.pop().is_some()
    },
];

#[test]
fn a_saved_plan_refuses_any_new_or_altered_change() {
    let exercised: [Cell<u32>; ALTERATIONS.len()] = Default::default();
    holds(120, &(plans(), any::<Index>(), 0..ALTERATIONS.len()), |(plan, which, how)| {
        let saved = save(&plan);
        let which = which.index(plan.changes.len());
        let mut altered = plan.changes[which].clone();
        if !ALTERATIONS[how](&mut altered) {
            return;
        }
        exercised[how].set(exercised[how].get() + 1);
        let mut instead = plan.clone();
        instead.changes[which] = altered.clone();
        assert!(
            saved.admits(&instead, BINDING, &RoleCatalog::default()).is_err(),
            "{:?} instead",
            Operation::new(&altered)
        );
        let mut beside = plan.clone();
        beside.changes.push(altered.clone());
        assert!(
            saved.admits(&beside, BINDING, &RoleCatalog::default()).is_err(),
            "{:?} beside",
            Operation::new(&altered)
        );
        // Save the plan without one of its changes.
        let mut fewer = plan.clone();
        fewer.changes.remove(which);
        assert!(save(&fewer).admits(&plan, BINDING, &RoleCatalog::default()).is_err());
    });
    assert!(exercised.iter().all(|times| times.get() > 0), "{exercised:?}");
}

#[test]
fn a_saved_plan_is_bound_to_its_organization_host_and_files() {
    holds(20, &plans(), |plan| {
        let saved = save(&plan);
        assert!(saved.admits(&plan, Binding { host: "eu", ..BINDING }, &RoleCatalog::default()).is_err());
        assert!(
            saved.admits(&plan, Binding { files: "sha256:01", ..BINDING }, &RoleCatalog::default()).is_err()
        );
        let mut elsewhere = plan.clone();
        elsewhere.organization.id = "org_2".into();
        assert!(saved.admits(&elsewhere, BINDING, &RoleCatalog::default()).is_err());
    });
}

/// An edit to a single byte or a range of a file.
#[derive(Debug, Clone)]
enum Edit {
    Replace(Index, u8),
    Insert(Index, u8),
    Remove(Index),
    /// Truncates the file.
    Cut(Index),
    /// Duplicates a range.
    Double(Index, Index),
}

fn edits() -> impl Strategy<Value = Vec<Edit>> {
    let byte = || prop_oneof![3 => select(b"0123456789abcdefu_\"\\{}[],: \nnull".to_vec()), 1 => any::<u8>()];
    let at = any::<Index>;
    let edit = prop_oneof![
        (at(), byte()).prop_map(|(at, byte)| Edit::Replace(at, byte)),
        (at(), byte()).prop_map(|(at, byte)| Edit::Insert(at, byte)),
        at().prop_map(Edit::Remove),
        at().prop_map(Edit::Cut),
        (at(), at()).prop_map(|(from, to)| Edit::Double(from, to)),
    ];
    vec(edit, 1..4)
}

fn edited(text: &str, edits: &[Edit]) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for edit in edits {
        let end = bytes.len();
        match edit {
            Edit::Replace(at, byte) if end > 0 => bytes[at.index(end)] = *byte,
            Edit::Insert(at, byte) => bytes.insert(at.index(end + 1), *byte),
            Edit::Remove(at) if end > 0 => drop(bytes.remove(at.index(end))),
            Edit::Cut(at) => bytes.truncate(at.index(end + 1)),
            Edit::Double(one, other) => {
                let (one, other) = (one.index(end + 1), other.index(end + 1));
                let stretch = bytes[one.min(other)..one.max(other)].to_vec();
                bytes.splice(one.min(other)..one.min(other), stretch);
            }
            Edit::Replace(..) | Edit::Remove(_) => {}
        }
    }
    bytes
}

#[test]
fn an_edited_saved_plan_is_refused_or_has_the_same_meaning() {
    let (plan, refused) = (plans(), Cell::new(0));
    holds(120, &(plan, edits()), |(plan, edits)| {
        let saved = save(&plan);
        let bytes = edited(&saved.to_json(), &edits);
        let Ok(text) = std::str::from_utf8(&bytes) else { return };
        match SavedPlan::parse(text) {
            Ok(same) => assert_eq!(same, saved, "{text}"),
            Err(_) => refused.set(refused.get() + 1),
        }
    });
    assert!(refused.get() > 60, "{refused:?} were refused");
}
