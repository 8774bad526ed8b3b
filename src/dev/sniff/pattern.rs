//! A file's place as the patterns of a spec: what names this posting becomes a group, what CMS
//! varies becomes a class, all else stays to the letter.

use crate::fetch::member::Member;
use crate::fetch::store::file_name;

/// Where a file lies, as the names that patterns are made of.
#[derive(Debug, Clone)]
pub(crate) struct FileNames {
    /// The object's file name.
    pub object: String,
    /// The inner zips on the way, outermost first.
    pub archives: Vec<String>,
    /// The innermost file's name; `None` where the object is the file.
    pub member: Option<String>,
}

/// A spec's patterns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DraftPatterns {
    /// On the object's file name.
    pub object: String,
    /// On the names of inner zips.
    pub archive: Option<String>,
    /// On the innermost file's name.
    pub member: Option<String>,
}

/// Whether an archive's entry may be delimited text by its name. CMS and the FDA name some of it
/// `.xls`; what is inside decides.
pub(crate) fn is_text_name(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let lower = extension.to_ascii_lowercase();
    let others = ["xlsx", "docx", "doc", "pdf", "html", "htm", "xml", "json", "zip", "sas", "md"];
    !others.contains(&lower.as_str()) && !file_name(name).to_ascii_lowercase().starts_with("readme")
}

impl FileNames {
    /// Where a member lies.
    pub(crate) fn of(member: &Member) -> FileNames {
        let object = file_name(&member.object).to_owned();
        let mut names: Vec<String> = match member.path.as_str() {
            "" => Vec::new(),
            path => path.split(" → ").map(str::to_owned).collect(),
        };
        let innermost = names.pop();
        FileNames { object, archives: names, member: innermost }
    }

    /// The file's own name.
    pub(crate) fn file_name(&self) -> &str {
        self.member.as_deref().map_or(&self.object, file_name)
    }

    /// The file's own name, and the release that it lies in where it does.
    pub(crate) fn named(&self) -> String {
        match self.member {
            None => self.object.clone(),
            Some(_) => format!("{} in {}", self.file_name(), self.object),
        }
    }

    /// For people: object and members.
    pub(crate) fn shown(&self) -> String {
        let inner = self.archives.iter().chain(&self.member);
        std::iter::once(&self.object).chain(inner).cloned().collect::<Vec<_>>().join(" → ")
    }

    /// Its patterns.
    pub(crate) fn patterns(&self) -> DraftPatterns {
        let inner = |name: &str, named: bool| {
            format!("(?i)(^|/){}$", general(file_name(name), named, NameLevel::Inner))
        };
        let part = if self.member.is_some() { NameLevel::Release } else { NameLevel::Whole };
        let archives: Vec<String> = self.archives.iter().map(|name| inner(name, false)).collect();
        DraftPatterns {
            object: format!("(?i)^{}$", general(&self.object, true, part)),
            archive: (!archives.is_empty()).then(|| archives.join("|")),
            member: self.member.as_deref().map(|name| inner(name, true)),
        }
    }
}

/// Whose name it is: that decides what a time in it means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum NameLevel {
    /// A release's: a day is the posting's, and so is a year; the period stands in the member's.
    Release,
    /// An object's that is the file itself: a year is the period.
    Whole,
    /// A member's: days, quarters and years are the period. Quarterly and monthly releases differ
    /// in this alone.
    Inner,
}

/// The class of a member's period.
const PERIOD: &str = r"\d{4}Q[1-4]|\d{8}";

/// A name as a pattern. `named`: groups get their names; each name once.
fn general(name: &str, named: bool, part: NameLevel) -> String {
    let bytes = name.as_bytes();
    let (mut pattern, mut at) = (String::new(), 0);
    let mut used: Vec<&str> = Vec::new();
    while at < bytes.len() {
        let rest = &bytes[at..];
        let blanks = rest.iter().take_while(|byte| b" _".contains(byte)).count();
        if blanks > 0 {
            pattern.push_str(r"[\s_]+");
            at += blanks;
            continue;
        }
        if let Some(length) = day_in_words(rest) {
            pattern.push_str(r"\([^)]*\)");
            at += length;
            continue;
        }
        let after_digit = at > 0 && bytes[at - 1].is_ascii_digit();
        if !after_digit && let Some((length, class, group)) = time(rest, part) {
            match group.filter(|group| named && !used.contains(group)) {
                Some(group) => {
                    used.push(group);
                    pattern.push_str(&format!("(?<{group}>{class})"));
                }
                None if class.contains('|') => pattern.push_str(&format!("({class})")),
                None => pattern.push_str(class),
            }
            at += length;
            continue;
        }
        let Some(c) = name[at..].chars().next() else { break };
        // regex::escape would escape hyphens as well, which mean nothing outside a class.
        if r".+*?()|[]{}^$\".contains(c) {
            pattern.push('\\');
        }
        pattern.push(c);
        at += c.len_utf8();
    }
    pattern
}

/// `(Jul 2 2024)`: its length.
fn day_in_words(rest: &[u8]) -> Option<usize> {
    let end = rest.iter().position(|byte| *byte == b')')?;
    let inner = rest[..end].strip_prefix(b"(")?;
    let has_digit = inner.iter().any(u8::is_ascii_digit);
    (has_digit && inner.len() <= 20 && inner.contains(&b' ')).then_some(end + 1)
}

/// A day, a month, a quarter or a year at the start of `rest`: its length, class and group.
fn time(rest: &[u8], part: NameLevel) -> Option<(usize, &'static str, Option<&'static str>)> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number: u32 = std::str::from_utf8(&rest[..digits]).ok()?.parse().ok()?;
    let is_year = |number: u32| (1990..=2099).contains(&number);
    let period = (part != NameLevel::Release).then_some("period");
    match digits {
        8 if is_year(number / 10_000) && (101..=1231).contains(&(number % 10_000)) => match part {
            NameLevel::Inner => Some((8, PERIOD, period)),
            NameLevel::Release | NameLevel::Whole => Some((8, r"\d{8}", Some("posted"))),
        },
        6 if is_year(number / 100) && (1..=12).contains(&(number % 100)) => {
            Some((6, r"\d{6}", period))
        }
        4 if is_year(number) => match &rest[4..] {
            [b'q' | b'Q', b'1'..=b'4', ..] => match part {
                NameLevel::Inner => Some((6, PERIOD, period)),
                NameLevel::Release | NameLevel::Whole => Some((6, r"\d{4}Q[1-4]", Some("period"))),
            },
            [b'_' | b'-', b'0' | b'1', b'0'..=b'9', next @ ..]
                if !next.first().is_some_and(u8::is_ascii_digit) =>
            {
                Some((7, r"\d{4}[_-]\d{2}", period))
            }
            _ => Some((4, r"\d{4}", period)),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(object: &str, archives: &[&str], member: Option<&str>) -> DraftPatterns {
        FileNames {
            object: object.to_owned(),
            archives: archives.iter().map(|name| (*name).to_owned()).collect(),
            member: member.map(str::to_owned),
        }
        .patterns()
    }

    #[track_caller]
    fn matches(pattern: &str, name: &str, group: Option<(&str, &str)>) {
        let regex = regex::Regex::new(pattern).unwrap();
        let captured = regex.captures(name).unwrap_or_else(|| panic!("{pattern} on {name}"));
        if let Some((group, text)) = group {
            assert_eq!(captured.name(group).map(|m| m.as_str()), Some(text), "{pattern}");
        }
    }

    #[test]
    fn a_release_s_patterns_take_the_next_release_and_no_neighbour() {
        let patterns = place(
            "SPUF_2026_20260701.zip",
            &["plan information  PPUF_2026Q2.zip"],
            Some("plan information  PPUF_2026Q2.txt"),
        );
        matches(&patterns.object, "SPUF_2027_20270101.zip", Some(("posted", "20270101")));
        let member = patterns.member.unwrap();
        matches(&member, "plan information PPUF_2026Q4.txt", Some(("period", "2026Q4")));
        matches(&member, "folder/plan information  PPUF_2026Q4.txt", None);
        let regex = regex::Regex::new(&member).unwrap();
        assert!(!regex.is_match("other plan information  PPUF_2026Q2.txt"));
        matches(&patterns.archive.unwrap(), "plan information  PPUF_2026Q3.zip", None);
    }

    #[test]
    fn years_months_and_days_in_words_are_no_letters_of_a_name() {
        let stars = "2024 Star Ratings Data Table - Summary Rating (Jul 2 2024).csv";
        let object = place(stars, &[], None).object;
        let next = "2025 Star Ratings Data Table - Summary Rating (Oct 11 2024).csv";
        matches(&object, next, Some(("period", "2025")));
        let monthly = place("Monthly_Report_By_Plan_2026_05.excerpt.csv", &[], None).object;
        let next = "Monthly_Report_By_Plan_2026_06.excerpt.csv";
        matches(&monthly, next, Some(("period", "2026_06")));
        let pbp = place("pbp-benefits-2026.zip", &[], Some("pbp_b20.txt"));
        matches(&pbp.object, "pbp-benefits-2027.zip", None);
        assert_eq!(pbp.member.as_deref(), Some(r"(?i)(^|/)pbp[\s_]+b20\.txt$"));
        let other = regex::Regex::new(&pbp.member.unwrap()).unwrap();
        assert!(!other.is_match("pbp_b201.txt"));
    }

    #[test]
    fn what_is_text_is_told_by_the_name() {
        assert!(is_text_name("pbp_b20.txt") && is_text_name("unfinished_product.xls"));
        assert!(!is_text_name("dictionary.xlsx") && !is_text_name("Readme_PBP.txt"));
    }
}
