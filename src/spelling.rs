//! Finds the best match for a "did you mean" suggestion.

/// Returns the string in `known` that is most similar to `written`, or `None` if no string is similar enough. A string that
/// differs only in case takes precedence.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let lower = written.to_lowercase();
    if let Some(same) = known.iter().find(|name| name.to_lowercase() == lower) {
        return Some(same);
    }
    similar::get_close_matches(written, &known, 1, 0.7).first().copied()
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    #[test]
    fn a_typo_is_matched_and_an_unrelated_word_is_not() {
        let known = ["Admin", "Member", "Viewer"];
        assert_eq!(did_you_mean("Amdin", known), Some("Admin"));
        assert_eq!(did_you_mean("member", known), Some("Member"));
        assert_eq!(did_you_mean("Owner of everything", known), None);
    }
}
