//! The context of a single request: its ID and the misleading fault injected into it, if any.
//!
//! The context also tracks whether the fault had an effect. `faults` decides which requests get a fault, while `answers` and
//! `patch` decide where in the processing the fault acts.

use serde_json::{Map, Value};

use super::fault::Fault;
use super::message::to_bytes;

/// Fields that clients can do without. The fault `field-missing` never removes them.
const DISPENSABLE: [&str; 2] = ["avatar_url", "name"];

#[derive(Debug)]
pub(super) struct RequestContext {
    pub(super) request_id: String,
    /// The misleading fault injected into this request, if any.
    fault: Option<Fault>,
    /// The number of times the fault has fired before, used to vary its effect.
    turn: u64,
    /// Whether the fault has had an effect so far.
    pub(super) had_effect: bool,
}

impl RequestContext {
    pub(super) fn new(request_id: String, fault: Option<Fault>, turn: u64) -> Self {
        Self { request_id, fault, turn, had_effect: false }
    }

    /// Returns `true` if `fault` was injected into this request and `has_effect` is set. If so, records the effect.
    pub(super) fn acts(&mut self, fault: Fault, has_effect: bool) -> bool {
        let acts = has_effect && self.fault == Some(fault);
        self.had_effect |= acts;
        acts
    }

    /// Returns a number below `count` that varies each time the fault fires.
    pub(super) fn choose(&self, count: usize) -> usize {
        usize::try_from(self.turn).unwrap_or(0) % count.max(1)
    }

    /// If the fault is `field-missing` and the body contains a user, removes one of the user's fields.
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
