//! The forecast of a night, and at its end the forecast beside what was used.

use indicatif::HumanBytes;

use super::{TextTable, seconds};
use crate::catalog::ledger::Forecast;
use crate::catalog::ledger::used::Used;

/// What a night would need, in two lines.
pub(crate) fn forecast(forecast: &Forecast) {
    let Forecast { text, database, temporary_peak, wal_peak, scratch, .. } = forecast;
    let [text, database, temporary, wal, scratch] =
        [text, database, temporary_peak, wal_peak, scratch].map(|bytes| HumanBytes(*bytes));
    say!(
        "forecast: {text} of text become a database of {database}, in {}",
        seconds(forecast.seconds)
    );
    say!("  beside it at most {temporary} for index sorts, {wal} of WAL, {scratch} for inner zips");
    match forecast.from.as_slice() {
        [] => say!("  by measured ratios: there was no night before"),
        from => say!("  by what {} came to", from.join(", ")),
    }
}

/// The forecast beside what was used.
pub(super) fn beside(forecast: &Forecast, used: &Used) {
    let mut table = TextTable::new(&["", "forecast", "used"]);
    for (name, expected, used) in [
        ("database", forecast.database, used.database),
        ("WAL written", forecast.wal_written, used.wal_written),
        ("index sorts", forecast.temporary_peak, used.temporary_written),
        ("inner zips", forecast.scratch, used.scratch),
    ] {
        let bytes = |bytes| HumanBytes(bytes).to_string();
        table.row(vec![name.to_owned(), bytes(expected), bytes(used)]);
    }
    table.row(vec!["time".to_owned(), seconds(forecast.seconds), seconds(used.seconds)]);
    table.print();
}
