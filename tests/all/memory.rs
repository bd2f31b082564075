//! A Pylon in memory: each read gets its response at once, so observing needs neither sockets nor time.

use futures_util::FutureExt;
use rolecall::observed::ObservedState;
use rolecall::pylon::observe::{Ask, ObserveError, Wanted, observe};

/// Returns what the client makes of an organization whose responses `memory` gives.
pub(crate) fn observed(memory: &impl Ask, wanted: &Wanted<'_>) -> Result<ObservedState, ObserveError> {
    observe(memory, wanted).now_or_never().expect("nothing waits in memory")
}
