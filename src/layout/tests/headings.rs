//! Tests that group headings stay above the same people and in the same order.

use super::becomes;

/// The test cases. Each one has a description, an input, and the expected layout, which is left out if it's the same as the input.
const CASES: &str = include_str!("headings.txt");
/// The replacement for the placeholder `WINDOWS` in the cases.
const WINDOWS: &str = "windows = [\n  { until = 2027-01-03, role = \"B\" },\n]";

#[test]
fn headings_stay_above_the_same_people_for_all_line_ends() {
    let cases: Vec<&str> = CASES.split("=== ").skip(1).collect();
    assert_eq!(cases.len(), 25);
    for case in cases {
        println!("{case}"); // shows up only if the case fails
        let (_claim, texts) = case.split_once('\n').expect("a claim");
        let (before, after) = texts.split_once("--->\n").unwrap_or((texts, texts));
        for eol in ["\n", "\r\n"] {
            let text = |text: &str| text.trim_end().replace("WINDOWS", WINDOWS).replace('\n', eol) + eol;
            becomes(&text(before), &text(after));
        }
    }
}
