//! Who is let in: how many connections there may be, in all and from one address, and how often.
//!
//! Promises: who was let in is counted until [`Door::leave`]. Deliberately tells nobody: the hub
//! says why it refused.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::chat::Origin;
use crate::chat::event::Parting;
use crate::chat::pace::Rate;

use super::arrivals::Arrivals;

/// The bounds on connections.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections in all.
    pub connections_max: Option<usize>,
    /// Connections from one address; loopback is exempt.
    pub connections_per_address_max: Option<usize>,
    /// How often connections come from one address; loopback is exempt.
    pub connects: Option<Rate>,
}

/// Counts who is in.
#[derive(Debug)]
pub struct Door {
    limits: Limits,
    inside: usize,
    by_origin: BTreeMap<Origin, usize>,
    arrivals: Arrivals,
}

impl Door {
    /// Nobody is in yet.
    pub fn new(limits: Limits) -> Door {
        Door { limits, inside: 0, by_origin: BTreeMap::new(), arrivals: Arrivals::default() }
    }

    /// From now on it is bounded so; who is in stays.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// How many are in.
    pub fn inside(&self) -> usize {
        self.inside
    }

    /// Lets somebody in, or says why not; `now` is the time since the start.
    ///
    /// # Errors
    /// [`Parting::TooOftenFromHere`], [`Parting::ServerFull`] or [`Parting::TooManyFromHere`].
    pub fn enter(&mut self, address: IpAddr, now: Duration) -> Result<(), Parting> {
        if let Some(rate) = self.limits.connects
            && !address.to_canonical().is_loopback()
            && !self.arrivals.take(rate, origin(address), now)
        {
            return Err(Parting::TooOftenFromHere);
        }
        if self.limits.connections_max.is_some_and(|most| self.inside >= most) {
            return Err(Parting::ServerFull);
        }
        let count = self.by_origin.entry(origin(address)).or_default();
        let most = self.limits.connections_per_address_max;
        if most.is_some_and(|most| *count >= most) && !address.to_canonical().is_loopback() {
            return Err(Parting::TooManyFromHere);
        }
        *count += 1;
        self.inside += 1;
        Ok(())
    }

    /// Somebody who was let in has gone.
    pub fn leave(&mut self, address: IpAddr) {
        self.inside -= 1;
        let origin = origin(address);
        let count = self.by_origin.get_mut(&origin).expect("who leaves was let in");
        *count -= 1;
        if *count == 0 {
            self.by_origin.remove(&origin);
        }
    }
}

/// Where an address counts as coming from: an IPv4 address whole (also when it is mapped into
/// IPv6), of an IPv6 address the first 64 bits, which is what one customer has. The last 64 bits of
/// a mapped address are the first ones of none: `::/8` is reserved (RFC 4291, section 2.4).
pub fn origin(address: IpAddr) -> Origin {
    match address.to_canonical() {
        IpAddr::V4(address) => Origin(u128::from(address.to_ipv6_mapped()) as u64),
        IpAddr::V6(address) => Origin((u128::from(address) >> 64) as u64),
    }
}

/// Whose address it is, in eighteen bytes: every connection keeps one.
#[derive(Clone, Copy)]
pub struct Address {
    ip: [u8; 16],
    port: u16,
}

impl Address {
    /// Without the port.
    pub fn ip(self) -> IpAddr {
        Ipv6Addr::from(self.ip).to_canonical()
    }
}

impl From<Address> for SocketAddr {
    fn from(address: Address) -> SocketAddr {
        SocketAddr::new(address.ip(), address.port)
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        let ip = match address.ip() {
            IpAddr::V4(ip) => ip.to_ipv6_mapped(),
            IpAddr::V6(ip) => ip,
        };
        Address { ip: ip.octets(), port: address.port() }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        SocketAddr::from(*self).fmt(f)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_are_counted_by_who_has_them() {
        assert_eq!(origin(address("::ffff:10.0.0.1")), origin(address("10.0.0.1")));
        assert_eq!(origin(address("2001:db8::1")), origin(address("2001:db8::ffff:1")));
        assert_ne!(origin(address("2001:db8::1")), origin(address("2001:db8:0:1::1")));
    }

    #[test]
    fn where_somebody_comes_from_is_in_its_networks() {
        let network = |text| crate::chat::network::network(text).unwrap();
        for (from, text, is_in) in [
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "10.1.2.2", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("11.1.2.3", "0.0.0.0/0", true),
            ("::ffff:10.1.2.3", "10.0.0.0/8", true),
            ("127.0.0.1", "::1", false),
            ("10.1.2.3", "::/0", false),
            ("10.1.2.3", "::/2", false),
            ("::1", "::1", true),
            ("::1", "10.0.0.0/8", false),
            ("::1", "::/0", true),
            ("2001:db8::1", "2001:db8::/32", true),
            ("2001:db9::1", "2001:db8::/32", false),
            ("2001:db8::1", "2001:db8::2", true),
            ("2001:db8:0:1::1", "2001:db8::2", false),
        ] {
            assert_eq!(origin(address(from)).is_in(network(text)), is_in, "{from} {text}");
        }
    }

    #[test]
    fn an_address_is_shown_as_it_came() {
        for text in ["10.0.0.1:9000", "[2001:db8::1]:65535", "[::1]:1"] {
            let address = Address::from(text.parse::<SocketAddr>().unwrap());
            assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn each_bound_holds_and_who_leaves_makes_room() {
        let mut door = Door::new(Limits {
            connections_max: Some(3),
            connections_per_address_max: Some(1),
            connects: None,
        });
        let now = Duration::ZERO;
        let (one, other) = (address("10.0.0.1"), address("10.0.0.2"));
        assert_eq!(door.enter(one, now), Ok(()));
        assert_eq!(door.enter(one, now), Err(Parting::TooManyFromHere));
        door.leave(one);
        assert_eq!(door.enter(one, now), Ok(()));
        assert_eq!(door.enter(address("127.0.0.1"), now), Ok(()));
        assert_eq!(door.enter(address("::1"), now), Ok(()));
        assert_eq!(door.enter(other, now), Err(Parting::ServerFull));
        assert_eq!(door.inside(), 3);
        let most = Some(2);
        door.set_limits(Limits {
            connections_max: most,
            connections_per_address_max: most,
            connects: None,
        });
        assert_eq!(door.enter(one, now), Err(Parting::ServerFull));
        door.leave(address("::1"));
        door.leave(address("127.0.0.1"));
        assert_eq!(door.enter(one, now), Ok(()));
    }

    #[test]
    fn who_comes_too_often_waits_and_this_machine_does_not() {
        let connects = Some(Rate { every: Duration::from_secs(30), burst: 2 });
        let limits = Limits { connections_max: None, connections_per_address_max: None, connects };
        let mut door = Door::new(limits);
        let (here, now) = (address("2001:db8::1"), Duration::from_secs(1));
        assert_eq!(door.enter(here, now), Ok(()));
        assert_eq!(door.enter(address("2001:db8::2"), now), Ok(()));
        assert_eq!(door.enter(here, now), Err(Parting::TooOftenFromHere));
        assert_eq!(door.enter(address("2001:db8:0:1::1"), now), Ok(()));
        assert_eq!(door.enter(here, now + Duration::from_secs(30)), Ok(()));
        for _ in 0..9 {
            assert_eq!(door.enter(address("::ffff:127.0.0.1"), now), Ok(()));
        }
        assert_eq!(door.inside(), 13);
    }
}
