//! The private servers as kiln uses them: real Postgres, the S3 protocol over HTTP spoken by
//! Amazon's own client.

mod endpoint;
mod multipart;
mod postgres;
mod servers;
