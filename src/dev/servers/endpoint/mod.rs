//! An S3 server over a directory: the real protocol over HTTP, signatures checked, on 127.0.0.1.
//!
//! It runs as tasks of this process ([`Endpoint::start`]) or as a process of its own under
//! [`crate::up`]; several may serve one directory at once.

mod checksum;
mod key;
pub(crate) mod list;
mod listing;
mod multipart;
mod read;
mod receive;
mod service;
mod store;

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use s3s::auth::{S3Auth, SecretKey};
use s3s::service::{S3Service, S3ServiceBuilder};
use s3s::{S3Result, s3_error};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;

use super::credentials::Credentials;
use crate::error::{Doing as _, Error, Kind, Result};
use service::Service;
use store::Store;

/// The region that signatures are made for.
pub const REGION: &str = "us-east-1";
/// How long requests under way may go on after a stop.
const GRACE: Duration = Duration::from_secs(5);

/// A running S3 server. Dropping it ends it at once; [`Endpoint::stop`] lets requests finish.
#[derive(Debug)]
pub struct Endpoint {
    url: String,
    credentials: Credentials,
    stop: CancellationToken,
    server: Option<JoinHandle<()>>,
}

impl Endpoint {
    /// Serves `dir` on a free port of 127.0.0.1, with `bucket` made if it is missing.
    ///
    /// # Errors
    /// When the directory cannot be made, the bucket's name is none, or no port is free.
    pub async fn start(dir: &Path, bucket: &str, credentials: Credentials) -> Result<Endpoint> {
        Endpoint::start_at(dir, bucket, credentials, (Ipv4Addr::LOCALHOST, 0).into()).await
    }

    /// Like [`Endpoint::start`], on this address.
    ///
    /// # Errors
    /// When the directory cannot be made, the bucket's name is none, or the address is taken.
    pub async fn start_at(
        dir: &Path,
        bucket: &str,
        credentials: Credentials,
        address: SocketAddr,
    ) -> Result<Endpoint> {
        if !s3s::path::check_bucket_name(bucket) {
            return Err(Error::new(Kind::System, format!("{bucket} is no name for a bucket")));
        }
        let store = Store::open(dir).doing_with(|| format!("open {}", dir.display()))?;
        store.create_bucket(bucket).doing_with(|| format!("make bucket {bucket}"))?;
        let mut builder = S3ServiceBuilder::new(Service::new(store));
        builder.set_auth(Keys(credentials.clone()));
        let listener =
            TcpListener::bind(address).await.doing_with(|| format!("listen on {address}"))?;
        let url = format!("http://{}", listener.local_addr().doing("ask for the port")?);
        let stop = CancellationToken::new();
        let server = tokio::spawn(accept(listener, builder.build(), stop.clone()));
        Ok(Endpoint { url, credentials, stop, server: Some(server) })
    }

    /// `http://127.0.0.1:PORT`; buckets are addressed by path.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// As in `AWS_ACCESS_KEY_ID`.
    pub fn access_key(&self) -> &str {
        &self.credentials.access_key
    }

    /// As in `AWS_SECRET_ACCESS_KEY`.
    pub fn secret_key(&self) -> &str {
        &self.credentials.secret_key
    }

    /// Takes no more requests and lets those under way finish, for at most five seconds.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if let Some(server) = self.server.take() {
            // It ends by itself, and what it panicked with was reported then.
            let _ = server.await;
        }
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            server.abort();
        }
    }
}

/// The one pair of keys; another key is refused in S3's own words, by which clients tell a wrong
/// key from a lack of rights (s3s' own check says `NotSignedUp`).
struct Keys(Credentials);

#[async_trait::async_trait]
impl S3Auth for Keys {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        match access_key == self.0.access_key {
            true => Ok(SecretKey::from(self.0.secret_key.as_str())),
            false => Err(s3_error!(InvalidAccessKeyId, "there is no such access key")),
        }
    }
}

async fn accept(listener: TcpListener, service: S3Service, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            // Finished connections are dropped as they finish.
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, service.clone(), stop.clone()));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: others finish and give theirs back.
                    tracing::warn!(%error, "the private S3 endpoint cannot take a connection");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            },
        }
    }
    drop(listener);
    let finish = async { while connections.join_next().await.is_some() {} };
    // Dropping the set ends what is left.
    let _ = tokio::time::timeout(GRACE, finish).await;
}

async fn serve(stream: TcpStream, service: S3Service, stop: CancellationToken) {
    // Small answers must not wait for the next packet; without it they are only slower.
    let _ = stream.set_nodelay(true);
    let builder = auto::Builder::new(TokioExecutor::new());
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients that go away mid-request are no fault of the server's.
        tracing::debug!(%error, "a connection to the private S3 endpoint broke");
    }
}
