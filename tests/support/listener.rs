//! A TCP server on loopback that goes away with the test.

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread::JoinHandle;

/// Accepts connections on a free port of 127.0.0.1, each served by a thread of its own.
///
/// Dropping it closes the port and every connection that is still open.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    open: Arc<Mutex<Vec<Weak<TcpStream>>>>,
    thread: Option<JoinHandle<()>>,
}

impl Listener {
    /// Starts to accept. `serve` gets each connection and its number, counted from 0; the connection ends
    /// when `serve` has dropped it.
    pub fn start(serve: impl Fn(Arc<TcpStream>, usize) + Send + Sync + 'static) -> Listener {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port on loopback");
        let address = listener.local_addr().expect("the port just bound");
        let stopped = Arc::new(AtomicBool::new(false));
        let open = Arc::new(Mutex::new(Vec::new()));
        let thread = std::thread::spawn({
            let (stopped, open, serve) = (stopped.clone(), open.clone(), Arc::new(serve));
            move || {
                for (number, socket) in listener.incoming().enumerate() {
                    if stopped.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(socket) = socket else { continue };
                    // Small answers leave at once; Nagle's algorithm would only distort what a test measures.
                    let _ = socket.set_nodelay(true);
                    let socket = Arc::new(socket);
                    remember(&open, &socket);
                    let serve = serve.clone();
                    std::thread::spawn(move || serve(socket, number));
                }
            }
        });
        Listener { address, stopped, open, thread: Some(thread) }
    }

    /// `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that waits in accept.
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        let open = self.open.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        for socket in open.iter().filter_map(Weak::upgrade) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

fn remember(open: &Mutex<Vec<Weak<TcpStream>>>, socket: &Arc<TcpStream>) {
    let mut open = open.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    open.retain(|socket| socket.strong_count() > 0);
    open.push(Arc::downgrade(socket));
}
