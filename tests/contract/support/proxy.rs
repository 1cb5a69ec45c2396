//! A TCP proxy that cuts connections at chosen places.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use fastrand::Rng;
use rustix::net::sockopt::set_socket_linger;

/// Where a connection is cut, and how.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// How many bytes are passed on before it.
    pub after: usize,
    /// Whether it is the server that sends these bytes, or the client.
    pub of_server: bool,
    /// Whether the client sees a reset (RST) or an end (FIN).
    pub reset: bool,
}

impl Cut {
    /// A cut after so many bytes from the server; the client sees an end.
    pub fn after(after: usize) -> Self {
        Self { after, of_server: true, reset: false }
    }

    /// A cut anywhere in the first `most` bytes of either side, by an end or by a reset.
    pub fn random(random: &mut Rng, most: usize) -> Self {
        Self { after: random.usize(..most), of_server: random.bool(), reset: random.bool() }
    }
}

/// A proxy on a port of 127.0.0.1 of its own, until it is dropped.
pub struct Proxy {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<usize>>,
}

impl Proxy {
    /// Cuts the first connections to `port` as the `cuts` say, and lets all others through.
    pub fn start(port: u16, cuts: Vec<Cut>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let acceptor = {
            let is_over = Arc::clone(&is_over);
            thread::spawn(move || {
                let mut cuts = cuts.into_iter();
                let mut connections = 0;
                for client in listener.incoming() {
                    if is_over.load(Ordering::SeqCst) {
                        break;
                    }
                    connections += 1;
                    let cut = cuts.next();
                    // An error is a connection that one side has ended.
                    thread::spawn(move || client.and_then(|client| serve(&client, port, cut)));
                }
                connections
            })
        };
        Self { address, is_over, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Ends the proxy, and gives the number of connections that it accepted.
    pub fn finish(mut self) -> usize {
        self.stop().expect("it has not been ended before")
    }

    fn stop(&mut self) -> Option<usize> {
        let acceptor = self.acceptor.take()?;
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the acceptor.
        let _ = TcpStream::connect(self.address);
        acceptor.join().ok()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Passes on what either side sends until one of them ends, or until the `cut`.
fn serve(client: &TcpStream, port: u16, cut: Option<Cut>) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", port))?;
    let limit = |of_server| cut.filter(|cut| cut.of_server == of_server);
    let limit = |of_server| limit(of_server).map_or(usize::MAX, |cut| cut.after);
    let end = |reset| {
        // Wakes both directions. The client sees a reset only when the socket is closed.
        let how = if reset { Shutdown::Read } else { Shutdown::Write };
        let _ = client.shutdown(how);
        let _ = server.shutdown(Shutdown::Both);
    };
    let reset = cut.is_some_and(|cut| cut.reset);
    thread::scope(|scope| {
        scope.spawn(|| {
            if pass(&server, client, limit(true)).is_err() {
                end(reset);
            } else {
                let _ = client.shutdown(Shutdown::Write);
            }
        });
        if pass(client, &server, limit(false)).is_err() {
            end(reset);
        } else {
            let _ = server.shutdown(Shutdown::Write);
        }
    });
    if reset {
        set_socket_linger(client, Some(Duration::ZERO))?;
    } else {
        // Until the client has seen the end. To close a socket before all is read sends a reset.
        io::copy(&mut &*client, &mut io::sink())?;
    }
    Ok(())
}

/// Passes on at most `limit` bytes that `from` sends. It is an error if `from` has not ended by then.
fn pass(mut from: &TcpStream, mut to: &TcpStream, mut limit: usize) -> io::Result<()> {
    let mut buffer = [0; 1 << 12];
    while limit > 0 {
        let length = buffer.len().min(limit);
        let length = from.read(&mut buffer[..length])?;
        if length == 0 {
            return Ok(());
        }
        to.write_all(&buffer[..length])?;
        limit -= length;
    }
    Err(io::ErrorKind::ConnectionAborted.into())
}
