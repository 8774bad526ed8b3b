//! beneinfo's files with a canary in every field that is not kept as it is.

use super::CANARY;

const STAMPS: &str = "2024-01-01T00:00:00.000000,2024-01-01T00:00:00.000000,2024-01-01T00:00:00.000000,9999-12-31T00:00:00.000000";

/// A row of some file, and what is wrong with it.
#[derive(Clone)]
pub struct Row {
    person: u32,
    set: Option<(usize, Vec<u8>)>,
    fields: Option<usize>,
    more: bool,
}

impl Row {
    /// A row that is loaded.
    pub fn good(person: u32) -> Row {
        Row { person, set: None, fields: None, more: false }
    }

    /// A row with this text in one field; what is no ASCII becomes windows-1252.
    pub fn with(person: u32, field: usize, text: &str) -> Row {
        let bytes = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
        Row { set: Some((field, bytes)), ..Row::good(person) }
    }

    /// A row that ends after two fields.
    pub fn cut(person: u32) -> Row {
        Row { fields: Some(2), ..Row::good(person) }
    }

    /// The same with one more field.
    pub fn longer(self) -> Row {
        Row { more: true, ..self }
    }

    fn write(&self, line: &str, delimiter: u8, out: &mut Vec<u8>) {
        let mut fields: Vec<Vec<u8>> =
            line.as_bytes().split(|byte| *byte == delimiter).map(<[u8]>::to_vec).collect();
        if let Some((field, bytes)) = &self.set {
            fields[*field].clone_from(bytes);
        }
        fields.truncate(self.fields.unwrap_or(usize::MAX));
        if self.more {
            fields.push(CANARY.into());
        }
        out.extend_from_slice(&fields.join(&delimiter));
        out.push(b'\n');
    }
}

/// What stands for a person in a file: `QZ7CANARY-0001`.
fn person(number: u32) -> String {
    format!("{CANARY}-{number:04}")
}

fn file(header: &str, delimiter: u8, rows: &[Row], line: impl Fn(&str) -> String) -> Vec<u8> {
    let mut out = format!("{header}\n").into_bytes();
    for row in rows {
        row.write(&line(&person(row.person)), delimiter, &mut out);
    }
    out
}

/// BENE_MAPD_ENRLMT.
pub fn enrolment(rows: &[Row]) -> Vec<u8> {
    let header = "BENE_SK,CNTRCT_PBP_SK,IDR_LTST_TRANS_FLG,BENE_CNTRCT_NUM,BENE_PBP_NUM,\
        BENE_CVRG_TYPE_CD,BENE_ENRLMT_PGM_TYPE_CD,BENE_ENRLMT_EMPLR_SBSDY_SW,BENE_ENRLMT_BGN_DT,\
        BENE_ENRLMT_END_DT,IDR_TRANS_EFCTV_TS,IDR_INSRT_TS,IDR_UPDT_TS,IDR_TRANS_OBSLT_TS";
    file(header, b',', rows, |person| {
        format!("{person},{CANARY},Y,H9001,001,3,3,{CANARY},2024-01-01,9999-12-31,{STAMPS}")
    })
}

/// BENE_LIS.
pub fn subsidy(rows: &[Row]) -> Vec<u8> {
    let header = "BENE_SK,IDR_LTST_TRANS_FLG,BENE_LIS_EFCTV_CD,BENE_LIS_COPMT_LVL_CD,\
        BENE_LIS_PTD_PRM_PCT,BENE_RNG_BGN_DT,BENE_RNG_END_DT,IDR_TRANS_EFCTV_TS,IDR_INSRT_TS,\
        IDR_UPDT_TS,IDR_TRANS_OBSLT_TS";
    file(header, b',', rows, |person| format!("{person},Y,Y,1,100,2024-01-01,9999-12-31,{STAMPS}"))
}

/// BENE_MBI_ID.
pub fn mbi(rows: &[Row]) -> Vec<u8> {
    let header = "BENE_MBI_ID,BENE_MBI_EFCTV_DT,IDR_LTST_TRANS_FLG,BENE_MBI_OBSLT_DT,\
        IDR_TRANS_EFCTV_TS,IDR_INSRT_TS,IDR_UPDT_TS,IDR_TRANS_OBSLT_TS";
    file(header, b',', rows, |person| format!("{person},2024-01-01,Y,,{STAMPS}"))
}

/// A yearly beneficiary file: all 210 columns, the canary in every one that is not kept.
pub fn rif(rows: &[Row]) -> Vec<u8> {
    let case = include_str!("../cases/beneinfo/input/beneficiary_2023.csv");
    let header = case.trim_start_matches('\u{feff}').lines().next().unwrap();
    file(header, b'|', rows, |person| {
        let field = |name: &str| match name {
            "DML_IND" => "INSERT".to_owned(),
            "BENE_ID" | "MBI_NUM" => person.to_owned(),
            "STATE_CODE" => "22".to_owned(),
            "BENE_COUNTY_CD" => "22090".to_owned(),
            "RFRNC_YR" => "2024".to_owned(),
            "A_MO_CNT" | "B_MO_CNT" => "12".to_owned(),
            "FIPS_STATE_CNTY_DEC_CD" => "25017".to_owned(),
            other => format!("{CANARY} {other}"),
        };
        header.split('|').map(field).collect::<Vec<_>>().join("|")
    })
}
