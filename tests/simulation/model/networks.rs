//! Networks of addresses, as operators write them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A network: its first address, and how many of the bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Network {
    first: IpAddr,
    pub bits: u8,
}

impl Network {
    /// The network that a word is. A number may have zeros before it; an address of IPv6 is half
    /// of one.
    pub fn parse(typed: &str) -> Option<Network> {
        let (address, bits) = match typed.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse().ok()?)),
            None => (typed, None),
        };
        if let Ok(IpAddr::V6(address)) = address.parse() {
            if let Some(mapped) = address.to_ipv4_mapped() {
                return Some(Network { first: mapped.into(), bits: 32 });
            }
            let bits = bits.unwrap_or(64);
            let behind = u128::MAX.checked_shr(bits.into()).unwrap_or(0);
            return Some(Network {
                first: Ipv6Addr::from(u128::from(address) & !behind).into(),
                bits,
            });
        }
        let number = |part: &str| part.parse::<u8>().ok().filter(|_| part.len() <= 3);
        let numbers: Option<Vec<u8>> = address.split('.').map(number).collect();
        let numbers: [u8; 4] = numbers?.try_into().ok()?;
        let bits = bits.unwrap_or(32);
        let behind = u32::MAX.checked_shr(bits.into()).unwrap_or(0);
        let first = Ipv4Addr::from(u32::from_be_bytes(numbers) & !behind).into();
        Some(Network { first, bits })
    }

    /// All that is known of where somebody comes from: of IPv6, half of it.
    pub fn of(address: IpAddr) -> Network {
        Network::parse(&address.to_string()).expect("an address is one")
    }

    /// Whether an address is in it.
    pub fn has(self, address: IpAddr) -> bool {
        let like = || Network::parse(&format!("{address}/{}", self.bits));
        self.first.is_ipv4() == address.is_ipv4() && like() == Some(self)
    }

    /// Whether an address may be in it, as far as is known.
    pub fn may_have(self, address: IpAddr) -> bool {
        match self.first.is_ipv6() && self.bits > 64 {
            true => Network::of(self.first) == Network::of(address),
            false => self.has(address),
        }
    }

    /// As it is shown.
    pub fn shown(self) -> String {
        let Network { first, bits } = self;
        if first.is_ipv4() && bits == 32 { first.to_string() } else { format!("{first}/{bits}") }
    }
}
