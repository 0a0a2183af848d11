//! How long a call waits for its answer.

use std::time::{Duration, Instant};

/// A process that sleeps over a call hangs; one that is kept from the processor by others does not, and to replace it would add to what
/// keeps it. So time counts as the process's own processor time once it has used some, and on the clock where it has used none.
#[derive(Debug)]
pub(super) struct Patience {
    process: Option<u32>,
    limit: Duration,
    until: Instant,
    /// Processor time of the process when the call began, and when it was looked at last.
    began: Option<Duration>,
    seen: Option<Duration>,
}

impl Patience {
    /// Without a process, or where the system does not tell, only the clock counts.
    pub(super) fn new(process: Option<u32>) -> Self {
        Self { process, limit: Duration::ZERO, until: Instant::now(), began: None, seen: None }
    }

    /// From now on.
    pub(super) fn start(&mut self, limit: Duration) {
        self.limit = limit;
        self.until = Instant::now() + limit;
        self.began = self.process.and_then(processor_time);
        self.seen = self.began;
    }

    /// The time until the process is looked at again; none when it is due.
    pub(super) fn left(&self) -> Option<Duration> {
        Some(self.until.saturating_duration_since(Instant::now())).filter(|left| !left.is_zero())
    }

    /// Whether to go on when no time is left.
    pub(super) fn goes_on(&mut self) -> bool {
        let now = self.process.and_then(processor_time);
        let (Some(began), Some(seen), Some(now)) = (self.began, self.seen, now) else { return false };
        self.seen = Some(now);
        self.until = Instant::now() + self.limit;
        now.saturating_sub(began) < self.limit && now.saturating_sub(seen) > self.limit / 100
    }
}

/// What the process has used of processors so far.
fn processor_time(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name, in brackets, may contain anything.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11).map(str::parse::<u64>);
    let ticks = fields.next()?.ok()? + fields.next()?.ok()?;
    // Linux counts in hundredths of a second here, whatever its own clock.
    Some(Duration::from_millis(ticks * 10))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::process::{Child, Command, Stdio};

    struct Ended(Child);

    impl Drop for Ended {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn shell(script: &str) -> Ended {
        Ended(Command::new("sh").args(["-c", script]).stdout(Stdio::null()).spawn().expect("started"))
    }

    fn waits(process: Option<u32>, limit: Duration) -> u32 {
        let mut patience = Patience::new(process);
        patience.start(limit);
        let mut times = 0;
        while let Some(left) = patience.left() {
            std::thread::sleep(left);
            if patience.left().is_none() && !patience.goes_on() {
                break;
            }
            times += 1;
        }
        times
    }

    #[test]
    fn one_that_sleeps_is_given_up_on_the_clock() {
        let asleep = shell("exec sleep 60");
        assert_eq!(waits(Some(asleep.0.id()), Duration::from_millis(300)), 0);
        assert_eq!(waits(None, Duration::from_millis(50)), 0);
    }

    #[test]
    fn one_that_gets_little_of_the_processor_is_waited_for() {
        // A fifth of its time or so.
        let busy = shell("while :; do i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done; sleep 0.05; done");
        let id = busy.0.id();
        let before = processor_time(id).expect("told");
        let limit = Duration::from_millis(500);
        assert!(waits(Some(id), limit) > 0);
        assert!(processor_time(id).expect("told") >= before + limit * 9 / 10);
    }
}
