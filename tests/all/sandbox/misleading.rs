//! Tests for faults that return a 200 with misleading content. Requests go directly to a [`World`], without a socket.

use pretty_assertions::assert_eq;

use super::*;

/// Delivers one request, which must return a 200. Returns the body of the response and whether the fault fired.
fn struck(world: &mut World, faults: &mut Faults, request: &Request) -> (Value, bool) {
    let (delivery, fired) = world.deliver(faults, Duration::ZERO, request);
    let Delivery::Answer(response) = delivery else { panic!("{delivery:?}") };
    assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    (value(&response), fired.is_some())
}

fn one(fault: Fault) -> Faults {
    Faults::none().at(1, fault)
}

fn everybody() -> Request {
    ask("POST", "/users/search").body(json!({ "filter": email("not_in", &[]), "limit": 2 }).to_string())
}

#[test]
fn a_page_without_data_is_complete_when_requested_again() {
    let followed = |request: &Request, cursor: &str| match request.method.as_str() {
        "GET" => request.clone().query(&format!("cursor={cursor}")),
        _ => {
            let mut body: Value = serde_json::from_slice(&request.body).unwrap();
            body["cursor"] = cursor.into();
            request.clone().body(body.to_string())
        }
    };
    let requests = [
        everybody(),
        ask("POST", "/audit-logs/search").body("{}"),
        ask("GET", "/users"),
        ask("GET", "/user-roles"),
    ];
    for list_page in [None, Some(2)] {
        for empty_data in EmptyData::ALL {
            let mut world = with(ApiSettings { list_page, empty_data, ..ApiSettings::default() });
            send(&mut world, &patch("u_bo", &json!({ "status": "away" })));
            for request in &requests {
                let page = entries(&ok(&mut world, request));
                assert!(!page.is_empty());
                let (answer, fired) = struck(&mut world, &mut one(Fault::PageWithoutData), request);
                assert!(fired && entries(&answer).is_empty(), "{answer}");
                assert_eq!(answer["pagination"]["has_next_page"], true, "{answer}");
                let cursor = answer["pagination"]["cursor"].as_str().unwrap();
                let next = ok(&mut world, &followed(request, cursor));
                assert_eq!(entries(&next), page, "{request:?} with its cursor");
                assert_eq!(entries(&ok(&mut world, request)), page, "{request:?} again");
            }
        }
    }
}

#[test]
fn paged_roles_are_complete_after_following_the_cursor() {
    for roles_page in [None, Some(2), Some(1)] {
        let mut world = with(ApiSettings { roles_page, ..ApiSettings::default() });
        let mut faults = one(Fault::RolesPaged);
        let (mut met, mut pages, mut path) = (Vec::new(), 0, "/user-roles".to_owned());
        loop {
            let (answer, _) = struck(&mut world, &mut faults, &ask("GET", &path));
            met.extend(ids(&answer));
            pages += 1;
            match answer["pagination"]["cursor"].as_str() {
                Some(cursor) => path = format!("/user-roles?cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(met, ["role_admin", "role_member", "role_viewer"]);
        assert_eq!(pages, if roles_page == Some(1) { 3 } else { 2 });
        assert_eq!(faults.fired(Fault::RolesPaged), u64::from(roles_page.is_none()), "{roles_page:?}");
    }
    let foreign = ask("GET", "/user-roles?cursor=made-up");
    assert_eq!(refused(&mut world(), &foreign), (400, "invalid_request_body".to_owned()));
}

#[test]
fn the_fault_field_missing_removes_each_field_in_turn() {
    for request in [ask("GET", "/users/u_ana"), ask("GET", "/users"), everybody(), patch("u_ana", &json!({}))]
    {
        let mut world = world();
        let whole = ok(&mut world, &request)["data"].clone();
        let mut faults = Faults::none().with(Fault::FieldMissing, 1.0);
        let user = whole.get(0).unwrap_or(&whole).as_object().unwrap();
        let mut expected: Vec<&String> = user.keys().collect();
        expected.retain(|key| !["avatar_url", "name"].contains(&key.as_str()));
        let mut missing: Vec<String> = (0..expected.len())
            .map(|_| {
                let (answer, fired) = struck(&mut world, &mut faults, &request);
                assert!(fired);
                let users = |data: &Value| data.as_array().cloned().unwrap_or_else(|| vec![data.clone()]);
                let lost = users(&whole).into_iter().zip(users(&answer["data"])).flat_map(|(whole, user)| {
                    let keys: Vec<String> = whole.as_object().unwrap().keys().cloned().collect();
                    keys.into_iter().filter(move |key| user.get(key).is_none())
                });
                let lost: Vec<String> = lost.collect();
                assert_eq!(lost.len(), 1, "{answer}");
                lost[0].clone()
            })
            .collect();
        missing.sort_unstable();
        assert_eq!(missing.iter().collect::<Vec<_>>(), expected, "{request:?}");
    }
}

#[test]
fn a_short_listing_omits_one_person_without_any_sign() {
    let mut world =
        world_of(organization(draft().users.into_iter().chain([not_a_person(UserKind::Api, "CI")])));
    let mut faults = Faults::none().with(Fault::ListingShort, 1.0);
    let whole = ok(&mut world, &ask("GET", "/users"));
    let left_out: Vec<String> = (0..3)
        .map(|_| {
            let (short, fired) = struck(&mut world, &mut faults, &ask("GET", "/users"));
            assert!(fired);
            assert_eq!(short["pagination"], whole["pagination"]);
            let there = ids(&short);
            let mut missing = ids(&whole);
            missing.retain(|id| !there.contains(id));
            assert_eq!(missing.len(), 1);
            missing.remove(0)
        })
        .collect();
    assert_eq!(left_out, ["u_ana", "u_bo", "u_dee"]);
}

#[test]
fn the_fault_echo_only_shows_new_values_and_stores_nothing() {
    let mut world = world();
    let before = world.to_state();
    let request = patch("u_bo", &json!({ "role_id": "role_admin", "status": "away" }));
    let (answer, fired) = struck(&mut world, &mut one(Fault::EchoOnly), &request);
    assert!(fired);
    assert_eq!(
        (&answer["data"]["role_id"], &answer["data"]["status"]),
        (&json!("role_admin"), &json!("away"))
    );
    assert_eq!(world.to_state(), before);
    assert_eq!((world.audit_log().count(), world.revision()), (0, 0));
}

#[test]
fn a_misleading_fault_without_an_effect_does_not_count_as_fired() {
    let (search, audit) = (everybody(), ask("POST", "/audit-logs/search").body("{}"));
    let [me, roles, users, user] =
        ["/me", "/user-roles", "/users", "/users/u_ana"].map(|path| ask("GET", path));
    let (change, no_change) =
        (patch("u_ana", &json!({ "status": "away" })), patch("u_ana", &json!({ "status": "active" })));
    let every = [&me, &roles, &users, &user, &search, &audit, &change, &no_change];
    for (fault, acts_on) in [
        (Fault::PageWithoutData, vec![&roles, &users, &search, &audit]),
        (Fault::RolesPaged, vec![&roles]),
        (Fault::FieldMissing, vec![&users, &user, &search, &change, &no_change]),
        (Fault::ListingShort, vec![&users]),
        (Fault::EchoOnly, vec![&change]),
    ] {
        assert!(fault.is_misleading());
        for request in every {
            let mut faults = one(fault);
            let (_, fired) = struck(&mut world(), &mut faults, request);
            assert_eq!(fired, acts_on.contains(&request), "{fault} on {request:?}");
            assert_eq!(faults.fired(fault), u64::from(fired), "{fault} on {request:?}");
        }
        let mut faults = one(fault);
        let (delivery, fired) = world().deliver(&mut faults, Duration::ZERO, &ask("GET", "/users/u_nobody"));
        assert_eq!((delivery.status(), fired), (Some(404), None), "{fault}");
    }
}
