//! A Pylon in memory: each read gets its response at once, so observing needs neither sockets nor time.

use std::cell::RefCell;

use futures_util::FutureExt;
use rolecall::observed::ObservedState;
use rolecall::pylon::observe::{Ask, Unread, Wanted, observe};
use rolecall::pylon::{Answer, Failure, ReadRequest};

struct Memory<F>(RefCell<F>);

impl<F: FnMut(&ReadRequest) -> Result<Answer, Failure>> Ask for Memory<F> {
    async fn ask(&self, request: &ReadRequest) -> Result<Answer, Failure> {
        (self.0.borrow_mut())(request)
    }
}

/// What the client makes of an organization whose responses these are.
pub(crate) fn observed(
    answer: impl FnMut(&ReadRequest) -> Result<Answer, Failure>,
    wanted: &Wanted<'_>,
) -> Result<ObservedState, Unread> {
    observe(&Memory(RefCell::new(answer)), wanted).now_or_never().expect("nothing waits in memory")
}
