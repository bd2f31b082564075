//! What reaches the client: the world's answer, or what a fault makes of it. The socket server and a simulation share it.
//!
//! Pure. Guarantees that a failure that is not "applied" leaves the world's people, limits and log untouched. Also guarantees
//! that a fault without an effect on a request does not count. Leaves cutting real connections and keeping silent to `server`.

use std::time::Duration;

use super::{
    endpoint::Endpoint,
    fault::Fault,
    faults::Faults,
    message::{Code, Refusal, Request, Response},
    twist::Twist,
    world::World,
};

/// What becomes of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// A whole answer, the world's or a fault's.
    Answer(Response),
    /// The connection ends without a byte; nothing was done.
    CutBefore,
    /// The connection ends without a byte; the request was carried out.
    CutAfter,
    /// Silence; the request was carried out.
    Stall {
        /// When the connection ends after all.
        hold: Duration,
    },
    /// A 2xx whose body is cut short or no JSON; the request was carried out. The HTTP around it is sound.
    Garbage(Response),
}

impl Delivery {
    /// The status line the client sees, if it sees one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Answer(response) | Self::Garbage(response) => Some(response.status),
            Self::CutBefore | Self::CutAfter | Self::Stall { .. } => None,
        }
    }
}

impl World {
    /// [`World::handle`] under faults: what becomes of the request, and which fault did it.
    pub fn deliver(
        &mut self,
        faults: &mut Faults,
        now: Duration,
        request: &Request,
    ) -> (Delivery, Option<Fault>) {
        let class = Endpoint::of(&request.method, &request.path).ok().map(Endpoint::class);
        let Some(fault) = faults.decide(class) else {
            return (Delivery::Answer(self.handle(now, request)), None);
        };
        if fault.is_misleading() {
            let mut twist = Twist::new(fault, faults.fired(fault));
            let response = self.respond(now, request, &mut twist);
            let fired = Some(fault).filter(|_| twist.had_effect());
            fired.into_iter().for_each(|fault| faults.count(fault));
            return (Delivery::Answer(response), fired);
        }
        faults.count(fault);
        (self.go_wrong(faults, fault, now, request), Some(fault))
    }

    /// What the client sees of a failure.
    fn go_wrong(&mut self, faults: &Faults, fault: Fault, now: Duration, request: &Request) -> Delivery {
        let done = fault.is_applied_first().then(|| self.handle(now, request));
        let internal = || Refusal::new(Code::InternalError, "something went wrong on our side");
        match fault {
            Fault::InternalError | Fault::InternalErrorApplied => Delivery::Answer(self.refuse(internal())),
            Fault::BadGateway => Delivery::Answer(gateway(502, "Bad Gateway")),
            Fault::GatewayTimeoutApplied => Delivery::Answer(gateway(504, "Gateway Time-out")),
            Fault::Unavailable => {
                let text = b"upstream connect error or disconnect/reset before headers".to_vec();
                Delivery::Answer(Response::new(503, "text/plain", text))
            }
            Fault::RequestTimeout => {
                Delivery::Answer(self.refuse(Refusal::without_code(408, "the request took too long")))
            }
            Fault::Conflict => Delivery::Answer(
                self.refuse(Refusal::without_code(409, "somebody else is changing this at the moment")),
            ),
            Fault::RateLimited => Delivery::Answer(self.refuse(Refusal::rate_limited(1))),
            Fault::CutBefore => Delivery::CutBefore,
            Fault::CutAfter => Delivery::CutAfter,
            Fault::StallApplied => Delivery::Stall { hold: faults.stall() },
            Fault::GarbageApplied => {
                let Response { headers, body, .. } =
                    done.unwrap_or_else(|| Response::new(200, "application/json", Vec::new()));
                // In turn, so that a client meets both; the first time it is the harder one, which begins like an answer.
                let body = if faults.fired(fault) % 2 == 1 {
                    body[..body.len() / 2].to_vec()
                } else {
                    b"<!doctype html><title>Please wait</title>".to_vec()
                };
                // The headers are sound: a client can still read the request ID there.
                Delivery::Garbage(Response { status: 200, headers, body })
            }
            Fault::PageWithoutData
            | Fault::RolesPaged
            | Fault::FieldMissing
            | Fault::ListingShort
            | Fault::EchoOnly => unreachable!("{fault} is misleading and not a failure"),
        }
    }
}

/// The page of a gateway in front, which knows nothing of envelopes.
fn gateway(status: u16, title: &str) -> Response {
    let page = format!(
        "<html>\r\n<head><title>{status} {title}</title></head>\r\n<body><center><h1>{status} {title}</h1></center></body>\r\n</html>\r\n"
    );
    Response::new(status, "text/html", page.into_bytes())
}
