//! From a file to a live database, over both stores.

use kiln::testing::dev::synth::{Inner, Release};
use sha2::Digest as _;

use super::{Site, bytes, on_ceph, on_each};
use crate::support::http::HttpProxy;

fn evidence(site: &Site) -> Vec<String> {
    let sql = "select distinct evidence || ' ' || (bytes > 0 and length(sha256) = 64)
               from kiln.file order by 1";
    site.world.postgres.rows("druginfo", sql)
}

/// What the manifest pinned: version, sha256, and whether the store itself vouches for that.
fn pinned(site: &Site) -> Vec<String> {
    let sql = "select distinct coalesce(input -> 'objects' -> 0 ->> 'version_id', 'none') || ' ' ||
                      coalesce(input -> 'objects' -> 0 ->> 'sha256', 'none') || ' ' ||
                      (input -> 'objects' -> 0 ->> 'sha256_by_store')
               from kiln.manifest, jsonb_each(document -> 'sources') as s (name, input)";
    site.world.postgres.rows("druginfo", sql)
}

#[test]
fn a_whole_night_from_a_bucket_and_from_below_a_prefix() {
    for prefix in ["", "cms/part d"] {
        on_each(prefix, |site| {
            let file = site.release(&Release::small(1));
            let dry = site.world.kiln(&["land", "druginfo", &file.to_string_lossy(), "--dry-run"]);
            dry.succeeds();
            assert!(site.keys().is_empty(), "{}", site.name);
            site.land(&file).succeeds();
            let day = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
            assert_eq!(site.keys(), [site.key(&day, "SPUF_2026_20260701.zip")], "{}", site.name);

            // A neighbour below another prefix is none of kiln's business.
            site.put("druginfo.old/2027-01-01/SPUF_2026_20271231.zip", b"not ours".to_vec());
            let proxy = HttpProxy::start(&site.world.runtime, &site.endpoint);
            let mut night = site.world.kiln(&["run", "druginfo"]);
            night.env("AWS_ENDPOINT_URL", &proxy.url).succeeds();
            assert!(site.world.live().is_some(), "{}", site.name);
            assert_eq!(evidence(site), ["size+crc32 true"], "{}", site.name);
            let sql = "select count(distinct object)::text || max(object) from kiln.file";
            let expected = format!("1{}", site.key(&day, "SPUF_2026_20260701.zip"));
            assert_eq!(site.world.postgres.value("druginfo", sql), expected, "{}", site.name);
            only_reads(site, &proxy);
        });
    }
}

/// What `s3:ListBucket` and `s3:GetObject` allow, and nothing else.
fn only_reads(site: &Site, proxy: &HttpProxy) {
    let requests = proxy.requests();
    assert!(requests.len() >= 3, "{}: {requests:?}", site.name);
    for request in requests {
        let target = request.target.as_str();
        let list = target.starts_with(&format!("/{}?list-type=2", site.bucket))
            || target.starts_with(&format!("/{}/?list-type=2", site.bucket));
        let object = target.split('?').next().unwrap_or_default().ends_with(".zip")
            && !target.contains("acl")
            && !target.contains("tagging");
        let allowed = match request.method.as_str() {
            "GET" => list || object,
            "HEAD" => object,
            _ => false,
        };
        assert!(allowed, "{}: {request:?}", site.name);
    }
}

#[test]
fn a_release_that_goes_up_in_parts_is_loaded_and_says_what_was_proved() {
    on_each("", |site| {
        let file = site.release(&Release { inner: Inner::Stored, ..Release::small(2) });
        let zip = std::fs::File::options().read(true).write(true).open(&file).unwrap();
        let mut zip = zip::ZipWriter::new_append(zip).unwrap();
        let stored = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        zip.start_file("read me.bin", stored).unwrap();
        for number in 0..66_u8 {
            std::io::Write::write_all(&mut zip, &[number; 1 << 20]).unwrap();
        }
        zip.finish().unwrap();
        site.land(&file).succeeds();
        let key = site.keys().remove(0);
        let head = site.client.head_object().bucket(&site.bucket).key(&key).send();
        let head = site.world.runtime.block_on(head).unwrap();
        assert_eq!(head.content_length(), Some(file.metadata().unwrap().len().cast_signed()));
        if site.name == "Ceph" {
            assert!(head.e_tag().unwrap().ends_with("-2\""), "two parts: {:?}", head.e_tag());
        }

        site.world.night();
        assert_eq!(evidence(site), ["size+crc32 true"], "{}", site.name);
        // A sum of the parts' sums says nothing of the whole, and is not taken for one: what is
        // pinned is the file's own sum, which `land` left there and proved by reading back.
        let digest = sha2::Sha256::digest(std::fs::read(&file).unwrap());
        let expected = format!("none {} false", aws_smithy_types::base64::encode(digest));
        assert_eq!(pinned(site), [expected], "{}", site.name);
        let warned = site.world.kiln(&["run", "druginfo", "--json"]).succeeds();
        assert!(warned.stdout.contains("no source reads read me.bin"), "{}: {warned}", site.name);
    });
}

#[test]
fn the_newest_release_is_found_among_2500_keys() {
    on_each("pre/fix", |site| {
        let others = (0..2_500).map(|number| match number % 3 {
            0 => site.key("2024-01-01", &format!("note {number:04}.txt")),
            1 => site.key("2026-07-02", &format!("note {number:04}.txt")),
            _ => site.key("2027-01-01", &format!("note {number:04}.txt")),
        });
        let puts = others.map(|key| {
            let body = aws_sdk_s3::primitives::ByteStream::from_static(b"-");
            site.client.put_object().bucket(&site.bucket).key(key).body(body).send()
        });
        let puts = futures_util::StreamExt::buffer_unordered(futures_util::stream::iter(puts), 32);
        let puts = futures_util::TryStreamExt::try_collect::<Vec<_>>(puts);
        site.world.runtime.block_on(puts).unwrap();
        // Posted later counts before landed later, and landed later before anything else.
        let release = bytes(&Release::small(1));
        for (folder, file) in [
            ("2026-07-02", "SPUF_2026_20260701.zip"),
            ("2026-07-01", "SPUF_2026_20260701.zip"),
            ("2026-09-01", "SPUF_2026_20260401.zip"),
            ("2024-01-01", "SPUF_2024_20240101.zip"),
        ] {
            site.put(&site.key(folder, file), release.clone());
        }
        assert_eq!(site.keys().len(), 2_504);
        let plan = site.world.kiln(&["build", "druginfo", "--dry-run"]).succeeds();
        let newest =
            format!("s3://{}/{}", site.bucket, site.key("2026-07-02", "SPUF_2026_20260701.zip"));
        assert_eq!(plan.stdout.matches(&newest).count(), 9, "{}: {plan}", site.name);
        assert_eq!(site.world.databases(), Vec::<String>::new());
    });
}

#[test]
fn in_a_bucket_with_versions_every_object_is_pinned_by_its_version() {
    on_ceph("", true, |site| {
        site.land(&site.release(&Release::small(1))).succeeds();
        site.world.night();
        let pins = pinned(site);
        assert_eq!(pins.len(), 1, "{pins:?}");
        assert!(!pins[0].starts_with("none"), "a bucket with versions pins one: {pins:?}");
        let sql = "select distinct version from kiln.file";
        let version = site.world.postgres.value("druginfo", sql);
        assert!(pins[0].starts_with(&version), "{pins:?} {version}");
    });
}
