//! The same questions to two stores: kiln's own endpoint, and Ceph's gateway, which nobody here
//! wrote. Where Ceph is comes in `KILN_TEST_RGW_ENDPOINT`, `_ACCESS_KEY` and `_SECRET_KEY`
//! (`tests/support/ceph.sh start DIR` prints them); without them its half is skipped, unless
//! `KILN_TEST_REQUIRE_RGW=1`.

mod landing;
mod refusals;
mod versions;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_s3::Client;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use kiln::testing::dev::synth::Release;

use crate::support::{Kiln, World, s3};

/// A store with a bucket of its own, and a world that uses it.
pub struct Site {
    pub name: &'static str,
    pub world: World,
    pub client: Client,
    pub endpoint: String,
    pub bucket: String,
    pub prefix: String,
}

/// Where Ceph is, with its keys.
struct Ceph {
    endpoint: String,
    access_key: String,
    secret_key: String,
}

fn ceph() -> Option<Ceph> {
    let variable = |name: &str| std::env::var(format!("KILN_TEST_RGW_{name}")).ok();
    let found = (variable("ENDPOINT"), variable("ACCESS_KEY"), variable("SECRET_KEY"));
    if let (Some(endpoint), Some(access_key), Some(secret_key)) = found {
        return Some(Ceph { endpoint, access_key, secret_key });
    }
    let required = std::env::var("KILN_TEST_REQUIRE_RGW").is_ok_and(|value| value == "1");
    assert!(!required, "KILN_TEST_REQUIRE_RGW=1, and no KILN_TEST_RGW_* says where Ceph is");
    eprintln!(
        "SKIPPED: no KILN_TEST_RGW_*, so Ceph's gateway is not tested; see tests/support/ceph.sh"
    );
    None
}

/// Asks both stores, each with an empty bucket and this prefix.
pub fn on_each(prefix: &str, ask: impl Fn(&Site)) {
    ask(&own(prefix));
    on_ceph(prefix, false, ask);
}

/// Asks Ceph alone: kiln's endpoint keeps no versions.
pub fn on_ceph(prefix: &str, versions: bool, ask: impl Fn(&Site)) {
    static BUCKETS: AtomicU32 = AtomicU32::new(0);
    let Some(Ceph { endpoint, access_key, secret_key }) = ceph() else { return };
    let mut world = World::new();
    let client = s3::client(&endpoint, &access_key, &secret_key);
    let number = BUCKETS.fetch_add(1, Ordering::SeqCst);
    let nanoseconds = jiff::Timestamp::now().as_nanosecond();
    let bucket = format!("kiln-{}-{number}-{nanoseconds}", std::process::id());
    world.runtime.block_on(client.create_bucket().bucket(&bucket).send()).unwrap();
    if versions {
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
        let put = client.put_bucket_versioning().bucket(&bucket);
        world.runtime.block_on(put.versioning_configuration(on.build()).send()).unwrap();
    }
    for (name, value) in [("AWS_ACCESS_KEY_ID", access_key), ("AWS_SECRET_ACCESS_KEY", secret_key)]
    {
        world.environment.push((name.into(), value));
    }
    ask(&Site::new("Ceph", world, client, endpoint, bucket, prefix));
}

fn own(prefix: &str) -> Site {
    let world = World::new();
    let (client, endpoint) = (world.s3(), world.s3_url.clone());
    Site::new("kiln's endpoint", world, client, endpoint, "kiln".into(), prefix)
}

impl Site {
    fn new(
        name: &'static str,
        mut world: World,
        client: Client,
        endpoint: String,
        bucket: String,
        prefix: &str,
    ) -> Site {
        let url = format!("s3://{bucket}/{prefix}");
        let url = url.trim_end_matches('/').to_owned();
        world.s3_url.clone_from(&endpoint);
        world.environment.push(("KILN_S3_URL".into(), url));
        world.accept("1");
        Site { name, world, client, endpoint, bucket, prefix: prefix.into() }
    }

    /// The key of a file of druginfo, landed in this folder.
    pub fn key(&self, folder: &str, file: &str) -> String {
        let key = format!("{}/druginfo/{folder}/{file}", self.prefix);
        key.trim_start_matches('/').to_owned()
    }

    /// Puts an object, past kiln.
    pub fn put(&self, key: &str, bytes: Vec<u8>) {
        let put = self.client.put_object().bucket(&self.bucket).key(key).body(bytes.into());
        self.world.runtime.block_on(put.send()).unwrap();
    }

    /// Deletes an object, past kiln.
    pub fn delete(&self, key: &str) {
        let delete = self.client.delete_object().bucket(&self.bucket).key(key);
        self.world.runtime.block_on(delete.send()).unwrap();
    }

    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        let pages = self.client.list_objects_v2().bucket(&self.bucket).into_paginator();
        let pages = pages.send().collect::<Result<Vec<_>, _>>();
        let pages = self.world.runtime.block_on(pages).unwrap();
        let objects = pages.iter().flat_map(|page| page.contents());
        objects.filter_map(|object| object.key().map(str::to_owned)).collect()
    }

    /// Has kiln land a file.
    pub fn land(&self, file: &Path) -> Kiln {
        self.world.kiln(&["land", "druginfo", &file.to_string_lossy()])
    }

    /// The sources' digests of the live database.
    pub fn digests(&self) -> String {
        let sql = "select string_agg(source || digest, ',' order by source) from kiln.source";
        self.world.postgres.value("druginfo", sql)
    }

    /// A release in a file of its own name.
    pub fn release(&self, release: &Release) -> PathBuf {
        let path = self.world.folder.path().join(release.file_name());
        std::fs::write(&path, bytes(release)).unwrap();
        path
    }
}

/// A release's zip.
pub fn bytes(release: &Release) -> Vec<u8> {
    let mut zip = std::io::Cursor::new(Vec::new());
    release.write(&mut zip).unwrap();
    zip.into_inner()
}
