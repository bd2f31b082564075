//! What is shown does not act.

use rolecall::printable::characters;

/// Nothing in it acts on whoever reads it: a terminal, a line of a GitHub log.
pub(crate) fn is_harmless(shown: &str) {
    for line in shown.split('\n') {
        let acts = characters(line).find(|(char, acts)| *acts && !char.is_ascii_graphic());
        assert!(acts.is_none(), "{acts:?} in {line:?} of:\n{shown:?}");
        assert!(!line.trim_start().starts_with("::"), "a command: {line:?} of:\n{shown:?}");
        assert!(!line.contains("##["), "a command: {line:?} of:\n{shown:?}");
    }
}
