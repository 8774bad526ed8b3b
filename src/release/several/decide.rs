//! How a swap of several servers is ended. Pure.

/// How it is ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// All servers have renamed: it is done.
    Swapped,
    /// These have, and go back, the last first; the others have not.
    Back(Vec<usize>),
}

/// Decides by what each server says of itself: whether it has renamed.
pub(super) fn decide(renamed: &[bool]) -> End {
    if renamed.iter().all(|renamed| *renamed) {
        return End::Swapped;
    }
    let each = renamed.iter().enumerate().rev();
    End::Back(each.filter(|(_, renamed)| **renamed).map(|(at, _)| at).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stay_swapped_or_those_that_are_go_back() {
        for (renamed, end) in [
            ([true, true, true], End::Swapped),
            ([true, true, false], End::Back(vec![1, 0])),
            // The answer of one in the middle was lost.
            ([true, false, true], End::Back(vec![2, 0])),
            ([false, false, true], End::Back(vec![2])),
            ([false, false, false], End::Back(vec![])),
        ] {
            assert_eq!(decide(&renamed), end, "{renamed:?}");
        }
    }
}
