//! Whole nights with faults in the bodies.

use std::time::Duration;

use kiln::testing::dev::synth::Inner;

use super::{Night, first, long};
use crate::support::http::Mishap;

/// A little way into a body, behind what one read takes.
const MIDDLE: u64 = 150_000;

#[test]
fn bodies_that_break_now_and_then_are_resumed_to_the_same_rows() {
    for inner in [Inner::Stored, Inner::Deflated] {
        let night = Night::new(inner);
        let each = [
            Mishap::Cut(0),
            Mishap::Reset(1),
            Mishap::Cut(MIDDLE),
            Mishap::Stall(MIDDLE),
            Mishap::Shorten(MIDDLE),
            Mishap::Refuse,
            Mishap::Reset(MIDDLE),
            Mishap::Stall(0),
        ];
        let outcome = night.under(first(each, long));
        assert_eq!(outcome.code, 0, "{inner:?} {outcome}");
        assert_eq!(night.proxy.hit().len(), each.len(), "{inner:?}");
    }
}

#[test]
fn bodies_that_always_break_end_the_night_after_a_bounded_number_of_attempts() {
    let night = Night::new(Inner::Stored);
    for (mishap, said) in [
        (Mishap::Cut(0), "broke 5 times"),
        (Mishap::Reset(1), "broke 5 times"),
        (Mishap::Shorten(1), "broke 5 times, the last time at byte"),
        (Mishap::Refuse, "connection closed before message completed"),
    ] {
        let outcome = night.under(move |request| if long(request) { mishap } else { Mishap::Pass });
        assert_eq!(outcome.code, 10, "{mishap:?} {outcome}");
        outcome.says(&[said, "read s3://kiln/druginfo/", "hint: ", "once S3 has it again: kiln "]);
        // Two archives are read side by side when the object is given up; the others do not ask.
        let asked = night.proxy.hit().len();
        assert!((4..=10).contains(&asked), "{mishap:?} {asked}");
    }
    night.ends_well();
}

#[test]
fn bodies_that_always_break_further_on_still_come_to_their_end() {
    let night = Night::new(Inner::Stored);
    for mishap in [Mishap::Cut(MIDDLE), Mishap::Reset(MIDDLE)] {
        let outcome = night.under(move |request| if long(request) { mishap } else { Mishap::Pass });
        assert_eq!(outcome.code, 0, "{mishap:?} {outcome}");
        assert!(night.proxy.hit().len() > 3, "{:?}", night.proxy.hit());
    }
}

#[test]
fn a_store_that_stalls_for_ever_is_given_up_within_its_limit() {
    let night = Night::new(Inner::Stored);
    for mishap in [Mishap::Stall(1), Mishap::Drip(1)] {
        let outcome = night.under(move |request| if long(request) { mishap } else { Mishap::Pass });
        assert_eq!(outcome.code, 10, "{mishap:?} {outcome}");
        assert!(outcome.took < Duration::from_secs(45), "{outcome}");
    }
    night.ends_well();
}

#[test]
fn a_flipped_bit_never_becomes_a_row() {
    for inner in [Inner::Stored, Inner::Deflated] {
        let night = Night::new(inner);
        for at in [0, 1, MIDDLE, 4 * MIDDLE] {
            let rule = first(vec![Mishap::Flip(at); 3], long);
            let outcome = night.under(rule);
            assert!([0, 11].contains(&outcome.code), "{inner:?} {at} {outcome}");
        }
        let outcome = night.under(|r| if long(r) { Mishap::Flip(MIDDLE) } else { Mishap::Pass });
        assert_eq!(outcome.code, 11, "{inner:?} {outcome}");
        night.ends_well();
    }
}

#[test]
fn a_store_that_is_busy_is_asked_again_whatever_number_it_says_so_with() {
    let night = Night::new(Inner::Stored);
    for status in [429, 503] {
        let busy = [Mishap::Status(status), Mishap::Status(status)];
        let outcome = night.under(first(busy, |request| request.method == "GET"));
        assert_eq!(outcome.code, 0, "{outcome}");
        assert_eq!(night.proxy.hit().len(), 2);
        let outcome = night.under(first(busy, |request| request.length() > 0));
        assert_eq!(outcome.code, 0, "{outcome}");
        assert_eq!(night.proxy.hit().len(), 2);
    }
    night.ends_well();
}
