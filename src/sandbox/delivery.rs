//! Determines what the client receives: the world's response, possibly changed by a fault.
//!
//! The server and the simulation share this code, which doesn't do any I/O (`server` cuts and stalls the real connections). If a
//! fault prevents a request from being carried out, the world's users, rate limits, and audit log stay unchanged. A fault isn't
//! counted if it doesn't affect the request.

use std::time::Duration;

use super::context::RequestContext;
use super::fault::Fault;
use super::faults::Faults;
use super::message::{ApiError, ErrorCode, Request, Response};
use super::operation::ApiOperation;
use super::world::World;

/// What the client receives in response to its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A complete response, either from the world or from a fault.
    Answer(Response),
    /// The request is not carried out, and the connection is closed without a response.
    CutBefore,
    /// The request is carried out, but the connection is closed without a response.
    CutAfter,
    /// The request is carried out, but the client gets no response, and the connection is closed after `hold`.
    Stall { hold: Duration },
    /// A 200 with a body that is truncated or not JSON. The request is carried out, and the HTTP message itself is valid.
    Garbage(Response),
}

impl Delivery {
    /// Returns the status code seen by the client, if it gets a response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response) | Self::Garbage(response) => Some(response.status),
            Self::CutBefore | Self::CutAfter | Self::Stall { .. } => None,
        }
    }
}

impl World {
    /// Handles a request and injects a fault if `faults` says so. Returns what the client receives and, if the fault had an
    /// effect, the fault.
    pub fn deliver(
        &mut self,
        faults: &mut Faults,
        now: Duration,
        request: &Request,
    ) -> (Delivery, Option<Fault>) {
        let operation = ApiOperation::find(&request.method, &request.path).ok();
        let Some(fault) = faults.decide(operation.map(|(operation, _)| operation)) else {
            return (Delivery::Answer(self.handle(now, request)), None);
        };
        if !fault.is_misleading() {
            faults.count(fault);
            return (self.fail(faults, fault, now, request), Some(fault));
        }
        let mut context = RequestContext::new(self.next_request_id(), Some(fault), faults.fired(fault));
        let delivery = Delivery::Answer(self.respond(now, request, &mut context));
        if !context.had_effect {
            return (delivery, None);
        }
        faults.count(fault);
        (delivery, Some(fault))
    }

    /// Handles a request that fails because of `fault`. If the fault requires it, the request is carried out first. Returns what
    /// the client receives.
    fn fail(&mut self, faults: &Faults, fault: Fault, now: Duration, request: &Request) -> Delivery {
        let response = fault.is_applied_first().then(|| self.handle(now, request));
        let error = match fault {
            Fault::InternalError | Fault::InternalErrorApplied => {
                ApiError::new(ErrorCode::InternalError, "something went wrong on our side")
            }
            Fault::RequestTimeout => ApiError::without_code(408, "the request took too long"),
            Fault::Conflict => ApiError::without_code(409, "another request is changing this at the moment"),
            Fault::RateLimited => ApiError::rate_limited(1),
            Fault::BadGateway => return gateway_page(502, "Bad Gateway"),
            Fault::GatewayTimeoutApplied => return gateway_page(504, "Gateway Time-out"),
            Fault::Unavailable => {
                let text = b"upstream connect error or disconnect/reset before headers".to_vec();
                return Delivery::Answer(Response::new(503, "text/plain", text));
            }
            Fault::CutBefore => return Delivery::CutBefore,
            Fault::CutAfter => return Delivery::CutAfter,
            Fault::StallApplied => return Delivery::Stall { hold: faults.stall },
            Fault::GarbageApplied => return garbage(response, faults.fired(fault)),
            Fault::PageWithoutData
            | Fault::RolesPaged
            | Fault::FieldMissing
            | Fault::ListingShort
            | Fault::EchoOnly => unreachable!("{fault} is misleading and not a failure"),
        };
        Delivery::Answer(self.error_response(error))
    }
}

/// Returns the error page of a gateway in front of Pylon. Unlike Pylon's own errors, it's HTML and not JSON.
fn gateway_page(status: u16, title: &str) -> Delivery {
    let page = format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body><center><h1>{status} {title}</h1></center></body>\r\n</html>\r\n"
    );
    Delivery::Answer(Response::new(status, "text/html", page.into_bytes()))
}

/// Returns a 200 with an invalid body: alternately a truncated response and an HTML page. The truncated response is harder to
/// detect because it starts like a valid one.
fn garbage(response: Option<Response>, turn: u64) -> Delivery {
    let Response { status: _, headers, mut body } =
        response.unwrap_or_else(|| Response::new(200, "application/json", Vec::new()));
    if turn % 2 == 1 {
        body.truncate(body.len() / 2);
    } else {
        body = b"<!doctype html><title>Please wait</title>".to_vec();
    }
    // Leave the headers intact to let the client read the request ID.
    Delivery::Garbage(Response { status: 200, headers, body })
}
