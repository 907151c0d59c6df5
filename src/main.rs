//! The binary: flags, log, server, exit code.
//!
//! Promises: exit code 0 after a stop that was asked for, 1 when the machine refuses, 2 when the
//! flags are wrong, each with one line on standard error. It is the only file that prints, and
//! nothing it prints can end it: a closed standard output is no reason to stop.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use chatline::config::{Cert, Config, Data, Declined, Task, Wanted};
use chatline::logger::{self, Log};
use chatline::net::figures::Kind;
use chatline::net::server::Server;

/// Most of the memory of a crowd that has left goes back to the machine within half a minute; a
/// thread or two of the allocator do that.
#[cfg(all(target_os = "linux", feature = "jemalloc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let config = match Wanted::parse_from(std::env::args_os()) {
        Ok(Wanted::Server(config)) => *config,
        Ok(Wanted::Task(task, data)) => return end(run_task(&task, &data)),
        Ok(Wanted::Cert(cert)) => return end(make_cert(&cert).map(|text| print(&text))),
        Err(Declined::Shown(text)) => {
            print(&text);
            return ExitCode::SUCCESS;
        }
        Err(Declined::Refused(why)) => {
            complain(&format!("{why}; see chatline --help"));
            return ExitCode::from(2);
        }
    };
    let log = match logger::start(config.log_level) {
        Ok(log) => log,
        Err(cause) => {
            complain(&format!("cannot start the log: {cause}"));
            return ExitCode::FAILURE;
        }
    };
    let outcome = serve(config, &log);
    log.finish();
    end(outcome)
}

/// What was to be done is done, or could not be.
fn end(outcome: Result<(), String>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why);
            ExitCode::FAILURE
        }
    }
}

#[cfg(feature = "tls")]
fn make_cert(cert: &Cert) -> Result<String, String> {
    chatline::cert::make(cert)
}

#[cfg(not(feature = "tls"))]
fn make_cert(_: &Cert) -> Result<String, String> {
    Err("this chatline was built without the feature tls and makes no certificates".to_owned())
}

#[cfg(feature = "store")]
fn run_task(task: &Task, data: &Path) -> Result<(), String> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let done = chatline::tasks::run(task, data, &mut out);
    // Whoever does not read to the end has seen enough.
    let _ = out.flush();
    done
}

#[cfg(not(feature = "store"))]
fn run_task(_: &Task, _: &Path) -> Result<(), String> {
    Err("this chatline was built without the feature store and keeps nothing".to_owned())
}

fn serve(config: Config, log: &Log) -> Result<(), String> {
    let data = config.data.clone();
    let mut server = Server::start(config).map_err(|error| error.to_string())?;
    server.watch_log(log.lines_lost());
    let mut text = announcement(&server.addresses(Kind::Lines), data.as_ref());
    for address in server.addresses(Kind::Telnet) {
        let (host, port) = (address.ip(), address.port());
        text += &format!("listening on {address}\n  for keys: telnet {host} {port}\n");
    }
    for address in server.addresses(Kind::Tls) {
        let (host, port) = (reachable(address.ip()), address.port());
        text += &format!("listening on {address}\n  try it:   ncat --ssl {host} {port}   (TLS)\n");
    }
    if let Some(address) = server.metrics_address() {
        text += &format!("listening on {address}\n  metrics:  curl http://{address}/metrics\n");
    }
    print(&text);
    server.run().map_err(|cause| format!("cannot wait for events: {cause}"))
}

/// Where the server listens, under the first address what to do with it, and what is kept.
fn announcement(addresses: &[SocketAddr], data: Option<&Data>) -> String {
    let is_only_local = addresses.iter().all(|address| address.ip().is_loopback());
    let mut text = String::new();
    for (index, address) in addresses.iter().enumerate() {
        let port = address.port();
        text += &format!("listening on {address}\n");
        if index > 0 {
            continue;
        }
        let host = reachable(address.ip());
        text += &format!("  try it:   nc {host} {port}");
        if address.ip().is_unspecified() {
            text += &format!("   (from elsewhere: nc HOST {port}, with this machine's address)");
        }
        text += "\n";
        let kept = kept_text(data);
        if is_only_local {
            text += &format!(
                "  open it:  --listen 0.0.0.0:{port}   (plain text: whoever reaches the port can \
                 come in)\n"
            );
        }
        text += &kept;
    }
    text
}

/// Where this machine reaches who listens there.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// Where what is said is kept, and for how long.
fn kept_text(data: Option<&Data>) -> String {
    let Some(Data { path, keep, keep_lines, .. }) = data else {
        return "  kept in:  memory, the last lines of each room   (--data PATH keeps them)\n"
            .into();
    };
    let days = keep.map(|keep| match keep.as_secs() {
        secs if secs % 86_400 == 0 => format!("for {} days", secs / 86_400),
        secs => format!("for {} hours", secs.div_ceil(3_600)),
    });
    let lines = keep_lines.map(|lines| format!("{lines} of each room"));
    let long: Vec<String> = [days, lines].into_iter().flatten().collect();
    let long = if long.is_empty() { "for ever".to_owned() } else { long.join(", ") };
    format!("  kept in:  {}   (lines {long}; --data none keeps nothing)\n", path.display())
}

fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

fn complain(why: &str) {
    let _ = writeln!(io::stderr().lock(), "chatline: {why}");
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn announced(addresses: &[&str]) -> String {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        let data = Data {
            path: "chatline.db".into(),
            sync: chatline::config::Sync::Disk,
            keep: Some(Duration::from_secs(30 * 86_400)),
            keep_lines: None,
            is_searchable: true,
        };
        announcement(&addresses, Some(&data))
    }

    #[test]
    fn the_first_minute_is_as_promised() {
        assert_eq!(
            announced(&["127.0.0.1:9000"]),
            "listening on 127.0.0.1:9000\n  try it:   nc 127.0.0.1 9000\n  open it:  --listen \
             0.0.0.0:9000   (plain text: whoever reaches the port can come in)\n  kept in:  \
             chatline.db   (lines for 30 days; --data none keeps nothing)\n"
        );
        assert!(kept_text(None).contains("memory"));
    }

    #[test]
    fn an_open_server_does_not_say_how_to_open_it() {
        assert_eq!(
            announced(&["127.0.0.1:1", "[::]:2"]),
            "listening on 127.0.0.1:1\n  try it:   nc 127.0.0.1 1\n  kept in:  chatline.db   \
             (lines for 30 days; --data none keeps nothing)\nlistening on [::]:2\n"
        );
        assert!(announced(&["0.0.0.0:7"]).contains("  try it:   nc 127.0.0.1 7   (from elsewhere"));
        assert!(announced(&["[::]:7"]).contains("  try it:   nc ::1 7 "));
    }
}
