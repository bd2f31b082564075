//! Tests for the read requests: me, roles, all users, one user.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn me_shows_the_organization_and_the_owner_of_the_token() {
    let mut world = world_of(draft().token_user("u_ana"));
    assert_eq!(
        ok(&mut world, &ask("GET", "/me"))["data"],
        json!({ "id": "org_sandbox", "name": "Sandbox", "user": { "id": "u_ana", "email": "ana@acme.example" } })
    );
}

#[test]
fn an_api_user_has_an_empty_email() {
    assert_eq!(
        ok(&mut world(), &ask("GET", "/me"))["data"]["user"],
        json!({ "id": API_USER_ID, "email": "" })
    );
}

#[test]
fn roles_are_listed_without_pages() {
    let answer = ok(&mut world(), &ask("GET", "/user-roles"));
    assert_eq!(answer["data"][0], json!({ "id": "role_admin", "name": "Admin", "slug": "admin" }));
    assert_eq!(ids(&answer), ["role_admin", "role_member", "role_viewer"]);
    assert_eq!(answer.get("pagination"), None);
}

#[test]
fn the_list_omits_deactivated_people_unless_requested() {
    let mut world = world();
    assert_eq!(ids(&ok(&mut world, &ask("GET", "/users"))), ["u_ana", "u_bo", "u_dee"]);
    assert_eq!(
        ids(&ok(&mut world, &ask("GET", "/users?include_deactivated=false"))),
        ["u_ana", "u_bo", "u_dee"]
    );
    let everybody = ok(&mut world, &ask("GET", "/users?x=1&include_deactivated=true"));
    assert_eq!(ids(&everybody), ["u_ana", "u_bo", "u_cy", "u_dee"]);
    assert_eq!(everybody["data"][2]["is_deactivated"], true);
}

#[test]
fn one_user_is_shown_whole_and_a_deactivated_one_too() {
    let mut world = world();
    let dee = ok(&mut world, &ask("GET", "/users/u_dee"))["data"].clone();
    assert_eq!(dee["role_ids"], json!(["role_member", "role_viewer"]));
    assert_eq!(dee["role_id"], "role_viewer");
    assert_eq!(ok(&mut world, &ask("GET", "/users/u_cy"))["data"]["email"], "cy@acme.example");
    assert_eq!(refused(&mut world, &ask("GET", "/users/u_nobody")), (404, "not_found".to_owned()));
}

#[test]
fn a_paged_list_has_every_user_once_at_every_date() {
    for (api, end) in Api::ALL.map(|api| {
        (
            api,
            if api == Api::October2026 {
                Value::Null
            } else {
                json!({ "cursor": "", "has_next_page": false })
            },
        )
    }) {
        let mut state = SandboxState::invented(25);
        (state.api, state.settings.list_page) = (api, Some(10));
        let everybody: Vec<String> = world_of(state.clone()).users().filter_map(|person| person.id).collect();
        let mut world = world_of(state);
        let (mut met, mut path) = (Vec::new(), "/users?include_deactivated=true".to_owned());
        let last = loop {
            let answer = ok(&mut world, &ask("GET", &path));
            met.extend(ids(&answer));
            match answer["pagination"]["cursor"].as_str().filter(|cursor| !cursor.is_empty()) {
                Some(cursor) => path = format!("/users?include_deactivated=true&cursor={cursor}"),
                None => break answer,
            }
        };
        assert_eq!(met, everybody);
        assert_eq!(last["pagination"], end);
        assert_eq!(last.as_object().unwrap().contains_key("pagination"), api != Api::October2026);
        let stolen = path.replace("=true", "=false");
        assert_eq!(send(&mut world, &ask("GET", &stolen)).status, 400, "a cursor of another listing");
    }
}
