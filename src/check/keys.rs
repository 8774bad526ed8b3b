//! What a failed check's first rows are: by them, and by the check's title, a person knows where to look.

use futures_util::{StreamExt as _, pin_mut};
use tokio_postgres::SimpleQueryMessage;

use crate::pg::Session;

/// Rows that are told.
const ROWS: usize = 5;
/// Columns of a row that are told: a check selects what tells its rows apart first.
const COLUMNS: usize = 3;
/// Characters of a value that are told.
const CHARACTERS: usize = 60;

/// The first rows that a check finds, as `name = value` a column; none where they cannot be read again.
pub(super) async fn of(session: &Session, sql: &str) -> Vec<String> {
    read(session, sql).await.unwrap_or_default()
}

async fn read(session: &Session, sql: &str) -> Result<Vec<String>, tokio_postgres::Error> {
    let answers = session.simple_query_raw(sql).await?;
    pin_mut!(answers);
    let mut keys = Vec::new();
    while let Some(answer) = answers.next().await {
        let SimpleQueryMessage::Row(row) = answer? else { continue };
        let told = row.columns().iter().enumerate().take(COLUMNS).filter_map(|(at, column)| {
            let value: String = row.get(at)?.chars().take(CHARACTERS).collect();
            Some(format!("{} = {}", column.name(), value.escape_debug()))
        });
        keys.push(told.collect::<Vec<_>>().join(", "));
        if keys.len() == ROWS {
            session.canceller().cancel().await;
            // The rest, or the cancellation's error, is of no more interest.
            while answers.next().await.is_some() {}
            break;
        }
    }
    Ok(keys)
}
