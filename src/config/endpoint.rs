//! Where the server listens, as it was written: a port, an address and a port, or a host and a
//! port.
//!
//! Promises: reading one asks nobody, so that a configuration can be read again while people talk;
//! a host is looked up by [`Endpoint::resolve`] and nowhere else. Deliberately opens nothing.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};

use super::amount::Bound;

/// The flags that say where to listen.
pub(super) const FLAGS: [&str; 4] = ["--listen", "--telnet-listen", "--tls-listen", "--metrics"];

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// At that address.
    At(SocketAddr),
    /// At the address of that host.
    Host(String, u16),
}

impl Endpoint {
    /// Reads `[ADDR:]PORT` or `HOST:PORT`.
    ///
    /// # Errors
    /// One clause: what is wanted.
    pub fn parse(text: &str) -> Result<Endpoint, String> {
        if let Ok(port) = text.parse() {
            return Ok(Endpoint::At(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        if let Ok(address) = text.parse() {
            return Ok(Endpoint::At(address));
        }
        let unbracketed = text.trim_start_matches('[').trim_end_matches(']');
        if let Ok(alone) = unbracketed.parse::<IpAddr>() {
            return Err(format!("a port is missing, as in {}", SocketAddr::new(alone, 9000)));
        }
        let wanted =
            "wanted is a port, or an address and a port, as in 9000, 0.0.0.0:9000 or [::]:9000";
        let (host, port) = text.rsplit_once(':').ok_or(wanted)?;
        let port: u16 = port.parse().map_err(|_| wanted)?;
        if host.is_empty() || host == "*" {
            return Err(format!("for every address of this machine say 0.0.0.0:{port}"));
        }
        let is_host = host.chars().all(|char| char.is_alphanumeric() || "-._".contains(char));
        match is_host {
            true => Ok(Endpoint::Host(host.to_owned(), port)),
            false => Err(wanted.to_owned()),
        }
    }

    /// Its address. Of a host with several it is the first of IPv4, or the first: one flag is one
    /// listener.
    ///
    /// # Errors
    /// There is no such host, or it cannot be asked for now.
    pub fn resolve(&self) -> io::Result<SocketAddr> {
        let (host, port) = match self {
            Endpoint::At(address) => return Ok(*address),
            Endpoint::Host(host, port) => (host.as_str(), *port),
        };
        let found = (host, port).to_socket_addrs();
        let found = found.map_err(|_| io::Error::other("there is no host of that name"))?;
        let found: Vec<SocketAddr> = found.collect();
        let first = found.iter().find(|address| address.is_ipv4()).or(found.first());
        first.copied().ok_or_else(|| io::Error::other("that host has no address"))
    }

    /// Whether not both can be listened at: an address is among all those of the machine. Port 0 is
    /// another one each time, and a host is only what it is called.
    pub fn overlaps(&self, other: &Endpoint) -> bool {
        match (self, other) {
            (Endpoint::At(one), Endpoint::At(other)) => {
                let is_one_all = [one, other].iter().any(|it| it.ip().is_unspecified());
                let is_same_kind = one.is_ipv4() == other.is_ipv4();
                let is_same_port = one.port() != 0 && one.port() == other.port();
                is_same_kind && is_same_port && (is_one_all || one.ip() == other.ip())
            }
            (Endpoint::Host(_, port), _) => *port != 0 && self == other,
            (Endpoint::At(_), Endpoint::Host(..)) => false,
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Endpoint::At(address) => address.fmt(f),
            Endpoint::Host(host, port) => write!(f, "{host}:{port}"),
        }
    }
}

/// What was given for a flag that can be `off`.
///
/// # Errors
/// One sentence without its end.
pub(super) fn not_off(given: &[Bound<Endpoint>]) -> Result<Vec<Endpoint>, String> {
    let named: Vec<Endpoint> = given.iter().cloned().filter_map(Bound::most).collect();
    match named.is_empty() || named.len() == given.len() {
        true => Ok(named),
        false => Err("--listen off stands alone: leave it out, or all others".to_owned()),
    }
}

/// Whether all can be listened at, each list by the flag in its place in [`FLAGS`], and somebody
/// can come in at one of them.
///
/// # Errors
/// One sentence without its end.
pub(super) fn check(lists: [&[Endpoint]; 4]) -> Result<(), String> {
    let all = FLAGS.into_iter().zip(lists);
    let all = all.flat_map(|(flag, list)| list.iter().map(move |endpoint| (flag, endpoint)));
    let all: Vec<(&str, &Endpoint)> = all.collect();
    for (index, (flag, endpoint)) in all.iter().enumerate() {
        let other = all[..index].iter().find(|(_, other)| other.overlaps(endpoint));
        if let Some(other) = other {
            return Err(collision((flag, endpoint), *other));
        }
    }
    let is_entered = all.iter().any(|(flag, _)| *flag != "--metrics");
    match is_entered || std::env::var_os("LISTEN_FDS").is_some() {
        true => Ok(()),
        false => Err("--listen off leaves nowhere to come in: name --tls-listen or \
                      --telnet-listen as well"
            .to_owned()),
    }
}

fn collision((flag, endpoint): (&str, &Endpoint), (other, taken): (&str, &Endpoint)) -> String {
    if (flag, endpoint) == (other, taken) {
        return format!("{flag} {endpoint} is given twice; once is enough");
    }
    let way_out = match (other, flag) {
        ("--listen", "--telnet-listen" | "--tls-listen") => ", or say --listen off",
        _ => "",
    };
    format!(
        "{flag} {endpoint} overlaps with {other} {taken}: choose another port for one of \
         them{way_out}"
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Config, Declined};
    use super::*;

    #[test]
    fn a_host_is_looked_up_late() {
        let host = Endpoint::parse("localhost:9000").unwrap();
        assert_eq!(host, Endpoint::Host("localhost".into(), 9000));
        assert_eq!(host.resolve().unwrap(), "127.0.0.1:9000".parse().unwrap());
        assert_eq!(host.to_string(), "localhost:9000");
        // A name that nobody has (RFC 6761, section 6.4).
        assert!(Endpoint::parse("chat.invalid:9000").unwrap().resolve().is_err());
        for wrong in ["a b:9000", "\u{1b}[2J:9000", "[host]:9000", "host:70000", "host:"] {
            assert!(Endpoint::parse(wrong).unwrap_err().starts_with("wanted is a port"), "{wrong}");
        }
    }

    #[test]
    fn an_address_is_among_all_of_its_kind() {
        for (one, other, overlaps) in [
            ("9000", "127.0.0.1:9000", true),
            ("9000", "0.0.0.0:9000", true),
            ("9000", "0.0.0.0:9001", false),
            ("0.0.0.0:9000", "[::]:9000", false),
            ("[::1]:9000", "[::]:9000", true),
            ("10.0.0.1:9000", "10.0.0.2:9000", false),
            ("0", "0", false),
            ("host:9000", "host:9000", true),
            ("host:0", "host:0", false),
            ("host:9000", "0.0.0.0:9000", false),
        ] {
            let [one, other] = [one, other].map(|text| Endpoint::parse(text).unwrap());
            assert_eq!(one.overlaps(&other), overlaps, "{one} {other}");
            assert_eq!(other.overlaps(&one), overlaps, "{other} {one}");
        }
    }

    fn parse(args: &[&str]) -> Result<Config, Declined> {
        Config::parse_from(["chatline"].iter().chain(args).map(Into::into))
    }

    fn refusal(args: &[&str]) -> String {
        match parse(args) {
            Err(Declined::Refused(sentence)) => sentence,
            other => panic!("{args:?} was not refused: {other:?}"),
        }
    }

    #[test]
    fn what_cannot_be_listened_at_together_is_refused() {
        assert_eq!(
            refusal(&["--listen=127.0.0.1:9", "--telnet-listen=0.0.0.0:9"]),
            "--telnet-listen 0.0.0.0:9 overlaps with --listen 127.0.0.1:9: choose another port for \
             one of them, or say --listen off"
        );
        assert!(refusal(&["--listen=9", "--metrics=9"]).ends_with("another port for one of them"));
        assert!(refusal(&["--telnet-listen=9,9"]).starts_with("--telnet-listen 127.0.0.1:9 is "));
        assert!(parse(&["--listen=0.0.0.0:9,[::]:9"]).is_ok());
    }

    #[test]
    fn it_is_listened_for_lines_unless_it_is_elsewhere() {
        let config = parse(&["--listen=off", "--telnet-listen=23"]).unwrap();
        assert_eq!((config.listen.len(), config.telnet_listen.len()), (0, 1));
        let sentence = refusal(&["--listen=off"]);
        assert!(sentence.starts_with("--listen off leaves nowhere to come in"), "{sentence}");
        assert_eq!(refusal(&["--listen=off", "--metrics=9"]), sentence);
        assert!(refusal(&["--listen=off,9"]).starts_with("--listen off stands alone"));
    }
}
