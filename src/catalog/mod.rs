//! What kiln keeps in Postgres: builds and their states, manifests, stamps, the run lock, ledgers, history,
//! contracts, waivers, audit.

pub(crate) mod history;
pub(crate) mod ledger;
pub(crate) mod lock;
pub(crate) mod manifest;
pub(crate) mod registry;
pub(crate) mod stamp;
