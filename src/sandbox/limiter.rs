//! Implements five rate-limiting algorithms. Whether a request is admitted depends only on the arrival times of requests, which
//! are integer nanoseconds.
//!
//! Rejected requests don't count against the limit. After a rejection, a request that arrives `retry_after` later is admitted,
//! unless another request arrives in between. The limits themselves are defined in `limits`.

use std::{collections::VecDeque, time::Duration};

use super::limits::{LimiterKind, Limits};
use super::operation::ApiOperation;

/// The result of checking a request against its rate limit. If it's admitted, contains the number of requests that would still be
/// admitted at the same instant. If it's rejected, contains the time after which it would be admitted.
pub(super) type Admission = Result<u128, Duration>;

/// The rate limiters of all operations, in the order of [`ApiOperation::ALL`]. `None` means that the operation is unlimited.
#[derive(Debug, Clone)]
pub(super) struct Limiters([Option<Limiter>; ApiOperation::ALL.len()]);

impl Limiters {
    pub(super) fn new(limits: Limits) -> Self {
        Self(ApiOperation::ALL.map(|operation| {
            limits.limit(operation).map(|limit| Limiter::new(limits.kind, limit, limits.window))
        }))
    }

    /// Checks a request against the limit of its operation, and counts the request if it's admitted. Returns `None` if the
    /// operation is unlimited.
    pub(super) fn arrive(&mut self, operation: ApiOperation, now: Duration) -> Option<Admission> {
        Some(self.0[operation as usize].as_mut()?.arrive(now.as_nanos()))
    }
}

/// The rate limiter of a single operation. The length of the window is in nanoseconds.
#[derive(Debug, Clone)]
struct Limiter {
    limit: u128,
    window: u128,
    count: Admitted,
}

#[derive(Debug, Clone)]
enum Admitted {
    /// The arrival times of the requests admitted within the last window, oldest first.
    Log(VecDeque<u128>),
    /// The index of the current window and the number of requests it has admitted.
    Fixed { window: u128, used: u128 },
    /// Like `Fixed`, plus the number of requests admitted in the previous window (`before`).
    Sliding { window: u128, used: u128, before: u128 },
    /// The level of a token bucket at the time `at`. To allow integer arithmetic, one token is worth `window` units, and `limit`
    /// units are added per nanosecond.
    Bucket { capacity: u128, level: u128, at: u128 },
}

impl Limiter {
    fn new(kind: LimiterKind, limit: u32, window: Duration) -> Self {
        let limit = u128::from(limit);
        let window = window.as_nanos().max(1);
        let bucket = |tokens: u128| {
            let capacity = tokens * window;
            Admitted::Bucket { capacity, level: capacity, at: 0 }
        };
        let count = match kind {
            LimiterKind::SlidingLog => Admitted::Log(VecDeque::new()),
            LimiterKind::FixedWindow => Admitted::Fixed { window: 0, used: 0 },
            LimiterKind::SlidingCounter => Admitted::Sliding { window: 0, used: 0, before: 0 },
            LimiterKind::FullBucket => bucket(limit),
            LimiterKind::SmoothBucket => bucket((limit / 10).max(1)),
        };
        Self { limit, window, count }
    }

    fn arrive(&mut self, now: u128) -> Admission {
        let Self { limit, window: length, ref mut count } = *self;
        if limit == 0 {
            // A limit of zero, which only a test can set, never admits a request. No `retry_after` would be correct, so use a
            // whole window.
            return refused(length);
        }
        match count {
            Admitted::Log(log) => arrive_in_log(log, limit, length, now),
            Admitted::Fixed { window, used } => {
                let current = now / length;
                if current != *window {
                    (*window, *used) = (current, 0);
                }
                if *used < limit {
                    *used += 1;
                    return Ok(limit - *used);
                }
                refused((current + 1) * length - now)
            }
            Admitted::Sliding { window, used, before } => {
                let current = now / length;
                if current != *window {
                    *before = if current == *window + 1 { *used } else { 0 };
                    (*window, *used) = (current, 0);
                }
                arrive_in_estimate(used, *before, limit, length, now % length)
            }
            Admitted::Bucket { capacity, level, at } => {
                *level = (*level + now.saturating_sub(*at) * limit).min(*capacity);
                *at = now.max(*at);
                // One token is worth `length` units.
                if *level >= length {
                    *level -= length;
                    return Ok(*level / length);
                }
                refused((length - *level).div_ceil(limit))
            }
        }
    }
}

fn arrive_in_log(log: &mut VecDeque<u128>, limit: u128, length: u128, now: u128) -> Admission {
    while log.front().is_some_and(|oldest| oldest + length <= now) {
        log.pop_front();
    }
    let used = log.len() as u128;
    match log.front() {
        Some(oldest) if used >= limit => refused(oldest + length - now),
        _ => {
            log.push_back(now);
            Ok(limit - used - 1)
        }
    }
}

/// Implements the sliding counter, where `used` and `before` are the counts in the current and previous window. Admits a request
/// if `before × (share of the previous window still in view) + used + 1 ≤ limit`. All terms are multiplied by `length` to avoid
/// fractions.
fn arrive_in_estimate(used: &mut u128, before: u128, limit: u128, length: u128, elapsed: u128) -> Admission {
    let rest = length - elapsed;
    let capacity = (limit * length).saturating_sub(before * rest) / length;
    if capacity > *used {
        *used += 1;
        return Ok(capacity - *used);
    }
    // Compute when the next request will be admitted. If the current window isn't full, a slot opens later in the same window,
    // as the previous window's share shrinks. Otherwise, a slot opens in the next window, as this window's share shrinks.
    let fits_at = |sliding_out: u128, fixed: u128| {
        let tolerable = (limit - fixed - 1) * length / sliding_out.max(1);
        length.saturating_sub(tolerable)
    };
    if *used < limit { refused(fits_at(before, *used) - elapsed) } else { refused(rest + fits_at(*used, 0)) }
}

fn refused(nanoseconds: u128) -> Admission {
    let nanoseconds = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
    Err(Duration::from_nanos(nanoseconds))
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const WINDOW: u128 = 60_000_000_000;
    const SECOND: u128 = 1_000_000_000;

    fn limiter(kind: LimiterKind, limit: u32) -> Limiter {
        Limiter::new(kind, limit, Duration::from_mins(1))
    }

    fn admitted(limiter: &mut Limiter, count: u32, now: u128) -> u32 {
        (0..count).filter(|_| limiter.arrive(now).is_ok()).count().try_into().unwrap()
    }

    #[test]
    fn a_sliding_log_frees_a_slot_exactly_one_window_after_it_was_taken() {
        let mut log = limiter(LimiterKind::SlidingLog, 2);
        assert_eq!(log.arrive(5), Ok(1));
        assert_eq!(log.arrive(10), Ok(0));
        assert_eq!(log.arrive(20), refused(WINDOW - 15));
        assert_eq!(log.arrive(WINDOW + 4), refused(1));
        assert_eq!(log.arrive(WINDOW + 5), Ok(0));
        assert_eq!(log.arrive(WINDOW + 6), refused(4));
    }

    #[test]
    fn a_fixed_window_starts_from_zero_at_its_boundary() {
        let mut fixed = limiter(LimiterKind::FixedWindow, 3);
        assert_eq!(admitted(&mut fixed, 5, WINDOW - 1), 3);
        assert_eq!(fixed.arrive(WINDOW - 1), refused(1));
        assert_eq!(admitted(&mut fixed, 5, WINDOW), 3);
    }

    #[test]
    fn a_full_bucket_admits_nearly_twice_the_rate_limit_in_its_first_window() {
        let mut bucket = limiter(LimiterKind::FullBucket, 120);
        let total: u32 = (0..60).map(|s| admitted(&mut bucket, 120, s * SECOND)).sum();
        assert_eq!(total, 120 + 118);
        assert_eq!(bucket.arrive(59 * SECOND), refused(SECOND / 2));
    }

    #[test]
    fn a_smooth_bucket_refuses_a_burst_that_the_rate_limit_seems_to_permit() {
        let mut bucket = limiter(LimiterKind::SmoothBucket, 120);
        assert_eq!(admitted(&mut bucket, 120, 0), 12);
        assert_eq!(bucket.arrive(0), refused(SECOND / 2));
        assert_eq!(bucket.arrive(SECOND / 2), Ok(0));
        assert_eq!(admitted(&mut bucket, 120, 100 * WINDOW), 12);
    }

    #[test]
    fn a_sliding_counter_weights_the_previous_window_by_its_overlap() {
        let mut counter = limiter(LimiterKind::SlidingCounter, 10);
        assert_eq!(admitted(&mut counter, 20, WINDOW - 1), 10);
        assert_eq!(counter.arrive(WINDOW - 1), refused(1 + WINDOW / 10));
        assert_eq!(counter.arrive(WINDOW), refused(WINDOW / 10));
        assert_eq!(admitted(&mut counter, 20, WINDOW + WINDOW / 2), 5);
        assert_eq!(admitted(&mut counter, 20, 3 * WINDOW), 10);
    }

    #[test]
    fn every_limiter_admits_a_request_after_retry_after_and_not_earlier() {
        for kind in LimiterKind::ALL {
            for limit in [1, 2, 7, 120] {
                let mut limiter = limiter(kind, limit);
                let (mut now, mut refusals) = (3, 0);
                for step in 0..2_000_u128 {
                    match limiter.arrive(now) {
                        Ok(_) => now += step * 7_919 % SECOND,
                        Err(retry_after) => {
                            refusals += 1;
                            let wait = retry_after.as_nanos();
                            assert!(wait > 0);
                            let early = limiter.clone().arrive(now + wait - 1);
                            assert!(early.is_err(), "{kind:?}/{limit}: a nanosecond early");
                            now += wait;
                            let due = limiter.clone().arrive(now);
                            assert!(due.is_ok(), "{kind:?}/{limit}: when told");
                        }
                    }
                }
                assert!(refusals > 0, "{kind:?}/{limit} never refused anything");
            }
        }
    }

    #[test]
    fn a_limit_of_zero_admits_no_request() {
        for kind in LimiterKind::ALL {
            assert_eq!(limiter(kind, 0).arrive(7), refused(WINDOW), "{kind:?}");
        }
    }

    #[test]
    fn endpoints_have_separate_limits_and_an_unlimited_one_counts_nothing() {
        let mut limiters = Limiters::new(
            Limits::default().with(ApiOperation::UpdateUser, Some(1)).with(ApiOperation::GetMe, None),
        );
        assert_eq!(limiters.arrive(ApiOperation::UpdateUser, Duration::ZERO), Some(Ok(0)));
        assert!(matches!(limiters.arrive(ApiOperation::UpdateUser, Duration::ZERO), Some(Err(_))));
        assert_eq!(limiters.arrive(ApiOperation::SearchUsers, Duration::ZERO), Some(Ok(119)));
        for class in [ApiOperation::ListRoles, ApiOperation::ListUsers, ApiOperation::GetUser] {
            assert_eq!(limiters.arrive(class, Duration::ZERO), Some(Ok(299)));
        }
        assert_eq!(limiters.arrive(ApiOperation::GetMe, Duration::ZERO), None);
    }
}
