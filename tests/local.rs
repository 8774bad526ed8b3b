//! The private servers as kiln uses them: real Postgres, the S3 protocol over HTTP spoken by
//! Amazon's own client.

#[path = "local/endpoint.rs"]
mod endpoint;
#[path = "local/multipart.rs"]
mod multipart;
#[path = "local/postgres.rs"]
mod postgres;
#[path = "local/servers.rs"]
mod servers;
