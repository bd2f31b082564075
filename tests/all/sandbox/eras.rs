//! Tests for each of the three API versions.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn april_has_no_codes_role_lists_or_token_user_and_empty_pagination() {
    let mut world = world_of(draft().api(Api::April2026));
    assert_eq!(refused(&mut world, &ask("GET", "/nowhere")), (404, "none".to_owned()));
    assert_eq!(ok(&mut world, &ask("GET", "/me"))["data"], json!({ "id": "org_sandbox", "name": "Sandbox" }));
    let answer = search(&mut world, &json!({ "filter": email("equals", &["dee@acme.example"]) }));
    assert_eq!(answer["pagination"], json!({ "cursor": "", "has_next_page": false }));
    assert_eq!(
        answer["data"][0],
        json!({ "id": "u_dee", "email": "dee@acme.example", "emails": ["dee@acme.example"], "name": "Dee",
            "avatar_url": "", "status": "active", "role_id": "role_viewer" })
    );
    let next = search(&mut world, &json!({ "filter": email("not_in", &[]), "limit": 1 }));
    assert_eq!(next["pagination"]["has_next_page"], true);
}

#[test]
fn july_adds_the_role_object_and_the_token_user() {
    let mut world = world_of(draft().api(Api::July2026));
    assert_eq!(refused(&mut world, &ask("GET", "/nowhere")), (404, "none".to_owned()));
    assert!(ok(&mut world, &ask("GET", "/me"))["data"]["user"].is_object());
    let dee = ok(&mut world, &ask("GET", "/users/u_dee"))["data"].clone();
    assert_eq!(dee["role"], json!({ "id": "role_viewer", "name": "Viewer", "slug": "viewer" }));
    assert_eq!((&dee["role_ids"], &dee["is_deactivated"]), (&Value::Null, &Value::Null));
}

#[test]
fn an_organization_has_the_rate_limits_of_its_date() {
    for (api, left) in
        [(Api::April2026, ["59", "19", "19", "9"]), (Api::October2026, ["299", "119", "119", "29"])]
    {
        let mut world = world_of(draft().api(api));
        let requests = [
            ask("GET", "/me"),
            ask("POST", "/users/search").body("{"),
            patch("u_ana", &json!({})),
            ask("POST", "/audit-logs/search").body("{}"),
        ];
        let remaining = requests.map(|request| {
            send(&mut world, &request).header("x-rate-limit-remaining").unwrap_or_default().to_owned()
        });
        assert_eq!(remaining, left, "{api:?}");
    }
}

#[test]
fn roles_with_the_same_name_are_distinguished_by_id() {
    let roles = [Role::new("role_1", "Agent", "agent"), Role::new("role_2", "Agent", "agent_2")];
    let mut world = world_of(
        SandboxState::with_users([WrittenUser::new("x@acme.example", "role_2").id("u_x")]).roles(roles),
    );
    assert_eq!(ok(&mut world, &ask("GET", "/users/u_x"))["data"]["role_ids"], json!(["role_2"]));
}
