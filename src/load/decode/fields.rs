//! Where a record's fields stand: cutting where nothing but delimiters counts, and finding a field's
//! original bytes again where quotes were taken off.

/// Cuts at every delimiter, eight bytes at a time: CMS's fields are some four bytes long, too short
/// for a search that is begun again for each of them. `cargo bench --bench micro` has its speed.
pub(super) fn split(line: &[u8], delimiter: u8, fields: &mut Vec<(u32, u32)>) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let sought = u64::from_ne_bytes([delimiter; 8]);
    fields.clear();
    let mut start = 0_u32;
    let mut at = 0_u32;
    let (words, rest) = line.as_chunks::<8>();
    for word in words {
        let differs = u64::from_le_bytes(*word) ^ sought;
        // The highest bit of each byte that is zero, and of no other.
        let mut found = !(((differs & LOW) + LOW) | differs | LOW);
        while found != 0 {
            let end = at + found.trailing_zeros() / 8;
            fields.push((start, end));
            start = end + 1;
            found &= found - 1;
        }
        at += 8;
    }
    for byte in rest {
        if *byte == delimiter {
            fields.push((start, at));
            start = at + 1;
        }
        at += 1;
    }
    fields.push((start, at));
}

/// Where the byte `within` the unquoted field `index` stands in a quoted record's original bytes.
pub(super) fn raw_offset(raw: &[u8], delimiter: u8, index: usize, within: u64) -> u64 {
    let mut at = 0;
    for _ in 0..index {
        at = (end_of_field(raw, delimiter, at) + 1).min(raw.len());
    }
    if raw.get(at) != Some(&b'"') {
        return at as u64 + within;
    }
    at += 1;
    for _ in 0..within {
        at += if raw[at..].starts_with(b"\"\"") { 2 } else { 1 };
        at = at.min(raw.len());
    }
    at as u64
}

/// Where the quoted record's field that begins at `start` ends.
fn end_of_field(raw: &[u8], delimiter: u8, start: usize) -> usize {
    let mut quoted = raw.get(start) == Some(&b'"');
    let mut at = start + usize::from(quoted);
    while at < raw.len() {
        match raw[at] {
            b'"' if quoted && raw.get(at + 1) == Some(&b'"') => at += 1,
            b'"' => quoted = false,
            byte if byte == delimiter && !quoted => return at,
            _ => {}
        }
        at += 1;
    }
    raw.len()
}
