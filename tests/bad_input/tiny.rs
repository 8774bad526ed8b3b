//! A product database of two small tables in a root of its own: `item`, whose spec and file a
//! test breaks, and `other`, a plain CSV object that is always whole.

use std::sync::OnceLock;

use super::{Before, Kept};
use crate::support::{Outcome, World};

const ITEM_SQL: &str = "-- pre-data
create table item (
    code   text not null,
    name   text,
    amount numeric(6,2),
    count  smallint
);
comment on table item is 'Things under test. [test]';
comment on column item.code is 'Its key. [test]';
comment on column item.name is 'Its name. [test]';
comment on column item.amount is 'Dollars. [test]';
comment on column item.count is 'How many. [test]';

-- post-data
alter table item add primary key (code);
";

const OTHER_SQL: &str = "-- pre-data
create table other (
    code text not null
);
comment on table other is 'What is always whole. [test]';
comment on column other.code is 'Its key. [test]';
-- post-data
create index other_code on other (code);
";

/// A spec of a CSV object without an archive.
pub const CSV: &str = "description = \"Things under test.\"
object = '^item_(?<posted>\\d{8})\\.csv$'
columns = [
    { from = \"code\" },
    { from = \"name\" },
    { from = \"amount\" },
    { from = \"count\" },
]

[format]
delimiter = \",\"
quoting   = \"double\"
encoding  = \"utf-8\"
";

/// A spec of a pipe-separated member of a zip, which may lie in a zip.
pub const ZIPPED: &str = "description = \"Things under test.\"
object  = '^item_(?<posted>\\d{8})\\.zip$'
archive = '\\.zip$'
member  = '(^|/)item(_(?<period>\\d{4}Q\\d))?\\.txt$'
columns = [
    { from = \"code\" },
    { from = \"name\" },
    { from = \"amount\" },
    { from = \"count\" },
]

[format]
delimiter = \"|\"
quoting   = \"none\"
encoding  = \"ascii\"
";

const OTHER: &str = "description = \"What is always whole.\"
object = '^other\\.csv$'
columns = [{ from = \"code\" }]

[format]
delimiter = \",\"
";

/// The world of that database.
pub struct Tiny {
    /// The world; its root holds `tiny` and nothing else.
    pub world: World,
}

impl Tiny {
    /// A world with this spec for `item`; nothing of it has landed, nothing is live.
    pub fn new(spec: &str) -> Tiny {
        let mut world = World::new();
        world.root = world.folder.path().join("root");
        for (file, text) in [
            ("sql/tiny/0001_item.sql", ITEM_SQL),
            ("sql/tiny/0002_other.sql", OTHER_SQL),
            ("sources/tiny/item.toml", spec),
            ("sources/tiny/other.toml", OTHER),
        ] {
            let path = world.root.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        lock(&world);
        world.put("tiny", "other.csv", b"code\na\nb\n");
        world.kiln(&["contract", "set", "tiny", "--app", "test", "--accepts", "1"]).succeeds();
        Tiny { world }
    }

    /// Puts an object and runs the night, which must do.
    pub fn takes(&self, name: &str, bytes: &[u8]) {
        self.world.put("tiny", name, bytes);
        self.world.kiln(&["run", "tiny"]).succeeds();
    }

    /// Puts an object and runs the night, which must be refused.
    pub fn refuses(&self, name: &str, bytes: &[u8], code: i32, said: &[&str]) -> Outcome {
        self.world.put("tiny", name, bytes);
        self.refuses_landed(code, Kept::Yes, said)
    }

    /// The night is refused, whatever it was that landed.
    pub fn refuses_landed(&self, code: i32, kept: Kept, said: &[&str]) -> Outcome {
        self.drop_failed();
        let before = Before::of(&self.world, "tiny");
        let outcome = self.world.kiln(&["run", "tiny"]).exits(code);
        outcome.says(said).says(&["kiln: tiny is as it was: ", "\nhint: "]);
        before.unchanged(&self.world, kept);
        outcome
    }

    /// The failed build of the refusal before goes with the next night; here it goes first, so
    /// that the list of databases can be compared.
    pub fn drop_failed(&self) {
        self.world.kiln(&["prune", "tiny"]).succeeds();
    }

    /// A value of the live database.
    pub fn value(&self, sql: &str) -> String {
        self.world.postgres.value("tiny", sql)
    }
}

/// `schema.lock`, made once by kiln itself: making it takes a cluster.
fn lock(world: &World) {
    static TEXT: OnceLock<String> = OnceLock::new();
    let path = world.root.join("sql/tiny/schema.lock");
    let text = TEXT.get_or_init(|| {
        world.kiln(&["schema", "lock", "tiny"]).succeeds();
        std::fs::read_to_string(&path).unwrap()
    });
    std::fs::write(&path, text).unwrap();
}
