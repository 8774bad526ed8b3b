//! A TCP proxy that breaks things on the way from a server: for S3 and for Postgres alike.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// What happens to the bytes that the server sends on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    Pass,
    /// After so many bytes the connection is closed, politely.
    CutAfter(u64),
    /// After so many bytes the connection is reset.
    ResetAfter(u64),
    /// After so many bytes nothing more comes.
    StallAfter(u64),
    /// Connections are taken and nothing is ever answered.
    BlackHole,
}

/// A running proxy.
pub struct Proxy {
    /// `127.0.0.1:PORT`.
    pub address: String,
    /// Connections taken so far.
    pub connections: Arc<AtomicUsize>,
    /// Bytes handed to the client so far.
    pub bytes: Arc<AtomicU64>,
    fault: Arc<Mutex<(Fault, usize)>>,
    passing: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Proxy {
    /// A proxy before `upstream` (`host:port`) that passes everything, until told otherwise.
    pub fn start(runtime: &Runtime, upstream: &str) -> Proxy {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let connections = Arc::new(AtomicUsize::new(0));
        let bytes = Arc::new(AtomicU64::new(0));
        let fault = Arc::new(Mutex::new((Fault::Pass, 0_usize)));
        let passing = Arc::new(AtomicUsize::new(0));
        let (count, sum, how) = (connections.clone(), bytes.clone(), fault.clone());
        let first = passing.clone();
        let upstream = upstream.to_owned();
        let task = runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                let less = |left: usize| left.checked_sub(1);
                let passes = first.fetch_update(Ordering::SeqCst, Ordering::SeqCst, less).is_ok();
                let fault = if passes {
                    Fault::Pass
                } else {
                    let mut how = how.lock().unwrap();
                    let fault = if how.1 > 0 { how.0 } else { Fault::Pass };
                    how.1 = how.1.saturating_sub(1);
                    fault
                };
                tokio::spawn(carry(client, upstream.clone(), fault, sum.clone()));
            }
        });
        Proxy { address, connections, bytes, fault, passing, task }
    }

    /// The next `times` connections suffer this; those after them pass.
    pub fn next(&self, fault: Fault, times: usize) {
        *self.fault.lock().unwrap() = (fault, times);
    }

    /// The next `passing` connections pass; all after them suffer this.
    pub fn after(&self, passing: usize, fault: Fault) {
        self.passing.store(passing, Ordering::SeqCst);
        self.always(fault);
    }

    /// All connections from now on suffer this.
    pub fn always(&self, fault: Fault) {
        self.next(fault, usize::MAX);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(client: TcpStream, upstream: String, fault: Fault, sum: Arc<AtomicU64>) {
    if fault == Fault::BlackHole {
        tokio::time::sleep(Duration::from_secs(600)).await;
    }
    let Ok(server) = TcpStream::connect(&upstream).await else { return };
    let (mut client_read, mut client_write) = client.into_split();
    let (mut server_read, mut server_write) = server.into_split();
    let up = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut client_read, &mut server_write).await;
        let _ = server_write.shutdown().await;
    });
    let mut sent = 0_u64;
    let mut buffer = vec![0; 16 << 10];
    while let Ok(count) = server_read.read(&mut buffer).await {
        if count == 0 {
            break;
        }
        let mut piece = buffer[..count].to_vec();
        let end = sent + count as u64;
        match fault {
            Fault::CutAfter(limit) | Fault::ResetAfter(limit) | Fault::StallAfter(limit)
                if end >= limit =>
            {
                piece.truncate(limit.saturating_sub(sent) as usize);
                let _ = client_write.write_all(&piece).await;
                sum.fetch_add(piece.len() as u64, Ordering::SeqCst);
                match fault {
                    Fault::StallAfter(_) => tokio::time::sleep(Duration::from_secs(600)).await,
                    Fault::ResetAfter(_) => {
                        let _ = client_write.reunite_abort();
                    }
                    _ => {}
                }
                up.abort();
                return;
            }
            _ => {}
        }
        if client_write.write_all(&piece).await.is_err() {
            break;
        }
        sum.fetch_add(piece.len() as u64, Ordering::SeqCst);
        sent = end;
    }
    up.abort();
}

/// Closing with linger 0 sends RST; the write half alone can do it.
trait ReuniteAbort {
    fn reunite_abort(self) -> Result<(), std::io::Error>;
}

impl ReuniteAbort for tokio::net::tcp::OwnedWriteHalf {
    fn reunite_abort(self) -> Result<(), std::io::Error> {
        let stream: &TcpStream = self.as_ref();
        let done = nix::sys::socket::setsockopt(
            stream,
            nix::sys::socket::sockopt::Linger,
            &nix::libc::linger { l_onoff: 1, l_linger: 0 },
        );
        self.forget();
        done.map_err(Into::into)
    }
}
