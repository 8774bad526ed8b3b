//! A build reads one state of its inputs, whatever happens to them after the manifest is fixed.

use std::time::{Duration, Instant};

use kiln::testing::dev::synth::Release;

use super::{Site, bytes, on_ceph, on_each};
use crate::support::Outcome;

const FILE: &str = "SPUF_2026_20260701.zip";

/// A night during which something happens between the manifest and the first byte.
fn interrupted(site: &Site, happens: impl FnOnce()) -> Outcome {
    let pause = site.world.folder.path().join("pause");
    let mut night = site.world.kiln(&["run", "druginfo"]);
    night.env("KILN_FAILPOINT", &format!("manifest=pause:{}", pause.display()));
    let running = night.start();
    let began = Instant::now();
    while !pause.exists() {
        if began.elapsed() > Duration::from_secs(60) {
            running.signal(nix::sys::signal::Signal::SIGTERM);
            panic!("no manifest within a minute: {}", running.wait());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    happens();
    std::fs::remove_file(&pause).unwrap();
    running.wait()
}

/// Another release in as many bytes, as near as a test comes to the worst case.
fn of_the_same_size(release: &[u8]) -> Vec<u8> {
    let mut other = release.to_vec();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    other
}

#[test]
fn with_versions_a_replaced_or_deleted_object_is_still_read_as_it_was() {
    on_ceph("", true, |site| {
        let key = site.key("2026-07-02", FILE);
        let old = bytes(&Release::small(1));
        site.put(&key, old.clone());
        site.world.night();
        let expected = site.digests();
        for change in ["other", "same size", "deleted"] {
            let outcome = interrupted(site, || match change {
                "other" => site.put(&key, bytes(&Release::small(9))),
                "same size" => site.put(&key, of_the_same_size(&old)),
                _ => site.delete(&key),
            });
            assert_eq!(outcome.code, 0, "{change}: {outcome}");
            assert_eq!(site.digests(), expected, "{change}");
            site.put(&key, old.clone());
        }
        // And the next night sees what is there then.
        site.put(&key, bytes(&Release::small(9)));
        site.world.night();
        assert_ne!(site.digests(), expected);
    });
}

#[test]
fn without_versions_a_replaced_or_deleted_object_ends_the_night() {
    on_each("", |site| {
        let key = site.key("2026-07-02", FILE);
        let old = bytes(&Release::small(1));
        site.put(&key, old.clone());
        site.world.night();
        let before = site.world.live();
        for (change, said) in [
            ("other", "the object is not the pinned one any more"),
            ("same size", "the object is not the pinned one any more"),
            ("deleted", "there is no such object"),
        ] {
            let outcome = interrupted(site, || match change {
                "other" => site.put(&key, bytes(&Release::small(9))),
                "same size" => site.put(&key, of_the_same_size(&old)),
                _ => site.delete(&key),
            });
            assert_eq!(outcome.code, 10, "{} {change}: {outcome}", site.name);
            outcome.says(&["druginfo is as it was", FILE, said, "hint: "]);
            assert_eq!(site.world.live(), before, "{} {change}", site.name);
            site.put(&key, old.clone());
        }
        site.world.night();
        assert_eq!(site.world.databases().len(), 2, "{:?}", site.world.databases());
    });
}
