//! A connection whose reading and writing end in time.

use super::address::Address;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Encrypted or not.
#[derive(Debug)]
pub(super) enum Wire {
    Plain(Timed),
    Encrypted(Box<StreamOwned<ClientConnection, Timed>>),
}

/// What is not done at a moment ends with an error, however slowly the other side goes on.
#[derive(Debug)]
pub(super) struct Timed {
    stream: TcpStream,
    until: Instant,
}

impl Wire {
    /// # Errors
    /// In words.
    pub(super) fn connect(address: &Address, until: Instant) -> Result<Self, String> {
        let Address { host, port, encrypted, .. } = address;
        let at = address.sessions();
        let found = (host.as_str(), *port).to_socket_addrs().map_err(|error| format!("`{host}` is not known: {error}"))?;
        let mut last = None;
        for place in found {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&place, left) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    let timed = Timed { stream, until };
                    return if *encrypted { Self::encrypted(timed, host) } else { Ok(Self::Plain(timed)) };
                }
                Err(error) => last = Some(error),
            }
        }
        Err(match last {
            Some(error) => format!("nothing answers at {at}: {error}"),
            None => format!("`{host}` is not known"),
        })
    }

    /// By the certificates that browsers trust, and by nothing that the machine or a variable says.
    fn encrypted(timed: Timed, host: &str) -> Result<Self, String> {
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.map_err(|error| error.to_string())?.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(host.to_owned()).map_err(|_| format!("`{host}` is no name that a certificate can have"))?;
        let connection = ClientConnection::new(Arc::new(config), name).map_err(|error| error.to_string())?;
        Ok(Self::Encrypted(Box::new(StreamOwned::new(connection, timed))))
    }

    /// When what follows has to be done.
    pub(super) fn end_at(&mut self, until: Instant) {
        match self {
            Self::Plain(timed) => timed.until = until,
            Self::Encrypted(stream) => stream.sock.until = until,
        }
    }
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left.max(Duration::from_millis(1)))),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(into)
    }
}

impl Write for Timed {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(from)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.read(into),
            Self::Encrypted(stream) => stream.read(into),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, from: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(timed) => timed.write(from),
            Self::Encrypted(stream) => stream.write(from),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(timed) => timed.flush(),
            Self::Encrypted(stream) => stream.flush(),
        }
    }
}

/// Whether it is the time that was up.
pub(super) fn is_late(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn who_cannot_encrypt_is_not_spoken_with() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::parse(&format!("https://{}", listener.local_addr().unwrap())).unwrap();
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let read = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
            read
        });
        let mut wire = Wire::connect(&address, Instant::now() + Duration::from_secs(10)).unwrap();
        let error = wire.write_all(b"GET /ws").and_then(|()| wire.read(&mut [0; 16])).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
        assert!(other.join().unwrap() > 0);
    }

    #[test]
    fn time_counts_for_the_whole_and_not_for_each_byte() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = Address::parse(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
        let _slow = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            while stream.write_all(b"x").is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        let begin = Instant::now();
        let mut wire = Wire::connect(&address, begin + Duration::from_millis(200)).unwrap();
        let error = wire.read_exact(&mut vec![0; 1 << 16]).unwrap_err();
        assert!(is_late(&error), "{error}");
        assert!((Duration::from_millis(150)..Duration::from_secs(5)).contains(&begin.elapsed()), "{:?}", begin.elapsed());
    }
}
