//! Tests for faults. As in the simulator, requests go directly to a [`World`], without sockets and with a simulated clock.

use pretty_assertions::assert_eq;

use super::*;

#[test]
fn a_fault_without_effect_on_pylon_changes_no_people_log_or_limit() {
    for fault in failures() {
        let mut world = world();
        let before = world.to_state();
        let mut faults = Faults::none().at(1, fault);
        let request = patch("u_bo", &json!({ "role_id": "role_admin" }));
        let (delivery, fired) = world.deliver(&mut faults, Duration::ZERO, &request);
        assert_eq!((fired, faults.fired(fault)), (Some(fault), 1));
        assert_eq!(world.to_state() != before, fault.is_applied_first(), "{fault}");
        assert_eq!(world.audit_log().count(), usize::from(fault.is_applied_first()), "{fault}");
        let left = if fault.is_applied_first() { "118" } else { "119" };
        let next = world.handle(Duration::ZERO, &request);
        assert_eq!(next.header("x-rate-limit-remaining"), Some(left), "{fault}");
        assert_eq!(delivery.status().is_some(), is_answered(fault), "{fault}");
    }
}

#[test]
fn every_fault_delivers_the_response_that_its_name_describes() {
    let deliver = |fault, api| {
        let faults = &mut Faults::none().at(1, fault).stalling_for(Duration::from_secs(9));
        world_of(draft().api(api)).deliver(faults, Duration::ZERO, &ask("GET", "/me")).0
    };
    let answer = |fault, api| match deliver(fault, api) {
        Delivery::Answer(response) | Delivery::Garbage(response) => response,
        other => panic!("{fault}: {other:?}"),
    };
    for (fault, status, code) in [
        (Fault::InternalError, 500, json!("internal_error")),
        (Fault::InternalErrorApplied, 500, json!("internal_error")),
        (Fault::RequestTimeout, 408, Value::Null),
        (Fault::Conflict, 409, Value::Null),
        (Fault::RateLimited, 429, json!("rate_limited")),
    ] {
        let response = answer(fault, Api::October2026);
        assert_eq!((response.status, &value(&response)["code"]), (status, &code), "{fault}");
        assert_eq!(value(&answer(fault, Api::July2026))["code"], Value::Null, "{fault}");
        assert_eq!(response.header("x-retry-after"), (status == 429).then_some("1"));
    }
    for (fault, status, kind) in [
        (Fault::BadGateway, 502, "text/html"),
        (Fault::Unavailable, 503, "text/plain"),
        (Fault::GatewayTimeoutApplied, 504, "text/html"),
    ] {
        let response = answer(fault, Api::October2026);
        assert_eq!((response.status, response.header("content-type")), (status, Some(kind)), "{fault}");
    }
    assert_eq!(deliver(Fault::CutBefore, Api::October2026), Delivery::CutBefore);
    assert_eq!(deliver(Fault::CutAfter, Api::October2026), Delivery::CutAfter);
    assert_eq!(
        deliver(Fault::StallApplied, Api::October2026),
        Delivery::Stall { hold: Duration::from_secs(9) }
    );
    let garbage = answer(Fault::GarbageApplied, Api::October2026);
    assert_eq!(garbage.status, 200);
    assert!(serde_json::from_slice::<Value>(&garbage.body).is_err());
}

#[test]
fn a_retrying_client_succeeds_under_any_mixture_of_faults() {
    let mut state = SandboxState::invented(300);
    state.settings.list_page = Some(50);
    let mut world = world_of(state).with_limits(Limits::off());
    let mut faults = failures()
        .fold(Faults::none().seeded(3).on(ApiOperation::UpdateUser), |faults, fault| {
            faults.with(fault, 0.07)
        });
    let already = world.users().filter(|person| person.roles == ["viewer"]).count();
    let viewer = ids(&ok(&mut world, &ask("GET", "/user-roles"))).pop().unwrap();
    let ids: Vec<String> = world.users().filter_map(|person| person.id).collect();
    for id in &ids {
        let request = patch(id, &json!({ "role_id": viewer }));
        let done =
            |delivery: &Delivery| matches!(delivery, Delivery::Answer(response) if response.status == 200);
        assert!((0..1000).any(|_| done(&world.deliver(&mut faults, Duration::ZERO, &request).0)));
    }
    assert!(world.users().all(|person| person.roles == ["viewer"]));
    for fault in failures() {
        assert!(faults.fired(fault) > 0, "{fault} never fired");
    }
    let changes = world.audit_log().filter(|entry| entry.action == "UserRoleChanged").count();
    assert_eq!(changes, ids.len() - already, "each change happened, and was recorded, once");
}
