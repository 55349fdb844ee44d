//! A TCP proxy that can be cut: the devices' way to the relay.
//!
//! It keeps one address while relays come and go behind it, so that an address can be written into
//! an invite before the relay has a port.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::eventually::eventually;

const CHUNK: usize = 64 * 1024;

#[derive(Default)]
struct Shared {
    target: Mutex<Option<SocketAddr>>,
    open: Mutex<Vec<TcpStream>>,
    is_cut: AtomicBool,
    accepted: AtomicUsize,
}

impl Shared {
    fn open(&self) -> MutexGuard<'_, Vec<TcpStream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn target(&self) -> MutexGuard<'_, Option<SocketAddr>> {
        self.target.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The proxy. Its threads end when it is dropped.
pub struct CutProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    listening: Option<thread::JoinHandle<()>>,
}

impl CutProxy {
    /// Listens on a free port of a loopback address of its own, so that nobody else takes the port
    /// while the proxy is cut.
    pub fn new() -> Self {
        let mut random = [0; 3];
        getrandom::fill(&mut random).expect("randomness");
        let [a, b, c] = random;
        let listener =
            TcpListener::bind(SocketAddr::from(([127, a.max(1), b, c.clamp(1, 254)], 0)))
                .expect("bind");
        let address = listener.local_addr().expect("a bound address");
        let mut proxy = Self { address, shared: Arc::default(), listening: None };
        proxy.listen(listener);
        proxy
    }

    /// Where devices connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections came so far.
    pub fn accepted(&self) -> usize {
        self.shared.accepted.load(Ordering::SeqCst)
    }

    /// Passes new connections on to `target`; without one they are closed at once.
    pub fn lead_to(&self, target: Option<SocketAddr>) {
        *self.shared.target() = target;
    }

    /// Breaks all connections and refuses new ones.
    pub fn cut(&mut self) {
        self.shared.is_cut.store(true, Ordering::SeqCst);
        self.break_all();
        if let Some(listening) = self.listening.take() {
            // Wakes the thread, which sees that it is cut and drops its listener.
            let _ = TcpStream::connect(self.address);
            listening.join().expect("the listening thread");
        }
        self.break_all();
    }

    /// Breaks all connections; new ones are let through.
    pub fn break_all(&self) {
        for socket in self.shared.open().drain(..) {
            // It may be gone already.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    /// Lets connections through again.
    pub fn mend(&mut self) {
        if self.listening.is_none() {
            let listener =
                eventually("the proxy's port is free", || TcpListener::bind(self.address).ok());
            self.shared.is_cut.store(false, Ordering::SeqCst);
            self.listen(listener);
        }
    }

    fn listen(&mut self, listener: TcpListener) {
        let shared = self.shared.clone();
        self.listening = Some(thread::spawn(move || {
            for near in listener.incoming() {
                if shared.is_cut.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(near) = near {
                    shared.accepted.fetch_add(1, Ordering::SeqCst);
                    pass_on(&shared, near);
                }
            }
        }));
    }
}

impl Default for CutProxy {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for CutProxy {
    fn drop(&mut self) {
        self.cut();
    }
}

fn pass_on(shared: &Arc<Shared>, near: TcpStream) {
    let target = *shared.target();
    let Some(Ok(far)) = target.map(TcpStream::connect) else { return };
    for socket in [&near, &far] {
        socket.set_nodelay(true).expect("a connected socket");
        shared.open().push(socket.try_clone().expect("a descriptor"));
    }
    for (from, to) in [(&near, &far), (&far, &near)] {
        let (from, to) = (from.try_clone(), to.try_clone());
        let (from, to) = (from.expect("a descriptor"), to.expect("a descriptor"));
        thread::spawn(move || pump(from, to));
    }
}

/// Copies until either end is gone, then closes both directions of this one.
fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut chunk = vec![0; CHUNK];
    while let Ok(read @ 1..) = from.read(&mut chunk) {
        if to.write_all(&chunk[..read]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}
