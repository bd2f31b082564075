//! Tests for search filters, limits, cursors, and the settings for unknown behavior of the real API.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn an_address_in_any_case_finds_its_primary_or_secondary_owner() {
    let mut world = world();
    assert_eq!(found(&mut world, &email("equals", &["ANA@acme.example"])), ["u_ana"]);
    assert_eq!(found(&mut world, &email("equals", &["ana@OLD.example"])), ["u_ana"]);
    assert_eq!(found(&mut world, &email("equals", &["nobody@acme.example"])), Vec::<String>::new());
    let several =
        ["dee@acme.example", "bo@acme.example", "ana@old.example", "ana@acme.example", "cy@acme.example"];
    assert_eq!(found(&mut world, &email("in", &several)), ["u_ana", "u_bo", "u_cy", "u_dee"]);
    assert_eq!(
        found(&mut world, &email("not_in", &["ana@old.example", "BO@acme.example"])),
        ["u_cy", "u_dee"]
    );
    assert_eq!(found(&mut world, &email("in", &[])), Vec::<String>::new());
    assert_eq!(found(&mut world, &email("not_in", &[])).len(), 4);
}

#[test]
fn unknown_behavior_of_the_real_api_is_a_setting() {
    let mut world = with(ApiSettings { search_ignores_case: false, ..ApiSettings::default() });
    assert_eq!(found(&mut world, &email("equals", &["bo@acme.example"])), Vec::<String>::new());
    assert_eq!(found(&mut world, &email("equals", &["Bo@acme.example"])), ["u_bo"]);
    let mut world = with(ApiSettings { search_matches_secondary: false, ..ApiSettings::default() });
    assert_eq!(found(&mut world, &email("equals", &["ana@old.example"])), Vec::<String>::new());
    let mut world = with(ApiSettings { search_returns_deactivated: false, ..ApiSettings::default() });
    assert_eq!(found(&mut world, &email("equals", &["cy@acme.example"])), Vec::<String>::new());
    assert_eq!(found(&mut world, &email("not_in", &[])), ["u_ana", "u_bo", "u_dee"]);
    let mut world = with(ApiSettings { max_filter_values: Some(2), ..ApiSettings::default() });
    assert_eq!(found(&mut world, &email("in", &["a", "dee@acme.example"])), ["u_dee"]);
    let three = json!({ "filter": email("in", &["a", "b", "c"]) });
    let request = ask("POST", "/users/search").body(three.to_string());
    assert_eq!(refused(&mut world, &request), (413, "payload_too_large".to_owned()));
}

#[test]
fn the_setting_decides_the_form_of_an_empty_list() {
    let without_results = ask("POST", "/users/search")
        .body(json!({ "filter": email("equals", &["nobody@acme.example"]) }).to_string());
    let requests = [without_results, ask("POST", "/audit-logs/search").body("{}"), ask("GET", "/users")];
    for request in requests {
        for (empty_data, data) in [
            (EmptyData::Omitted, None),
            (EmptyData::Null, Some(Value::Null)),
            (EmptyData::List, Some(json!([]))),
        ] {
            let settings = ApiSettings { empty_data, ..ApiSettings::default() };
            let people = [WrittenUser::new("cy@acme.example", "viewer").deactivated()];
            let mut world = world_of(SandboxState::with_users(people).settings(settings));
            let mut answer = ok(&mut world, &request);
            let keys = answer.as_object_mut().unwrap();
            assert!(keys.remove("request_id").is_some());
            assert_eq!(keys.remove("data"), data, "{request:?}");
            assert!(keys.is_empty(), "{request:?}: {keys:?}");
        }
    }
    assert_eq!(ApiSettings::default().empty_data, EmptyData::Omitted);
}

#[test]
fn filters_nest_three_deep_and_not_four() {
    let mut world = world();
    let and = |parts: Vec<Value>| json!({ "operator": "and", "subfilters": parts });
    let or = |parts: Vec<Value>| json!({ "operator": "or", "subfilters": parts });
    let (ana, bo) = (email("equals", &["ana@acme.example"]), email("equals", &["bo@acme.example"]));
    let not_ana = email("not_in", &["ana@acme.example"]);
    assert_eq!(found(&mut world, &and(vec![ana.clone(), bo.clone()])), Vec::<String>::new());
    assert_eq!(found(&mut world, &or(vec![bo.clone(), ana.clone(), ana.clone()])), ["u_ana", "u_bo"]);
    assert_eq!(found(&mut world, &or(vec![ana.clone(), not_ana.clone()])).len(), 4);
    let three = and(vec![not_ana, or(vec![ana.clone(), bo.clone()])]);
    assert_eq!(found(&mut world, &three), ["u_bo"]);
    assert_eq!(found(&mut world, &and(vec![])).len(), 4);
    assert_eq!(found(&mut world, &or(vec![])), Vec::<String>::new());
    let four = json!({ "filter": and(vec![or(vec![and(vec![ana])])]) });
    let request = ask("POST", "/users/search").body(four.to_string());
    assert_eq!(refused(&mut world, &request), (400, "invalid_request_body".to_owned()));
}

#[test]
fn an_invalid_search_is_400() {
    let mut world = world();
    let all = email("not_in", &[]);
    let bodies = [
        String::new(),
        "{".to_owned(),
        "[]".to_owned(),
        "{}".to_owned(),
        json!({ "filter": null }).to_string(),
        json!({ "filter": all, "limit": 0 }).to_string(),
        json!({ "filter": all, "limit": 1000 }).to_string(),
        json!({ "filter": all, "limit": 1001 }).to_string(),
        json!({ "filter": all, "limit": -1 }).to_string(),
        json!({ "filter": all, "limit": "5" }).to_string(),
        json!({ "filter": all, "cursor": "made-up" }).to_string(),
        json!({ "filter": {} }).to_string(),
        json!({ "filter": { "field": "email" } }).to_string(),
        json!({ "filter": { "operator": "equals", "value": "a" } }).to_string(),
        json!({ "filter": { "field": "name", "operator": "equals", "value": "a" } }).to_string(),
        json!({ "filter": { "field": "email", "operator": "contains", "value": "a" } }).to_string(),
        json!({ "filter": { "field": "email", "operator": "equals", "values": ["a"] } }).to_string(),
        json!({ "filter": { "field": "email", "operator": "equals", "value": 7 } }).to_string(),
        json!({ "filter": { "field": "email", "operator": "in", "value": "a" } }).to_string(),
        json!({ "filter": { "operator": "and" } }).to_string(),
        json!({ "filter": ["email", "equals", "bo@acme.example", null, null] }).to_string(),
        json!([all, null, null]).to_string(),
    ];
    for body in bodies {
        let request = ask("POST", "/users/search").body(body.clone());
        assert_eq!(refused(&mut world, &request), (400, "invalid_request_body".to_owned()), "{body}");
    }
}

#[test]
fn unknown_keys_are_ignored_and_whole_numbers_may_be_floats() {
    let filter = json!({ "field": "email", "operator": "equals", "value": "bo@acme.example", "x": 1 });
    let body = json!({ "filter": filter, "limit": 100.0, "y": 2 });
    assert_eq!(ids(&search(&mut world(), &body)), ["u_bo"]);
    for wrong in [
        json!({ "filter": filter, "limit": 1.5 }),
        json!({ "filter": filter, "limit": null }),
        json!({ "filter": filter, "cursor": null }),
    ] {
        assert_eq!(
            refused(&mut world(), &ask("POST", "/users/search").body(wrong.to_string())).0,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn paging_returns_every_match_once_for_any_filter() {
    let state = SandboxState::invented(50);
    let addresses: Vec<String> = world_of(state.clone()).users().map(|person| person.email).collect();
    let addresses: Vec<&str> = addresses.iter().map(String::as_str).collect();
    let mut world = world_of(state).with_limits(Limits::off());
    for filter in [email("not_in", &[]), email("in", &addresses), email("not_in", &addresses[..7])] {
        let whole = ids(&search(&mut world, &json!({ "filter": filter, "limit": 999 })));
        for limit in [1, 7, 25, 43, 50, 999] {
            let (mut met, mut cursor) = (Vec::new(), String::new());
            loop {
                let answer =
                    search(&mut world, &json!({ "filter": filter, "limit": limit, "cursor": cursor }));
                assert!(answer["data"].as_array().unwrap().len() <= limit);
                met.extend(ids(&answer));
                assert_eq!(answer["pagination"].is_null(), met.len() == whole.len());
                match answer["pagination"]["cursor"].as_str() {
                    Some(next) => cursor = next.to_owned(),
                    None => break,
                }
            }
            assert_eq!(met, whole, "limit {limit}");
        }
    }
}

#[test]
fn a_cursor_is_valid_only_for_its_filter() {
    let mut world = world();
    let first = search(&mut world, &json!({ "filter": email("not_in", &[]), "limit": 1 }));
    let body =
        json!({ "filter": email("not_in", &["x"]), "limit": 1, "cursor": first["pagination"]["cursor"] });
    let request = ask("POST", "/users/search").body(body.to_string());
    assert_eq!(refused(&mut world, &request), (400, "invalid_request_body".to_owned()));
}

#[test]
fn a_page_has_100_users_by_default() {
    let mut world = world_of(SandboxState::invented(101));
    let answer = search(&mut world, &json!({ "filter": email("not_in", &[]) }));
    assert_eq!((ids(&answer).len(), &answer["pagination"]["has_next_page"]), (100, &json!(true)));
}
