//! When a request is tried again, and how long to wait before.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// How often and how patiently a request is tried again.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RetryPolicy {
    /// Tries in all; 1 means never again.
    pub(crate) attempts: u32,
}

/// The first wait; each further one is twice as long.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// The longest wait of our own accord.
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// The longest wait that a registry can ask for; if it asks for more, its answer is the result.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(60);

/// Statuses that can be different next time (408 and 429 by RFC 9110 and 6585; the 5xx that registries, proxies and
/// storage give under load).
pub(super) fn worth_another_try(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502 | 503 | 504)
}

impl RetryPolicy {
    /// Waits after the `attempt`th try, as long as the registry asks for, and tells whether to try again.
    pub(super) fn wait(&self, attempt: u32, retry_after: Option<Duration>) -> bool {
        let wait = match retry_after {
            Some(wait) if wait > LONGEST_RETRY_AFTER => return false,
            Some(wait) => wait,
            None => jittered(backoff(attempt)),
        };
        std::thread::sleep(wait);
        true
    }
}

fn backoff(attempt: u32) -> Duration {
    FIRST_WAIT.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(LONGEST_WAIT)
}

/// Between half and all of it, so that many clients that failed together do not come back together.
fn jittered(wait: Duration) -> Duration {
    let random = RandomState::new().hash_one(0) % 1000;
    wait / 2 + wait.mul_f64(random as f64 / 2000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        assert_eq!(backoff(1), Duration::from_millis(250));
        assert_eq!(backoff(3), Duration::from_secs(1));
        assert_eq!(backoff(60), LONGEST_WAIT);
        for _ in 0..100 {
            let wait = jittered(Duration::from_secs(1));
            assert!((Duration::from_millis(500)..=Duration::from_secs(1)).contains(&wait));
        }
    }

    #[test]
    fn a_registry_that_asks_for_an_hour_gets_no_further_try() {
        assert!(!RetryPolicy { attempts: 3 }.wait(1, Some(Duration::from_secs(3600))));
    }
}
