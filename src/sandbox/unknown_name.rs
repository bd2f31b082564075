//! The error message for a name that doesn't exist in the sandbox.

use crate::spelling::did_you_mean;

/// Returns `there is no role X; did you mean Y?; there are A, Y, Z`.
pub(super) fn unknown_name(what: &str, name: &str, known: &[&str]) -> String {
    let hint = did_you_mean(name, known.iter().copied())
        .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("there is no {what} `{name}`{hint}; there are {}", known.join(", "))
}
