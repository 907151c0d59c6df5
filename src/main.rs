//! The binary: flags, log, server, exit code.
//!
//! Promises: exit code 0 after a stop that was asked for, 1 when the machine refuses, 2 when the
//! flags are wrong, each with one line on standard error. It is the only file that prints, and
//! nothing it prints can end it: a closed standard output is no reason to stop.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;

use chatline::config::{Config, Declined};
use chatline::logger;
use chatline::net::server::Server;

/// Most of the memory of a crowd that has left goes back to the machine within half a minute; a
/// thread or two of the allocator do that.
#[cfg(all(target_os = "linux", feature = "jemalloc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let config = match Config::parse_from(std::env::args_os()) {
        Ok(config) => config,
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
    let outcome = serve(config);
    log.finish();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why);
            ExitCode::FAILURE
        }
    }
}

fn serve(config: Config) -> Result<(), String> {
    let server = Server::start(config).map_err(|error| error.to_string())?;
    print(&announcement(server.addresses()));
    server.run().map_err(|cause| format!("cannot wait for events: {cause}"))
}

/// Where the server listens, and under the first address what to do with it.
fn announcement(addresses: &[SocketAddr]) -> String {
    let is_only_local = addresses.iter().all(|address| address.ip().is_loopback());
    let mut text = String::new();
    for (index, address) in addresses.iter().enumerate() {
        let port = address.port();
        text += &format!("listening on {address}\n");
        if index > 0 {
            continue;
        }
        let host = match address.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        text += &format!("  try it:   nc {host} {port}");
        if address.ip().is_unspecified() {
            text += &format!("   (from elsewhere: nc HOST {port}, with this machine's address)");
        }
        text += "\n";
        if is_only_local {
            text += &format!(
                "  open it:  --listen 0.0.0.0:{port}   (plain text: whoever reaches the port can \
                 come in)\n"
            );
        }
    }
    text
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
    use super::*;

    fn announced(addresses: &[&str]) -> String {
        let addresses: Vec<SocketAddr> = addresses.iter().map(|a| a.parse().unwrap()).collect();
        announcement(&addresses)
    }

    #[test]
    fn the_first_minute_is_as_promised() {
        assert_eq!(
            announced(&["127.0.0.1:9000"]),
            "listening on 127.0.0.1:9000\n  try it:   nc 127.0.0.1 9000\n  open it:  --listen \
             0.0.0.0:9000   (plain text: whoever reaches the port can come in)\n"
        );
    }

    #[test]
    fn an_open_server_does_not_say_how_to_open_it() {
        assert_eq!(
            announced(&["127.0.0.1:1", "[::]:2"]),
            "listening on 127.0.0.1:1\n  try it:   nc 127.0.0.1 1\nlistening on [::]:2\n"
        );
        assert!(announced(&["0.0.0.0:7"]).contains("  try it:   nc 127.0.0.1 7   (from elsewhere"));
        assert!(announced(&["[::]:7"]).contains("  try it:   nc ::1 7 "));
    }
}
