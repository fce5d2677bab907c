//! Connections: accepted up to a bound, with TLS where it is configured, each with bounds on head, time and untaken answers.
//!
//! Must never let a slow or silent client hold more than its connection.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::Sleep;
use tokio_rustls::TlsAcceptor;

use super::identity::Peer;
use super::limits::{
    CONNECTIONS, HANDSHAKE_TIMEOUT, HEAD_BYTES, HEAD_FIELDS, HEAD_TIMEOUT, STOP_TIMEOUT, WRITE_TIMEOUT,
};
use crate::config;

/// Pause after a connection could not be accepted (no file descriptors are left, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Why the API does not start.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The address is not to be had.
    #[error("can't listen on `api.listen` {address}: {source}; is another node running on it?")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The system's answer.
        source: io::Error,
    },
    /// A TLS file.
    #[error("the TLS file {path} can't be used: {reason}")]
    Tls {
        /// Which.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A running API.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: tokio::task::JoinHandle<()>,
    connections: Arc<Semaphore>,
}

impl Server {
    /// Starts to listen and to serve.
    pub(super) async fn start(
        router: Router,
        config: &config::Api,
        stop: watch::Sender<bool>,
    ) -> Result<Self, ApiError> {
        let tls = match (&config.tls_certificate, &config.tls_key) {
            (Some(certificate), Some(key)) => Some(acceptor(certificate, key)?),
            _ => None,
        };
        let wrong = |source| ApiError::Listen { address: config.listen, source };
        let listener = TcpListener::bind(config.listen).await.map_err(wrong)?;
        let address = listener.local_addr().map_err(wrong)?;
        let connections = Arc::new(Semaphore::new(CONNECTIONS));
        let acceptor = Acceptor { listener, tls, router, connections: connections.clone(), stopping: stop.subscribe() };
        let accepting = tokio::spawn(acceptor.run());
        Ok(Self { address, stop, accepting, connections })
    }

    /// Where it listens, with the port that it got.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, lets open ones end for a moment, and closes.
    pub async fn stop(self) {
        // Nobody may be listening any more.
        let _ = self.stop.send(true);
        let _ = self.accepting.await;
        let ended = self.connections.acquire_many(CONNECTIONS as u32);
        if tokio::time::timeout(STOP_TIMEOUT, ended).await.is_err() {
            tracing::warn!("some requests did not end in time and were cut off");
        }
    }
}

struct Acceptor {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    router: Router,
    connections: Arc<Semaphore>,
    stopping: watch::Receiver<bool>,
}

impl Acceptor {
    async fn run(self) {
        let mut stopping = self.stopping.clone();
        loop {
            tokio::select! {
                () = super::stopped(&mut stopping) => return,
                accepted = self.accept() => if let Some((stream, address, place)) = accepted {
                    tokio::spawn(self.serve(stream, address, place));
                },
            }
        }
    }

    async fn accept(&self) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
        let place = self.connections.clone().acquire_owned().await.ok()?;
        match self.listener.accept().await {
            Ok((stream, address)) => Some((stream, address, place)),
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }

    fn serve(
        &self,
        stream: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
    ) -> impl Future<Output = ()> + use<> {
        let (tls, router, stopping) = (self.tls.clone(), self.router.clone(), self.stopping.clone());
        async move {
            // An answer in pieces must not wait for the peer's acknowledgement.
            let _ = stream.set_nodelay(true);
            match tls {
                None => converse(stream, address, router, stopping).await,
                Some(tls) => match tokio::time::timeout(HANDSHAKE_TIMEOUT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => converse(stream, address, router, stopping).await,
                    Ok(Err(error)) => tracing::debug!(%address, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%address, "a TLS handshake took too long"),
                },
            }
            drop(place);
        }
    }
}

async fn converse<T>(stream: T, address: SocketAddr, router: Router, mut stopping: watch::Receiver<bool>)
where
    T: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = tower::util::MapRequest::new(router, move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(address));
        super::leftover::watched(request.map(axum::body::Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_BYTES)
        .max_headers(HEAD_FIELDS)
        .serve_connection(TokioIo::new(Taken::new(stream)), TowerToHyperService::new(service));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = super::stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(STOP_TIMEOUT, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%address, %error, "a connection ended with an error");
    }
}

fn acceptor(certificate: &Path, key: &Path) -> Result<TlsAcceptor, ApiError> {
    let wrong =
        |path: &Path, reason: &dyn std::fmt::Display| ApiError::Tls { path: path.into(), reason: reason.to_string() };
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| wrong(certificate, &error))?;
    let secret = PrivateKeyDer::from_pem_file(key).map_err(|error| wrong(key, &error))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| wrong(certificate, &error))?.with_no_client_auth();
    let mut config = builder.with_single_cert(chain, secret).map_err(|error| wrong(certificate, &error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A stream that fails when what is written to it is not taken for too long.
struct Taken<T> {
    stream: T,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<T> Taken<T> {
    fn new(stream: T) -> Self {
        Self { stream, deadline: None }
    }

    /// Lets what is ready pass; what is pending must become ready before the deadline.
    fn watch<R>(&mut self, context: &mut Context<'_>, polled: Poll<io::Result<R>>) -> Poll<io::Result<R>> {
        if polled.is_ready() {
            self.deadline = None;
            return polled;
        }
        let deadline = self.deadline.get_or_insert_with(|| Box::pin(tokio::time::sleep(WRITE_TIMEOUT)));
        match deadline.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(Err(io::Error::from(io::ErrorKind::TimedOut))),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Taken<T> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, buffer)
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Taken<T> {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(context, polled)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_flush(context);
        this.watch(context, polled)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_shutdown(context);
        this.watch(context, polled)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let polled = Pin::new(&mut this.stream).poll_write_vectored(context, parts);
        this.watch(context, polled)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
