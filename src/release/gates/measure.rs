//! What a new build is held against: the live one; and for what that one cannot speak of, because it is
//! without a source, is a part, or lost its stamp, the newest that was live before it and is kept.

use super::Account;
use crate::catalog::ledger::SourceEntry;
use crate::catalog::registry::retention::former;
use crate::catalog::registry::{Build, live};
use crate::catalog::stamp;
use crate::error::message_of;
use crate::postgres::Server;
use crate::spec::source::Source;

/// Gathers it; `None` where no whole build that was not rolled away from has an account.
///
/// # Errors
/// When the live build's account cannot be read.
pub(crate) async fn measure(
    server: &Server,
    owner: &str,
    builds: &[Build],
    database: &str,
    specs: &[Source],
) -> anyhow::Result<Option<Account>> {
    let live = live(builds, database).filter(|build| !build.is_subset());
    let mut measure = match live {
        Some(build) => stamp::account_of(server, build, owner).await?,
        None => None,
    };
    let good = |build: &&Build| build.rejected().is_none();
    for build in former(builds, database).into_iter().filter(good) {
        let lacks = |account: &Account| lacking(account, specs).next().is_some();
        if measure.as_ref().is_some_and(|account| !lacks(account)) {
            break;
        }
        match stamp::account_of(server, build, owner).await {
            Ok(Some(account)) => measure = Some(filled(measure, account, specs)),
            Ok(None) => {}
            Err(error) => {
                let error = message_of(&error);
                tracing::warn!(build = build.own_name(), error, "its account cannot be read");
            }
        }
    }
    Ok(measure)
}

/// The sources that an account does not speak of.
fn lacking<'a>(account: &Account, specs: &'a [Source]) -> impl Iterator<Item = &'a str> {
    let names = specs.iter().map(|source| source.name.as_str());
    names.filter(|name| account.source(name).is_none())
}

/// What is known, and of sources that it lacks what a former build says.
fn filled(known: Option<Account>, former: Account, specs: &[Source]) -> Account {
    let mut all = known.unwrap_or_else(|| {
        let (mut manifest, mut ledger) = (former.manifest.clone(), former.ledger.clone());
        manifest.sources.clear();
        ledger.sources.clear();
        Account { manifest, ledger, ..former.clone() }
    });
    let missing: Vec<&str> = lacking(&all, specs).collect();
    for name in missing {
        let Some(entry) = former.source(name) else { continue };
        all.ledger.sources.retain(|known: &SourceEntry| known.source != name);
        all.ledger.sources.push(entry.clone());
        if let Some(input) = former.manifest.sources.get(name) {
            all.manifest.sources.insert(name.to_owned(), input.clone());
        }
        all.former.insert(name.to_owned(), former.build.clone());
    }
    all
}
