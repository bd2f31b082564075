//! The older API beside the current one.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn the_older_era_has_no_codes_no_role_lists_and_an_empty_pagination() {
    let mut world = world_of(draft().api(Api::Older));
    assert_eq!(refused(&mut world, &ask("GET", "/nowhere")), (404, "none".to_owned()));
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
fn roles_that_share_a_name_are_told_apart_by_id() {
    let roles = [Role::new("role_1", "Agent", "agent"), Role::new("role_2", "Agent", "agent_2")];
    let mut world = world_of(Draft::of([Person::new("x@acme.example", "role_2").id("u_x")]).roles(roles));
    assert_eq!(ok(&mut world, &ask("GET", "/users/u_x"))["data"]["role_ids"], json!(["role_2"]));
}
