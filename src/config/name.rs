//! What a database may be called: its folder's name becomes that of databases on a server, beside those
//! of others and of its own builds.

use crate::catalog::registry::{CONTROL, database_of};
use crate::postgres::Ident;

/// Longest name of a database: a build's name is that with `_00007_subset`, in Postgres's 63 bytes; with
/// room for a digit more.
pub(super) const NAME_MAX: usize = 49;

/// Whether a folder's name may be a database's: one that is taken, or that a build of another database
/// may come to have, would be one database in the place of another.
pub fn may_name_a_database(name: &str) -> Result<(), &'static str> {
    match name {
        _ if Ident::parse(name).is_none() => Err("it is not of a-z, 0-9 and _"),
        _ if name.len() > NAME_MAX => Err("with a build's number it is too long for Postgres"),
        CONTROL => Err("kiln keeps its own history in a database of that name"),
        "postgres" | "template0" | "template1" => Err("it is Postgres's own"),
        _ if database_of(name).is_some() => Err("it has the form of a build's name"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::registry::build_name;

    #[test]
    fn a_database_is_named_so_that_no_build_has_its_name_and_every_build_has_one() {
        for good in ["druginfo", "_a", "a_0001", &"d".repeat(NAME_MAX)] {
            assert_eq!(may_name_a_database(good), Ok(()), "{good}");
            let longest = build_name(good, 999_999, true);
            assert!(Ident::parse(&longest).is_some(), "{longest}");
        }
        for bad in ["", "A", "a b", "kiln", "postgres", "template1", "a_00002", "a_00002_subset"] {
            assert!(may_name_a_database(bad).is_err(), "{bad}");
        }
        assert!(may_name_a_database(&"d".repeat(NAME_MAX + 1)).is_err());
    }
}
