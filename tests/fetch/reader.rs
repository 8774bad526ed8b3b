//! The reader of one object, fault by fault and byte by byte, without the rest of a night.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use kiln::testing::error::{Exit, exit_of, from_io};
use kiln::testing::fetch::location::S3Location;
use kiln::testing::fetch::object::Object;
use kiln::testing::fetch::store::{Access, Pin, Store};
use kiln::testing::report::error::text;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

use crate::support::http::{HttpProxy, Mishap};
use crate::support::s3;

const SIZE: u64 = 1_000_003;
const LAST: u64 = SIZE - 1;
/// As `fetch::object` has them.
const ATTEMPTS: usize = 5;
const PROGRESS: u64 = 64 << 10;

/// A store with one object in it.
struct Fixture {
    runtime: Runtime,
    endpoint: kiln::testing::dev::servers::Endpoint,
    bytes: Vec<u8>,
    _dir: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let runtime = Runtime::new().unwrap();
    let dir = tempfile::tempdir().unwrap();
    let keys = kiln::testing::dev::servers::Credentials {
        access_key: "AK".into(),
        secret_key: "SK".into(),
    };
    let start = kiln::testing::dev::servers::Endpoint::start(dir.path(), "kiln", keys);
    let endpoint = runtime.block_on(start).unwrap();
    let bytes: Vec<u8> = (0..SIZE).map(|n| ((n * 2_654_435_761) >> 13) as u8).collect();
    let put = s3::client(endpoint.url(), "AK", "SK").put_object().bucket("kiln").key("a/b.zip");
    runtime.block_on(put.body(bytes.clone().into()).send()).unwrap();
    Fixture { runtime, endpoint, bytes, _dir: dir }
}

impl Fixture {
    fn pinned(&self, url: &str) -> (Store, Pin) {
        let access = Access {
            endpoint: url.to_owned(),
            region: "us-east-1".into(),
            access_key: "AK".into(),
            secret_key: "SK".into(),
        };
        let location = S3Location::parse("s3://kiln").unwrap();
        self.runtime.block_on(async {
            let store = Store::connect(&location, Some(&access), Duration::from_secs(1)).await;
            let pin = store.pin("a/b.zip").await.unwrap();
            (store, pin)
        })
    }

    /// Reads the whole object, as the threads of a load do.
    fn read(&self, store: &Store, pin: Pin) -> anyhow::Result<Vec<u8>> {
        self.runtime.block_on(async {
            let object = Object::new(store, pin, &CancellationToken::new());
            let read = move || {
                let mut bytes = Vec::new();
                object.whole().read_to_end(&mut bytes).map_err(from_io)?;
                anyhow::Ok(bytes)
            };
            tokio::task::spawn_blocking(read).await.unwrap()
        })
    }
}

#[test]
fn every_fault_at_every_place_ends_in_the_same_bytes_or_a_named_error() {
    let kinds: [fn(u64) -> Mishap; 4] =
        [Mishap::Cut, Mishap::Reset, Mishap::Stall, Mishap::Shorten];
    let fixture = fixture();
    std::thread::scope(|scope| {
        for kind in kinds {
            for at in [0, 1, SIZE / 2, LAST] {
                for always in [false, true] {
                    let fixture = &fixture;
                    scope.spawn(move || one(fixture, kind(at), at, always));
                }
            }
        }
    });
}

fn one(fixture: &Fixture, mishap: Mishap, at: u64, always: bool) {
    let proxy = HttpProxy::start(&fixture.runtime, fixture.endpoint.url());
    let (store, pin) = fixture.pinned(&proxy.url);
    let mut count = 0;
    proxy.rule(move |_| {
        count += 1;
        if always || count == 1 { mishap } else { Mishap::Pass }
    });
    let read = fixture.read(&store, pin);
    let asked = proxy.requests();
    let which = format!("{mishap:?}, always: {always}: {asked:?}");
    let next = asked.get(1).and_then(|request| request.range).unwrap_or_default();
    if always && at < PROGRESS {
        let error = read.expect_err(&which);
        assert_eq!(exit_of(&error), Exit::InputUnavailable, "{which}");
        assert_eq!(asked.len(), ATTEMPTS, "{which}");
        let said = text(&error);
        assert!(said.contains("read s3://kiln/a/b.zip: broke 5 times"), "{said}");
        assert!(said.contains(&format!("of {SIZE}: ")), "{said}");
        return;
    }
    assert!(read.unwrap_or_else(|error| panic!("{which}: {error:#}")) == fixture.bytes, "{which}");
    if !always {
        assert_eq!(asked.len(), 2, "{which}");
    }
    // What came is not asked for again, but for the kept end of the object; a reset takes with it
    // what the kernel had not handed over.
    let reset = matches!(mishap, Mishap::Reset(_));
    assert!(next.0 == at || reset && next.0 < at || at == LAST && next.1 == LAST, "{which}");
}

#[test]
fn an_answer_to_another_question_is_refused() {
    let fixture = fixture();
    let proxy = HttpProxy::start(&fixture.runtime, fixture.endpoint.url());
    let (store, pin) = fixture.pinned(&proxy.url);
    let smaller = Pin { size: SIZE - 1, ..pin.clone() };
    let error = fixture.read(&store, smaller).unwrap_err();
    let said = text(&error);
    let expected =
        format!("expected bytes 0-{}/{}, found bytes 0-{}/{SIZE}", SIZE - 2, SIZE - 1, SIZE - 2);
    assert!(said.contains(&expected), "{said}");
    let other = Pin { etag: "\"0\"".into(), ..pin };
    let error = fixture.read(&store, other).unwrap_err();
    assert_eq!(exit_of(&error), Exit::InputUnavailable);
    assert!(text(&error).contains("is not the pinned one any more"), "{}", text(&error));
}

#[test]
fn an_object_that_one_reader_gave_up_is_not_asked_for_by_the_next() {
    let fixture = fixture();
    let proxy = HttpProxy::start(&fixture.runtime, fixture.endpoint.url());
    let (store, pin) = fixture.pinned(&proxy.url);
    proxy.rule(|_| Mishap::Cut(0));
    let read = |object: &Arc<Object>| {
        let object = Arc::clone(object);
        let read = move || object.whole().read(&mut [0]).map_err(from_io);
        fixture.runtime.block_on(fixture.runtime.spawn_blocking(read)).unwrap()
    };
    let object = {
        let _inside = fixture.runtime.enter();
        Object::new(&store, pin, &CancellationToken::new())
    };
    let first = text(&read(&object).unwrap_err());
    assert_eq!(text(&read(&object).unwrap_err()), first);
    assert_eq!(proxy.requests().len(), ATTEMPTS);
}
