//! Tests for the checks preceding every operation, in order: path, method, token, rate limit, body size.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn path_and_method_are_checked_before_the_token() {
    let mut world = world();
    let unknown_path = Request::new("GET", "/nowhere");
    assert_eq!(refused(&mut world, &unknown_path), (404, "not_found".to_owned()));
    let wrong_method = Request::new("DELETE", "/me");
    assert_eq!(refused(&mut world, &wrong_method), (405, "method_not_allowed".to_owned()));
    let known = Request::new("GET", "/me");
    assert_eq!(refused(&mut world, &known), (401, "invalid_authorization_header".to_owned()));
}

#[test]
fn responses_of_pylon_have_a_request_id_header_and_gateways_do_not() {
    let mut world = world().with_limits(limits("patch=1"));
    let requests = [
        ask("GET", "/me"),
        Request::new("GET", "/nowhere"),
        Request::new("DELETE", "/me"),
        Request::new("GET", "/me"),
        patch("u_ana", &json!({})),
        patch("u_ana", &json!({})),
        ask("POST", "/users/search").body("{"),
    ];
    let statuses = requests.map(|request| {
        let response = send(&mut world, &request);
        assert_eq!(
            response.header("x-pylon-request-id"),
            value(&response)["request_id"].as_str(),
            "{request:?}"
        );
        response.status
    });
    assert_eq!(statuses, [200, 404, 405, 401, 200, 429, 400]);
    let mut header_with = |fault| {
        let (delivery, _) =
            world.deliver(&mut Faults::none().at(1, fault), Duration::ZERO, &ask("GET", "/me"));
        let (Delivery::Answer(response) | Delivery::Garbage(response)) = delivery else { panic!("{fault}") };
        response.header("x-pylon-request-id").is_some()
    };
    for fault in [Fault::InternalError, Fault::Conflict, Fault::RateLimited, Fault::GarbageApplied] {
        assert!(header_with(fault), "{fault}");
    }
    for fault in [Fault::BadGateway, Fault::Unavailable, Fault::GatewayTimeoutApplied] {
        assert!(!header_with(fault), "{fault}");
    }
}

#[test]
fn the_token_is_checked_before_the_rate_limit_and_the_body() {
    let header = |value: &str| Request {
        authorization: Some(value.to_owned()),
        ..ask("POST", "/users/search").body("{")
    };
    let mut world = world();
    let malformed = (401, "invalid_authorization_header".to_owned());
    assert_eq!(refused(&mut world, &Request::new("POST", "/users/search").body("{")), malformed);
    for wrong in ["", "Bearer", "Bearer ", "Basic c2FuZGJveA==", "sandbox-token", "Bearer two words"] {
        assert_eq!(refused(&mut world, &header(wrong)), malformed, "{wrong:?}");
    }
    assert_eq!(refused(&mut world, &header("Bearer other")), (401, "invalid_api_token".to_owned()));
    assert_eq!(refused(&mut world, &header("Bearer -other-region")), (401, "invalid_api_token".to_owned()));
    for right in ["Bearer sandbox-token", "bearer sandbox-token", "BEARER  sandbox-token "] {
        assert_eq!(
            refused(&mut world, &header(right)),
            (400, "invalid_request_body".to_owned()),
            "{right:?}"
        );
    }
}

#[test]
fn a_token_of_the_other_region_gets_an_error_naming_this_region() {
    let mut world = with(ApiSettings { region: Region::Eu, ..ApiSettings::default() });
    let request = Request::new("GET", "/me").token("sandbox-token-other-region");
    assert_eq!(refused(&mut world, &request), (401, "wrong_region_token".to_owned()));
    assert_eq!(
        value(&send(&mut world, &request))["errors"],
        json!(["this token belongs to another region than eu"])
    );
}

#[test]
fn a_suspended_or_deactivated_organization_gets_403_on_every_request() {
    for (standing, code) in [
        (OrganizationStanding::Suspended, "organization_suspended"),
        (OrganizationStanding::Deactivated, "organization_deactivated"),
    ] {
        let mut world = with(ApiSettings { standing, ..ApiSettings::default() });
        assert_eq!(refused(&mut world, &ask("GET", "/me")), (403, code.to_owned()));
    }
}

#[test]
fn unknown_paths_are_404_and_wrong_methods_are_405() {
    let mut world = world();
    for path in ["/", "/nowhere", "/users/", "/users/u_ana/roles", "/me/", "/users/search/x", "/audit-logs"] {
        assert_eq!(refused(&mut world, &ask("GET", path)), (404, "not_found".to_owned()), "{path}");
    }
    for (method, path, allowed) in [
        ("POST", "/me", "GET"),
        ("PUT", "/users", "GET"),
        ("GET", "/users/search", "POST"),
        ("PATCH", "/users/search", "POST"),
        ("DELETE", "/users/u_ana", "GET, PATCH"),
        ("HEAD", "/user-roles", "GET"),
        ("GET", "/audit-logs/search", "POST"),
    ] {
        let response = send(&mut world, &ask(method, path));
        assert_eq!((response.status, response.header("allow")), (405, Some(allowed)), "{method} {path}");
        assert_eq!(value(&response)["code"], "method_not_allowed");
    }
}

#[test]
fn the_rate_limit_is_checked_before_the_body_and_429_says_how_long_to_wait() {
    let mut world = world().with_limits(limits("patch=1,search=2"));
    let broken = ask("PATCH", "/users/u_ana").body("{");
    let first = world.handle(Duration::from_millis(1500), &broken);
    assert_eq!((first.status, first.header("x-rate-limit-remaining")), (400, Some("0")));
    let second = world.handle(Duration::from_millis(1600), &broken);
    assert_eq!((second.status, second.header("x-retry-after")), (429, Some("60")));
    assert_eq!(value(&second)["code"], "rate_limited");
    assert_eq!(second.header("x-rate-limit-remaining"), None);
    assert_eq!(world.handle(Duration::from_millis(61_499), &broken).header("x-retry-after"), Some("1"));
    assert_eq!(world.handle(Duration::from_millis(61_500), &broken).status, 400);
    let other = world.handle(Duration::from_millis(61_500), &ask("POST", "/users/search").body("{"));
    assert_eq!((other.status, other.header("x-rate-limit-remaining")), (400, Some("1")));
}

#[test]
fn requests_refused_before_the_rate_limit_do_not_count_toward_it() {
    let mut world = world().with_limits(limits("get=1"));
    send(&mut world, &Request::new("GET", "/me"));
    send(&mut world, &ask("GET", "/nowhere"));
    send(&mut world, &ask("POST", "/me"));
    assert_eq!(send(&mut world, &ask("GET", "/me")).header("x-rate-limit-remaining"), Some("0"));
}

#[test]
fn each_endpoint_has_a_separate_rate_limit() {
    let mut world = world().with_limits(limits("get=1"));
    for path in ["/me", "/user-roles", "/users", "/users/u_ana"] {
        let first = send(&mut world, &ask("GET", path));
        assert_eq!((first.status, first.header("x-rate-limit-remaining")), (200, Some("0")), "{path}");
        assert_eq!(send(&mut world, &ask("GET", path)).status, 429, "{path}");
    }
    assert_eq!(send(&mut world, &ask("GET", "/users/u_bo")).status, 429, "the limit is not per user");
}

#[test]
fn another_client_uses_the_same_rate_limit() {
    let mut world = world();
    assert_eq!(world.spend(Duration::ZERO, ApiOperation::UpdateUser, 119), 119);
    assert_eq!(send(&mut world, &patch("u_ana", &json!({}))).status, 200);
    assert_eq!(send(&mut world, &patch("u_ana", &json!({}))).status, 429);
    assert_eq!(world.spend(Duration::ZERO, ApiOperation::UpdateUser, 5), 0);
}

#[test]
fn every_limiter_answers_429_over_the_rate_limit() {
    for kind in LimiterKind::ALL {
        let mut world = world().with_limits(Limits { kind, ..Limits::default() });
        let statuses: Vec<u16> =
            (0..121).map(|_| send(&mut world, &patch("u_ana", &json!({}))).status).collect();
        assert_eq!(statuses.last(), Some(&429), "{kind:?}");
    }
    let mut world = world().with_limits(Limits::off());
    assert!((0..1000).all(|_| send(&mut world, &ask("GET", "/me")).status == 200));
    assert_eq!(send(&mut world, &ask("GET", "/me")).header("x-rate-limit-remaining"), None);
}

#[test]
fn a_body_above_8_mib_is_413() {
    let mut world = world();
    let blanks = |count| ask("POST", "/users/search").body(vec![b' '; count]);
    assert_eq!(refused(&mut world, &blanks(MAX_BODY_BYTES + 1)), (413, "payload_too_large".to_owned()));
    assert_eq!(refused(&mut world, &blanks(MAX_BODY_BYTES)), (400, "invalid_request_body".to_owned()));
}

#[test]
fn request_ids_are_unique_and_the_same_in_every_run() {
    let ids = || {
        let mut world = world();
        (0..50)
            .map(|_| value(&send(&mut world, &ask("GET", "/me")))["request_id"].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(), ids());
    assert_eq!(ids().iter().collect::<std::collections::HashSet<_>>().len(), 50);
}

#[test]
fn debug_output_does_not_contain_the_token() {
    let world = world().with_token("hush");
    let text = format!("{world:?} {:?}", Request::new("GET", "/me").token("hush"));
    assert!(!text.contains("hush"), "{text}");
}
