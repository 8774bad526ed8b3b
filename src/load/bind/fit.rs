//! Which column's type a field and its transforms may lead to.

use super::*;

/// The type that a feed needs, where it is not this one.
pub(super) fn misfit(feed: Feed, kind: ColumnType) -> Option<&'static str> {
    match feed {
        Feed::Gathered => (kind != ColumnType::Jsonb).then_some("jsonb"),
        Feed::Hash(_) => (kind != ColumnType::Uuid).then_some("uuid"),
        Feed::Words(_) => (!kind.is_text()).then_some("text"),
        Feed::Column(_) | Feed::Number(_) => {
            (kind == ColumnType::Jsonb).then_some("of a type that one field can be")
        }
    }
}

pub(super) fn leads_to(transform: &Transform, kind: ColumnType) -> bool {
    match transform {
        Transform::YesNo | Transform::OneZero => kind == ColumnType::Bool,
        Transform::Date(_) => kind == ColumnType::Date,
        Transform::Money | Transform::Percent => !kind.is_text() && kind != ColumnType::Bool,
        _ => true,
    }
}
