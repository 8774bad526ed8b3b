//! Typed values in Postgres's binary COPY format.
//!
//! Types are checked here and not in Postgres: a bad value is found at once and with its
//! position (the driver reports a server-side refusal only at the end), and no value ever
//! reaches a server log.

pub mod line;
mod numeric;
pub mod slots;

use tokio_postgres::types::Type;

/// The 19 bytes that open a binary COPY: signature, flags, no header extension.
pub const HEADER: &[u8; 19] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The two bytes that close it; without them Postgres 15 takes a cut stream for a whole one.
pub const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();

/// The version of jsonb's binary form (src/backend/utils/adt/jsonb.c, jsonb_recv).
const JSONB_VERSION: u8 = 1;
/// Length, version and brace of an object that is still empty.
const OPEN: usize = 6;

/// A column's type, as far as kiln encodes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnType {
    /// `text`, or `varchar(n)` and `char(n)` with their length in characters.
    Text {
        /// Longest content in characters.
        max: Option<u32>,
    },
    /// `smallint`.
    Int2,
    /// `integer`.
    Int4,
    /// `bigint`.
    Int8,
    /// `numeric`, or `numeric(precision, scale)`.
    Numeric {
        /// Digits in all, and digits behind the point.
        precision_scale: Option<(u16, u16)>,
    },
    /// `boolean`.
    Bool,
    /// `date`.
    Date,
    /// `real`.
    Float4,
    /// `double precision`.
    Float8,
    /// `uuid`.
    Uuid,
    /// `jsonb`, gathered from columns that the spec does not name.
    Jsonb,
}

/// The types' names, for the message about one that is not among them.
pub const SUPPORTED: &str = "text, varchar, char, smallint, integer, bigint, numeric, boolean, date, real, double precision, uuid, and jsonb to gather in";

impl ColumnType {
    /// From Postgres's type id and modifier; `None` for a type that kiln does not encode.
    pub fn from_postgres(oid: u32, modifier: i32) -> Option<ColumnType> {
        // varlena modifiers count their own four bytes (src/include/catalog/pg_attribute.h).
        let sized = u32::try_from(modifier - 4).ok().filter(|_| modifier >= 4);
        let types = [
            (Type::TEXT, ColumnType::Text { max: None }),
            (Type::VARCHAR, ColumnType::Text { max: sized }),
            (Type::BPCHAR, ColumnType::Text { max: sized }),
            (Type::INT2, ColumnType::Int2),
            (Type::INT4, ColumnType::Int4),
            (Type::INT8, ColumnType::Int8),
            (Type::BOOL, ColumnType::Bool),
            (Type::DATE, ColumnType::Date),
            (Type::FLOAT4, ColumnType::Float4),
            (Type::FLOAT8, ColumnType::Float8),
            (Type::UUID, ColumnType::Uuid),
            (Type::JSONB, ColumnType::Jsonb),
        ];
        if oid == Type::NUMERIC.oid() {
            let precision_scale =
                sized.map(|packed| ((packed >> 16) as u16, (packed & 0x7ff) as u16));
            return Some(ColumnType::Numeric { precision_scale });
        }
        types.iter().find(|(known, _)| known.oid() == oid).map(|(_, column)| *column)
    }

    /// Whether fields of this type are read as characters (the others are ASCII by nature).
    pub fn is_text(self) -> bool {
        matches!(self, ColumnType::Text { .. })
    }
}

/// Opens a row of this many columns.
pub fn begin_row(row: &mut Vec<u8>, columns: i16) {
    row.extend_from_slice(&columns.to_be_bytes());
}

/// A null.
pub fn null(row: &mut Vec<u8>) {
    row.extend_from_slice(&(-1_i32).to_be_bytes());
}

/// Whether a row's field, its length and its bytes, is null.
#[inline]
pub fn is_null(field: &[u8]) -> bool {
    field == (-1_i32).to_be_bytes()
}

/// Bytes of the row's field that begins here, with its length before it; `None` where none does.
pub fn field_length(row: &[u8]) -> Option<usize> {
    let length = row.get(..size_of::<i32>())?;
    let length = i32::from_be_bytes([length[0], length[1], length[2], length[3]]);
    Some(size_of::<i32>() + usize::try_from(length).unwrap_or(0))
}

/// A text that is already UTF-8.
///
/// # Errors
/// When it holds NUL or is longer than its column: the reason.
pub fn text(row: &mut Vec<u8>, value: &str, max: Option<u32>) -> Result<(), &'static str> {
    if memchr::memchr(0, value.as_bytes()).is_some() {
        return Err("holds a NUL character");
    }
    if let Some(max) = max
        && value.len() > max as usize
        && value.chars().count() > max as usize
    {
        return Err("is longer than its column");
    }
    // The field's limit is 1 MiB, so its length always fits.
    put(row, value.as_bytes());
    Ok(())
}

/// A field's bytes as a value of any type but text.
///
/// # Errors
/// When the field is no value of the type: the reason, in words that complete "column X …", without the field's content.
pub fn value(row: &mut Vec<u8>, field: &[u8], column: ColumnType) -> Result<(), &'static str> {
    match column {
        ColumnType::Text { .. } | ColumnType::Jsonb => Err("must be decoded before it is encoded"),
        ColumnType::Int2 => {
            put(row, &integer::<i16>(field, "is too large for smallint")?.to_be_bytes());
            Ok(())
        }
        ColumnType::Int4 => {
            put(row, &integer::<i32>(field, "is too large for integer")?.to_be_bytes());
            Ok(())
        }
        ColumnType::Int8 => {
            put(row, &integer::<i64>(field, "is too large for bigint")?.to_be_bytes());
            Ok(())
        }
        ColumnType::Numeric { precision_scale } => numeric::encode(row, field, precision_scale),
        ColumnType::Bool => {
            let truth = match field {
                b"true" | b"t" => 1,
                b"false" | b"f" => 0,
                _ => return Err("is not true or false (is a transform missing?)"),
            };
            put(row, &[truth]);
            Ok(())
        }
        ColumnType::Date => {
            put(row, &days(field)?.to_be_bytes());
            Ok(())
        }
        ColumnType::Float4 => {
            put(row, &(float(field)? as f32).to_be_bytes());
            Ok(())
        }
        ColumnType::Float8 => {
            put(row, &float(field)?.to_be_bytes());
            Ok(())
        }
        ColumnType::Uuid => {
            let uuid = uuid::Uuid::try_parse_ascii(field).map_err(|_| "is not a uuid")?;
            put(row, uuid.as_bytes());
            Ok(())
        }
    }
}

/// A dictionary's number, which is known to fit its type.
pub fn number(row: &mut Vec<u8>, number: i32, column: ColumnType) {
    match column {
        ColumnType::Int2 => put(row, &(number as i16).to_be_bytes()),
        _ => put(row, &number.to_be_bytes()),
    }
}

/// Sixteen bytes into a uuid column.
pub fn uuid(row: &mut Vec<u8>, bytes: &[u8; 16]) {
    put(row, bytes);
}

/// An object of texts, as jsonb's binary form has it: a version byte, then JSON. With keys by length
/// and bytes, and spaces where Postgres writes them, it is what Postgres gives back, so that its digest
/// can be read again.
pub struct JsonObject<'a> {
    row: &'a mut Vec<u8>,
    start: usize,
}

impl<'a> JsonObject<'a> {
    /// Opens an object at the end of the row.
    pub fn begin(row: &'a mut Vec<u8>) -> JsonObject<'a> {
        let start = row.len();
        row.extend_from_slice(&[0, 0, 0, 0, JSONB_VERSION, b'{']); // the length is known at the end
        JsonObject { row, start }
    }

    /// Appends a text under a key that is not in the object yet, and comes behind those that are.
    ///
    /// # Errors
    /// When the text holds NUL, which jsonb cannot: the reason.
    pub fn put(&mut self, key: &str, text: &str) -> Result<(), &'static str> {
        if memchr::memchr(0, text.as_bytes()).is_some() {
            return Err("holds a NUL character");
        }
        if self.row.len() > self.start + OPEN {
            self.row.extend_from_slice(b", ");
        }
        // Into memory, of a text: neither can fail.
        let _ = serde_json::to_writer(&mut *self.row, key);
        self.row.extend_from_slice(b": ");
        let _ = serde_json::to_writer(&mut *self.row, text);
        Ok(())
    }

    /// Closes the object.
    pub fn end(self) {
        self.row.push(b'}');
        let length = (self.row.len() - self.start - 4) as i32;
        self.row[self.start..self.start + 4].copy_from_slice(&length.to_be_bytes());
    }
}

fn put(row: &mut Vec<u8>, bytes: &[u8]) {
    row.extend_from_slice(&(bytes.len() as i32).to_be_bytes());
    row.extend_from_slice(bytes);
}

fn integer<T: TryFrom<i64>>(field: &[u8], too_large: &'static str) -> Result<T, &'static str> {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("is not a whole number");
    }
    let mut number = 0_i64;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        number = number
            .checked_mul(10)
            .and_then(|n| if negative { n.checked_sub(digit) } else { n.checked_add(digit) })
            .ok_or(too_large)?;
    }
    T::try_from(number).map_err(|_| too_large)
}

fn float(field: &[u8]) -> Result<f64, &'static str> {
    let text = std::str::from_utf8(field).map_err(|_| "is not a number")?;
    let number: f64 = text.parse().map_err(|_| "is not a number")?;
    if number.is_finite() { Ok(number) } else { Err("is not a finite number") }
}

/// Days since 2000-01-01, Postgres's epoch, from an ISO date.
fn days(field: &[u8]) -> Result<i32, &'static str> {
    const WRONG: &str = "is not a date (yyyy-mm-dd; is a transform missing?)";
    let text = std::str::from_utf8(field).map_err(|_| WRONG)?;
    let date: jiff::civil::Date = text.parse().map_err(|_| WRONG)?;
    if text.len() != 10 || date.year() < 1 {
        return Err(WRONG);
    }
    let epoch = jiff::civil::date(2000, 1, 1);
    let span = date.since((jiff::Unit::Day, epoch)).map_err(|_| WRONG)?;
    Ok(span.get_days())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(field: &str, column: ColumnType) -> Result<Vec<u8>, &'static str> {
        let mut row = Vec::new();
        value(&mut row, field.as_bytes(), column).map(|()| row)
    }

    #[test]
    fn integers_are_exact_or_refused() {
        assert_eq!(encoded("-32768", ColumnType::Int2), Ok(vec![0, 0, 0, 2, 0x80, 0]));
        assert_eq!(encoded("32768", ColumnType::Int2), Err("is too large for smallint"));
        let huge = "99999999999999999999";
        assert_eq!(encoded(huge, ColumnType::Int8), Err("is too large for bigint"));
        assert_eq!(
            encoded("-9223372036854775808", ColumnType::Int8).map(|b| b[4..].to_vec()),
            Ok(i64::MIN.to_be_bytes().to_vec())
        );
        for wrong in ["", "-", "1.0", "1e3", " 1", "+1"] {
            assert_eq!(encoded(wrong, ColumnType::Int4), Err("is not a whole number"), "{wrong}");
        }
    }

    #[test]
    fn dates_count_from_the_postgres_epoch() {
        assert_eq!(encoded("2000-01-02", ColumnType::Date), Ok(vec![0, 0, 0, 4, 0, 0, 0, 1]));
        assert_eq!(
            encoded("1999-12-31", ColumnType::Date),
            Ok(vec![0, 0, 0, 4, 255, 255, 255, 255])
        );
        for wrong in ["2000-02-30", "20000102", "2000-1-2", "2000-01-02T00:00:00"] {
            assert!(encoded(wrong, ColumnType::Date).is_err(), "{wrong}");
        }
    }

    #[test]
    fn text_refuses_nul_and_counts_characters() {
        let mut row = Vec::new();
        assert_eq!(text(&mut row, "a\0b", None), Err("holds a NUL character"));
        assert_eq!(text(&mut row, "éé", Some(2)), Ok(()));
        assert_eq!(text(&mut row, "ééé", Some(2)), Err("is longer than its column"));
    }

    #[test]
    fn an_object_is_a_version_byte_and_json() {
        let mut row = vec![9];
        let mut object = JsonObject::begin(&mut row);
        assert_eq!(object.put("a", "x\"y"), Ok(()));
        assert_eq!(object.put("b", "{"), Ok(()));
        assert_eq!(object.put("c", "\0"), Err("holds a NUL character"));
        object.end();
        let json = br#"{"a": "x\"y", "b": "{"}"#;
        assert_eq!(row[..6], [9, 0, 0, 0, json.len() as u8 + 1, JSONB_VERSION]);
        assert_eq!(&row[6..], json);
    }

    #[test]
    fn type_modifiers_are_read_as_postgres_packs_them() {
        let numeric = ColumnType::from_postgres(Type::NUMERIC.oid(), ((8 << 16) | 2) + 4);
        assert_eq!(numeric, Some(ColumnType::Numeric { precision_scale: Some((8, 2)) }));
        let varchar = ColumnType::from_postgres(Type::VARCHAR.oid(), 84);
        assert_eq!(varchar, Some(ColumnType::Text { max: Some(80) }));
        assert_eq!(ColumnType::from_postgres(Type::POINT.oid(), -1), None);
    }
}
