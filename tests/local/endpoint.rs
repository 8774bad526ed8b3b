//! Objects, listings and buckets of the S3 endpoint, through aws-sdk-s3.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::{BehaviorVersion, Region};
use aws_sdk_s3::error::{DisplayErrorContext, ProvideErrorMetadata};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType};
use futures_util::stream::{self, StreamExt as _};
use kiln::testing::dev::servers::{Credentials, Endpoint, REGION};

pub const BUCKET: &str = "kiln";

pub fn client(url: &str, credentials: &Credentials) -> Client {
    let credentials = aws_sdk_s3::config::Credentials::new(
        &credentials.access_key,
        &credentials.secret_key,
        None,
        None,
        "test",
    );
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(url)
        .credentials_provider(credentials)
        .force_path_style(true)
        .build();
    Client::from_conf(config)
}

pub struct Fixture {
    pub dir: tempfile::TempDir,
    pub endpoint: Endpoint,
    pub s3: Client,
}

pub async fn fixture() -> Fixture {
    let dir = tempfile::tempdir().unwrap();
    let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
    let endpoint = Endpoint::start(dir.path(), BUCKET, credentials.clone()).await.unwrap();
    let s3 = client(endpoint.url(), &credentials);
    Fixture { dir, endpoint, s3 }
}

/// The S3 error code of a failed call.
pub fn code<E, R>(error: &aws_sdk_s3::error::SdkError<E, R>) -> String
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let code = error.as_service_error().and_then(|error| error.code());
    code.map_or_else(|| format!("{}", DisplayErrorContext(error)), str::to_owned)
}

impl Fixture {
    pub async fn put(&self, key: &str, body: &[u8]) -> String {
        let put = self.s3.put_object().bucket(BUCKET).key(key);
        let put = put.body(ByteStream::from(body.to_vec())).send().await;
        put.unwrap_or_else(|error| panic!("{key}: {}", code(&error))).e_tag.unwrap()
    }

    pub async fn get(&self, key: &str) -> Vec<u8> {
        let got = self.s3.get_object().bucket(BUCKET).key(key).send().await.unwrap();
        got.body.collect().await.unwrap().to_vec()
    }

    pub fn files_below_tmp(&self) -> usize {
        std::fs::read_dir(self.dir.path().join(".meta/tmp")).unwrap().count()
    }
}

#[tokio::test]
async fn objects_come_back_as_they_were_put() {
    let f = fixture().await;
    let body: Vec<u8> = (0..3_000_000_u32).map(|n| (n % 251) as u8).collect();
    let put = f.s3.put_object().bucket(BUCKET).key("a/ü b+c%.zip").content_type("application/zip");
    let put = put.metadata("period", "2026-07").cache_control("no-store");
    let put = put.checksum_algorithm(ChecksumAlgorithm::Sha256).body(body.clone().into());
    let put = put.send().await.unwrap();
    let (etag, sum) = (put.e_tag.unwrap(), put.checksum_sha256.unwrap());

    let got = f.s3.get_object().bucket(BUCKET).key("a/ü b+c%.zip").send().await.unwrap();
    assert_eq!(got.content_type(), Some("application/zip"));
    assert_eq!(got.cache_control(), Some("no-store"));
    assert_eq!(got.metadata().unwrap()["period"], "2026-07");
    assert_eq!(got.content_length(), Some(3_000_000));
    assert_eq!(got.e_tag(), Some(etag.as_str()));
    assert_eq!((got.version_id(), got.content_encoding()), (None, None));
    assert!(got.body.collect().await.unwrap().to_vec() == body);

    let head = f.s3.head_object().bucket(BUCKET).key("a/ü b+c%.zip");
    let plain = head.clone().send().await.unwrap();
    assert_eq!(plain.checksum_sha256(), None, "not asked for");
    let head = head.checksum_mode(ChecksumMode::Enabled).send().await.unwrap();
    assert_eq!(head.checksum_sha256(), Some(sum.as_str()));
    assert_eq!(head.checksum_type(), Some(&ChecksumType::FullObject));
    assert_eq!(head.e_tag(), Some(etag.as_str()));

    f.s3.delete_object().bucket(BUCKET).key("a/ü b+c%.zip").send().await.unwrap();
    f.s3.delete_object().bucket(BUCKET).key("a/ü b+c%.zip").send().await.unwrap();
    let gone = f.s3.head_object().bucket(BUCKET).key("a/ü b+c%.zip").send().await.unwrap_err();
    assert_eq!(gone.raw_response().unwrap().status().as_u16(), 404);
    assert!(!f.dir.path().join(BUCKET).join("a").exists(), "an empty directory is no key");

    assert!(f.put("empty", b"").await.starts_with('"'));
    assert_eq!(f.get("empty").await, b"");
    f.endpoint.stop().await;
}

#[tokio::test]
async fn parts_of_an_object_and_conditions() {
    let f = fixture().await;
    let etag = f.put("k", b"0123456789").await;
    let get = || f.s3.get_object().bucket(BUCKET).key("k").checksum_mode(ChecksumMode::Enabled);
    for (range, bytes, header) in [
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=7-", "789", "bytes 7-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
    ] {
        let got = get().range(range).if_match(&etag).send().await.unwrap();
        assert_eq!(got.content_range(), Some(header));
        assert_eq!(got.checksum_crc32(), None, "a part has no checksum");
        assert_eq!(got.body.collect().await.unwrap().to_vec(), bytes.as_bytes());
    }
    assert_eq!(code(&get().range("bytes=10-").send().await.unwrap_err()), "InvalidRange");
    let known = get().if_none_match(&etag).send().await.unwrap_err();
    assert_eq!(known.raw_response().unwrap().status().as_u16(), 304);

    // Same size, at once: still another object.
    let replaced = f.put("k", b"9876543210").await;
    assert_ne!(etag, replaced);
    let stale = get().if_match(&etag).send().await.unwrap_err();
    assert_eq!(code(&stale), "PreconditionFailed");
    assert_eq!(stale.raw_response().unwrap().status().as_u16(), 412);
    get().if_match(&replaced).send().await.unwrap();
    assert_eq!(code(&get().version_id("v1").send().await.unwrap_err()), "NoSuchVersion");

    let put = |key| f.s3.put_object().bucket(BUCKET).key(key).if_none_match("*");
    let second = put("k").body(ByteStream::from_static(b"x")).send().await.unwrap_err();
    assert_eq!(code(&second), "PreconditionFailed");
    assert_eq!(f.get("k").await, b"9876543210");
    put("new").body(ByteStream::from_static(b"x")).send().await.unwrap();
    assert_eq!(f.files_below_tmp(), 0);
}

#[tokio::test]
async fn a_reader_keeps_the_object_that_is_replaced_under_it() {
    let f = fixture().await;
    let old = vec![1_u8; 24 << 20];
    f.put("k", &old).await;
    let mut got = f.s3.get_object().bucket(BUCKET).key("k").send().await.unwrap().body;
    let first = got.next().await.unwrap().unwrap();
    f.put("k", &vec![2_u8; 24 << 20]).await;
    let rest = got.collect().await.unwrap().to_vec();
    assert_eq!(first.len() + rest.len(), old.len());
    assert!(rest.iter().all(|byte| *byte == 1));
}

#[tokio::test]
async fn wrong_checksums_are_refused_and_leave_nothing() {
    let f = fixture().await;
    let put = |key| f.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"abc"));
    let wrong = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let refused = put("a").checksum_sha256(wrong).send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    let refused = put("a").checksum_crc32("AAAAAA==").send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    let refused = put("a").checksum_crc32_c("AAAAAA==").send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    let refused = put("a").checksum_crc64_nvme("AAAAAAAAAAA=").send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    let refused = put("a").content_md5("AAAAAAAAAAAAAAAAAAAAAA==").send().await.unwrap_err();
    assert_eq!(code(&refused), "BadDigest");
    put("md5").content_md5("kAFQmDzST7DWlj99KOF/cg==").send().await.unwrap();
    let absent = f.s3.head_object().bucket(BUCKET).key("a").send().await.unwrap_err();
    assert_eq!(absent.raw_response().unwrap().status().as_u16(), 404);
    assert_eq!(f.files_below_tmp(), 0);

    // A file that changes by hand loses its checksum instead of keeping a wrong one.
    put("hand").checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    std::fs::write(f.dir.path().join(BUCKET).join("hand"), b"abd").unwrap();
    let head = f.s3.head_object().bucket(BUCKET).key("hand").checksum_mode(ChecksumMode::Enabled);
    assert_eq!(head.send().await.unwrap().checksum_sha256(), None);
    assert_eq!(f.get("hand").await, b"abd");
}

#[tokio::test]
async fn thousands_of_keys_are_paged_in_order() {
    let f = fixture().await;
    let keys: Vec<String> = (0..2_500)
        .map(|n| format!("{}/{n:05}{}", n % 3, if n % 7 == 0 { "/x" } else { "" }))
        .collect();
    let puts = keys.iter().map(|key| f.put(key, b"x"));
    stream::iter(puts).buffer_unordered(16).collect::<Vec<_>>().await;
    f.put("other", b"x").await;

    let mut expected = keys.clone();
    expected.push("other".to_owned());
    expected.sort_unstable();
    let list = || f.s3.list_objects_v2().bucket(BUCKET);
    let (mut found, mut token, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = list().set_continuation_token(token).send().await.unwrap();
        assert_eq!(page.key_count(), i32::try_from(page.contents().len()).ok());
        found.extend(page.contents().iter().map(|object| object.key().unwrap().to_owned()));
        pages += 1;
        token = page.next_continuation_token().map(str::to_owned);
        assert_eq!(page.is_truncated(), Some(token.is_some()));
        if token.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(found, expected);

    let page = list().prefix("1/").start_after("1/00100").max_keys(5).send().await.unwrap();
    let after: Vec<&str> = page.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(after, ["1/00103", "1/00106", "1/00109", "1/00112/x", "1/00115"]);
    assert_eq!(page.contents()[0].e_tag().map(|etag| etag.starts_with('"')), Some(true));
    let page = list().delimiter("/").send().await.unwrap();
    let rolled: Vec<&str> = page.common_prefixes().iter().filter_map(|p| p.prefix()).collect();
    assert_eq!(rolled, ["0/", "1/", "2/"]);
    assert_eq!(page.contents().len(), 1);
    let error = list().continuation_token("made up").send().await.unwrap_err();
    assert_eq!(code(&error), "InvalidArgument");
}

#[tokio::test]
async fn keys_that_no_directory_can_hold_are_refused() {
    let f = fixture().await;
    f.put("file", b"x").await;
    f.put("dir/file", b"x").await;
    let long = "x".repeat(256);
    for (key, expected) in [
        ("../escape", "InvalidArgument"),
        ("a/../../escape", "InvalidArgument"),
        ("/absolute", "InvalidArgument"),
        ("a//b", "InvalidArgument"),
        ("nul\0", "InvalidArgument"),
        ("folder/", "InvalidArgument"),
        (long.as_str(), "KeyTooLongError"),
        ("file/below", "InvalidRequest"),
        ("file/below/deeper", "InvalidRequest"),
        ("dir", "InvalidRequest"),
    ] {
        let put = f.s3.put_object().bucket(BUCKET).key(key).body(ByteStream::from_static(b"x"));
        assert_eq!(code(&put.send().await.unwrap_err()), expected, "{key}");
    }
    let get = f.s3.get_object().bucket(BUCKET).key("../.meta/tmp").send().await.unwrap_err();
    assert_eq!(code(&get), "InvalidArgument");
    let get = f.s3.get_object().bucket(BUCKET).key("dir").send().await.unwrap_err();
    assert_eq!(code(&get), "NoSuchKey");
    let listed = f.s3.list_objects_v2().bucket(BUCKET).send().await.unwrap();
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["dir/file", "file"]);
    assert!(!f.dir.path().join("escape").exists());
}

#[tokio::test]
async fn buckets_and_signatures() {
    let f = fixture().await;
    f.s3.create_bucket().bucket("second").send().await.unwrap();
    let twice = f.s3.create_bucket().bucket("second").send().await.unwrap_err();
    assert_eq!(code(&twice), "BucketAlreadyOwnedByYou");
    f.s3.head_bucket().bucket("second").send().await.unwrap();
    let absent = f.s3.head_bucket().bucket("third").send().await.unwrap_err();
    assert_eq!(absent.raw_response().unwrap().status().as_u16(), 404);
    let listed = f.s3.list_buckets().send().await.unwrap();
    let names: Vec<&str> = listed.buckets().iter().filter_map(|bucket| bucket.name()).collect();
    assert_eq!(names, ["kiln", "second"]);
    let error = f.s3.list_objects_v2().bucket("third").send().await.unwrap_err();
    assert_eq!(code(&error), "NoSuchBucket");

    let wrong = Credentials { access_key: "AK".into(), secret_key: "guessed".into() };
    let error = client(f.endpoint.url(), &wrong).list_buckets().send().await.unwrap_err();
    assert_eq!(code(&error), "SignatureDoesNotMatch");
    let get = f.endpoint.url().strip_prefix("http://").unwrap().to_owned();
    let unsigned = tokio::task::spawn_blocking(move || {
        use std::io::{Read as _, Write as _};
        let mut stream = std::net::TcpStream::connect(get).unwrap();
        stream.write_all(b"GET /kiln HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(unsigned.await.unwrap().starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn two_endpoints_over_one_directory_agree() {
    let f = fixture().await;
    let credentials = Credentials { access_key: "AK".into(), secret_key: "SK".into() };
    let second = Endpoint::start(f.dir.path(), BUCKET, credentials.clone()).await.unwrap();
    let other = client(second.url(), &credentials);
    let writes = (0..200_u8).map(|n| {
        let s3 = if n % 2 == 0 { &f.s3 } else { &other };
        s3.put_object().bucket(BUCKET).key("k").body(vec![n; 10_000].into()).send()
    });
    let reads = (0..100).map(|_| async {
        // Checked against the checksum that comes with it.
        let get = other.get_object().bucket(BUCKET).key("k").checksum_mode(ChecksumMode::Enabled);
        let body = get.send().await.unwrap().body.collect().await.unwrap().to_vec();
        assert!(body.len() == 10_000 && body.iter().all(|byte| *byte == body[0]));
    });
    f.put("k", &[0; 10_000]).await;
    let writes = stream::iter(writes).buffer_unordered(8).collect::<Vec<_>>();
    let reads = stream::iter(reads).buffer_unordered(8).collect::<Vec<_>>();
    let (writes, _) = tokio::join!(writes, reads);
    assert!(writes.iter().all(Result::is_ok));
    tokio::time::timeout(Duration::from_secs(3), second.stop()).await.unwrap();
}
