//! A few small specs that have every way that a row can go.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use crate::config::personal::HashKey;
use crate::config::strict::Problems;
use crate::fetch::member::Member;
use crate::fetch::object::Object;
use crate::load::bind::{Binding, Tables};
use crate::load::members;
use crate::spec::schema::catalog::TableColumn;
use crate::spec::source::Source;

/// Which of them has texts alone.
pub(super) const TEXTS: usize = 2;

/// Rows of one column of every type.
const TYPED_SPEC: &str = r#"
columns = [
  { from = "ID", transforms = ["trim"] },
  { from = ["NAME", "NAME OLD"], optional = true },
  { from = "YN", transforms = ["yes_no"] },
  { from = "COUNT", words_to = "count_words" },
  { from = "COST", transforms = ["money"], misfit = "null" },
  { from = "DAY", optional = true, transforms = [{ date = ["%m/%d/%Y", "%Y%m%d"] }] },
  { from = "WHO", transforms = ["trim", "keyed_hash"] },
  { of = "line" },
  { of = "edition" },
]
[[filter]]
column = "ID"
drop = ["000"]
"#;
/// Rows whose other columns are gathered.
const GATHERED_SPEC: &str = r#"
columns = [{ from = "ID" }]
[others]
to = "fields"
"#;
/// Rows of texts alone, sent as lines.
const TEXTS_SPEC: &str = r#"
columns = [{ from = "A" }, { from = "B", optional = true }, { from = "C", transforms = ["upper"] }]
[others]
drop = true
"#;
/// The same where no text is empty.
const PLAIN_SPEC: &str = r#"
columns = [{ from = "A" }, { from = "B", optional = true }]
"#;
/// Rows of two sets, sorted.
const SETS_SPEC: &str = r#"
sort = ["plan_key", "item_key"]
columns = [{ from = "PLAN" }, { from = "SEGMENT" }, { from = "ITEM" }, { from = "COST" }]
[[dictionary]]
table = "plan"
columns = ["plan", "segment"]
to = "plan_key"
[[dictionary]]
table = "item"
columns = ["item"]
to = "item_key"
"#;
/// Rows of three sets, packed.
const PACKED_SPEC: &str = r#"
columns = [{ from = "PLAN" }, { from = "PLACE" }, { from = "TERMS" }]
[pack]
by = "plan_key"
at = "place_key"
of = "terms_key"
to = "terms"
[[dictionary]]
table = "plan"
columns = ["plan"]
to = "plan_key"
[[dictionary]]
table = "place"
columns = ["place"]
to = "place_key"
[[dictionary]]
table = "term"
columns = ["terms"]
to = "terms_key"
"#;

/// Postgres's numbers of types (src/include/catalog/pg_type.dat).
const BOOL: u32 = 16;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const INT4_ARRAY: u32 = 1007;
const DATE: u32 = 1082;
const NUMERIC: u32 = 1700;
const UUID: u32 = 2950;
const JSONB: u32 = 3802;

/// A table: its name, and its columns' names, types, and whether they may be null.
type FuzzedTable<'a> = (&'a str, &'a [(&'a str, u32, bool)]);

const ID: (&str, u32, bool) = ("id", INT4, false);

/// A spec with its tables.
#[derive(Debug)]
pub(super) struct FuzzedSpec {
    /// The spec, bound to its tables.
    pub binding: Binding,
    /// A file that it would read.
    pub member: Member,
}

impl FuzzedSpec {
    /// All of them, made once.
    pub(super) fn all() -> Result<&'static [FuzzedSpec], String> {
        static ALL: LazyLock<Result<Vec<FuzzedSpec>, String>> =
            LazyLock::new(|| shapes().map_err(|error| format!("{error:#}")));
        ALL.as_ref().map(Vec::as_slice).map_err(Clone::clone)
    }

    fn new(spec: &str, tables: &[FuzzedTable<'_>]) -> anyhow::Result<FuzzedSpec> {
        let text = format!(
            "description = \"d\"\nobject = '^(?P<edition>[a-z]+)[.]txt$'\npersonal = false\n{spec}\
             [format]\ndelimiter = \",\"\n[budget]\nrejects = 1000000000\n"
        );
        let source = source(&text).map_err(|said| anyhow::anyhow!(said))?;
        let tables: Tables = tables.iter().map(|(name, all)| table(name, all)).collect();
        let (key, problems) = (HashKey::new(&[7; 32]).map(Arc::new), Problems::default());
        let binding = Binding::new(&source, &tables, key.as_ref(), &problems);
        problems.into_result("")?;
        let binding = binding.ok_or_else(|| anyhow::anyhow!("the spec is none"))?;
        let folder = tempfile::tempdir()?;
        let file = folder.path().join("first.txt");
        std::fs::write(&file, "")?;
        let found = members::find(&binding.source, &[Object::local(&file)?], folder.path())?;
        let member = found.members.into_iter().next();
        let member = member.ok_or_else(|| anyhow::anyhow!("the object is no member"))?;
        Ok(FuzzedSpec { binding, member })
    }
}

fn shapes() -> anyhow::Result<Vec<FuzzedSpec>> {
    let typed: FuzzedTable<'_> = (
        "plans",
        &[
            ("id", TEXT, false),
            ("name", TEXT, true),
            ("yn", BOOL, true),
            ("count", INT4, true),
            ("count_words", TEXT, true),
            ("cost", NUMERIC, true),
            ("day", DATE, true),
            ("who", UUID, true),
            ("line", INT4, false),
            ("edition", TEXT, true),
        ],
    );
    let (plan, item, place) = (("plan", TEXT, true), ("item", TEXT, false), ("place", TEXT, true));
    Ok(vec![
        FuzzedSpec::new(TYPED_SPEC, &[typed])?,
        FuzzedSpec::new(
            GATHERED_SPEC,
            &[("plans", &[("id", TEXT, true), ("fields", JSONB, false)])],
        )?,
        FuzzedSpec::new(
            TEXTS_SPEC,
            &[("plans", &[("a", TEXT, true), ("b", TEXT, true), ("c", TEXT, true)])],
        )?,
        FuzzedSpec::new(
            SETS_SPEC,
            &[
                (
                    "plans",
                    &[
                        ("plan_key", INT2, false),
                        ("item_key", INT4, false),
                        ("cost", NUMERIC, true),
                    ],
                ),
                ("plan", &[("id", INT2, false), plan, ("segment", INT2, true)]),
                ("item", &[ID, item]),
            ],
        )?,
        FuzzedSpec::new(
            PACKED_SPEC,
            &[
                (
                    "plans",
                    &[
                        ("block", INT4, false),
                        ("piece", INT4, false),
                        ("plan_key", INT2, false),
                        ("terms", INT4_ARRAY, false),
                    ],
                ),
                ("plan", &[("id", INT2, false), plan]),
                ("place", &[ID, place]),
                ("term", &[ID, ("terms", TEXT, true)]),
            ],
        )?,
        FuzzedSpec::new(PLAIN_SPEC, &[("plans", &[("a", TEXT, true), ("b", TEXT, true)])])?,
    ])
}

fn table(name: &str, columns: &[(&str, u32, bool)]) -> (String, Vec<TableColumn>) {
    let column = |(name, oid, nullable): &(&str, u32, bool)| TableColumn {
        name: (*name).to_owned(),
        type_oid: *oid,
        type_name: oid.to_string(),
        type_modifier: if *oid == NUMERIC { ((8 << 16) | 2) + 4 } else { -1 },
        not_null: !nullable,
        has_default: false,
    };
    (name.to_owned(), columns.iter().map(column).collect())
}

/// A spec's text, read; it is one of these files'.
pub(super) fn source(text: &str) -> Result<Source, String> {
    let problems = Problems::default();
    let source = Source::parse(Path::new("sources/fuzzed/plans.toml"), text, &problems);
    problems.into_result("").map_err(|error| error.to_string())?;
    source.ok_or_else(|| "the spec is none".to_owned())
}
