//! What a database may be called, and what its builds are called: its folder's name becomes that of
//! databases on a server, beside those of others and of its own builds.

use crate::postgres::Ident;

/// The database that holds contracts, history and audit.
pub(crate) const CONTROL: &str = "kiln";
/// What the name of a subset's database ends in, so that nobody takes it for the whole.
pub(crate) const SUBSET: &str = "_subset";

/// Longest name of a database: a build's name is that with `_00007_subset`, in Postgres's 63 bytes; with
/// room for a digit more.
pub(super) const NAME_MAX: usize = 49;

/// Whether a folder's name may be a database's: one that is taken, or that a build of another database
/// may come to have, would be one database in the place of another.
pub(crate) fn may_name_a_database(name: &str) -> Result<(), &'static str> {
    match name {
        _ if Ident::parse(name).is_none() => Err("it is not of a-z, 0-9 and _"),
        _ if name.len() > NAME_MAX => Err("with a build's number it is too long for Postgres"),
        CONTROL => Err("kiln keeps its own history in a database of that name"),
        "postgres" | "template0" | "template1" => Err("it is Postgres's own"),
        _ if database_of(name).is_some() => Err("it has the form of a build's name"),
        _ => Ok(()),
    }
}

/// The name of a database's n-th build.
pub fn build_name(database: &str, number: i64, is_subset: bool) -> String {
    format!("{database}_{number:05}{}", if is_subset { SUBSET } else { "" })
}

/// The number in a build's own name; 0 where there is none.
pub(crate) fn number_of(build: &str) -> u64 {
    let digits = whole_name(build).rsplit_once('_').map(|(_, digits)| digits);
    digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// A build's name without what marks a subset.
fn whole_name(build: &str) -> &str {
    build.strip_suffix(SUBSET).unwrap_or(build)
}

/// The database that a build's name belongs to: `druginfo_00007` → `druginfo`.
pub(crate) fn database_of(build: &str) -> Option<&str> {
    let (database, digits) = whole_name(build).rsplit_once('_')?;
    let form = digits.len() >= 5 && digits.bytes().all(|byte| byte.is_ascii_digit());
    (form && Ident::parse(database).is_some()).then_some(database)
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn build_names_are_told_from_names_that_only_look_like_them() {
        assert_eq!(database_of("druginfo_00007"), Some("druginfo"));
        assert_eq!(database_of("plan_info_100007"), Some("plan_info"));
        for other in ["druginfo", "druginfo_7", "druginfo_00007x", "planinfo_build_evil\"; drop"] {
            assert_eq!(database_of(other), None, "{other}");
        }
    }
}
