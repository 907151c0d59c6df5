//! What the kernel says of a process: its memory and its descriptors (proc(5)).

use std::fs;
use std::time::Duration;

/// How long a server may take to give back what it has just freed.
pub const SETTLING: Duration = Duration::from_millis(300);

/// How many descriptors a process has.
pub fn descriptors(process: u32) -> usize {
    fs::read_dir(format!("/proc/{process}/fd")).map_or(0, |entries| entries.count())
}

/// Its resident memory that is no file's, in bytes.
pub fn resident(process: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.expect("a process has resident memory while it lives") * 1024
}
