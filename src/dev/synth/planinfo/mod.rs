//! The files that planinfo is built from, about the same market as the Part D release of the same
//! scale and seed: benefits, landscape, service areas, crosswalk, enrolment, star ratings.

mod crosswalk;
mod enrollment;
mod landscape;
mod offers;
mod pbp;
mod pbp_values;
mod service_area;
mod stars;

use std::io::{Result, Write};
use std::sync::Arc;

use super::Release;
use super::object::{Object, Text, Written};
use offers::Offers;

const DATABASE: &str = "planinfo";

/// All but the Part D release and geography, which other databases have as well.
pub(super) fn objects(release: &Release) -> Vec<Object> {
    let offers = Arc::new(Offers::new(release));
    let mut objects = pbp::objects(&offers);
    objects.push(landscape::object(DATABASE, &offers));
    objects.push(service_area::object(&offers));
    objects.push(crosswalk::object(&offers));
    objects.extend(enrollment::objects(&offers));
    objects.extend(stars::objects(&offers));
    objects
}

/// The landscape alone, for a database that reads the premiums of it.
pub(super) fn landscape(database: &'static str, release: &Release) -> Object {
    landscape::object(database, &Arc::new(Offers::new(release)))
}

/// A text about the offers.
fn text(
    offers: &Arc<Offers>,
    name: impl Into<String>,
    source: &'static str,
    rows: u64,
    bytes_a_row: u64,
    body: impl FnOnce(&Offers, &mut dyn Write) -> Result<Written> + Send + 'static,
) -> Text {
    let offers = offers.clone();
    Text {
        name: name.into(),
        source: Some(source),
        rows,
        bytes_about: rows * bytes_a_row,
        body: Box::new(move |out| body(&offers, out)),
    }
}
