//! TCP connections that a request handler can cut at any time. After the cut, no more bytes are sent.
//!
//! Returning an error from the handler wouldn't cut the connection, because axum turns errors into responses. An error in a
//! response body would come too late, after the status line has been sent. Instead, the handler shuts down the socket, and any
//! later write by hyper fails as it would on a broken network.

use std::{
    io,
    net::{Ipv4Addr, Shutdown, SocketAddr},
    sync::Arc,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::net::{TcpListener, TcpStream};

/// Accepts connections on 127.0.0.1.
#[derive(Debug)]
pub(super) struct Acceptor(TcpListener);

impl Acceptor {
    pub(super) async fn bind(port: u16) -> io::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map(Self)
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Listener for Acceptor {
    type Io = TcpStream;
    type Addr = CutSwitch;

    async fn accept(&mut self) -> (TcpStream, CutSwitch) {
        loop {
            // If the process runs out of file descriptors, axum's own accept loop waits and retries.
            let (stream, _) = Listener::accept(&mut self.0).await;
            // Disable Nagle's algorithm so that small responses don't wait for the client's delayed acknowledgment.
            let _ = stream.set_nodelay(true);
            if let Ok(connection) = with_switch(stream) {
                return connection;
            }
        }
    }

    fn local_addr(&self) -> io::Result<CutSwitch> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

fn with_switch(stream: TcpStream) -> io::Result<(TcpStream, CutSwitch)> {
    let stream = stream.into_std()?;
    let switch = CutSwitch(Arc::new(stream.try_clone()?));
    Ok((TcpStream::from_std(stream)?, switch))
}

/// A handle for cutting a connection by shutting down its socket.
#[derive(Debug, Clone)]
pub(super) struct CutSwitch(Arc<std::net::TcpStream>);

impl CutSwitch {
    pub(super) fn cut(&self) {
        // `shutdown` fails only if the client has already closed the connection.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

impl Connected<IncomingStream<'_, Acceptor>> for CutSwitch {
    fn connect_info(stream: IncomingStream<'_, Acceptor>) -> Self {
        stream.remote_addr().clone()
    }
}
