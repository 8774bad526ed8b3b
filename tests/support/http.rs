//! An HTTP proxy that knows requests from each other: a test says, request by request, what goes
//! wrong with the answer's body, and afterwards reads what was asked. Every answer closes its
//! connection, so requests and connections are the same number.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

/// What happens to an answer; offsets count bytes of its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mishap {
    /// Nothing.
    Pass,
    /// The connection is closed before anything is answered.
    Refuse,
    /// Nothing is ever answered.
    Silent,
    /// The connection is closed, politely.
    Cut(u64),
    /// The connection is reset.
    Reset(u64),
    /// Nothing more comes.
    Stall(u64),
    /// One bit of the byte there is flipped.
    Flip(u64),
    /// No length is announced, and the body ends there as if it were whole.
    Shorten(u64),
    /// Ten bytes a second from there on.
    Drip(u64),
    /// This status and nothing else, from the proxy itself.
    Status(u16),
    /// The store's answer, with another entity tag.
    Retag,
}

/// A request as the proxy saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `HEAD`…
    pub method: String,
    /// Path and query.
    pub target: String,
    /// First and last byte asked for.
    pub range: Option<(u64, u64)>,
}

impl Request {
    /// How many bytes it asks for; 0 without a range.
    pub fn length(&self) -> u64 {
        self.range.map_or(0, |(first, last)| last + 1 - first)
    }
}

type Rule = Box<dyn FnMut(&Request) -> Mishap + Send>;

/// A running proxy.
pub struct HttpProxy {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    seen: Arc<Mutex<Vec<(Request, Mishap)>>>,
    rule: Arc<Mutex<Rule>>,
    task: tokio::task::JoinHandle<()>,
}

impl HttpProxy {
    /// A proxy before `upstream` (`http://host:port`) that passes everything, until told otherwise.
    pub fn start(runtime: &Runtime, upstream: &str) -> HttpProxy {
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let rule: Arc<Mutex<Rule>> = Arc::new(Mutex::new(Box::new(|_| Mishap::Pass)));
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let (log, how) = (seen.clone(), rule.clone());
        let task = runtime.spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (log, how, upstream) = (log.clone(), how.clone(), upstream.clone());
                tokio::spawn(async move {
                    let _ = carry(client, &upstream, &log, &how).await;
                });
            }
        });
        HttpProxy { url, seen, rule, task }
    }

    /// From now on this decides about every request; what was seen is forgotten.
    pub fn rule(&self, rule: impl FnMut(&Request) -> Mishap + Send + 'static) {
        *self.rule.lock().unwrap() = Box::new(rule);
        self.seen.lock().unwrap().clear();
    }

    /// The requests since the last rule, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.seen.lock().unwrap().iter().map(|(request, _)| request.clone()).collect()
    }

    /// Those that something happened to.
    pub fn hit(&self) -> Vec<Request> {
        let seen = self.seen.lock().unwrap();
        let hit = seen.iter().filter(|(_, mishap)| *mishap != Mishap::Pass);
        hit.map(|(request, _)| request.clone()).collect()
    }
}

impl Drop for HttpProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn carry(
    mut client: TcpStream,
    upstream: &str,
    log: &Mutex<Vec<(Request, Mishap)>>,
    rule: &Mutex<Rule>,
) -> std::io::Result<()> {
    let (head, rest) = read_head(&mut client).await?;
    let request = parse(&head);
    let mishap = {
        // The rule may change the store; nothing else is decided meanwhile.
        let mishap = (rule.lock().unwrap())(&request);
        log.lock().unwrap().push((request, mishap));
        mishap
    };
    match mishap {
        Mishap::Refuse => return Ok(()),
        Mishap::Silent => {
            tokio::time::sleep(Duration::from_secs(600)).await;
            return Ok(());
        }
        Mishap::Status(status) => {
            let rest = "content-length: 0\r\nconnection: close";
            let answer = format!("HTTP/1.1 {status} Of a test\r\n{rest}\r\n\r\n");
            return client.write_all(answer.as_bytes()).await;
        }
        _ => {}
    }
    let mut server = TcpStream::connect(upstream).await?;
    let head = head.trim_end_matches("\r\n");
    server.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).await?;
    server.write_all(&rest).await?;
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let ended = answer(&mut from_server, &mut to_client, mishap).await;
    up.abort();
    if matches!(mishap, Mishap::Reset(_)) {
        // Closing with linger 0 sends RST.
        let linger = nix::libc::linger { l_onoff: 1, l_linger: 0 };
        let stream: &TcpStream = to_client.as_ref();
        nix::sys::socket::setsockopt(stream, nix::sys::socket::sockopt::Linger, &linger)?;
        let _ = up.await;
        to_client.forget();
    }
    ended
}

async fn answer(
    server: &mut (impl AsyncRead + Unpin),
    client: &mut tokio::net::tcp::OwnedWriteHalf,
    mishap: Mishap,
) -> std::io::Result<()> {
    let (mut head, mut piece) = read_head(server).await?;
    while head.starts_with("HTTP/1.1 100") {
        client.write_all(head.as_bytes()).await?;
        (head, piece) = read_head_from(server, piece).await?;
    }
    if matches!(mishap, Mishap::Shorten(_)) {
        let kept = head.split_inclusive("\r\n");
        head = kept.filter(|line| !line.to_lowercase().starts_with("content-length")).collect();
    }
    if mishap == Mishap::Retag {
        let lines = head.split_inclusive("\r\n").map(|line| {
            match line.to_lowercase().starts_with("etag:") {
                true => "etag: \"another\"\r\n",
                false => line,
            }
        });
        head = lines.collect();
    }
    client.write_all(head.as_bytes()).await?;
    let mut sent = 0_u64;
    let mut buffer = vec![0; 16 << 10];
    loop {
        let end = sent + piece.len() as u64;
        match mishap {
            Mishap::Flip(at) if (sent..end).contains(&at) => piece[(at - sent) as usize] ^= 0x40,
            Mishap::Cut(at) | Mishap::Reset(at) | Mishap::Shorten(at) if end >= at => {
                client.write_all(&piece[..(at - sent) as usize]).await?;
                // What was sent is to arrive: a reset would overtake it.
                tokio::time::sleep(Duration::from_millis(20)).await;
                return Ok(());
            }
            Mishap::Stall(at) | Mishap::Drip(at) if end >= at => {
                client.write_all(&piece[..(at - sent) as usize]).await?;
                for bytes in piece[(at - sent) as usize..].chunks(10) {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if matches!(mishap, Mishap::Drip(_)) {
                        client.write_all(bytes).await?;
                    }
                }
                tokio::time::sleep(Duration::from_secs(600)).await;
                return Ok(());
            }
            _ => {}
        }
        client.write_all(&piece).await?;
        sent = end;
        let count = server.read(&mut buffer).await?;
        if count == 0 {
            return Ok(());
        }
        piece = buffer[..count].to_vec();
    }
}

async fn read_head(stream: &mut (impl AsyncRead + Unpin)) -> std::io::Result<(String, Vec<u8>)> {
    read_head_from(stream, Vec::new()).await
}

/// The head with its empty line, and what came after it.
async fn read_head_from(
    stream: &mut (impl AsyncRead + Unpin),
    mut bytes: Vec<u8>,
) -> std::io::Result<(String, Vec<u8>)> {
    let mut buffer = vec![0; 16 << 10];
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return Ok((String::from_utf8_lossy(&bytes).into_owned(), rest));
        }
        let count = stream.read(&mut buffer).await?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&buffer[..count]);
    }
}

fn parse(head: &str) -> Request {
    let mut words = head.split(' ').map(str::to_owned);
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let range = head.lines().find_map(|line| {
        let (name, value) = line.split_once(": ")?;
        let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
        name.eq_ignore_ascii_case("range").then_some(())?;
        Some((first.parse().ok()?, last.parse().ok()?))
    });
    Request { method, target, range }
}
