//! The binary: flags, log, server, exit code.
//!
//! Promises: exit code 0 after a stop that was asked for, 1 when the machine refuses, 2 when the
//! flags are wrong, each with one line on standard error. It is the only file that prints, and
//! nothing it prints can end it: a closed standard output is no reason to stop.

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use chatline::chat::admission::Admission;
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
    if let (Ok(()), Some(advice)) = (&done, chatline::tasks::advice(task)) {
        let _ = writeln!(io::stderr().lock(), "{advice}");
    }
    done
}

#[cfg(not(feature = "store"))]
fn run_task(_: &Task, _: &Path) -> Result<(), String> {
    Err("this chatline was built without the feature store and keeps nothing".to_owned())
}

fn serve(config: Config, log: &Log) -> Result<(), String> {
    let data = config.data.clone();
    let is_for_all = config.chat.admission == Admission::Everybody;
    let mut server = Server::start(config).map_err(|error| error.to_string())?;
    server.watch_log(log.lines_lost());
    let of_kind = |kind: Kind| server.addresses(kind).into_iter().map(move |it| (kind, it));
    let doors: Vec<_> = Kind::ALL.iter().copied().flat_map(of_kind).collect();
    let mut text = announcement(&doors, is_for_all, data.as_ref());
    if let Some(address) = server.metrics_address() {
        text += &format!("listening on {address}\n  metrics:  curl http://{address}/metrics\n");
    }
    print(&text);
    server.run().map_err(|cause| format!("cannot wait for events: {cause}"))
}

/// Where people come in, what to do with the first address of lines and with those of other kinds;
/// and, under the first of all, what is kept.
fn announcement(doors: &[(Kind, SocketAddr)], is_for_all: bool, data: Option<&Data>) -> String {
    let of_lines = || doors.iter().filter(|(kind, _)| *kind == Kind::Lines);
    let is_only_local = of_lines().all(|(_, address)| address.ip().is_loopback());
    let mut text = String::new();
    for (index, (kind, address)) in doors.iter().enumerate() {
        let (host, port) = (reachable(address.ip()), address.port());
        text += &format!("listening on {address}\n");
        match kind {
            Kind::Lines if index > 0 => {}
            Kind::Lines => {
                text += &format!("  try it:   nc {host} {port}");
                if address.ip().is_unspecified() {
                    text += &format!(
                        "   (from elsewhere: nc HOST {port}, with this machine's address)"
                    );
                }
                text += "\n";
                if is_only_local {
                    text += &opening(port, is_for_all);
                }
            }
            Kind::Telnet => text += &format!("  for keys: telnet {host} {port}\n"),
            Kind::Tls => text += &format!("  try it:   ncat --ssl {host} {port}   (TLS)\n"),
        }
        if index == 0 {
            text += &kept_text(data);
        }
    }
    text
}

/// How the network is let in, and what that means.
fn opening(port: u16, is_for_all: bool) -> String {
    let what = match is_for_all {
        true => "whoever reaches the port can come in",
        false => "passwords can be overheard; --tls-listen encrypts",
    };
    format!("  open it:  --listen 0.0.0.0:{port}   (plain text: {what})\n")
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
        let doors = addresses.iter().map(|address| (Kind::Lines, address.parse().unwrap()));
        announced_at(&doors.collect::<Vec<_>>(), true)
    }

    fn announced_at(doors: &[(Kind, SocketAddr)], is_for_all: bool) -> String {
        let data = Data {
            path: "chatline.db".into(),
            sync: chatline::config::Sync::Disk,
            keep: Some(Duration::from_secs(30 * 86_400)),
            keep_lines: None,
            is_searchable: true,
        };
        announcement(doors, is_for_all, Some(&data))
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
    fn what_is_open_to_members_alone_is_not_open_to_whoever_reaches_it() {
        let text = announced_at(&[(Kind::Lines, "127.0.0.1:9".parse().unwrap())], false);
        assert!(text.contains("(plain text: passwords can be overheard; "), "{text}");
        assert!(!text.contains("whoever"), "{text}");
    }

    #[test]
    fn a_server_of_tls_alone_says_what_it_keeps() {
        let address: SocketAddr = "0.0.0.0:9443".parse().unwrap();
        assert_eq!(
            announced_at(&[(Kind::Tls, address), (Kind::Tls, "[::]:9443".parse().unwrap())], true),
            "listening on 0.0.0.0:9443\n  try it:   ncat --ssl 127.0.0.1 9443   (TLS)\n  kept in:  \
             chatline.db   (lines for 30 days; --data none keeps nothing)\nlistening on \
             [::]:9443\n  try it:   ncat --ssl ::1 9443   (TLS)\n"
        );
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
