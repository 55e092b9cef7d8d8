//! IP addresses as text in; whether they are in a network, or public, out.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::{Arc, LazyLock},
};

use datafusion::{
    arrow::array::{ArrayRef, BooleanArray, StringViewArray},
    error::Result,
};
use ipnet::IpNet;

use super::pairs;

pub(super) fn cidr_contains(args: &[&StringViewArray]) -> Result<ArrayRef> {
    // Queries test many addresses against one network, so the last network is kept.
    let mut last: Option<(&str, Option<IpNet>)> = None;
    let values = pairs(args).map(|pair| {
        let (cidr, ip) = pair?;
        let net = match last {
            Some((text, net)) if text == cidr => net,
            _ => last.insert((cidr, network(cidr))).1,
        };
        Some(net?.contains(&address(ip)?))
    });
    Ok(Arc::new(values.collect::<BooleanArray>()))
}

pub(super) fn ip_is_public(args: &[&StringViewArray]) -> Result<ArrayRef> {
    Ok(Arc::new(
        args[0]
            .iter()
            .map(|ip| Some(is_public(address(ip?)?)))
            .collect::<BooleanArray>(),
    ))
}

fn network(cidr: &str) -> Option<IpNet> {
    cidr.trim()
        .parse()
        .ok()
        .or_else(|| cidr.trim().parse().ok().map(|ip: IpAddr| IpNet::from(ip)))
}

/// An address. An IPv4 address mapped into IPv6 is the IPv4 address.
fn address(ip: &str) -> Option<IpAddr> {
    let ip = ip.trim().trim_start_matches('[').trim_end_matches(']');
    let ip = ip.split_once('%').map_or(ip, |(ip, _)| ip);
    ip.parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// The networks that are not globally reachable: IANA's special-purpose address registries (RFC
/// 6890 and its successors), and multicast.
static NOT_GLOBAL: LazyLock<Vec<IpNet>> = LazyLock::new(|| {
    [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
        "::/127",
        "64:ff9b:1::/48",
        "100::/64",
        "2001::/23",
        "2001:db8::/32",
        "3fff::/20",
        "5f00::/16",
        "fc00::/7",
        "fe80::/10",
        "ff00::/8",
    ]
    .iter()
    .filter_map(|net| net.parse().ok())
    .collect()
});

fn is_public(ip: IpAddr) -> bool {
    // These anycast services are global although their blocks are not.
    const GLOBAL: [IpAddr; 4] = [
        IpAddr::V4(Ipv4Addr::new(192, 0, 0, 9)),
        IpAddr::V4(Ipv4Addr::new(192, 0, 0, 10)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 1)),
        IpAddr::V6(Ipv6Addr::new(0x2001, 1, 0, 0, 0, 0, 0, 2)),
    ];
    GLOBAL.contains(&ip) || !NOT_GLOBAL.iter().any(|net| net.contains(&ip))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_addresses() {
        for (ip, want) in [
            ("8.8.8.8", Some(true)),
            ("10.1.2.3", Some(false)),
            ("127.0.0.1", Some(false)),
            ("2606:4700::1111", Some(true)),
            ("::1", Some(false)),
            ("fe80::1%eth0", Some(false)),
            ("::ffff:10.0.0.1", Some(false)),
            ("::ffff:8.8.8.8", Some(true)),
            ("203.0.113.7", Some(false)),
            ("2001:db8::1", Some(false)),
            ("private", None),
            ("", None),
        ] {
            assert_eq!(address(ip).map(is_public), want, "{ip}");
        }
    }

    #[test]
    fn networks() {
        assert!(
            network("10.0.0.0/8")
                .unwrap()
                .contains(&address("::ffff:10.9.9.9").unwrap())
        );
        assert!(
            network("127.0.0.1")
                .unwrap()
                .contains(&address("127.0.0.1").unwrap())
        );
        assert_eq!(network("10.0.0.0/33"), None);
    }
}
