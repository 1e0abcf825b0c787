//! This machine: its interfaces, its disk.

use std::net::IpAddr;
use std::path::Path;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Interface {
    pub(crate) name: String,
    pub(crate) wireless: bool,
}

/// The interface that has this address.
pub(crate) fn interface(address: IpAddr) -> Option<Interface> {
    let all = nix::ifaddrs::getifaddrs().ok()?;
    let has = |storage: &nix::sys::socket::SockaddrStorage| match address {
        IpAddr::V4(address) => storage.as_sockaddr_in().is_some_and(|socket| socket.ip() == address),
        IpAddr::V6(address) => storage.as_sockaddr_in6().is_some_and(|socket| socket.ip() == address),
    };
    let found = all.into_iter().find(|interface| interface.address.as_ref().is_some_and(has))?;
    let name = found.interface_name;
    // A name with a slash is none; the kernel makes no such.
    let wireless = !name.contains('/') && Path::new("/sys/class/net").join(&name).join("wireless").exists();
    Some(Interface { name, wireless })
}

/// Bytes that this user may still write where the path lies.
pub(crate) fn free_disk(path: &Path) -> Option<u64> {
    let volume = nix::sys::statvfs::statvfs(path).ok()?;
    volume.blocks_available().checked_mul(volume.fragment_size())
}
