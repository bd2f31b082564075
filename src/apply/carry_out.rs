//! Sends what the machine says, sleeps until it says, and tells it what came of it. Decides nothing.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::mpsc::UnboundedReceiver;

use super::journal::Journal;
use super::machine::{Action, Machine, Ticket};
use super::outcome::{Finished, Stop};
use crate::clock::Clock;
use crate::observed::{Person, UserId};
use crate::plan::Patch;
use crate::pylon::{Answer, Attempt, Writer};

/// What became of one request.
enum Done {
    Patched(Ticket, Attempt<Person>),
    Read(Ticket, Attempt<Answer>),
}

type Sending<'w> = Pin<Box<dyn Future<Output = Done> + 'w>>;

/// Carries the plan of `machine` out. `signals` brings the number of each signal that should stop it: after the first
/// nothing more is sent, after the second nothing is waited for. `tell` hears how far it has come whenever it waits.
pub async fn carry_out(
    mut machine: Machine,
    writer: &Writer,
    clock: Clock,
    journal: &mut Journal,
    signals: &mut UnboundedReceiver<i32>,
    tell: &mut dyn FnMut(&Machine, Option<Duration>),
) -> Finished {
    let mut under_way: FuturesUnordered<Sending<'_>> = FuturesUnordered::new();
    let mut signalled = false;
    loop {
        // One round: everything that may be sent now. The intents of its writes go to the disk together.
        let mut writes: Vec<(Ticket, UserId, Patch)> = Vec::new();
        let until = loop {
            match machine.poll(clock.elapsed()) {
                Action::Patch { ticket, id, patch } => writes.push((ticket, id, patch)),
                Action::Read { ticket, request } => {
                    let attempt = machine.attempt(ticket);
                    let reading = async move { Done::Read(ticket, writer.read(&request, attempt).await) };
                    under_way.push(Box::pin(reading));
                }
                Action::Wait { until } => break Some(until),
                Action::Done => break None,
            }
        };
        if !writes.is_empty() {
            let intents =
                writes.iter().filter_map(|(ticket, ..)| Some((ticket.number(), machine.change(*ticket)?)));
            let noted = journal.intents(clock.now(), intents).map_err(|error| error.to_string());
            for (ticket, id, patch) in writes {
                let now = clock.elapsed();
                match &noted {
                    Err(why) => machine.unsent(now, ticket, why.clone()),
                    Ok(()) if machine.may_leave(now, ticket) => {
                        let attempt = machine.attempt(ticket);
                        let writing =
                            async move { Done::Patched(ticket, writer.patch(&id, &patch, attempt).await) };
                        under_way.push(Box::pin(writing));
                    }
                    Ok(()) => {} // the machine reads the person again
                }
            }
            continue; // what was not sent may leave room for something else
        }
        let Some(until) = until else { break };
        tell(&machine, until);
        tokio::select! {
            Some(done) = under_way.next() => match done {
                Done::Patched(ticket, attempt) => {
                    // What is not on disk here is found out by reading; the next intent tells whether the disk is full.
                    let _ = journal.answer(clock.now(), ticket.number(), attempt.result.as_ref().err());
                    machine.patched(clock.elapsed(), ticket, attempt);
                }
                Done::Read(ticket, attempt) => machine.was_read(clock.elapsed(), ticket, attempt),
            },
            () = sleep_until(clock, until) => {}
            Some(number) = signals.recv() => {
                let stop = Stop::Signal(number);
                if std::mem::replace(&mut signalled, true) { machine.abandon(stop) } else { machine.stop(stop) }
            }
        }
    }
    let finished = machine.finish();
    let _ = journal.end(clock.now(), &finished); // the report says the same
    finished
}

/// Until the time comes, or for ever where only an answer can help.
async fn sleep_until(clock: Clock, until: Option<Duration>) {
    match until {
        Some(until) => tokio::time::sleep(until.saturating_sub(clock.elapsed())).await,
        None => std::future::pending().await,
    }
}
