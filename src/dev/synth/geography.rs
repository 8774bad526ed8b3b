//! States with their SSA codes and CMS's Part C and Part D regions, and counties with invented
//! but usual names. Regions are as CMS drew them (26 Medicare Advantage, 34 drug plan regions);
//! in the 2026Q2 locator California is 24 and 32, Washington 23 and 30, Iowa 19 and 25.

use std::ops::Range;

use super::random::share_out;

/// A state: name, postal abbreviation, SSA code, MA region, PDP region, FIPS code, how many
/// counties it has, and the first and last three digits of its ZIP codes.
pub(super) struct State {
    pub(super) name: &'static str,
    pub(super) abbreviation: &'static str,
    pub(super) ssa: u8,
    pub(super) ma_region: u8,
    pub(super) pdp_region: u8,
    pub(super) fips: u8,
    counties: u16,
    zips: (u16, u16),
}

/// A county by its SSA code.
pub(super) struct County {
    /// Five digits, the first two of which are the state's.
    pub(super) code: String,
    pub(super) name: String,
    /// Index into [`STATES`].
    pub(super) state: usize,
    /// Five digits, the first two of which are the state's.
    pub(super) fips: String,
    /// The county's ZIP codes.
    pub(super) zips: Range<u32>,
}

impl County {
    /// How many ZIP codes are in use: every second number.
    pub(super) fn zip_count(&self) -> u32 {
        (self.zips.end - self.zips.start).div_ceil(2)
    }

    /// The nth ZIP code, from 0.
    pub(super) fn zip(&self, nth: u32) -> String {
        format!("{:05}", self.zips.start + 2 * nth)
    }
}

/// `count` counties by ascending code, and each state's range. Few counties are spread over some
/// states evenly; as many as the country has, over all states as the country's are.
pub(super) fn counties(count: u32) -> (Vec<County>, Vec<Range<usize>>) {
    let used = (count as usize / 4).clamp(1, STATES.len());
    let chosen: Vec<usize> = (0..used).map(|nth| nth * STATES.len() / used).collect();
    let weights: Vec<(u64, u64)> = chosen
        .iter()
        .map(|&state| if used < STATES.len() { 1 } else { u64::from(STATES[state].counties) })
        .map(|weight| (weight, u64::from(MOST_COUNTIES)))
        .collect();
    let shares = share_out(u64::from(count) - used as u64, &weights);
    let mut counties = Vec::with_capacity(count as usize);
    let mut ranges = Vec::with_capacity(used);
    for (state, share) in chosen.into_iter().zip(shares) {
        let start = counties.len();
        counties.extend(of_state(state, share as usize + 1));
        ranges.push(start..counties.len());
    }
    (counties, ranges)
}

fn of_state(state: usize, count: usize) -> impl Iterator<Item = County> {
    let State { ssa, fips, zips: (first, last), .. } = STATES[state];
    // SSA numbers a state's counties in tens, closer where it runs out of numbers.
    let step = (1000 / count).clamp(1, 10);
    let zip = move |county: usize| {
        let all = u32::from(last - first + 1) * 100;
        u32::from(first) * 100 + (u64::from(all) * county as u64 / count as u64) as u32
    };
    (0..count).map(move |county| County {
        code: format!("{ssa:02}{:03}", county * step),
        name: format!(
            "{}{}",
            DIRECTIONS[county / COUNTIES.len()],
            COUNTIES[(state * 11 + county) % COUNTIES.len()]
        ),
        state,
        // The Census numbers counties with odd numbers.
        fips: format!("{fips:02}{:03}", 2 * county + 1),
        zips: zip(county)..zip(county + 1),
    })
}

/// Counties of one state that have names and odd numbers.
const MOST_COUNTIES: u32 = 382;

const fn state(
    name: &'static str,
    abbreviation: &'static str,
    (ssa, fips): (u8, u8),
    (ma_region, pdp_region): (u8, u8),
    counties: u16,
    zips: (u16, u16),
) -> State {
    State { name, abbreviation, ssa, ma_region, pdp_region, fips, counties, zips }
}

pub(super) const STATES: [State; 51] = [
    state("Alabama", "AL", (1, 1), (10, 12), 67, (350, 369)),
    state("Alaska", "AK", (2, 2), (26, 34), 29, (995, 999)),
    state("Arizona", "AZ", (3, 4), (21, 28), 15, (850, 865)),
    state("Arkansas", "AR", (4, 5), (15, 19), 75, (716, 729)),
    state("California", "CA", (5, 6), (24, 32), 58, (900, 961)),
    state("Colorado", "CO", (6, 8), (20, 27), 64, (800, 816)),
    state("Connecticut", "CT", (7, 9), (2, 2), 8, (60, 69)),
    state("Delaware", "DE", (8, 10), (5, 5), 3, (197, 199)),
    state("District of Columbia", "DC", (9, 11), (5, 5), 1, (200, 205)),
    state("Florida", "FL", (10, 12), (9, 11), 67, (320, 349)),
    state("Georgia", "GA", (11, 13), (8, 10), 159, (300, 319)),
    state("Hawaii", "HI", (12, 15), (25, 33), 5, (967, 968)),
    state("Idaho", "ID", (13, 16), (23, 31), 44, (832, 838)),
    state("Illinois", "IL", (14, 17), (14, 17), 102, (600, 629)),
    state("Indiana", "IN", (15, 18), (13, 15), 92, (460, 479)),
    state("Iowa", "IA", (16, 19), (19, 25), 99, (500, 528)),
    state("Kansas", "KS", (17, 20), (18, 24), 105, (660, 679)),
    state("Kentucky", "KY", (18, 21), (13, 15), 120, (400, 427)),
    state("Louisiana", "LA", (19, 22), (16, 21), 64, (700, 714)),
    state("Maine", "ME", (20, 23), (1, 1), 16, (39, 49)),
    state("Maryland", "MD", (21, 24), (5, 5), 24, (206, 219)),
    state("Massachusetts", "MA", (22, 25), (2, 2), 14, (10, 27)),
    state("Michigan", "MI", (23, 26), (11, 13), 83, (480, 499)),
    state("Minnesota", "MN", (24, 27), (19, 25), 87, (550, 567)),
    state("Mississippi", "MS", (25, 28), (16, 20), 82, (386, 397)),
    state("Missouri", "MO", (26, 29), (15, 18), 115, (630, 658)),
    state("Montana", "MT", (27, 30), (19, 25), 56, (590, 599)),
    state("Nebraska", "NE", (28, 31), (19, 25), 93, (680, 693)),
    state("Nevada", "NV", (29, 32), (22, 29), 17, (889, 898)),
    state("New Hampshire", "NH", (30, 33), (1, 1), 10, (30, 38)),
    state("New Jersey", "NJ", (31, 34), (4, 4), 21, (70, 89)),
    state("New Mexico", "NM", (32, 35), (20, 26), 33, (870, 884)),
    state("New York", "NY", (33, 36), (3, 3), 62, (100, 149)),
    state("North Carolina", "NC", (34, 37), (7, 8), 100, (270, 289)),
    state("North Dakota", "ND", (35, 38), (19, 25), 53, (580, 588)),
    state("Ohio", "OH", (36, 39), (12, 14), 88, (430, 459)),
    state("Oklahoma", "OK", (37, 40), (18, 23), 77, (730, 749)),
    state("Oregon", "OR", (38, 41), (23, 30), 36, (970, 979)),
    state("Pennsylvania", "PA", (39, 42), (6, 6), 67, (150, 196)),
    state("Rhode Island", "RI", (41, 44), (2, 2), 5, (28, 29)),
    state("South Carolina", "SC", (42, 45), (8, 9), 46, (290, 299)),
    state("South Dakota", "SD", (43, 46), (19, 25), 66, (570, 577)),
    state("Tennessee", "TN", (44, 47), (10, 12), 95, (370, 385)),
    state("Texas", "TX", (45, 48), (17, 22), 254, (750, 799)),
    state("Utah", "UT", (46, 49), (23, 31), 29, (840, 847)),
    state("Vermont", "VT", (47, 50), (2, 2), 14, (50, 59)),
    state("Virginia", "VA", (49, 51), (7, 7), 133, (220, 246)),
    state("Washington", "WA", (50, 53), (23, 30), 39, (980, 994)),
    state("West Virginia", "WV", (51, 54), (6, 6), 55, (247, 268)),
    state("Wisconsin", "WI", (52, 55), (14, 16), 72, (530, 549)),
    state("Wyoming", "WY", (53, 56), (19, 25), 23, (820, 831)),
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
        for count in [1, 3, 12, 400, 3_279, 4_000] {
            let (counties, ranges) = counties(count);
            assert_eq!(counties.len(), count as usize);
            assert!(counties.windows(2).all(|pair| pair[0].code < pair[1].code), "{count}");
            assert!(counties.iter().all(|county| county.code.len() == 5 && county.fips.len() == 5));
            assert!(counties.iter().all(|county| !county.zips.is_empty()), "{count}");
            let names: HashSet<_> = counties.iter().map(|c| (c.state, c.name.clone())).collect();
            assert_eq!(names.len(), counties.len());
            assert_eq!(ranges.last().unwrap().end, counties.len());
        }
    }
}
