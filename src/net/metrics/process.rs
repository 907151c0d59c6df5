//! What the machine knows of this process.
//!
//! Promises: what cannot be had cheaply is left out: nothing here costs more with more connections.
//! Deliberately only from Linux; elsewhere there is less to see.

/// Figures of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// When it started, in seconds since 1970 UTC.
    pub started: i64,
    /// How many descriptors it has open; `None` before Linux 6.2.
    pub open_fds: Option<u64>,
    /// How many it may have open; `None` for no limit.
    pub max_fds: Option<u64>,
    /// How much of its memory is not swapped out, in bytes.
    pub resident_bytes: Option<u64>,
}

impl Process {
    /// As it is now; it started at `started`.
    pub fn look(started: i64) -> Process {
        let max_fds = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
        Process { started, open_fds: open_fds(), max_fds, resident_bytes: resident_bytes() }
    }
}

/// The size of the directory is the number of its entries (proc_pid_fd(5)); older kernels say 0.
fn open_fds() -> Option<u64> {
    let size = std::fs::metadata("/proc/self/fd").ok()?.len();
    Some(size).filter(|_| cfg!(target_os = "linux") && size > 0)
}

/// The second number of proc_pid_statm(5), in pages.
fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/statm").ok()?;
    let pages: u64 = text.split(' ').nth(1)?.parse().ok()?;
    Some(pages * rustix::param::page_size() as u64)
}

#[cfg(test)]
#[cfg(target_os = "linux")]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_process_holds_something() {
        let process = Process::look(7);
        assert_eq!(process.started, 7);
        assert!(process.resident_bytes.unwrap() > 1 << 20, "{process:?}");
        if let Some(before) = process.open_fds {
            let more: Vec<_> = (0..50).map(|_| std::fs::File::open("/dev/null").unwrap()).collect();
            // Other tests may close some meanwhile.
            assert!(open_fds().unwrap() > before, "{process:?}");
            drop(more);
        }
    }
}
