//! What reaches the client: the world's answer, or what a fault makes of it. The socket server and a simulation share it.
//!
//! Pure. Guarantees that a failure that is not "applied" leaves the world's users, limits, and log untouched. Also guarantees
//! that a fault without an effect on a request does not count. `server` cuts real connections and keeps silent.

use std::time::Duration;

use super::context::RequestContext;
use super::fault::Fault;
use super::faults::Faults;
use super::message::{ApiError, ErrorCode, Request, Response};
use super::operation::ApiOperation;
use super::world::World;

/// The outcome of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A whole answer, of the world or of a fault.
    Answer(Response),
    /// The connection ends without a byte; nothing was done.
    CutBefore,
    /// The connection ends without a byte; the request was carried out.
    CutAfter,
    /// Silence; the request was carried out. The connection ends after the time `hold`.
    Stall { hold: Duration },
    /// A 2xx whose body is cut short or not JSON; the request was carried out. The HTTP around it is sound.
    Garbage(Response),
}

impl Delivery {
    /// Returns the status that the client sees. `None` if it gets no response.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response) | Self::Garbage(response) => Some(response.status),
            Self::CutBefore | Self::CutAfter | Self::Stall { .. } => None,
        }
    }
}

impl World {
    /// Handles a request under faults: what becomes of it, and which fault had an effect.
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

    /// Returns what the client sees of a failure.
    fn fail(&mut self, faults: &Faults, fault: Fault, now: Duration, request: &Request) -> Delivery {
        let response = fault.is_applied_first().then(|| self.handle(now, request));
        let error = match fault {
            Fault::InternalError | Fault::InternalErrorApplied => {
                ApiError::new(ErrorCode::InternalError, "something went wrong on our side")
            }
            Fault::RequestTimeout => ApiError::without_code(408, "the request took too long"),
            Fault::Conflict => ApiError::without_code(409, "somebody else is changing this at the moment"),
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

/// The page of a gateway in front of Pylon, which does not know Pylon's envelopes.
fn gateway_page(status: u16, title: &str) -> Delivery {
    let page = format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body><center><h1>{status} {title}</h1></center></body>\r\n</html>\r\n"
    );
    Delivery::Answer(Response::new(status, "text/html", page.into_bytes()))
}

/// A 200 whose body is cut short or not JSON, in turn, so that a client meets both. The first one is the harder one, which begins
/// like an answer.
fn garbage(response: Option<Response>, turn: u64) -> Delivery {
    let Response { status: _, headers, mut body } =
        response.unwrap_or_else(|| Response::new(200, "application/json", Vec::new()));
    if turn % 2 == 1 {
        body.truncate(body.len() / 2);
    } else {
        body = b"<!doctype html><title>Please wait</title>".to_vec();
    }
    // The headers are sound: a client can still read the request ID there.
    Delivery::Garbage(Response { status: 200, headers, body })
}
