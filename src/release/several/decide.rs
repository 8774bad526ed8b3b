//! How a joint swap that was left begun is ended. Pure.

use crate::catalog::registry::joint::{JointSwap, Member};

/// How it is ended.
#[derive(Debug, PartialEq, Eq)]
pub enum End<'a> {
    /// All databases have what they were to have.
    Swapped,
    /// These have, and go back; the others have not.
    Back(Vec<&'a Member>),
}

/// Decides by what is live now, in the order of the members.
pub fn decide<'a>(noted: &'a JointSwap, lives: &[Option<String>]) -> End<'a> {
    let is_swapped =
        |(member, live): &(&Member, &Option<String>)| live.as_ref() == Some(&member.to);
    let swapped: Vec<&Member> =
        noted.members.iter().zip(lives).filter(is_swapped).map(|(member, _)| member).collect();
    match swapped.len() == noted.members.len() {
        true => End::Swapped,
        false => End::Back(swapped),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(database: &str) -> Member {
        Member {
            database: database.into(),
            from: Some(format!("{database}_00001")),
            to: format!("{database}_00002"),
            server: "1".into(),
            tags: Vec::new(),
        }
    }

    #[test]
    fn all_stay_swapped_or_those_that_are_go_back() {
        let members = vec![member("druginfo"), member("planinfo")];
        let noted = JointSwap { id: "r".into(), home: "druginfo".into(), members };
        let [drug, plan] = [&noted.members[0], &noted.members[1]];
        let of = |live: [&str; 2]| live.map(|name| (!name.is_empty()).then(|| name.to_owned()));
        for (live, end) in [
            (["druginfo_00002", "planinfo_00002"], End::Swapped),
            (["druginfo_00002", "planinfo_00001"], End::Back(vec![drug])),
            (["druginfo_00001", "planinfo_00002"], End::Back(vec![plan])),
            (["druginfo_00001", "planinfo_00001"], End::Back(vec![])),
            // Nothing was live before, and a server that was made anew.
            (["", "planinfo_00002"], End::Back(vec![plan])),
            (["", ""], End::Back(vec![])),
        ] {
            assert_eq!(decide(&noted, &of(live)), end, "{live:?}");
        }
    }
}
