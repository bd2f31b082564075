//! Tests for `PATCH`, and for changes made by SCIM, support hours, or colleagues.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_patch_changes_only_its_fields_and_returns_the_whole_user() {
    let mut world = world();
    let bo = ok(&mut world, &patch("u_bo", &json!({ "role_id": "role_admin" })))["data"].clone();
    assert_eq!((&bo["role_ids"], &bo["status"]), (&json!(["role_admin"]), &json!("active")));
    let bo = ok(&mut world, &patch("u_bo", &json!({ "status": "out_of_office" })))["data"].clone();
    assert_eq!((&bo["role_ids"], &bo["status"]), (&json!(["role_admin"]), &json!("out_of_office")));
    let bo = ok(
        &mut world,
        &patch("u_bo", &json!({ "name": "Bo L", "avatar_url": "https://a.example/b.png" })),
    )["data"]
        .clone();
    assert_eq!((&bo["name"], &bo["avatar_url"]), (&json!("Bo L"), &json!("https://a.example/b.png")));
    assert_eq!(ok(&mut world, &ask("GET", "/users/u_bo"))["data"], bo);
}

#[test]
fn a_new_role_replaces_all_assigned_roles_and_no_scim_role() {
    let mut world = world();
    let dee = ok(&mut world, &patch("u_dee", &json!({ "role_id": "role_admin" })))["data"].clone();
    assert_eq!((&dee["role_ids"], &dee["role_id"]), (&json!(["role_admin"]), &json!("role_admin")));
    let bo = ok(&mut world, &patch("u_bo", &json!({ "role_id": "role_admin" })))["data"].clone();
    let roles: Vec<&Value> = bo["roles"].as_array().unwrap().iter().map(|role| &role["id"]).collect();
    assert_eq!(roles, ["role_admin", "role_viewer"]);
}

#[test]
fn a_refused_patch_changes_nothing() {
    let mut world = world();
    let before = world.to_state();
    for body in [
        json!({ "role_id": "role_unknown", "status": "away" }),
        json!({ "role_id": "admin" }),
        json!({ "role_id": "", "status": "away" }),
        json!({ "role_id": 7 }),
        json!({ "role_id": "role_viewer", "status": "asleep" }),
        json!({ "status": "" }),
        json!([]),
        json!(["role_viewer", "away", null, null]),
        json!("x"),
    ] {
        let (status, code) = refused(&mut world, &patch("u_ana", &body));
        assert_eq!((status, code.as_str()), (400, "invalid_request_body"), "{body}");
    }
    assert_eq!(refused(&mut world, &ask("PATCH", "/users/u_ana")), (400, "invalid_request_body".to_owned()));
    assert_eq!(refused(&mut world, &patch("u_nobody", &json!([]))), (404, "not_found".to_owned()));
    let mut reading = with(ApiSettings { token_can_write: false, ..ApiSettings::default() });
    assert_eq!(refused(&mut reading, &patch("u_ana", &json!({}))), (403, "permission_denied".to_owned()));
    assert_eq!(world.to_state(), before);
    assert_eq!(world.revision(), 0);
}

#[test]
fn an_empty_patch_and_unknown_keys_change_nothing_and_leave_no_trace() {
    let mut world = world();
    let before = world.to_state();
    for body in [json!({}), json!({ "rank": 1 }), json!({ "role_id": "role_admin" })] {
        ok(&mut world, &patch("u_ana", &body));
    }
    assert_eq!(world.to_state(), before);
}

#[test]
fn a_null_instead_of_a_text_is_refused() {
    for body in [json!({ "role_id": null }), json!({ "status": null }), json!({ "name": null })] {
        assert_eq!(refused(&mut world(), &patch("u_ana", &body)).0, 400, "{body}");
    }
    ok(&mut world(), &patch("u_ana", &json!({ "avatar_url": null })));
}

#[test]
fn a_patch_of_a_scim_role_returns_200_and_changes_nothing() {
    let mut world =
        world_of(organization([WrittenUser::new("eve@acme.example", "viewer").id("u_eve").role_from_scim()]));
    let eve = ok(&mut world, &patch("u_eve", &json!({ "role_id": "role_admin", "status": "away" })))["data"]
        .clone();
    assert_eq!((&eve["role_ids"], &eve["status"]), (&json!(["role_viewer"]), &json!("away")));
}

#[test]
fn support_hours_reset_the_status_after_the_response() {
    let mut world = world_of(organization([WrittenUser::new("eve@acme.example", "viewer")
        .id("u_eve")
        .support_hours("active")]));
    assert_eq!(ok(&mut world, &patch("u_eve", &json!({ "status": "away" })))["data"]["status"], "away");
    assert_eq!(ok(&mut world, &ask("GET", "/users/u_eve"))["data"]["status"], "active");
    let sources: Vec<&str> = world.audit_log().map(|entry| entry.source.as_str()).collect();
    assert_eq!(sources, ["api", "schedule"]);
}

#[test]
fn a_colleague_changes_people_outside_the_api() {
    let mut world = world();
    assert!(world.changed_by_someone_else(Duration::ZERO, "BO@acme.example", Some("Viewer"), Some("lunch")));
    assert!(!world.changed_by_someone_else(Duration::ZERO, "u_nobody", None, None));
    assert!(!world.changed_by_someone_else(Duration::ZERO, "u_bo", Some("Chef"), None));
    let bo = world.user("u_bo").unwrap();
    assert_eq!((bo.roles, bo.status), (vec!["viewer".to_owned()], Some("lunch".to_owned())));
}

#[test]
fn holders_include_scim_roles_and_exclude_deactivated_people() {
    let world = world();
    let count = |role| world.holders(role);
    assert_eq!([count("Admin"), count("member"), count("role_viewer"), count("Chef")], [1, 2, 2, 0]);
}
