//! A store that breaks: every night ends with the rows of a night without faults, or with a named
//! error and the live database as it was.

pub mod landing;
mod nights;
mod reader;
mod replaced;
mod silence;
mod withdrawn;

use std::sync::atomic::{AtomicUsize, Ordering};

use kiln::testing::dev::synth::{Inner, Release};

use crate::support::http::{HttpProxy, Mishap, Request};
use crate::support::{Outcome, World};

/// An answer longer than the kept tail of an object, which only bodies of rows are.
pub const LONG: u64 = 300 << 10;

/// A world with a proxy before its store, and a night that went well.
pub struct Night {
    pub world: World,
    pub proxy: HttpProxy,
    digests: String,
}

const DIGESTS: &str = "select string_agg(source || digest, ',' order by source) from kiln.source";

impl Night {
    /// Lands a release with one large member and has a first night.
    pub fn new(inner: Inner) -> Night {
        let mut world = World::new();
        let release = Release {
            inner,
            drugs_per_formulary: 2_000,
            pricing_rows: 60_000,
            ..Release::small(5)
        };
        world.land(&release);
        world.accept("1");
        let proxy = HttpProxy::start(&world.runtime, &world.s3_url);
        world.s3_url.clone_from(&proxy.url);
        world.environment.push(("KILN_S3_STALL".into(), "1".into()));
        world.night();
        let digests = world.postgres.value("druginfo", DIGESTS);
        Night { world, proxy, digests }
    }

    /// A night under this rule. It must bring the same rows, or exit 10 or 11 naming the object
    /// and leave the live database alone.
    pub fn under(&self, rule: impl FnMut(&Request) -> Mishap + Send + 'static) -> Outcome {
        let before = self.world.live();
        self.proxy.rule(rule);
        let outcome = self.world.kiln(&["run", "druginfo"]).run();
        match outcome.code {
            0 => assert_eq!(self.world.postgres.value("druginfo", DIGESTS), self.digests),
            10 | 11 => {
                assert_eq!(self.world.live(), before, "{outcome}");
                outcome.says(&["druginfo is as it was", "SPUF_2026_20260701.zip"]);
            }
            _ => panic!("{outcome}"),
        }
        outcome
    }

    /// The next plain night brings the same rows and leaves live and previous.
    pub fn ends_well(&self) {
        assert_eq!(self.under(|_| Mishap::Pass).code, 0);
        assert_eq!(self.world.databases().len(), 2, "{:?}", self.world.databases());
    }
}

/// These mishaps, one each to the first requests that `wanted` picks; the rest pass.
pub fn first(
    mishaps: impl Into<Vec<Mishap>>,
    wanted: impl Fn(&Request) -> bool + Send + 'static,
) -> impl FnMut(&Request) -> Mishap + Send + 'static {
    let (mishaps, next) = (mishaps.into(), AtomicUsize::new(0));
    move |request| match wanted(request) {
        true => {
            let index = next.fetch_add(1, Ordering::SeqCst);
            mishaps.get(index).copied().unwrap_or(Mishap::Pass)
        }
        false => Mishap::Pass,
    }
}

/// Whether an answer carries rows.
pub fn long(request: &Request) -> bool {
    request.length() > LONG
}
