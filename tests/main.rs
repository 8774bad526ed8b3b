//! The integration tests: the real binary, a real Postgres, the S3 protocol over HTTP.
//!
//! One binary, so that the suite links once. Each module asks one question:

// what the tests stand on: clusters, S3, the fault proxy, the binary
mod support;

// does the night do what the README says, on generated and on CMS's own files?
mod pipeline;

// do the private servers start, share, stop, and speak S3 as S3 does?
mod local;

// does a broken, stalled, replaced or lying store end in the same rows or in a named error?
mod fetch;

// is Postgres's identity verified, and nothing ever said in plain text?
mod tls;

// does an S3 server that no one here wrote say the same as kiln's own?
mod s3;
