//! Business time. Leases, rate limits, sessions and time-outs use the real clock instead.

use chrono::{DateTime, Duration, SubsecRound, Utc};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};

/// Where business time stands: the real time, or a start that ticks on, both moved forward by the demo's offset.
pub struct Clock {
    start: Option<(DateTime<Utc>, Instant)>,
    offset_seconds: AtomicI64,
}

impl Clock {
    pub fn new(start: Option<DateTime<Utc>>) -> Self {
        Self { start: start.map(|start| (start, Instant::now())), offset_seconds: AtomicI64::new(0) }
    }

    /// Now, cut to the microseconds that both engines keep.
    pub fn now(&self) -> DateTime<Utc> {
        let base = match self.start {
            Some((start, since)) => start + Duration::from_std(since.elapsed()).unwrap_or_default(),
            None => Utc::now(),
        };
        (base + Duration::seconds(self.offset_seconds.load(Ordering::Relaxed))).trunc_subsecs(6)
    }

    pub fn set_offset(&self, seconds: i64) {
        self.offset_seconds.store(seconds, Ordering::Relaxed);
    }
}

/// The real time, for what must not jump with the demo's clock.
pub fn real_now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}
