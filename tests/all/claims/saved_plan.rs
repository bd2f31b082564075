//! Any saved plan that parses survives a round trip through JSON and admits only its own changes.

use std::collections::BTreeSet;

use pretty_assertions::assert_eq;
use ring::digest::{SHA256, digest};
use rolecall::desired::Origin;
use rolecall::observed::{ObservedState, Organization, RoleCatalog, UserId};
use rolecall::plan::saved::{Binding, Operation, SavedPlan, Step};
use rolecall::plan::{Change, Edit, Plan, Subject};
use rolecall::problem::Problems;
use rolecall::roster::{Email, Field};
use rolecall::source::{Place, Sourced, Sources};
use serde_json::Value;

use super::is_explained;

pub(super) fn holds(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    read_or_explained(text);
    if let Some(with_valid_checksum) = with_valid_checksum(text) {
        read_or_explained(&with_valid_checksum);
    }
}

fn read_or_explained(text: &str) {
    let saved = match SavedPlan::parse(text) {
        Ok(saved) => saved,
        Err(problem) => {
            assert!(problem.code.starts_with("saved_plan::"), "{problem:?}");
            return is_explained(&Problems::from(problem));
        }
    };
    assert_eq!(SavedPlan::parse(&saved.to_json()).as_ref(), Ok(&saved));
    let value: Value = serde_json::from_str(text).expect("JSON");
    assert!(value.is_object(), "{text}");
    admits_only_its_changes(&saved, &value);
}

/// Corrects a plan's checksum, which a fuzzer can't guess. Returns `None` if the text isn't a plan.
fn with_valid_checksum(text: &str) -> Option<String> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    let mut seal = |checksum: String| {
        *value.get_mut("checksum")? = checksum.into();
        Some(serde_json::from_value::<SavedPlan>(value.clone()).ok()?.to_json())
    };
    let unsigned = seal(String::new())?;
    let digest = digest(&SHA256, unsigned.as_bytes());
    seal(digest.as_ref().iter().fold("sha256:".to_owned(), |text, byte| text + &format!("{byte:02x}")))
}

fn admits_only_its_changes(saved: &SavedPlan, value: &Value) {
    let text = |key: &str| value[key].as_str().expect("a text").to_owned();
    let (organization, host, files) = (text("organization"), text("host"), text("files"));
    let binding = Binding { host: &host, files: &files };
    let operations: Vec<Operation> = serde_json::from_value(value["operations"].clone()).expect("operations");
    let changes: Vec<Change> = operations.iter().filter_map(change).collect();
    let organization = Organization { id: organization, name: String::new() };
    let observed = ObservedState::new(organization, None, rolecall::observed::RoleCatalog::default());
    let plan = |changes: Vec<Change>| Plan { changes, ..Plan::empty(&observed, 0) };
    assert_eq!(saved.admits(&plan(Vec::new()), binding, &RoleCatalog::default()), Ok(operations.len()));
    let addresses: BTreeSet<&str> = operations.iter().map(|operation| operation.email.as_str()).collect();
    let in_sync =
        saved.admits(&plan(changes.clone()), binding, &RoleCatalog::default()).expect("the changes in it");
    assert!(in_sync + changes.len() <= operations.len() && addresses.len() <= operations.len());
    for mut altered in changes {
        altered.edits = vec![Edit {
            field: Field::Role,
            from: vec!["a".into()],
            to: "another".into(),
            through_scim: Vec::new(),
            place: altered.subject.email.place,
            origin: Origin::Person,
        }];
        let is_in_it = operations.contains(&Operation::new(&altered));
        let admitted = saved.admits(&plan(vec![altered]), binding, &RoleCatalog::default());
        assert_eq!(admitted.is_ok(), is_in_it, "{admitted:?}");
        if let Err(problem) = admitted {
            is_explained(&Problems::from(problem));
        }
    }
    for foreign in [Binding { host: "elsewhere", ..binding }, Binding { files: "sha256:00", ..binding }] {
        let is_same = (foreign.host, foreign.files) == (binding.host, binding.files);
        let admitted = saved.admits(&plan(Vec::new()), foreign, &RoleCatalog::default());
        assert_eq!(admitted.is_ok(), is_same);
        if let Err(problem) = admitted {
            is_explained(&Problems::from(problem));
        }
    }
}

/// Converts an operation into a change, or returns `None` if no plan could contain that change.
fn change(operation: &Operation) -> Option<Change> {
    let place = Place::new(Sources::default().add("users.toml".into(), String::new()), 0..0);
    let subject = Subject {
        email: Sourced::new(Email::observed(&operation.email), place),
        id: UserId::new(&operation.user)?,
        primary: Email::observed(&operation.email),
        secondary: Vec::new(),
        name: String::new(),
    };
    let edit = |step: &Step| Edit {
        field: step.field,
        from: step.from.iter().map(|value| value.as_str().into()).collect(),
        to: step.to.as_str().into(),
        through_scim: Vec::new(),
        place,
        origin: Origin::Person,
    };
    Some(Change { subject, edits: operation.edits.iter().map(edit).collect() })
}
