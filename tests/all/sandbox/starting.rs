//! Tests for the sandbox's initial state: handwritten `pylon.json` files, mistakes in them, and organizations without a file.

use std::collections::HashSet;

use pretty_assertions::assert_eq;

use super::*;

fn problems(json: &str) -> Vec<String> {
    read_state(json).unwrap_err()
}

#[test]
fn a_person_needs_only_an_address_and_a_role() {
    let state =
        SandboxState::parse(r#"{"users":[{"email":"ana.silva@acme.example","role":"admin"}]}"#).unwrap();
    let world = world_of(state);
    let ana = world.user("ana.silva@acme.example").unwrap();
    assert_eq!((ana.name.as_deref(), ana.status.as_deref()), (Some("Ana Silva"), Some("active")));
    assert_eq!(ana.id.as_deref().map(str::len), Some(36));
    let empty = SandboxState::parse("{}").unwrap();
    assert_eq!(empty, SandboxState::default());
    assert_eq!(
        (empty.organization.id.as_str(), empty.organization.name.as_str()),
        ("org_sandbox", "Sandbox")
    );
}

#[test]
fn ids_are_uuids_and_the_same_in_every_run() {
    let is_uuid = |id: &str| {
        let parts: Vec<&str> = id.split('-').collect();
        parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12])
            && parts.iter().all(|part| part.bytes().all(|byte| byte.is_ascii_hexdigit()))
            && parts[2].starts_with('4')
            && parts[3].starts_with(['8', '9', 'a', 'b'])
    };
    let mut world = world_of(SandboxState::invented(3));
    let roles = ids(&ok(&mut world, &ask("GET", "/user-roles")));
    let users = ids(&ok(&mut world, &ask("GET", "/users")));
    let owner = ok(&mut world, &ask("GET", "/me"))["data"]["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!((roles.len(), users.len()), (3, 3));
    for id in roles.iter().chain(&users).chain([&owner]) {
        assert!(is_uuid(id), "{id}");
    }
    assert_eq!(roles[0], "1f0c9a52-6d1e-4b7a-9c41-0a5e8d2b7f10");
}

#[test]
fn a_role_may_be_a_slug_an_id_a_name_or_a_list() {
    let json = r#"{
        "organization": { "id": "org_1", "name": "Acme" }, "api": "2026-04", "token_user": "u1",
        "roles": [
            { "id": "r1", "name": "Lead", "slug": "lead" }, { "id": "r2", "name": "Agent", "slug": "agent" },
            { "id": "r3", "name": "Agent", "slug": "agent_2" }
        ],
        "users": [
            { "id": "u1", "email": "a@acme.example", "role": "lead" }, { "email": "b@acme.example", "role": "r3" },
            { "email": "c@acme.example", "role": "Lead" }, { "email": "d@acme.example", "role": ["agent_2", "lead", "r1"] },
            { "email": "e@acme.example", "role": [], "scim_roles": ["agent"], "emails": ["E@acme.example", "e@old.example"] }
        ],
        "settings": { "list_page": 2, "region": "eu" }
    }"#;
    let world = world_of(SandboxState::parse(json).unwrap());
    let roles: Vec<Vec<String>> = world.users().map(|person| person.roles).collect();
    assert_eq!(roles, [vec!["lead"], vec!["agent_2"], vec!["lead"], vec!["lead", "agent_2"], vec![]]);
    assert_eq!(world.user("e@acme.example").unwrap().emails, ["e@old.example"]);
}

#[test]
fn a_user_who_is_not_a_person_needs_only_a_kind() {
    let json = r#"{ "users": [
        { "kind": "integration" }, { "kind": "integration" }, { "kind": "api", "name": "CI" },
        { "email": "a@acme.example", "role": "admin" }
    ] }"#;
    let state = read_state(json).unwrap();
    assert_eq!(SandboxState::parse(&state.to_json()), Ok(state.clone()));
    let mut world = world_of(state);
    let users = entries(&ok(&mut world, &ask("GET", "/users")));
    let of = |key: &str| users.iter().map(|user| user[key].clone()).collect::<Vec<_>>();
    assert_eq!(of("name"), ["Integration", "Integration", "CI", "A"]);
    assert_eq!(of("email"), ["", "", "", "a@acme.example"]);
    assert_eq!(of("status"), ["", "", "", "active"]);
    assert_eq!(of("role_id")[..3], ["", "", ""]);
    assert_eq!(users[0]["emails"], Value::Null);
    assert_eq!(of("id").iter().collect::<HashSet<_>>().len(), 4);
    assert_eq!(found(&mut world, &email("equals", &["a@acme.example"])).len(), 1);
    assert_eq!(found(&mut world, &email("not_in", &["a@acme.example"])).len(), 3);
    assert_eq!(found(&mut world, &email("in", &[""])).len(), 3);
}

#[test]
fn a_state_file_with_a_syntax_error_is_rejected_with_its_place() {
    for (json, told) in [
        ("{", "EOF while parsing an object at line 1 column 1"),
        (
            "{\n \"user\": [] }",
            "unknown field `user`, expected one of `organization`, `api`, `token_user`, `roles`, `settings`, `users`, `audit`, `made_up` at line 2 column 7",
        ),
        (
            r#"{"users":[{"email":"a@acme.example"}]}"#,
            "users[0] (a@acme.example): `role` is missing; write [] for no role",
        ),
        (r#"{"users":[{"role":"admin"}]}"#, "users[0] (): an empty `email`"),
        (
            r#"{"users":[{"kind":"integration","email":"a@acme.example"}]}"#,
            "users[0] (Integration): only a person has an `email`; remove it, or remove `kind`",
        ),
        (
            r#"{"users":[{"email":"a@acme.example","role":7}]}"#,
            "invalid type: integer `7`, expected a role's slug, id or name, or a list of them at line 1 column 44",
        ),
        (
            r#"{"api":"older"}"#,
            "unknown variant `older`, expected one of `2026-04`, `2026-07`, `2026-10` at line 1 column 14",
        ),
    ] {
        assert_eq!(problems(json), [told], "{json}");
    }
}

#[test]
fn all_mistakes_in_a_state_file_are_reported_at_once() {
    let json = r#"{
        "token_user": "u9", "settings": { "list_page": 0 },
        "roles": [
            { "id": "r1", "name": "Agent", "slug": "agent" }, { "id": "r1", "name": "Agent", "slug": "agent_2" },
            { "id": "r3", "name": "Lead", "slug": "agent" }
        ],
        "users": [
            { "id": "u1", "email": "a@acme.example", "role": "agnt" }, { "id": "u1", "email": "b@acme.example", "role": "Agent" },
            { "email": "A@acme.example", "role": "Lead" }, { "id": "", "email": "", "role": "Chef" }
        ]
    }"#;
    assert_eq!(
        problems(json),
        [
            "roles[1]: the id `r1` is given twice",
            "roles[2]: the slug `agent` is given twice",
            "settings: `list_page` must be at least 1",
            "users[0] (a@acme.example): unknown role `agnt`; did you mean `agent`? (known: agent, agent_2, agent)",
            "users[1] (b@acme.example): the same id `u1` as users[0]",
            "users[1] (b@acme.example): more than one role is named `Agent`; use one of these IDs instead: r1, r1",
            "users[2] (A@acme.example): the same email as users[0]",
            "users[3] (): an empty `email`",
            "users[3] (): an empty `id`",
            "users[3] (): unknown role `Chef` (known: agent, agent_2, agent)",
            "token_user: there is no user with id `u9`",
        ]
    );
}

#[test]
fn a_written_state_reads_back_unchanged() {
    let settings = ApiSettings {
        region: Region::Eu,
        list_page: Some(7),
        max_filter_values: Some(50),
        search_ignores_case: false,
        ..ApiSettings::default()
    };
    let odd =
        WrittenUser::new("odd@acme.example", "member").status("").role_from_scim().support_hours("away");
    let users = draft().users.into_iter().chain([odd]);
    let state = SandboxState::with_users(users).token_user("u_ana").api(Api::July2026).settings(settings);
    for state in [SandboxState { made_up: true, ..state }, SandboxState::invented(500)] {
        let written = world_of(state.clone()).to_state();
        assert_eq!(SandboxState::parse(&written.to_json()), Ok(written.clone()));
        assert_eq!(world_of(written.clone()).to_state(), written);
        assert_eq!(read_state(&state.to_json()), Ok(written));
    }
}

#[test]
fn a_world_of_declared_people_has_only_built_in_roles() {
    let people = [
        ("ana@acme.example", Some("Admin")),
        ("bo@acme.example", None),
        ("cy@acme.example", Some("Team lead")),
        ("dee@acme.example", Some("viewer")),
    ];
    let world = world_of(SandboxState::of_people(people));
    let roles = world.to_state().roles.unwrap();
    let names: Vec<&str> = roles.iter().map(|role| role.name.as_str()).collect();
    assert_eq!(names, ["Admin", "Member", "Viewer"]);
    let roles: Vec<Vec<String>> = world.users().map(|person| person.roles).collect();
    assert_eq!(roles, [["admin"], ["member"], ["member"], ["viewer"]]);
    let twice = SandboxState::of_people([("a@acme.example", None), ("A@acme.example", None)]);
    let problems = World::new(twice, EPOCH.parse().unwrap()).unwrap_err();
    assert_eq!(problems, ["users[1] (A@acme.example): the same email as users[0]"]);
}

#[test]
fn an_invented_organization_is_plausible_and_always_the_same() {
    let state = SandboxState::invented(2_000);
    assert_eq!(state, SandboxState::invented(2_000));
    let world = world_of(state);
    let people: Vec<WrittenUser> = world.users().collect();
    assert_eq!(people.iter().map(|person| &person.email).collect::<HashSet<_>>().len(), 2_000);
    assert_eq!(people.iter().map(|person| &person.id).collect::<HashSet<_>>().len(), 2_000);
    for role in ["admin", "member", "viewer"] {
        assert!(people.iter().filter(|person| person.roles == [role]).count() >= 20, "{role}");
    }
    assert_eq!(
        (people[0].email.as_str(), people[0].roles.as_slice()),
        ("ana.adeyemi@acme.example", ["admin".to_owned()].as_slice())
    );
    assert!(
        people.iter().any(|person| person.deactivated)
            && people.iter().any(|person| !person.emails.is_empty())
    );
}

#[test]
fn a_slug_that_is_another_roles_id_still_reads_back_as_the_same_role() {
    let roles = [Role::new("agent", "Lead", "lead"), Role::new("r2", "Agent", "agent")];
    let state = SandboxState::with_users([WrittenUser::new("a@acme.example", "r2")]).roles(roles);
    let written = world_of(state).to_state();
    assert_eq!(written.users[0].roles, ["r2"]);
    assert_eq!(read_state(&written.to_json()), Ok(written));
}

#[test]
fn the_sandbox_docs_show_valid_files_and_name_every_option() {
    let page = include_str!("../../../docs/sandbox.md");
    let blocks: Vec<&str> = page
        .split("```json\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```").map(|(block, _)| block))
        .collect();
    assert!(blocks.len() >= 2);
    for block in blocks {
        read_state(block).unwrap_or_else(|problems| panic!("{problems:?}\n{block}"));
    }
    let state: Value =
        serde_json::from_str(&SandboxState { made_up: true, ..SandboxState::default() }.to_json()).unwrap();
    let person: Value =
        serde_json::to_value(WrittenUser { kind: UserKind::Api, ..WrittenUser::new("a", "b") }).unwrap();
    let settings = state["settings"].as_object().unwrap().keys();
    let keys =
        state.as_object().unwrap().keys().chain(settings).chain(person.as_object().unwrap().keys()).cloned();
    let kinds = LimiterKind::WORDS.map(str::to_owned);
    let faults = rolecall::sandbox::Fault::WORDS.map(str::to_owned);
    for name in keys.chain(kinds).chain(faults) {
        assert!(page.contains(&format!("`{name}`")), "the page does not mention `{name}`");
    }
}
