//! Which addresses count as one client, where clients are bounded.

use std::net::{IpAddr, Ipv6Addr};

/// The longest text that is kept of an address that can't be read, in characters.
const LONGEST: usize = 64;

/// What counts as one client: an IPv4 address, or an IPv6 network of 64 bits, in which everybody has as many addresses
/// as they like. A text that is no address counts as it is.
pub(crate) fn client_network(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            Ipv6Addr::from(u128::from(v6) & (u128::MAX << 64)).to_string()
        }
        _ => address.chars().take(LONGEST).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_one_client() {
        assert_eq!(client_network("2001:db8::1"), client_network("2001:db8::ffff:2"));
        assert_ne!(client_network("2001:db8::1"), client_network("2001:db8:0:1::1"));
        assert_ne!(client_network("::ffff:192.0.2.1"), client_network("::ffff:192.0.2.2"));
        assert_eq!(client_network("192.0.2.1"), "192.0.2.1");
    }
}
