//! How much a peer may send in a time: a bucket that refills. Pure: the caller brings the time.

use std::time::{Duration, Instant};

/// Tokens that refill at a rate up to one second's worth.
#[derive(Debug)]
pub struct Bucket {
    rate: u64,
    tokens: f64,
    last: Instant,
}

impl Bucket {
    /// Full, refilling `rate` tokens a second.
    pub fn new(rate: u64, now: Instant) -> Self {
        Self { rate, tokens: rate as f64, last: now }
    }

    /// Takes `amount`, and says how long to wait until the bucket is out of debt. What came in was read already, so it is
    /// always taken; the peer is made to wait before the next.
    pub fn take(&mut self, amount: u64, now: Instant) -> Duration {
        let rate = self.rate as f64;
        let refilled = now.saturating_duration_since(self.last).as_secs_f64() * rate;
        self.tokens = (self.tokens + refilled).min(rate) - amount as f64;
        self.last = now;
        if self.tokens >= 0.0 { Duration::ZERO } else { Duration::from_secs_f64(-self.tokens / rate) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_a_second_is_free_and_the_rest_waits() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        assert_eq!(bucket.take(100, start), Duration::ZERO);
        assert_eq!(bucket.take(50, start), Duration::from_millis(500));
        assert_eq!(bucket.take(50, start + Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn a_long_pause_saves_up_one_second_at_most() {
        let start = Instant::now();
        let mut bucket = Bucket::new(100, start);
        let later = start + Duration::from_secs(3600);
        assert_eq!(bucket.take(100, later), Duration::ZERO);
        assert!(bucket.take(1, later) > Duration::ZERO);
    }
}
