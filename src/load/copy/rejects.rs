//! Keeps refused rows in the build, in batches and through a session of its own, so that their
//! number never grows memory and a COPY that is given up does not take them along.

use super::FileToLoad;
use crate::catalog::registry::build::BuildDatabase;
use crate::load::validate::Reject;
use crate::postgres::{Session, db};

/// Rows a statement.
const BATCH: usize = 500;
/// Bytes a statement.
const BATCH_BYTES: usize = 4 << 20;

/// Forgets rejects of attempts that are not what the tables hold.
///
/// # Errors
/// When Postgres reports an error.
pub(crate) async fn forget_stale(session: &Session) -> anyhow::Result<()> {
    session
        .batch_execute(
            "delete from kiln.reject r where not exists
                 (select from kiln.source s where s.source = r.source and s.attempt = r.attempt)",
        )
        .await
        .map_err(db("forget the rejects of other attempts"))
}

/// Writes rejects to `kiln.reject` of a build; it connects at the first one.
pub(crate) struct RejectWriter {
    build: BuildDatabase,
    session: Option<Session>,
    batch: Batch,
}

#[derive(Default)]
struct Batch {
    source: Vec<String>,
    attempt: Vec<i64>,
    object: Vec<String>,
    member: Vec<String>,
    line: Vec<i64>,
    byte: Vec<i64>,
    column: Vec<Option<String>>,
    reason: Vec<String>,
    bytes: Vec<Vec<u8>>,
    size: usize,
}

impl RejectWriter {
    /// A writer into this build.
    pub(crate) fn new(build: &BuildDatabase) -> RejectWriter {
        RejectWriter { build: build.clone(), session: None, batch: Batch::default() }
    }

    /// Keeps one reject of a part.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn keep(&mut self, part: &FileToLoad, reject: Reject) -> anyhow::Result<()> {
        let batch = &mut self.batch;
        batch.source.push(part.binding.source.name.as_str().to_owned());
        batch.attempt.push(part.attempt);
        batch.object.push(part.member.object.clone());
        batch.member.push(part.member.path.clone());
        batch.line.push(reject.line.cast_signed());
        batch.byte.push(reject.byte.cast_signed());
        batch.column.push(reject.column);
        batch.reason.push(reject.reason);
        batch.size += reject.bytes.len();
        batch.bytes.push(reject.bytes);
        if batch.source.len() >= BATCH || batch.size >= BATCH_BYTES {
            self.flush().await?;
        }
        Ok(())
    }

    /// Writes what is not written yet.
    ///
    /// # Errors
    /// When Postgres reports an error.
    pub(crate) async fn flush(&mut self) -> anyhow::Result<()> {
        if self.batch.source.is_empty() {
            return Ok(());
        }
        if self.session.is_none() {
            self.session = Some(self.build.session("rejects").await?);
        }
        let Some(session) = &self.session else { return Ok(()) };
        let batch = std::mem::take(&mut self.batch);
        session
            .execute(
                "insert into kiln.reject
                     (source, attempt, object, member, line, byte, column_name, reason, bytes)
                 select * from unnest($1::text[], $2::int8[], $3::text[], $4::text[], $5::int8[],
                                      $6::int8[], $7::text[], $8::text[], $9::bytea[])",
                &[
                    &batch.source,
                    &batch.attempt,
                    &batch.object,
                    &batch.member,
                    &batch.line,
                    &batch.byte,
                    &batch.column,
                    &batch.reason,
                    &batch.bytes,
                ],
            )
            .await
            .map_err(db("keep rejected rows"))?;
        Ok(())
    }
}
