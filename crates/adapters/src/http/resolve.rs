//! Which addresses a system may be at, looked at each time its name is resolved.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde::Deserialize;
use url::{Host, Url};

use super::judge::Judge;

/// Which addresses are connected to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Addresses {
    /// Whatever the name resolves to.
    #[default]
    Any,
    /// Only addresses of the public internet: none of this machine, of a private network, or of a cloud's metadata.
    Public,
}

/// Refuses an address that is written as a number and may not be connected to: nothing is resolved then.
pub(super) fn check(addresses: Addresses, base: &Url, judge: &mut Judge<'_>) {
    let written = match base.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        Some(Host::Domain(_)) | None => return,
    };
    if addresses == Addresses::Public && !is_public(written) {
        let says = format!("{written} is no public address");
        judge.refuse::<()>(judge.codes.reach, &["addresses"], says, "write `addresses: any`, or another url");
    }
}

/// Resolves names as the machine does, and keeps only what is public. A name whose address changes between two calls is
/// looked at again: what is resolved here is what is connected to.
#[derive(Debug)]
pub(super) struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
            match public.is_empty() {
                true => Err(format!("{} has no public address", name.as_str()).into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address is reachable for everybody (IANA's registries of special-purpose addresses, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => embedded(address).map_or_else(|| is_public_v6(address), is_public_v4),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let special = match address.octets() {
        // "This network", and the whole of it.
        [0, ..] => true,
        // Shared by carriers (RFC 6598).
        [100, second, ..] => (64..128).contains(&second),
        // Protocol assignments, and benchmarks (RFC 2544).
        [192, 0, 0, _] | [198, 18..=19, ..] => true,
        // Reserved, and the broadcast address.
        [240..=255, ..] => true,
        _ => address.is_documentation(),
    };
    let near = address.is_private() || address.is_loopback() || address.is_link_local();
    !(special || near || address.is_multicast())
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // Global unicast is 2000::/3; within it 2001::/23 is for protocols and 2001:db8::/32, 3fff::/20 for documentation.
    match address.segments() {
        [0x2001, second, ..] => second >= 0x200 && second != 0xdb8,
        [0x3fff, second, ..] => second >= 0x1000,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

/// The address of the other family that this one leads to: mapped, translated (RFC 6052) or tunnelled (6to4).
fn embedded(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let [a, b, c, d] = match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => [high, low],
        [0x2002, high, low, ..] => [high, low],
        _ => return None,
    }
    .map(u16::to_be_bytes)
    .concat()
    .try_into()
    .ok()?;
    Some(Ipv4Addr::new(a, b, c, d))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_everybody_reaches_is_public() {
        let public = |text: &str| is_public(text.parse().unwrap());
        for there in ["1.1.1.1", "100.63.0.1", "172.15.0.1", "192.0.1.1", "2606:4700::1111", "::ffff:8.8.8.8"]
        {
            assert!(public(there), "{there}");
        }
        for near in [
            "127.0.0.1",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "192.0.0.170",
            "192.0.2.1",
            "198.18.0.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "3fff::1",
            "::ffff:127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "fec0::1",
            "100::1",
            "4000::1",
        ] {
            assert!(!public(near), "{near}");
        }
    }
}
