//! The address of a metadata service in, whether one answers out.
//!
//! Without other credentials, `object_store` asks the metadata service of the cloud, and where
//! there is none it keeps asking for a long time. A short probe comes first: machines in a cloud
//! need no settings, and elsewhere the message comes at once.
//!
//! Not responsible for: what the service knows (`object_store` asks it).

use std::{
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

/// The address that AWS, Google and Azure share.
pub(super) const ADDRESS: &str = "169.254.169.254:80";

/// Does anything accept connections there within a second? `address` is a host with a port, or a
/// URL.
pub(super) async fn answers(address: &str) -> bool {
    let address = host_and_port(address);
    let probe = tokio::task::spawn_blocking(move || {
        let Ok(mut found) = address.to_socket_addrs() else {
            return false;
        };
        found.next().is_some_and(|address| {
            TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok()
        })
    });
    matches!(
        tokio::time::timeout(Duration::from_secs(2), probe).await,
        Ok(Ok(true))
    )
}

fn host_and_port(address: &str) -> String {
    let host = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or_default();
    // An IPv6 address has its colons in brackets.
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| {
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    });
    if has_port {
        host.to_owned()
    } else {
        format!("{host}:80")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(host_and_port("http://169.254.169.254"), ADDRESS);
        assert_eq!(
            host_and_port("http://[fd00:ec2::254]/x"),
            "[fd00:ec2::254]:80"
        );
        assert_eq!(host_and_port("127.0.0.1:1"), "127.0.0.1:1");
    }
}
