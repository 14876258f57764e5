//! The time that budgets are counted in: it goes on while the machine sleeps and nobody can set it.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Linux stops the monotonic clock in suspend, other systems do not.
#[cfg(target_os = "linux")]
const CLOCK: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const CLOCK: ClockId = ClockId::Monotonic;

/// Time since the system was started, suspend included. The same for all processes of the host.
pub(super) fn since_boot() -> Duration {
    let time = clock_gettime(CLOCK);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A name of the present boot, where the system gives one.
pub(super) fn boot_name() -> String {
    // Without it a time of an earlier boot is taken for one of this boot: it then seems younger than it is, never older.
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id").map(|id| id.trim().to_owned()).unwrap_or_default()
}
