//! Networks of addresses: how they are typed and shown, and who comes from one.
//!
//! Promises: what is mapped into IPv6 is IPv4 everywhere; an address of IPv6 stands for its /64,
//! which is all that is known of where somebody comes from. Deliberately forbids nobody anything.

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

use super::Origin;

/// What an IPv4 address has before it in the key of where somebody comes from: the last half of
/// that address, mapped into IPv6.
const MAPPED: u64 = 0xffff << 32;

/// The length of the prefix that somebody who has an IPv6 address shares with nobody.
const HOUSE_PREFIX: u8 = 64;

/// The length of the prefix under which IPv4 is mapped into IPv6 (RFC 4291, section 2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// The network that somebody typed: an address, or one with the length of its prefix. What is
/// mapped into IPv6 is IPv4; what stands behind the prefix is dropped. An IPv6 address means the
/// /64 that it is in, of which whoever has one has all.
pub fn network(text: &str) -> Option<IpNet> {
    if text.contains('/') {
        return text.parse().ok().map(canonical);
    }
    let single = |length: u8| format!("{text}/{length}").parse().ok().map(canonical);
    match single(128).or_else(|| single(32))? {
        IpNet::V6(it) => Ipv6Net::new(it.addr(), HOUSE_PREFIX).ok().map(|it| it.trunc().into()),
        it => Some(it),
    }
}

/// A network without what stands behind its prefix, and as IPv4 if it is mapped into IPv6.
pub fn canonical(network: IpNet) -> IpNet {
    if let IpNet::V6(it) = network
        && let (Some(mapped), Some(length)) =
            (it.addr().to_ipv4_mapped(), it.prefix_len().checked_sub(MAPPED_PREFIX))
        && let Ok(mapped) = Ipv4Net::new(mapped, length)
    {
        return mapped.trunc().into();
    }
    network.trunc()
}

impl Origin {
    /// What is known of the address, as it can be banned: an IPv4 address, or the /64 of an
    /// IPv6 one.
    pub fn network(self) -> IpNet {
        match u32::try_from(self.0 ^ MAPPED) {
            Ok(address) => Ipv4Net::new_assert(address.into(), 32).into(),
            Err(_) => {
                let address = u128::from(self.0) << 64;
                Ipv6Net::new_assert(address.into(), HOUSE_PREFIX).into()
            }
        }
    }

    /// Whether somebody who comes from there may be in that network. Of an IPv6 address the first
    /// half is known: beyond that, whoever shares it is taken for the same.
    pub fn is_in(self, network: IpNet) -> bool {
        let (first, own) = match network {
            IpNet::V4(it) => (u64::from(u32::from(it.addr())), u32::try_from(self.0 ^ MAPPED)),
            // What is mapped is IPv4, and in no network of IPv6.
            IpNet::V6(_) if self.0 >> 32 == MAPPED >> 32 => return false,
            IpNet::V6(it) => {
                let shift = 64_u32.saturating_sub(u32::from(it.prefix_len()));
                let half = (u128::from(it.addr()) >> 64) as u64;
                return (half ^ self.0).checked_shr(shift).unwrap_or(0) == 0;
            }
        };
        let shift = 32 - u32::from(network.prefix_len());
        own.is_ok_and(|own| (first ^ u64::from(own)).checked_shr(shift).unwrap_or(0) == 0)
    }
}

/// A network as it is shown, and read again: one of a single IPv4 address as that.
pub fn shown(network: IpNet) -> String {
    match network {
        IpNet::V4(it) if it.prefix_len() == it.max_prefix_len() => it.addr().to_string(),
        _ => network.to_string(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    #[test]
    fn a_network_is_read_as_what_it_is() {
        for (typed, read) in [
            ("10.1.2.3", Some("10.1.2.3")),
            ("10.1.2.3/8", Some("10.0.0.0/8")),
            ("010.001.002.003", Some("10.1.2.3")),
            ("010.001.002.003/8", Some("10.0.0.0/8")),
            ("0.0.0.0/0", Some("0.0.0.0/0")),
            ("::ffff:10.1.2.3", Some("10.1.2.3")),
            ("::ffff:10.1.2.3/112", Some("10.1.0.0/16")),
            ("::/0", Some("::/0")),
            ("2001:db8::7", Some("2001:db8::/64")),
            ("2001:db8::7/128", Some("2001:db8::7/128")),
            ("::ffff:10.1.2.3/128", Some("10.1.2.3")),
            ("2001:db8::7/32", Some("2001:db8::/32")),
            ("10.1.2", None),
            ("10.1.2.3/33", None),
            ("alice", None),
            ("", None),
        ] {
            assert_eq!(network(typed).map(shown).as_deref(), read, "{typed}");
        }
    }

    #[test]
    fn where_somebody_comes_from_is_shown_as_it_is_banned() {
        for typed in ["192.0.2.7", "0.0.0.0", "2001:db8::7", "::1"] {
            let network = network(typed).unwrap();
            let address = match network.addr() {
                IpAddr::V4(address) => address.to_ipv6_mapped(),
                IpAddr::V6(address) => address,
            };
            let bits = u128::from(address);
            let is_v4 = matches!(network, IpNet::V4(_));
            let origin = Origin(if is_v4 { bits as u64 } else { (bits >> 64) as u64 });
            assert_eq!(origin.network(), network, "{typed}");
            assert!(origin.is_in(network), "{typed}");
        }
    }
}
