//! Business time. Leases, rate limits, sessions and time-outs use the real clock instead.

use chrono::{DateTime, Duration, SubsecRound, TimeDelta, Utc};
use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Instant,
};
use tokio::sync::watch;

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

tokio::task_local! {
    /// The hands by which a test holds the real clock.
    static HANDS: Hands;
}

/// The real clock in a test's hands: what must happen at the very moment when a time is over is seen at that moment, and
/// no test waits.
#[derive(Clone)]
pub struct Hands(watch::Sender<DateTime<Utc>>);

impl Hands {
    pub fn at(now: DateTime<Utc>) -> Self {
        Self(watch::Sender::new(now))
    }

    pub fn set(&self, now: DateTime<Utc>) {
        self.0.send_replace(now);
    }

    pub fn turn(&self, by: TimeDelta) {
        self.0.send_modify(|now| *now += by);
    }

    /// Runs `work` by this clock, its writes as well.
    pub async fn hold<F: Future>(&self, work: F) -> F::Output {
        HANDS.scope(self.clone(), work).await
    }
}

/// The hands that hold the clock of this task; none but in tests.
pub fn hands() -> Option<Hands> {
    HANDS.try_with(Clone::clone).ok()
}

/// The real time, for what must not jump with the demo's clock.
pub fn real_now() -> DateTime<Utc> {
    HANDS.try_with(|hands| *hands.0.borrow()).unwrap_or_else(|_| Utc::now()).trunc_subsecs(6)
}

/// What `work` comes to, or nothing where it takes longer than `patience` on the real clock.
pub async fn within<F: Future>(patience: std::time::Duration, work: F) -> Option<F::Output> {
    let Some(hands) = hands() else { return tokio::time::timeout(patience, work).await.ok() };
    let mut clock = hands.0.subscribe();
    let over = *clock.borrow() + TimeDelta::from_std(patience).unwrap_or(TimeDelta::MAX);
    tokio::select! {
        biased;
        output = work => Some(output),
        _ = clock.wait_for(|now| *now >= over) => None,
    }
}
