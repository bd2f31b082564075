//! The context of a single request: its ID and the misleading fault injected into it, if any (see `Fault::is_misleading`).
//!
//! The context also tracks whether the fault had an effect. `faults` decides which requests get a fault, while `answers` and
//! `patch` apply misleading faults when they process a request.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::message::to_bytes;

/// Fields of a user that clients don't need, so the fault `field-missing` never removes them.
const DISPENSABLE: [&str; 2] = ["avatar_url", "name"];

#[derive(Debug)]
pub(super) struct RequestContext {
    pub(super) request_id: String,
    /// The misleading fault injected into this request, if any (see [`Fault::is_misleading`]).
    fault: Option<Fault>,
    /// The number of earlier requests that this fault affected, which [`Self::choose`] uses to vary the fault's effect.
    turn: u64,
    /// Whether the fault has affected this request so far.
    pub(super) had_effect: bool,
}

impl RequestContext {
    pub(super) fn new(request_id: String, fault: Option<Fault>, turn: u64) -> Self {
        Self { request_id, fault, turn, had_effect: false }
    }

    /// Returns `true` if `fault` was injected into this request and `has_effect` says that the fault would make a difference
    /// here. If so, also sets `had_effect`.
    pub(super) fn acts(&mut self, fault: Fault, has_effect: bool) -> bool {
        let acts = has_effect && self.fault == Some(fault);
        self.had_effect |= acts;
        acts
    }

    /// Chooses which of `count` items the fault affects, and returns its index. The choice cycles through the items, moving on
    /// each time the fault fires.
    pub(super) fn choose(&self, count: usize) -> usize {
        usize::try_from(self.turn).unwrap_or(0) % count.max(1)
    }

    /// If the injected fault is `field-missing` and the response body contains users, removes a field from one of them.
    pub(super) fn remove_field(&mut self, body: Vec<u8>) -> Vec<u8> {
        if self.fault != Some(Fault::FieldMissing) {
            return body;
        }
        let Ok(mut response) = serde_json::from_slice::<Value>(&body) else { return body };
        let users: Vec<&mut Map<String, Value>> = match &mut response["data"] {
            Value::Object(user) => vec![user],
            Value::Array(users) => users.iter_mut().filter_map(Value::as_object_mut).collect(),
            _ => Vec::new(),
        };
        let at = self.choose(users.len());
        let Some(user) = users.into_iter().nth(at) else { return body };
        let needed: Vec<String> =
            user.keys().filter(|field| !DISPENSABLE.contains(&field.as_str())).cloned().collect();
        let Some(field) = needed.get(self.choose(needed.len())) else { return body };
        user.remove(field);
        self.had_effect = true;
        to_bytes(&response)
    }
}
