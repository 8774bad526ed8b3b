//! A file behind a URL, to a scratch file without a name, so that nothing is left however kiln
//! ends. What a web server gives is the file as a whole, or an error.

use std::fs::File;
use std::io::Write as _;
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use reqwest::header::{CONTENT_TYPE, TRANSFER_ENCODING};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, StatusCode, Version};
use url::Url;

use super::super::Context;
use super::place::FileLocation;
use crate::error::{Exit, Failure, source_chain, stopped};
use crate::fetch::store::is_loopback;

/// Redirects that are followed.
const REDIRECTS_MAX: usize = 10;
/// The largest file that is taken; CMS's are below 10 GB. A server may send without end.
const BYTES_MAX: u64 = 64 << 30;
/// Bytes a second, over a while; less counts as no data.
const RATE_MIN: u64 = 1 << 10;

/// Downloads what is behind `url`.
///
/// # Errors
/// [`Exit::InputUnavailable`] when the server does not give the whole of a file.
pub(super) async fn download(context: &Context, url: &Url, name: &str) -> anyhow::Result<File> {
    let shown = context.progress.stage(&format!("downloading {name}"));
    let from = FileLocation::Web(url.clone()).shown();
    let download = Download { context, from: &from, name };
    let file = tokio::select! {
        done = download.run(url.clone()) => done,
        () = context.stop.cancelled() => Err(stopped()),
    };
    drop(shown);
    file
}

struct Download<'a> {
    context: &'a Context,
    /// The address without secrets.
    from: &'a str,
    name: &'a str,
}

impl Download<'_> {
    async fn run(&self, url: Url) -> anyhow::Result<File> {
        let stall = self.context.config.s3_stall;
        let mut client = Client::builder();
        if is_loopback(url.as_str()) {
            // A proxy of the environment's has a loopback of its own.
            client = client.no_proxy();
        }
        let client = client
            .connect_timeout(stall)
            .read_timeout(stall.saturating_mul(3))
            .redirect(Policy::custom(follow))
            // It would tell the next server the whole address, a signature among it.
            .referer(false)
            .build()
            .map_err(|error| self.failed(error))?;
        let answer = client.get(url).send().await.and_then(Response::error_for_status);
        let answer = answer.map_err(|error| self.failed(error))?;
        self.must_be_a_file(&answer)?;
        let announced = answer.content_length();
        let mut file = tempfile::tempfile_in(self.context.config.folder("scratch")?)
            .map_err(|error| cannot_write(&error))?;
        let size = self.take(answer, &mut file).await?;
        match announced {
            Some(announced) if announced != size => {
                Err(self.refuse(&format!("{size} bytes of {announced} came")).hint("land it again"))
            }
            _ if size == 0 => Err(self.refuse("the server sent nothing").hint(LOOK)),
            _ => return Ok(file),
        }
        .map_err(Into::into)
    }

    async fn take(&self, answer: Response, file: &mut File) -> anyhow::Result<u64> {
        let patience = self.context.config.s3_stall.saturating_mul(3);
        let mut rate = Rate { since: Instant::now(), bytes: 0 };
        let mut size = 0;
        let mut body = answer.bytes_stream();
        while let Some(piece) = body.next().await {
            let piece = piece.map_err(|error| self.failed(error))?;
            size += piece.len() as u64;
            if size > BYTES_MAX {
                let message = format!("more than {} GiB came", BYTES_MAX >> 30);
                return Err(self.refuse(&message).hint(LOOK).into());
            }
            file.write_all(&piece).map_err(|error| cannot_write(&error))?;
            if rate.drips(piece.len() as u64, patience) {
                let seconds = patience.as_secs();
                let message = format!("less than {RATE_MIN} bytes a second for {seconds} s");
                return Err(self.refuse(&message).hint("land it again").into());
            }
        }
        file.flush().map_err(|error| cannot_write(&error))?;
        Ok(size)
    }

    /// Refuses an answer that is no file, or of which nobody could say that it is whole.
    fn must_be_a_file(&self, answer: &Response) -> anyhow::Result<()> {
        if answer.status() != StatusCode::OK {
            let message = format!("the server answered {} and no file", answer.status());
            return Err(self.refuse(&message).hint(LOOK).into());
        }
        let kind = answer.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or_default().to_ascii_lowercase();
        if kind.starts_with("text/html") || kind.starts_with("application/xhtml") {
            let message = "the server sent a page of the web (HTML), not the file";
            return Err(Failure::new(Exit::InputRejected, format!("{}: {message}", self.doing()))
                .hint(LOOK)
                .into());
        }
        // A connection that is closed ends such a body, whoever closed it. A zip's end tells.
        let chunked = answer.headers().contains_key(TRANSFER_ENCODING);
        let framed = chunked || answer.version() > Version::HTTP_11;
        let is_zip = self.name.to_ascii_lowercase().ends_with(".zip");
        if answer.content_length().is_none() && !framed && !is_zip {
            let message = "the server does not say how long the file is, so nobody can tell \
                           whether it came whole";
            return Err(self
                .refuse(message)
                .hint("download it by hand, look at its last line, then: kiln land DATABASE FILE")
                .into());
        }
        Ok(())
    }

    fn doing(&self) -> String {
        format!("download {}", self.from)
    }

    fn refuse(&self, why: &str) -> Failure {
        Failure::new(Exit::InputUnavailable, format!("{}: {why}", self.doing()))
    }

    fn failed(&self, error: reqwest::Error) -> anyhow::Error {
        self.refuse(&source_chain(&error.without_url())).hint(LOOK).into()
    }
}

const LOOK: &str = "open the address in a browser: is the file there, and without a login?";

/// Follows a redirect to another place of the web, and to nothing else.
fn follow(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    let scheme = attempt.url().scheme();
    if !matches!(scheme, "http" | "https") {
        let message = format!("the server points to {scheme}:, which is no place of the web");
        return attempt.error(message);
    }
    if attempt.previous().len() > REDIRECTS_MAX {
        return attempt.error("too many redirects");
    }
    attempt.follow()
}

/// Bytes that came in a while.
struct Rate {
    since: Instant,
    bytes: u64,
}

impl Rate {
    /// Counts bytes; whether too few of them came in the while that is over.
    fn drips(&mut self, bytes: u64, patience: Duration) -> bool {
        self.bytes += bytes;
        let waited = self.since.elapsed();
        if waited < patience {
            return false;
        }
        let least = RATE_MIN.saturating_mul(waited.as_secs());
        let few = self.bytes < least;
        *self = Rate { since: Instant::now(), bytes: 0 };
        few
    }
}

fn cannot_write(error: &std::io::Error) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("cannot write a scratch file: {error}"))
        .hint("free space below KILN_HOME: a download is kept there until it has landed")
        .into()
}
