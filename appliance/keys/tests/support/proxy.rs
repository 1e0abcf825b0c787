//! A proxy between keeper and swtpm that writes down every byte, can slip in a command of its own and can change answers.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use super::read_tpm;

/// Sees each command with its answer, and may change the answer.
type Tamper = Box<dyn FnMut(&[u8], &mut Vec<u8>) + Send>;

/// The proxy. Its threads end with the test process.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    upstream: Arc<Mutex<Option<TcpStream>>>,
    target: u16,
    seen: Arc<Mutex<Vec<u8>>>,
    tamper: Arc<Mutex<Option<Tamper>>>,
}

impl Proxy {
    pub(crate) fn new(target: u16) -> Self {
        let (data, control, port) = super::until("two ports for the proxy", || {
            let data = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).ok()?;
            let port = data.local_addr().ok()?.port();
            let control = TcpListener::bind((Ipv4Addr::LOCALHOST, port.checked_add(1)?)).ok()?;
            Some((data, control, port))
        });
        let (upstream, seen, tamper) = (Arc::default(), Arc::default(), Arc::default());
        let proxy = Self { port, upstream, target, seen, tamper };
        let (upstream, seen, tamper) = (proxy.upstream.clone(), proxy.seen.clone(), proxy.tamper.clone());
        std::thread::spawn(move || {
            for down in data.incoming() {
                let _ = relay(down.unwrap(), target, &upstream, &seen, &tamper);
                *upstream.lock().unwrap() = None;
            }
        });
        let seen = proxy.seen.clone();
        std::thread::spawn(move || {
            for down in control.incoming() {
                let up = TcpStream::connect((Ipv4Addr::LOCALHOST, target + 1)).unwrap();
                copy(down.as_ref().unwrap(), &up, &seen);
                copy(&up, &down.unwrap(), &seen);
            }
        });
        proxy
    }

    /// From now on `tamper` sees every command with its answer, and may change the answer.
    pub(crate) fn tamper(&self, tamper: impl FnMut(&[u8], &mut Vec<u8>) + Send + 'static) {
        *self.tamper.lock().unwrap() = Some(Box::new(tamper));
    }

    /// From now on answers pass as they are.
    pub(crate) fn honest(&self) {
        *self.tamper.lock().unwrap() = None;
    }

    /// Sends a command between two of the keeper's.
    pub(crate) fn slip_in(&self, command: &[u8]) -> Vec<u8> {
        let mut upstream = self.upstream.lock().unwrap();
        match upstream.as_mut() {
            Some(stream) => {
                stream.write_all(command).unwrap();
                read_tpm(stream).unwrap()
            }
            None => {
                let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.target)).unwrap();
                stream.write_all(command).unwrap();
                read_tpm(&mut stream).unwrap()
            }
        }
    }

    pub(crate) fn saw(&self, needle: &[u8]) -> bool {
        memchr::memmem::find(&self.seen.lock().unwrap(), needle).is_some()
    }

    /// Whether any window of 16 bytes of `secret` passed.
    pub(crate) fn saw_part_of(&self, secret: &[u8; 32]) -> bool {
        secret.windows(16).any(|part| self.saw(part))
    }

    pub(crate) fn bytes_seen(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

fn relay(
    mut down: TcpStream,
    target: u16,
    upstream: &Mutex<Option<TcpStream>>,
    seen: &Mutex<Vec<u8>>,
    tamper: &Mutex<Option<Tamper>>,
) -> std::io::Result<()> {
    let up = TcpStream::connect((Ipv4Addr::LOCALHOST, target))?;
    up.set_nodelay(true)?;
    down.set_nodelay(true)?;
    *upstream.lock().unwrap() = Some(up);
    loop {
        let command = read_tpm(&mut down)?;
        seen.lock().unwrap().extend(&command);
        let mut response = {
            let mut upstream = upstream.lock().unwrap();
            let stream = upstream.as_mut().unwrap();
            stream.write_all(&command)?;
            read_tpm(stream)?
        };
        seen.lock().unwrap().extend(&response);
        if let Some(tamper) = tamper.lock().unwrap().as_mut() {
            tamper(&command, &mut response);
        }
        down.write_all(&response)?;
    }
}

fn copy(from: &TcpStream, to: &TcpStream, seen: &Arc<Mutex<Vec<u8>>>) {
    let (mut from, mut to, seen) = (from.try_clone().unwrap(), to.try_clone().unwrap(), seen.clone());
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(n @ 1..) = std::io::Read::read(&mut from, &mut buffer) {
            seen.lock().unwrap().extend(&buffer[..n]);
            if to.write_all(&buffer[..n]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    });
}
