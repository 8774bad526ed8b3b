//! What a build holds when it is sealed, as its stamp has it: rows of every table, how each table's
//! digest is read again and what it was, who may do what, and which transactions were over. The gate
//! and `kiln verify` hold a build against it.

use serde::{Deserialize, Serialize};

use crate::error::{Exit, Failure, failure};
use crate::postgres::{Ident, Session, db};

/// The form of [`Contents`].
pub(crate) const FORM: u32 = 1;

/// What a build holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contents {
    /// [`FORM`].
    pub kiln: u32,
    /// The transactions that were over, in the form of `pg_current_snapshot()`: a row of any other
    /// was written after the seal.
    pub snapshot: String,
    /// Every table.
    pub tables: Vec<TableContents>,
    /// Owners, rights, settings and all that stands between a reader and the rows: a line each.
    pub rights: Vec<String>,
}

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableContents {
    /// Its name.
    pub table: String,
    /// Its rows.
    pub rows: u64,
    /// Whether a row of it is so old (of a build whose files this one began as a copy of, and two
    /// thousand million transactions ago) that its age will be taken for a young one's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_old: bool,
    /// How its digest is read; `None` for a dictionary's, whose rows are read with those of its
    /// source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<DigestReading>,
}

/// How a table's digest is read again from what is stored, and what it was. Without specs: those of
/// a later day may read other columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DigestReading {
    /// The table.
    pub table: String,
    /// The source that filled it; `None` where it was made from tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Its columns, in the order that the digest is over.
    pub columns: Vec<String>,
    /// The dictionaries whose numbers its first columns hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sets: Vec<SetsReading>,
    /// How a row holds many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackReading>,
    /// The rows that it holds, those within rows counted one by one.
    pub rows: u64,
    /// Order-independent digest of them, in hex.
    pub digest: String,
}

/// How a dictionary is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SetsReading {
    /// Its table.
    pub table: String,
    /// Its columns, the number first.
    pub columns: Vec<String>,
}

/// Which dictionaries the numbers of a packed row are of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackReading {
    /// That of the set which a row's places share.
    pub by: usize,
    /// That of a place's own number.
    pub at: usize,
    /// That of the number which is there.
    pub of: usize,
}

impl Contents {
    /// Whether this kiln knows what it says.
    pub fn is_known(&self) -> bool {
        self.kiln == FORM
    }
}

/// A table of a build's schema `public`, as the catalog has it now.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    /// Its name, which may stand in SQL.
    pub table: Ident,
    /// Its pages; none of a table whose rows are its partitions'.
    pub pages: u64,
    /// Whether it can be locked: a materialized view cannot.
    pub can_lock: bool,
}

const STANDING: &str = "
    select n.nspname::text, c.relname::text,
           case when c.relkind = 'p' then 0
                else pg_relation_size(c.oid) / current_setting('block_size')::int8 end,
           c.relkind <> 'm'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'm') and not c.relispartition
      and n.nspname not in ('kiln', 'information_schema') and n.nspname !~ '^pg_'
    order by 3 desc, 2";

/// The tables that a build holds, the largest first.
///
/// # Errors
/// [`Exit::Usage`] where one stands outside of schema `public`, or has a name that kiln does not
/// put into SQL.
pub(crate) async fn standing(session: &Session) -> anyhow::Result<Vec<Standing>> {
    let rows = session.query(STANDING, &[]).await.map_err(db("list the tables"))?;
    let mut all = Vec::new();
    for row in rows {
        let (space, name): (String, String) = (row.get(0), row.get(1));
        if space != "public" {
            let message = format!("table {space}.{name} stands outside of schema public");
            return Err(Failure::new(Exit::Usage, message)
                .hint(
                    "kiln counts, freezes and opens tables of schema public: move it there in sql/",
                )
                .into());
        }
        let table = Ident::parse(&name).ok_or_else(|| no_name(&name))?;
        let pages: i64 = row.get(2);
        all.push(Standing { table, pages: pages.unsigned_abs(), can_lock: row.get(3) });
    }
    Ok(all)
}

/// Parses a name that was read from a stamp.
///
/// # Errors
/// [`Exit::SchemaRefused`] where it cannot stand in SQL.
pub(crate) fn named(name: &str) -> anyhow::Result<Ident> {
    Ident::parse(name).ok_or_else(|| {
        failure(Exit::SchemaRefused, format!("the stamp has {name:?} in the place of a name"))
    })
}

fn no_name(name: &str) -> anyhow::Error {
    Failure::new(Exit::Usage, format!("table {name:?} has a name that is none of kiln's"))
        .hint("the name of a table is of the letters a-z, digits and _: rename it in sql/")
        .into()
}
