//! Checks that a string doesn't contain anything a terminal or GitHub runner would act on.

use rolecall::printable::characters;

pub(crate) fn is_harmless(shown: &str) {
    for line in shown.split('\n') {
        let acts = characters(line).find(|(char, acts)| *acts && !char.is_ascii_graphic());
        assert!(acts.is_none(), "{acts:?} in {line:?} of:\n{shown:?}");
        assert!(!line.trim_start().starts_with("::"), "a command: {line:?} of:\n{shown:?}");
        assert!(!line.contains("##["), "a command: {line:?} of:\n{shown:?}");
    }
}
