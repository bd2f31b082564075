//! Tests for the audit log: what it records and how it can be searched.

use pretty_assertions::assert_eq;

use super::*;

fn history() -> World {
    let mut world = world_of(draft().token_user("u_dee")).with_limits(Limits::off());
    let mut at = |seconds: u64, request: &Request| {
        assert_eq!(world.handle(Duration::from_secs(seconds), request).status, 200);
    };
    at(1, &patch("u_ana", &json!({ "role_id": "role_viewer" })));
    at(2, &patch("u_ana", &json!({ "status": "away" })));
    at(3, &patch("u_bo", &json!({ "role_id": "role_admin", "status": "away" })));
    at(4, &patch("u_bo", &json!({ "role_id": "role_admin" })));
    world
}

fn objects(filter: &Value) -> Vec<String> {
    let body = if filter.is_null() { json!({}) } else { json!({ "filter": filter }) }.to_string();
    let answer = ok(&mut history(), &ask("POST", "/audit-logs/search").body(body));
    let brief = |entry: &Value| {
        format!("{} {}", entry["action"].as_str().unwrap(), entry["object_id"].as_str().unwrap())
    };
    entries(&answer).iter().map(brief).collect()
}

#[test]
fn a_change_is_recorded_with_who_when_and_what() {
    let answer = ok(&mut history(), &ask("POST", "/audit-logs/search").body("{}"));
    let mut oldest = answer["data"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(oldest.as_object_mut().unwrap().remove("id").unwrap().as_str().unwrap().len(), 36);
    assert_eq!(
        oldest,
        json!({
            "action": "UserRoleChanged", "action_happened_at": "2026-10-01T12:00:01Z", "created_at": "2026-10-01T12:00:01Z",
            "object_id": "u_ana", "object_type": "user", "source": "api", "actor_user_id": "u_dee",
            "attributes": { "old_role_id": "role_admin", "new_role_id": "role_viewer" },
        })
    );
}

#[test]
fn entries_are_newest_first_and_a_no_op_leaves_none() {
    assert_eq!(
        objects(&Value::Null),
        [
            "UserStatusChanged u_bo",
            "UserRoleChanged u_bo",
            "UserStatusChanged u_ana",
            "UserRoleChanged u_ana"
        ]
    );
}

#[test]
fn each_documented_filter_finds_its_entries() {
    let field = |field: &str, operator: &str, key: &str, value: Value| json!({ "field": field, "operator": operator, key: value });
    let (ana, bo) = (
        ["UserStatusChanged u_ana", "UserRoleChanged u_ana"],
        ["UserStatusChanged u_bo", "UserRoleChanged u_bo"],
    );
    let roles = ["UserRoleChanged u_bo", "UserRoleChanged u_ana"];
    assert_eq!(objects(&field("action", "equals", "value", json!("UserRoleChanged"))), roles);
    assert_eq!(objects(&field("action", "in", "values", json!(["UserRoleChanged"]))), roles);
    assert_eq!(objects(&field("action", "not_in", "values", json!(["UserStatusChanged"]))), roles);
    assert_eq!(objects(&field("action", "string_contains", "value", json!("Role"))), roles);
    assert_eq!(objects(&field("object_id", "equals", "value", json!("u_ana"))), ana);
    assert_eq!(objects(&field("object_id", "in", "values", json!(["u_ana", "u_x"]))), ana);
    assert_eq!(objects(&field("object_id", "not_in", "values", json!(["u_ana"]))), bo);
    let time = |operator: &str, time: &str| field("action_happened_at", operator, "value", json!(time));
    assert_eq!(objects(&time("time_is_after", "2026-10-01T12:00:02Z")), bo);
    assert_eq!(objects(&time("time_is_before", "2026-10-01T14:00:03+02:00")), ana);
    let range = json!(["2026-10-01T12:00:01Z", "2026-10-01T12:00:02Z"]);
    assert_eq!(objects(&field("action_happened_at", "time_range", "values", range)), ana);
    let both = json!({ "operator": "and", "subfilters": [
        field("action", "equals", "value", json!("UserRoleChanged")),
        field("object_id", "equals", "value", json!("u_bo")),
    ] });
    assert_eq!(objects(&both), ["UserRoleChanged u_bo"]);
}

#[test]
fn paging_ends_and_new_entries_do_not_shift_the_pages() {
    let mut world = history();
    let (mut actions, mut cursor) = (0, Value::from(""));
    let mut rounds = 0;
    loop {
        rounds += 1;
        let body = json!({ "limit": 1, "cursor": cursor }).to_string();
        let answer = ok(&mut world, &ask("POST", "/audit-logs/search").body(body));
        actions += answer["data"].as_array().unwrap().len();
        assert!(world.changed_by_someone_else(
            Duration::ZERO,
            "u_bo",
            None,
            Some(&format!("status {rounds}"))
        ));
        if answer["pagination"].is_null() {
            break;
        }
        cursor = answer["pagination"]["cursor"].clone();
    }
    assert_eq!((actions, rounds), (4, 4));
}

#[test]
fn an_invalid_search_is_400() {
    let mut world = history();
    for filter in [
        json!({ "field": "actor", "operator": "equals", "value": "x" }),
        json!({ "field": "action", "operator": "time_is_after", "value": "2026-10-01T12:00:02Z" }),
        json!({ "field": "object_id", "operator": "string_contains", "value": "x" }),
        json!({ "field": "action_happened_at", "operator": "equals", "value": "2026-10-01T12:00:02Z" }),
        json!({ "field": "action_happened_at", "operator": "time_is_after", "value": "yesterday" }),
        json!({ "field": "action_happened_at", "operator": "time_range", "values": ["2026-10-01T12:00:02Z"] }),
        json!({ "field": "action", "operator": "equals" }),
    ] {
        let request = ask("POST", "/audit-logs/search").body(json!({ "filter": filter }).to_string());
        assert_eq!(refused(&mut world, &request), (400, "invalid_request_body".to_owned()), "{filter}");
    }
    for body in ["", "{", r#"{"limit":1000}"#, r#"{"cursor":"x"}"#] {
        let request = ask("POST", "/audit-logs/search").body(body);
        assert_eq!(refused(&mut world, &request), (400, "invalid_request_body".to_owned()), "{body}");
    }
}

#[test]
fn a_plan_without_an_audit_log_answers_403_or_404() {
    for (hidden, answer) in [(false, (403, "permission_denied")), (true, (404, "not_found"))] {
        let mut world =
            with(ApiSettings { audit_log: false, audit_log_hidden: hidden, ..ApiSettings::default() });
        let refused = refused(&mut world, &ask("POST", "/audit-logs/search").body("{}"));
        assert_eq!(refused, (answer.0, answer.1.to_owned()));
    }
}

#[test]
fn a_colleagues_change_has_an_actor_and_a_schedules_has_none() {
    let hours = WrittenUser::new("eve@acme.example", "member").id("u_eve").support_hours("active");
    let mut world = world_of(organization([hours])).with_limits(Limits::off());
    assert!(world.changed_by(Duration::from_secs(1), "u_ana", "u_eve", Some("viewer"), None));
    assert_eq!(
        world.handle(Duration::from_secs(2), &patch("u_eve", &json!({ "status": "away" }))).status,
        200
    );
    let told: Vec<_> = world
        .audit_log()
        .map(|entry| {
            (entry.source.as_str(), entry.actor_user_id.as_deref(), format!("{:?}", entry.attributes))
        })
        .collect();
    let expected = [
        ("app", Some("u_ana"), r#"{"new_role_id": "role_viewer", "old_role_id": "role_member"}"#),
        ("api", Some(API_USER_ID), r#"{"new_status": "away", "old_status": "active"}"#),
        ("schedule", None, r#"{"new_status": "active", "old_status": "away"}"#),
    ];
    assert_eq!(told, expected.map(|(source, actor, attributes)| (source, actor, attributes.to_owned())));
}

#[test]
fn a_restored_world_keeps_its_log_and_repeats_no_identifier() {
    let world = history();
    let saved = SandboxState::parse(&world.to_state().to_json()).unwrap();
    assert_eq!(saved, world.to_state());
    let mut next = World::new(saved, "2026-10-02T12:00:00Z".parse().unwrap()).unwrap();
    next.changed_by_someone_else(Duration::ZERO, "u_bo", Some("viewer"), None);
    let ids: std::collections::HashSet<&str> = next.audit_log().map(|entry| entry.id.as_str()).collect();
    assert_eq!(ids.len(), 5);
}
