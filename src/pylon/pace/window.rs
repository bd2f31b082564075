//! The sliding window of slots.

use std::collections::VecDeque;
use std::time::Duration;

use super::{WINDOW, nanos};

/// Extra time before a slot is freed, in case the server's clock runs differently from ours.
pub(super) const WINDOW_MARGIN: Duration = Duration::from_millis(500);

/// The occupied slots. Invariant: a request occupies exactly one slot from when it is sent until one window after its response.
#[derive(Debug, Clone, Default)]
pub(super) struct RateWindow {
    /// Number of requests that have been sent but not answered.
    pub(super) in_flight: u64,
    /// Slots of answered requests, ordered by when they are freed.
    pub(super) answered: VecDeque<Slot>,
    /// The times at which other clients' slots are freed, sorted. Only slots revealed by a response are included.
    pub(super) others: VecDeque<Duration>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    pub(super) free_at: Duration,
    pub(super) is_accepted: bool,
}

impl RateWindow {
    pub(super) fn free_slots(&mut self, now: Duration) {
        while self.answered.front().is_some_and(|slot| slot.free_at <= now) {
            self.answered.pop_front();
        }
        while self.others.front().is_some_and(|free_at| *free_at <= now) {
            self.others.pop_front();
        }
    }

    pub(super) fn answered(&mut self, now: Duration, is_accepted: bool) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.answered.push_back(Slot { free_at: now + WINDOW + WINDOW_MARGIN, is_accepted });
    }

    pub(super) fn own(&self) -> u64 {
        self.in_flight + self.answered.len() as u64
    }

    /// Returns the number of our answered requests that the server still counts.
    pub(super) fn own_at(&self, now: Duration) -> u64 {
        (self.answered.len() - self.answered.partition_point(|slot| slot.free_at <= now)) as u64
    }

    pub(super) fn taken(&self) -> u64 {
        self.own() + self.others.len() as u64
    }

    pub(super) fn next_free(&self) -> Option<Duration> {
        self.answered.front().map(|slot| slot.free_at).into_iter().chain(self.others.front().copied()).min()
    }

    /// Returns the number of slots that are freed at or before `time`.
    pub(super) fn free_by(&self, time: Duration) -> u64 {
        let slots = self.answered.iter().map(|slot| slot.free_at).chain(self.others.iter().copied());
        slots.filter(|free_at| *free_at <= time).count() as u64
    }

    /// Returns the number of requests accepted within the last window.
    pub(super) fn accepted(&self, now: Duration) -> u64 {
        let recent = |slot: &&Slot| slot.is_accepted && slot.free_at >= now + WINDOW_MARGIN;
        self.answered.iter().filter(recent).count() as u64
    }

    /// Reserves slots for other clients. This can only lower our own rate.
    ///
    /// Since it's unknown when those slots are freed, they're spread evenly over the next window to keep any client from
    /// starving. Blocking our own requests for a whole window would be wrong for a token bucket, which reports few remaining
    /// requests even though it refills continuously.
    pub(super) fn note_others(&mut self, now: Duration, others: u64) {
        if others > self.others.len() as u64 {
            let free_at = |slot| now + Duration::from_nanos(nanos(WINDOW) * slot / others);
            self.others = (1..=others).map(free_at).collect();
        }
    }
}
