//! A server on loopback that answers as a test says, faults included, and keeps
//! what it was asked. HTTP/1.1 with one request per connection: enough for a client's faults.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::{Limits, Transport};

/// What the server does with a request.
pub(crate) enum Reply {
    /// Status, header lines, body.
    Full(u16, Vec<(&'static str, String)>, String),
    /// Promises more than it sends.
    CutOff(String),
    /// Closes the connection without a byte.
    Drop,
    /// Never answers.
    Stall,
}

impl Reply {
    pub(crate) fn json(body: &str) -> Self {
        Self::Full(200, Vec::new(), body.to_owned())
    }

    pub(crate) fn status(status: u16) -> Self {
        Self::Full(status, Vec::new(), String::new())
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Full(_, headers, _) = &mut self {
            headers.push((name, value.into()));
        }
        self
    }
}

/// One request as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub line: String,
    /// Head in lower case.
    pub head: String,
    pub body: String,
}

pub(crate) struct Server {
    pub url: Url,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Server {
    /// `handler` gets the number of the request, from 1, and the request.
    pub(crate) async fn start(
        handler: impl Fn(usize, &Received) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let (log, handler) = (Arc::clone(&received), Arc::new(handler));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, handler) = (Arc::clone(&log), Arc::clone(&handler));
                tokio::spawn(async move { serve(stream, &log, &*handler).await });
            }
        });
        Self {
            url: Url::parse(&url).unwrap(),
            received,
        }
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    pub(crate) fn count(&self) -> usize {
        self.received.lock().unwrap().len()
    }

    /// A transport to this server that writes its pauses down instead of waiting.
    pub(crate) fn transport(&self) -> Transport {
        transport(&self.url, Limits::default())
    }
}

pub(crate) fn transport(api: &Url, limits: Limits) -> Transport {
    Transport::new(None, limits, "ccgate/test", api)
        .unwrap()
        .without_waiting()
}

async fn serve(
    mut stream: TcpStream,
    log: &Mutex<Vec<Received>>,
    handler: &(impl Fn(usize, &Received) -> Reply + Sync),
) {
    let Some(request) = read(&mut stream).await else {
        return;
    };
    let number = {
        let mut log = log.lock().unwrap();
        log.push(request.clone());
        log.len()
    };
    match handler(number, &request) {
        Reply::Full(status, headers, body) => {
            let mut head = format!(
                "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n",
                body.len()
            );
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            let _ = stream
                .write_all(format!("{head}\r\n{body}").as_bytes())
                .await;
        }
        Reply::CutOff(body) => {
            let head = format!(
                "HTTP/1.1 200 x\r\ncontent-length: {}\r\n\r\n",
                body.len() + 10
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Reply::Drop => {}
        Reply::Stall => std::future::pending().await,
    }
    let _ = stream.shutdown().await;
}

async fn read(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let line = head
        .lines()
        .next()?
        .trim_end_matches(" HTTP/1.1")
        .to_owned();
    let head = head.to_lowercase();
    let length: usize = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.parse().unwrap());
    while bytes.len() < end + 4 + length {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
    let body = String::from_utf8_lossy(&bytes[end + 4..]).into_owned();
    Some(Received { line, head, body })
}
