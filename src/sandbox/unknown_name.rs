//! The error message for an unknown name, such as the name of a role or a fault.

use crate::spelling::did_you_mean;

/// Returns a message such as ``unknown role `X`; did you mean `Y`? (known: A, Y, Z)``.
pub(super) fn unknown_name(what: &str, name: &str, known: &[&str]) -> String {
    let hint = did_you_mean(name, known.iter().copied())
        .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("unknown {what} `{name}`{hint} (known: {})", known.join(", "))
}
