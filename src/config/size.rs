//! Sizes as people write them, in settings and specs.

/// `40 GiB`, `512 MiB`, `64 KiB` or plain bytes; `None` for anything else, `2 GB` among it: is
/// that a billion?
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let factor: u64 = match unit {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        assert_eq!(bytes("2 GiB"), Some(2 << 30));
        assert_eq!(bytes("1 TiB"), Some(1 << 40));
        assert_eq!(bytes("77"), Some(77));
        assert_eq!(bytes("2 GB"), None);
    }
}
