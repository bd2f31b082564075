//! An in-memory Pylon that answers every read immediately. Observing it takes neither sockets nor time.

use futures_util::FutureExt;
use rolecall::observed::ObservedState;
use rolecall::pylon::observe::{Ask, ObserveError, Wanted, observe};

/// Observes the organization that `memory` serves.
pub(crate) fn observed(memory: &impl Ask, wanted: &Wanted<'_>) -> Result<ObservedState, ObserveError> {
    observe(memory, wanted).now_or_never().expect("nothing waits in memory")
}
