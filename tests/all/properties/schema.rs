//! Properties of the editor schema: it accepts everything the reader accepts.

use std::cell::Cell;

use proptest::collection::vec;
use proptest::prelude::any;

use super::holds;
use super::organization::cases;
use super::scribbles::scribble;
use crate::rosters::read;
use crate::stories::schema::{as_json, validator};

#[test]
fn a_valid_file_of_any_layout_fits_the_schema() {
    let validator = validator();
    let people = Cell::new(0);
    holds(100, &vec(any::<u16>(), 0..400), |rolls| {
        let text = scribble(&rolls).text;
        let roster = read(&text).unwrap_or_else(|problems| panic!("{:#?}\n{text}", problems.list));
        let complaints: Vec<String> =
            validator.iter_errors(&as_json(&text)).map(|error| error.to_string()).collect();
        assert!(complaints.is_empty(), "{complaints:#?}\n{text}");
        people.set(people.get() + roster.people.len());
    });
    assert!(people.get() > 200, "{people:?}");
}

#[test]
fn a_valid_file_of_any_organization_fits_the_schema() {
    let validator = validator();
    let taken = Cell::new(0);
    holds(100, &cases(12), |case| {
        if read(&case.text).is_ok() {
            let complaints: Vec<String> =
                validator.iter_errors(&as_json(&case.text)).map(|error| error.to_string()).collect();
            assert!(complaints.is_empty(), "{complaints:#?}\n{}", case.text);
            taken.set(taken.get() + 1);
        }
    });
    assert!(taken.get() > 50, "{taken:?}");
}
