//! `integer[]` of one dimension in binary form, where it has a place for each of a run of numbers: the
//! array's lower bound is the first number, and 0 stands where a number has no value.

use tokio_postgres::types::Type;

/// Bytes before the first value (src/backend/utils/adt/arrayfuncs.c, array_send): dimensions, whether
/// there are nulls, the values' type, length and lower bound.
const HEAD: usize = 20;
/// Bytes of a value: its length, and itself.
const EACH: usize = 8;

/// Whether a column's type is that of such an array.
pub fn is_type(oid: u32) -> bool {
    oid == Type::INT4_ARRAY.oid()
}

/// Appends an array whose first value has this place.
pub fn write(row: &mut Vec<u8>, lower: i32, values: &[i32]) {
    let bytes = HEAD + values.len() * EACH;
    row.reserve(4 + bytes);
    let head = [bytes as i32, 1, 0, Type::INT4.oid() as i32, values.len() as i32, lower];
    head.iter().for_each(|number| row.extend_from_slice(&number.to_be_bytes()));
    // Eight bytes at once: a value is in the loader's hottest loop.
    let length = (size_of::<i32>() as u64) << i32::BITS;
    let start = row.len();
    row.resize(start + values.len() * EACH, 0);
    for (bytes, value) in row[start..].chunks_exact_mut(EACH).zip(values) {
        bytes.copy_from_slice(&(length | u64::from(value.cast_unsigned())).to_be_bytes());
    }
}

/// The values that are not 0, each with its place, and what is behind the array; `None` where the field
/// that begins here is none of this form.
pub fn read(bytes: &[u8]) -> Option<(impl Iterator<Item = (i32, i32)>, &[u8])> {
    let integer = |at: usize| {
        let four = bytes.get(at..at + 4)?;
        Some(i32::from_be_bytes([four[0], four[1], four[2], four[3]]))
    };
    let length = usize::try_from(integer(0)?).ok()?;
    let (dimensions, nulls, count, lower) = (integer(4)?, integer(8)?, integer(16)?, integer(20)?);
    let count = usize::try_from(count).ok()?;
    if (dimensions, nulls) != (1, 0) || length != HEAD + count * EACH {
        return None;
    }
    let values = bytes.get(4 + HEAD..4 + length)?;
    let each = values.chunks_exact(EACH).zip(lower..).filter_map(|(value, place)| {
        let value = i32::from_be_bytes([value[4], value[5], value[6], value[7]]);
        (value != 0).then_some((place, value))
    });
    Some((each, &bytes[4 + length..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_with_its_places() {
        let mut row = vec![];
        write(&mut row, 257, &[7, 0, -1]);
        row.push(9);
        let (values, behind) = read(&row).expect("an array");
        assert_eq!(values.collect::<Vec<_>>(), [(257, 7), (259, -1)]);
        assert_eq!(behind, [9]);
        for length in 0..row.len() - 1 {
            assert!(read(&row[..length]).is_none(), "{length} bytes");
        }
    }
}
