//! States with their SSA codes and CMS's Part C and Part D regions, and counties with invented
//! but usual names. Regions are as CMS drew them (26 Medicare Advantage, 34 drug plan regions);
//! in the 2026Q2 locator California is 24 and 32, Washington 23 and 30, Iowa 19 and 25.

use std::ops::Range;

/// A state: name, postal abbreviation, SSA code, MA region, PDP region.
pub(super) struct State {
    pub(super) name: &'static str,
    pub(super) abbreviation: &'static str,
    ssa: u8,
    pub(super) ma_region: u8,
    pub(super) pdp_region: u8,
}

/// A county by its SSA code.
pub(super) struct County {
    /// Five digits, the first two of which are the state's.
    pub(super) code: String,
    pub(super) name: String,
    /// Index into [`STATES`].
    pub(super) state: usize,
}

/// `count` counties, about four or more a state, by ascending code; and each state's range.
pub(super) fn counties(count: u32) -> (Vec<County>, Vec<Range<usize>>) {
    let used = (count as usize / 4).clamp(1, STATES.len());
    let mut counties = Vec::with_capacity(count as usize);
    let mut ranges = Vec::with_capacity(used);
    for nth in 0..used {
        let state = nth * STATES.len() / used;
        let of_state = count as usize / used + usize::from(nth < count as usize % used);
        let start = counties.len();
        // SSA numbers a state's counties in tens, closer where it runs out of numbers.
        let step = (1000 / of_state).clamp(1, 10);
        for county in 0..of_state {
            let direction = DIRECTIONS[county / COUNTIES.len()];
            let name = COUNTIES[(state * 11 + county) % COUNTIES.len()];
            counties.push(County {
                code: format!("{:02}{:03}", STATES[state].ssa, county * step),
                name: format!("{direction}{name}"),
                state,
            });
        }
        ranges.push(start..counties.len());
    }
    (counties, ranges)
}

const fn state(
    name: &'static str,
    abbreviation: &'static str,
    ssa: u8,
    ma_region: u8,
    pdp_region: u8,
) -> State {
    State { name, abbreviation, ssa, ma_region, pdp_region }
}

pub(super) const STATES: [State; 51] = [
    state("Alabama", "AL", 1, 10, 12),
    state("Alaska", "AK", 2, 26, 34),
    state("Arizona", "AZ", 3, 21, 28),
    state("Arkansas", "AR", 4, 15, 19),
    state("California", "CA", 5, 24, 32),
    state("Colorado", "CO", 6, 20, 27),
    state("Connecticut", "CT", 7, 2, 2),
    state("Delaware", "DE", 8, 5, 5),
    state("District of Columbia", "DC", 9, 5, 5),
    state("Florida", "FL", 10, 9, 11),
    state("Georgia", "GA", 11, 8, 10),
    state("Hawaii", "HI", 12, 25, 33),
    state("Idaho", "ID", 13, 23, 31),
    state("Illinois", "IL", 14, 14, 17),
    state("Indiana", "IN", 15, 13, 15),
    state("Iowa", "IA", 16, 19, 25),
    state("Kansas", "KS", 17, 18, 24),
    state("Kentucky", "KY", 18, 13, 15),
    state("Louisiana", "LA", 19, 16, 21),
    state("Maine", "ME", 20, 1, 1),
    state("Maryland", "MD", 21, 5, 5),
    state("Massachusetts", "MA", 22, 2, 2),
    state("Michigan", "MI", 23, 11, 13),
    state("Minnesota", "MN", 24, 19, 25),
    state("Mississippi", "MS", 25, 16, 20),
    state("Missouri", "MO", 26, 15, 18),
    state("Montana", "MT", 27, 19, 25),
    state("Nebraska", "NE", 28, 19, 25),
    state("Nevada", "NV", 29, 22, 29),
    state("New Hampshire", "NH", 30, 1, 1),
    state("New Jersey", "NJ", 31, 4, 4),
    state("New Mexico", "NM", 32, 20, 26),
    state("New York", "NY", 33, 3, 3),
    state("North Carolina", "NC", 34, 7, 8),
    state("North Dakota", "ND", 35, 19, 25),
    state("Ohio", "OH", 36, 12, 14),
    state("Oklahoma", "OK", 37, 18, 23),
    state("Oregon", "OR", 38, 23, 30),
    state("Pennsylvania", "PA", 39, 6, 6),
    state("Rhode Island", "RI", 41, 2, 2),
    state("South Carolina", "SC", 42, 8, 9),
    state("South Dakota", "SD", 43, 19, 25),
    state("Tennessee", "TN", 44, 10, 12),
    state("Texas", "TX", 45, 17, 22),
    state("Utah", "UT", 46, 23, 31),
    state("Vermont", "VT", 47, 2, 2),
    state("Virginia", "VA", 49, 7, 7),
    state("Washington", "WA", 50, 23, 30),
    state("West Virginia", "WV", 51, 6, 6),
    state("Wisconsin", "WI", 52, 14, 16),
    state("Wyoming", "WY", 53, 19, 25),
];

const UPPER_MIDWEST: &str = "Upper Midwest and Northern Plains (Iowa, Minnesota, Montana, \
    Nebraska, North Dakota, South Dakota and Wyoming)";

/// By MA region code, from 1.
pub(super) const MA_REGIONS: [&str; 26] = [
    "Northern New England (Maine and New Hampshire)",
    "Central New England (Connecticut, Massachusetts, Rhode Island and Vermont)",
    "New York",
    "New Jersey",
    "Mid-Atlantic (Delaware, District of Columbia and Maryland)",
    "Pennsylvania and West Virginia",
    "North Carolina and Virginia",
    "Georgia and South Carolina",
    "Florida",
    "Alabama and Tennessee",
    "Michigan",
    "Ohio",
    "Indiana and Kentucky",
    "Illinois and Wisconsin",
    "Arkansas and Missouri",
    "Louisiana and Mississippi",
    "Texas",
    "Kansas and Oklahoma",
    UPPER_MIDWEST,
    "Colorado and New Mexico",
    "Arizona",
    "Nevada",
    "Northwest (Idaho, Oregon, Utah and Washington)",
    "California",
    "Hawaii",
    "Alaska",
];

/// By PDP region code, from 1.
pub(super) const PDP_REGIONS: [&str; 34] = [
    "Northern New England (Maine and New Hampshire)",
    "Central New England (Connecticut, Massachusetts, Rhode Island and Vermont)",
    "New York",
    "New Jersey",
    "Mid-Atlantic (Delaware, District of Columbia and Maryland)",
    "Pennsylvania, West Virginia",
    "Virginia",
    "North Carolina",
    "South Carolina",
    "Georgia",
    "Florida",
    "Alabama, Tennessee",
    "Michigan",
    "Ohio",
    "Indiana, Kentucky",
    "Wisconsin",
    "Illinois",
    "Missouri",
    "Arkansas",
    "Mississippi",
    "Louisiana",
    "Texas",
    "Oklahoma",
    "Kansas",
    UPPER_MIDWEST,
    "New Mexico",
    "Colorado",
    "Arizona",
    "Nevada",
    "Oregon, Washington",
    "Idaho, Utah",
    "California",
    "Hawaii",
    "Alaska",
];

const DIRECTIONS: [&str; 6] = ["", "North ", "South ", "East ", "West ", "Upper "];

const COUNTIES: [&str; 64] = [
    "Adams",
    "Allen",
    "Barton",
    "Benton",
    "Boone",
    "Brown",
    "Calhoun",
    "Carroll",
    "Cass",
    "Chester",
    "Clark",
    "Clay",
    "Clinton",
    "Columbia",
    "Crawford",
    "Cumberland",
    "De Soto",
    "Douglas",
    "Dona Ana",
    "Elk",
    "Fayette",
    "Franklin",
    "Fulton",
    "Grant",
    "Greene",
    "Hamilton",
    "Hancock",
    "Harrison",
    "Henry",
    "Iron",
    "Jackson",
    "Jasper",
    "Jefferson",
    "Johnson",
    "Kent",
    "Knox",
    "Lake",
    "Lawrence",
    "Lincoln",
    "Logan",
    "Madison",
    "Marion",
    "Marshall",
    "McCook",
    "Mercer",
    "Monroe",
    "Montgomery",
    "Morgan",
    "O'Brien",
    "Orange",
    "Otter Tail",
    "Perry",
    "Pike",
    "Polk",
    "Prince George's",
    "Putnam",
    "Randolph",
    "Saint Clair",
    "Scott",
    "Shelby",
    "Union",
    "Warren",
    "Washington",
    "Wayne",
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_and_names_are_distinct_and_codes_ascend() {
        for count in [1, 3, 12, 400, 3_279, 19_000] {
            let (counties, ranges) = counties(count);
            assert_eq!(counties.len(), count as usize);
            assert!(counties.windows(2).all(|pair| pair[0].code < pair[1].code), "{count}");
            assert!(counties.iter().all(|county| county.code.len() == 5));
            let names: HashSet<_> = counties.iter().map(|c| (c.state, c.name.clone())).collect();
            assert_eq!(names.len(), counties.len());
            assert_eq!(ranges.last().unwrap().end, counties.len());
        }
    }
}
