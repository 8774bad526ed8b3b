//! What lies under a prefix, page by page, within a bound of bytes, pages and time: who answers need not
//! be a store, nor ever come to an end.

use super::bounds::{self, AnswerLimit, LISTING_STALLS, PAGES_MAX};
use super::{Store, refused};
use crate::error::{Exit, Failure};

/// An object as a listing shows it.
#[derive(Debug, Clone)]
pub struct ListedObject {
    /// Its key.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// When it was put, seconds since 1970.
    pub modified: i64,
    /// Its entity tag.
    pub etag: String,
}

impl Store {
    /// A limit for each attempt of a request, until the head of the answer is there.
    pub fn attempts(&self) -> aws_sdk_s3::config::Builder {
        bounds::attempts(self.stall)
    }

    /// Every object under a prefix, page by page: within a bound of bytes, pages and time.
    ///
    /// # Errors
    /// [`Exit::InputUnavailable`].
    pub async fn list(&self, prefix: &str) -> anyhow::Result<Vec<ListedObject>> {
        let doing = format!("list s3://{}/{prefix}", self.location.bucket);
        let limit = self.stall.saturating_mul(LISTING_STALLS);
        let listed = tokio::time::timeout(limit, self.list_pages(prefix, &doing)).await;
        listed.unwrap_or_else(|_| {
            let seconds = limit.as_secs();
            Err(unlistable(format!("{doing}: the listing did not end within {seconds} s")))
        })
    }

    async fn list_pages(&self, prefix: &str, doing: &str) -> anyhow::Result<Vec<ListedObject>> {
        let mut listed = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..PAGES_MAX {
            let page = self
                .client
                .list_objects_v2()
                .bucket(&self.location.bucket)
                .prefix(prefix)
                .set_continuation_token(next.clone())
                .customize()
                .config_override(self.attempts().interceptor(AnswerLimit::All))
                .send()
                .await
                .map_err(|error| refused(doing, &error))?;
            for object in page.contents() {
                listed.push(ListedObject {
                    key: object.key().unwrap_or_default().to_owned(),
                    size: object.size().unwrap_or(0).unsigned_abs(),
                    modified: object.last_modified().map_or(0, |time| time.secs()),
                    etag: object.e_tag().unwrap_or_default().to_owned(),
                });
            }
            let token = page.next_continuation_token().filter(|token| !token.is_empty());
            match (page.is_truncated().unwrap_or(token.is_some()), token) {
                (false, _) => return Ok(listed),
                (true, Some(token)) if next.as_deref() != Some(token) => {
                    next = Some(token.to_owned());
                }
                (true, _) => {
                    let message = "a page says that more follow, and not where they begin";
                    return Err(unlistable(format!("{doing}: {message}")));
                }
            }
        }
        Err(unlistable(format!("{doing}: more than {PAGES_MAX} pages of objects")))
    }
}

fn unlistable(message: String) -> anyhow::Error {
    let hint =
        "is AWS_ENDPOINT_URL an S3 endpoint's, and KILN_S3_URL the prefix that files land under?";
    Failure::new(Exit::InputUnavailable, message).hint(hint).into()
}
