//! The I/O loop around [`Machine`], which makes all decisions. The loop sends the requests chosen by the machine, sleeps as
//! instructed, and feeds back the responses.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;

use super::journal::Journal;
use super::machine::{Action, Machine, Ticket, WaitReason};
use super::outcome::{Finished, Stop};
use crate::clock::Clock;
use crate::observed::Person;
use crate::pylon::request::Update;
use crate::pylon::{Attempt, Writer};

enum Answer {
    Patched(Ticket, Attempt<Person>),
    Read(Ticket, Attempt<Vec<Person>>),
}

type UnderWay<'w> = FuturesUnordered<Pin<Box<dyn Future<Output = Answer> + 'w>>>;

/// A write requested by the machine, with its attempt number.
struct Write {
    ticket: Ticket,
    update: Update,
    attempt: u32,
}

/// Runs the machine until the apply is over.
///
/// `signals` receives the number of each termination signal. After the first signal, no more requests are sent. After the
/// second, pending responses are abandoned too. `report_wait` is called before each wait.
pub async fn carry_out(
    mut machine: Machine,
    writer: &Writer,
    clock: Clock,
    journal: &mut Journal,
    signals: &mut UnboundedReceiver<i32>,
    report_wait: &mut dyn FnMut(&Machine, Option<Duration>, WaitReason),
) -> Finished {
    let mut under_way: UnderWay<'_> = FuturesUnordered::new();
    let mut had_signal = false;
    loop {
        // Collect all writes that can be sent now, so that the journal is synced only once.
        let mut writes: Vec<Write> = Vec::new();
        let wait = loop {
            match machine.poll(clock.elapsed()) {
                Action::Patch { ticket, update, attempt } => writes.push(Write { ticket, update, attempt }),
                Action::Read { ticket, request, attempt } => {
                    under_way.push(Box::pin(async move {
                        Answer::Read(ticket, writer.read(&request, attempt).await)
                    }));
                }
                Action::Wait { until, reason } => break Some((until, reason)),
                Action::Done => break None,
            }
        };
        if !writes.is_empty() {
            send(writes, &mut machine, writer, clock, journal, &under_way);
            continue; // after a skipped write, another one might be possible
        }
        let Some((until, reason)) = wait else { return machine.finish() };
        report_wait(&machine, until, reason);
        tokio::select! {
            Some(answer) = under_way.next() => match answer {
                Answer::Patched(ticket, attempt) => {
                    // Ignore errors: reading the user back shows whether the write was applied, and a full disk shows up when
                    // the next intent is written.
                    let _ = journal.answer(clock.now(), ticket.number(), attempt.result.as_ref().err());
                    machine.patched(clock.elapsed(), ticket, attempt);
                }
                Answer::Read(ticket, attempt) => machine.was_read(clock.elapsed(), ticket, attempt),
            },
            () = sleep_until(clock, until) => {}
            Some(number) = signals.recv() => {
                let stop = Stop::Signal(number);
                if std::mem::replace(&mut had_signal, true) { machine.abandon(stop) } else { machine.stop(stop) }
            }
        }
    }
}

/// Records the intents in the journal and, if that succeeds, sends the writes. If recording takes so long that a read has
/// become stale, the writes that rely on it are skipped.
fn send<'w>(
    writes: Vec<Write>,
    machine: &mut Machine,
    writer: &'w Writer,
    clock: Clock,
    journal: &mut Journal,
    under_way: &UnderWay<'w>,
) {
    let intents =
        writes.iter().filter_map(|write| Some((write.ticket.number(), machine.change(write.ticket)?)));
    let noted = journal.intents(clock.now(), intents).map_err(|error| error.to_string());
    for Write { ticket, update, attempt } in writes {
        match &noted {
            Err(why) => machine.unsent(clock.elapsed(), ticket, why.clone()),
            Ok(()) if machine.may_leave(clock.elapsed(), ticket) => {
                under_way.push(Box::pin(async move {
                    Answer::Patched(ticket, writer.update(&update, attempt).await)
                }));
            }
            Ok(()) => {} // the machine will read the person again
        }
    }
}

/// Sleeps until the given time, or forever if `until` is `None`. The caller stops waiting when a response or a signal arrives.
async fn sleep_until(clock: Clock, until: Option<Duration>) {
    match until {
        Some(until) => tokio::time::sleep(until.saturating_sub(clock.elapsed())).await,
        None => std::future::pending().await,
    }
}
