//! A Pylon in memory. It answers each read at once, so observing needs no sockets and no time.

use futures_util::FutureExt;
use rolecall::observed::ObservedState;
use rolecall::pylon::observe::{Ask, ObserveError, Wanted, observe};

/// Observes an organization whose responses `memory` returns.
pub(crate) fn observed(memory: &impl Ask, wanted: &Wanted<'_>) -> Result<ObservedState, ObserveError> {
    observe(memory, wanted).now_or_never().expect("nothing waits in memory")
}
