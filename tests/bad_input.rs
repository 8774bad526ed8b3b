//! Bad input: everything that can be wrong with files, stores, servers and specs. Each case
//! asserts the exit code, what is said and what to type, and that live and the list of databases
//! are as they were; a failed build stays only where something was loaded.

mod archives;
mod codes;
mod disk;
mod headers;
mod hostile;
mod landing;
mod objects;
mod packed;
mod quoting;
mod rejects;
mod repair;
mod servers;
mod specs;
pub mod tiny;
mod zips;

use kiln::testing::dev::synth::{Release, Tamper};

use crate::support::{Outcome, World};

/// What is live, and which databases there are, before something is refused.
pub struct Before {
    database: &'static str,
    live: Option<(u32, String)>,
    databases: Vec<String>,
}

/// Whether a failed build is to be there afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// Something was loaded: an engineer wants to see it.
    Yes,
    /// Nothing was loaded, or keeping it would do harm.
    No,
}

impl Before {
    /// Looks at the server.
    pub fn of(world: &World, database: &'static str) -> Before {
        let live = world.postgres.contents(database);
        Before { database, live, databases: databases(world) }
    }

    /// Proves that nothing changed; the failed build's name where one was to be kept.
    pub fn unchanged(&self, world: &World, kept: Kept) -> Option<String> {
        assert_eq!(world.postgres.contents(self.database), self.live, "live changed");
        let more: Vec<String> =
            databases(world).into_iter().filter(|name| !self.databases.contains(name)).collect();
        let gone = self.databases.iter().find(|name| !databases(world).contains(name));
        assert_eq!(gone, None, "a database is gone");
        let scratch = world.folder.path().join("home/scratch");
        let left = std::fs::read_dir(scratch).map_or(0, Iterator::count);
        assert_eq!(left, 0, "files are left in the scratch folder");
        match (kept, more.as_slice()) {
            (Kept::No, []) => None,
            (Kept::Yes, [build]) => {
                assert_eq!(state(world, build), "failed");
                Some(build.clone())
            }
            (_, more) => panic!("kept {kept:?}, found {more:?}"),
        }
    }
}

/// Every database that is not Postgres's own, sorted.
pub fn databases(world: &World) -> Vec<String> {
    let sql = "select datname::text from pg_database
               where datname not in ('postgres', 'template0', 'template1') order by 1";
    world.postgres.rows("postgres", sql)
}

/// What a build's comment says it is.
pub fn state(world: &World, build: &str) -> String {
    let sql = format!(
        "select shobj_description(oid, 'pg_database')::json ->> 'state'
         from pg_database where datname = '{build}'"
    );
    world.postgres.value("postgres", &sql)
}

/// A world with a whole druginfo live, in which broken releases land.
pub struct Druginfo {
    /// The world.
    pub world: World,
    before: Before,
}

impl Druginfo {
    /// The first night has been.
    pub fn new() -> Druginfo {
        Druginfo::in_world(World::new())
    }

    /// The same, in a world that was prepared (an own root, say).
    pub fn in_world(world: World) -> Druginfo {
        world.accept("1");
        world.land(&Release::small(1));
        world.night();
        let before = Before::of(&world, "druginfo");
        Druginfo { world, before }
    }

    /// Lands a changed release; the night is refused with this exit code and these words.
    pub fn refuses(&self, change: Tamper<'_>, code: i32, kept: Kept, said: &[&str]) -> Outcome {
        self.world.land_with(&Release::small(2), change);
        self.refuses_landed(code, kept, said)
    }

    /// The night is refused, whatever it was that landed.
    pub fn refuses_landed(&self, code: i32, kept: Kept, said: &[&str]) -> Outcome {
        let outcome = self.world.kiln(&["run", "druginfo"]).exits(code);
        outcome.says(said).says(&["kiln: druginfo is as it was: ", "\nhint: "]);
        self.before.unchanged(&self.world, kept);
        outcome
    }

    /// The failed build that the last refusal left.
    pub fn kept(&self) -> String {
        self.before.unchanged(&self.world, Kept::Yes).unwrap()
    }

    /// A value of a query on the failed build.
    pub fn kept_value(&self, sql: &str) -> String {
        self.world.postgres.value(&self.kept(), sql)
    }
}

/// Changes one line of one source.
pub fn line(
    source: &'static str,
    number: u64,
    change: impl Fn(&mut Vec<u8>) + 'static,
) -> Tamper<'static> {
    Tamper::default().lines(move |at, line| {
        if at.source == source && at.line == number && at.part == 1 {
            change(line);
        }
    })
}

/// Replaces the n-th field of a line.
pub fn set_field(line: &mut Vec<u8>, index: usize, value: &[u8]) {
    let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b'|').collect();
    fields[index] = value;
    *line = fields.join(&b'|');
}
