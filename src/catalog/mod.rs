//! What kiln keeps in Postgres: builds and their states, manifests, stamps, the run lock, ledgers, history,
//! contracts, waivers, audit.

pub mod history;
pub mod ledger;
pub mod lock;
pub mod manifest;
pub mod registry;
pub mod stamp;
