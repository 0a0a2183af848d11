//! On which machine this process runs, and for how long its claims are good without a sign of life.

use std::sync::OnceLock;
use std::time::Duration;

/// How long a claim may stay as it is before another machine takes it over.
const DEAD_AFTER: Duration = Duration::from_mins(1);
/// More is not believed of a claim that somebody else wrote.
const MOST: Duration = Duration::from_mins(10);
/// Signs of life in that time: a few may be late.
const BEATS: u32 = 12;

/// Where claims of this process come from.
#[derive(Debug)]
pub(super) struct Machine {
    /// For people.
    pub host: String,
    /// Names one start of one machine, where the system does; else the host.
    pub id: String,
    /// Whether the system's locks count. A test that plays another machine does without them, since another machine would not see them.
    pub locks: bool,
    /// What claims of this process say.
    pub dead_after: Duration,
}

impl Machine {
    pub(super) fn this() -> &'static Self {
        static THIS: OnceLock<Machine> = OnceLock::new();
        THIS.get_or_init(|| {
            let seconds = std::env::var("EPO_TEST_CLAIM_SECONDS").ok().and_then(|text| text.parse().ok());
            let dead_after = seconds.map_or(DEAD_AFTER, bounded);
            match std::env::var("EPO_TEST_HOST") {
                Ok(host) => Self { id: format!("test {host}"), host, locks: false, dead_after },
                Err(_) => {
                    let host = host_name();
                    Self { id: boot().unwrap_or_else(|| host.clone()), host, locks: true, dead_after }
                }
            }
        })
    }

    /// Between two signs of life.
    pub(super) fn beat(&self) -> Duration {
        self.dead_after / BEATS
    }
}

/// After how long without a sign of life a claim is dead that says this of itself.
pub(super) fn bounded(seconds: f64) -> Duration {
    match Duration::try_from_secs_f64(seconds) {
        Ok(time) if !time.is_zero() => time.clamp(Duration::from_millis(100), MOST),
        _ => DEAD_AFTER,
    }
}

/// Two machines may have one name; they have not started at the same time with the same number.
fn boot() -> Option<String> {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(text.trim().to_owned()).filter(|id| !id.is_empty())
}

#[cfg(unix)]
fn host_name() -> String {
    let mut bytes = [0_u8; 256];
    // SAFETY: the buffer is as long as is said, and its last byte stays a zero.
    let failed = unsafe { libc::gethostname(bytes.as_mut_ptr().cast(), bytes.len() - 1) } != 0;
    let name = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    match String::from_utf8_lossy(name) {
        name if failed || name.is_empty() => "unknown".into(),
        name => name.into_owned(),
    }
}

#[cfg(not(unix))]
fn host_name() -> String {
    std::env::var("COMPUTERNAME").unwrap_or_else(|_| "unknown".into())
}
