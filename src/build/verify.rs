//! Whether a sealed build still holds what was sealed, to the last value: every table is read and its
//! digest held against the stamp's. The gate looks at rows, their age and rights, in seconds; here what
//! rows say is read.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use crate::build::seal::digests::{self, DigestRequest, TableDigest};
use crate::catalog::registry::Tag;
use crate::catalog::registry::build::BuildDatabase;
use crate::catalog::stamp;
use crate::catalog::stamp::{Contents, DigestReading, Stamp};
use crate::error::{Exit, failure};
use crate::load::meter::Watch;
use crate::postgres::Session;
use crate::spec::schema::catalog;

/// What a build is, held against what was sealed.
#[derive(Debug, Serialize)]
pub(crate) struct VerifiedBuild {
    /// The product database.
    pub database: String,
    /// The build's own name.
    pub build: String,
    /// The tables that were read.
    pub tables: Vec<VerifiedTable>,
    /// How many tables the stamp says how to read.
    pub tables_in_all: usize,
    /// What of it is not what was sealed; empty where all is.
    pub differs: Vec<String>,
    /// What could not be held against the stamp.
    pub notes: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

/// A table that was read.
#[derive(Debug, Serialize)]
pub(crate) struct VerifiedTable {
    /// Its name.
    pub table: String,
    /// The source that filled it; `None` where it was made from tables.
    pub source: Option<String>,
    /// Its rows, those within rows counted one by one.
    pub rows: u64,
    /// Order-independent digest of them, in hex.
    pub digest: String,
    /// What it was sealed with.
    pub sealed: String,
    /// Whether both are the same.
    pub same: bool,
}

/// How to read a build.
pub(crate) struct Verification<'a> {
    /// The number of days in which every table is read once; 1: all of them now.
    pub one_of: u64,
    /// Which of these days it is.
    pub day: u64,
    /// Tables that are read side by side.
    pub connections: usize,
    /// What is under way, for who shows it.
    pub watch: &'a Watch,
    /// The stop signal.
    pub stop: &'a CancellationToken,
}

impl Verification<'_> {
    /// Reads a build.
    ///
    /// # Errors
    /// [`Exit::SchemaRefused`] where it is not sealed; the server's; a stop.
    pub(crate) async fn read(
        &self,
        build: &BuildDatabase,
        tag: &Tag,
    ) -> anyhow::Result<VerifiedBuild> {
        let began = Instant::now();
        let session = build.session("verify").await?;
        let stamp = stamp::read(&session).await?.filter(|_| tag.state.is_sealed());
        let stamp = stamp.ok_or_else(|| {
            let message = format!("{} is {}, not sealed", tag.build, tag.state.word());
            failure(Exit::SchemaRefused, message)
        })?;
        let (connections, stop) = (self.connections, self.stop);
        let mut touched = stamp::touched(build, &session, &stamp, false, connections, stop).await?;
        touched.reasons.extend(catalog_differs(&session, &stamp).await?);
        let mut verified = VerifiedBuild {
            database: tag.database.clone(),
            build: tag.build.clone(),
            tables: Vec::new(),
            tables_in_all: 0,
            differs: Vec::new(),
            notes: Vec::new(),
            seconds: 0.0,
        };
        match &stamp.contents {
            Some(contents) if contents.is_known() => {
                let read = self.read_tables(build, &session, contents, &mut verified).await;
                read.or_else(|error| touched.unless_refused(error))?;
            }
            _ => touched.notes.push("no table was read: its stamp does not say how".to_owned()),
        }
        verified.differs.splice(0..0, touched.reasons);
        verified.notes = touched.notes;
        verified.seconds = began.elapsed().as_secs_f64();
        Ok(verified)
    }

    async fn read_tables(
        &self,
        build: &BuildDatabase,
        session: &Session,
        contents: &Contents,
        verified: &mut VerifiedBuild,
    ) -> anyhow::Result<()> {
        let all: Vec<&DigestReading> =
            contents.tables.iter().filter_map(|table| table.reading.as_ref()).collect();
        verified.tables_in_all = all.len();
        let mut sizes = Vec::new();
        for reading in &all {
            sizes.push(digests::pages(session, &reading.table).await?);
        }
        let mut asked = Vec::new();
        for place in share(&sizes, self.one_of, self.day) {
            let one = DigestRequest::from(all[place].clone());
            one.meter.rows_total.store(one.reading.rows, Ordering::Relaxed);
            asked.push(one);
        }
        let meters = asked.iter().map(|one| (one.reading.table.clone(), Arc::clone(&one.meter)));
        let reading = self.watch.begin("verify", meters.collect());
        let found = digests::read(build, &asked, self.connections, self.stop).await?;
        drop(reading);
        for (DigestRequest { reading, .. }, found) in asked.into_iter().zip(found) {
            verified.differs.extend(differs(&reading, &found));
            let digest = found.stored.digest_hex();
            verified.tables.push(VerifiedTable {
                same: is_same(&reading, &found),
                table: reading.table,
                source: reading.source,
                rows: found.stored.rows,
                digest,
                sealed: reading.digest,
            });
        }
        verified.tables.sort_by(|a, b| a.table.cmp(&b.table));
        Ok(())
    }
}

async fn catalog_differs(session: &Session, stamp: &Stamp) -> anyhow::Result<Option<String>> {
    let now = catalog::fingerprint(session).await?.digest;
    Ok((now != stamp.fingerprint).then(|| "its catalog was changed after the seal".to_owned()))
}

fn is_same(reading: &DigestReading, found: &TableDigest) -> bool {
    let now = (found.stored.rows, found.stored.digest_hex());
    found.broken.is_none() && now == (reading.rows, reading.digest.clone())
}

/// What a table differs by from what was sealed.
fn differs(reading: &DigestReading, found: &TableDigest) -> Option<String> {
    if is_same(reading, found) {
        return None;
    }
    let of = match &reading.source {
        Some(source) => format!("table {} (source {source})", reading.table),
        None => format!("table {} (made from tables)", reading.table),
    };
    if let Some(broken) = &found.broken {
        return Some(format!("{of} cannot be read: {broken}"));
    }
    Some(format!(
        "{of} has {} rows with digest {}, it was sealed with {} and {}",
        found.stored.rows,
        found.stored.digest_hex(),
        reading.rows,
        reading.digest
    ))
}

/// Which of these tables are read on a day, so that each is once in `one_of` days and every day has about as
/// many pages as another.
fn share(sizes: &[u64], one_of: u64, day: u64) -> Vec<usize> {
    let one_of = one_of.max(1);
    let mut places: Vec<usize> = (0..sizes.len()).collect();
    places.sort_by_key(|place| (std::cmp::Reverse(sizes[*place]), *place));
    let mut days = vec![(0_u64, Vec::new()); usize::try_from(one_of).unwrap_or(1)];
    for place in places {
        let least = days.iter_mut().min_by_key(|(pages, tables)| (*pages, tables.len()));
        if let Some((pages, tables)) = least {
            *pages += sizes[place];
            tables.push(place);
        }
    }
    let today = usize::try_from(day % one_of).unwrap_or(0);
    let (_, mut tables) = days.swap_remove(today);
    tables.sort_unstable();
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_its_day_and_days_are_alike() {
        let sizes = [50, 1, 40, 0, 0, 9, 30, 20];
        let mut all = Vec::new();
        for day in 0..3 {
            let today = share(&sizes, 3, day);
            let pages: u64 = today.iter().map(|place| sizes[*place]).sum();
            assert!((45..=55).contains(&pages), "day {day}: {pages}");
            assert_eq!(share(&sizes, 3, day + 3), today);
            all.extend(today);
        }
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(share(&sizes, 1, 5).len(), 8);
        let more_days: usize = (0..20).map(|day| share(&sizes, 20, day).len()).sum();
        assert_eq!(more_days, 8);
        assert_eq!(share(&[], 7, 3), Vec::<usize>::new());
    }
}
