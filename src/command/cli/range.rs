//! `--accepts MIN..MAX`.

/// Schema versions, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// Lowest.
    pub min: u32,
    /// Highest.
    pub max: u32,
}

impl Range {
    /// Whether one of the versions that a build serves, from the lowest to its own, is among them.
    pub fn meets(self, serves_from: u32, version: u32) -> bool {
        self.min <= version && serves_from <= self.max
    }

    pub(super) fn parse(text: &str) -> Result<Range, String> {
        let (min, max) = text.split_once("..").unwrap_or((text, text));
        let number = |part: &str| part.trim_start_matches('=').parse::<u32>().ok();
        match (number(min), number(max)) {
            (Some(min), Some(max)) if min <= max && max <= i32::MAX.cast_unsigned() => {
                Ok(Range { min, max })
            }
            _ => Err("expected a version like 3, or a range like 1..3".to_owned()),
        }
    }
}
