//! CMS's file names and column lists, as observed in the 2026Q2 release (two blanks before
//! `PPUF` in most names, one in others), and what the 2023 layouts have otherwise.

use super::Vintage;

/// A file of the release, in the order in which CMS's zip holds them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    BasicDrugsFormulary,
    BeneficiaryCost,
    ExcludedDrugsFormulary,
    GeographicLocator,
    IndicationBasedCoverage,
    InsulinBeneficiaryCost,
    PharmacyNetworks,
    PlanInformation,
    Pricing,
}

impl Source {
    pub(super) const ALL: [Source; 9] = [
        Source::BasicDrugsFormulary,
        Source::BeneficiaryCost,
        Source::ExcludedDrugsFormulary,
        Source::GeographicLocator,
        Source::IndicationBasedCoverage,
        Source::InsulinBeneficiaryCost,
        Source::PharmacyNetworks,
        Source::PlanInformation,
        Source::Pricing,
    ];

    /// The name that kiln knows the source by.
    pub(super) fn name(self) -> &'static str {
        match self {
            Source::BasicDrugsFormulary => "basic_drugs_formulary",
            Source::BeneficiaryCost => "beneficiary_cost",
            Source::ExcludedDrugsFormulary => "excluded_drugs_formulary",
            Source::GeographicLocator => "geographic_locator",
            Source::IndicationBasedCoverage => "indication_based_coverage",
            Source::InsulinBeneficiaryCost => "insulin_beneficiary_cost",
            Source::PharmacyNetworks => "pharmacy_networks",
            Source::PlanInformation => "plan_information",
            Source::Pricing => "pricing",
        }
    }

    /// Bytes of a usual row, for progress.
    pub(super) fn bytes_a_row(self) -> u64 {
        match self {
            Source::GeographicLocator => 90,
            Source::PlanInformation => 120,
            Source::BasicDrugsFormulary
            | Source::BeneficiaryCost
            | Source::InsulinBeneficiaryCost => 55,
            Source::PharmacyNetworks => 75,
            Source::ExcludedDrugsFormulary | Source::IndicationBasedCoverage | Source::Pricing => {
                38
            }
        }
    }

    /// The inner zip's name; `part` only for the pharmacy network's parts.
    pub(super) fn zip_name(self, period: &str, part: Option<u32>) -> String {
        member_name(self.stems().0, period, part, "zip")
    }

    /// The text's name inside the inner zip; it differs from the zip's in blanks or capitals.
    pub(super) fn text_name(self, period: &str, part: Option<u32>) -> String {
        member_name(self.stems().1, period, part, "txt")
    }

    /// What stands before `PPUF` in the zip's and in the text's name.
    fn stems(self) -> (&'static str, &'static str) {
        match self {
            Source::BasicDrugsFormulary => same("basic drugs formulary file  "),
            Source::BeneficiaryCost => same("beneficiary cost file  "),
            Source::ExcludedDrugsFormulary => same("excluded drugs formulary file  "),
            Source::GeographicLocator => ("geographic locator file  ", "geographic locator file "),
            Source::IndicationBasedCoverage => (
                "indication based coverage formulary file  ",
                "Indication Based Coverage Formulary File  ",
            ),
            Source::InsulinBeneficiaryCost => same("insulin beneficiary cost file  "),
            Source::PharmacyNetworks => same("pharmacy networks file  "),
            Source::PlanInformation => same("plan information  "),
            Source::Pricing => same("pricing file "),
        }
    }

    /// The header line's fields.
    pub(super) fn header(self, vintage: Vintage) -> Vec<&'static str> {
        let columns = match self {
            Source::BasicDrugsFormulary => BASIC_DRUGS_FORMULARY,
            Source::BeneficiaryCost => BENEFICIARY_COST,
            Source::ExcludedDrugsFormulary => EXCLUDED_DRUGS_FORMULARY,
            Source::GeographicLocator => GEOGRAPHIC_LOCATOR,
            Source::IndicationBasedCoverage => "CONTRACT_ID|PLAN_ID|RXCUI|DISEASE",
            Source::InsulinBeneficiaryCost => INSULIN_BENEFICIARY_COST,
            Source::PharmacyNetworks => PHARMACY_NETWORKS,
            Source::PlanInformation => PLAN_INFORMATION,
            Source::Pricing => "CONTRACT_ID|PLAN_ID|SEGMENT_ID|NDC|DAYS_SUPPLY|UNIT_COST",
        };
        let mut header: Vec<&str> = columns.split('|').collect();
        if vintage == Vintage::Cms2023 {
            match self {
                Source::BasicDrugsFormulary => header.truncate(11),
                Source::BeneficiaryCost => header.push("GAP_COV_TIER"),
                Source::PharmacyNetworks => header.truncate(17),
                Source::PlanInformation => header.insert(8, "ICL"),
                _ => {}
            }
        }
        header
    }

    /// The header line with its CRLF, for files whose lines are put together by hand.
    pub(super) fn header_line(self, vintage: Vintage) -> Vec<u8> {
        [self.header(vintage).join("|").as_bytes(), b"\r\n"].concat()
    }
}

fn same(stem: &'static str) -> (&'static str, &'static str) {
    (stem, stem)
}

fn member_name(stem: &str, period: &str, part: Option<u32>, ending: &str) -> String {
    match part {
        Some(part) => format!("{stem}PPUF_{period} part {part}.{ending}"),
        None => format!("{stem}PPUF_{period}.{ending}"),
    }
}

/// Cents as dollars in as few digits as possible: `0`, `0.5`, `1.25`. The mean row of the 2026Q2
/// network is so short (75 bytes) that CMS must write them like this.
pub(super) fn dollars(cents: u64) -> String {
    match (cents / 100, cents % 100) {
        (whole, 0) => whole.to_string(),
        (whole, cents) if cents % 10 == 0 => format!("{whole}.{}", cents / 10),
        (whole, cents) => format!("{whole}.{cents:02}"),
    }
}

const PLAN_INFORMATION: &str = "CONTRACT_ID|PLAN_ID|SEGMENT_ID|CONTRACT_NAME|PLAN_NAME|\
    FORMULARY_ID|PREMIUM|DEDUCTIBLE|MA_REGION_CODE|PDP_REGION_CODE|STATE|COUNTY_CODE|SNP|\
    PLAN_SUPPRESSED_YN";

const GEOGRAPHIC_LOCATOR: &str =
    "COUNTY_CODE|STATENAME|COUNTY|MA_REGION_CODE|MA_REGION|PDP_REGION_CODE|PDP_REGION";

const BASIC_DRUGS_FORMULARY: &str = "FORMULARY_ID|FORMULARY_VERSION|CONTRACT_YEAR|RXCUI|NDC|\
    TIER_LEVEL_VALUE|QUANTITY_LIMIT_YN|QUANTITY_LIMIT_AMOUNT|QUANTITY_LIMIT_DAYS|\
    PRIOR_AUTHORIZATION_YN|STEP_THERAPY_YN|SELECTED_DRUG_YN";

const BENEFICIARY_COST: &str = "CONTRACT_ID|PLAN_ID|SEGMENT_ID|COVERAGE_LEVEL|TIER|DAYS_SUPPLY|\
    COST_TYPE_PREF|COST_AMT_PREF|COST_MIN_AMT_PREF|COST_MAX_AMT_PREF|\
    COST_TYPE_NONPREF|COST_AMT_NONPREF|COST_MIN_AMT_NONPREF|COST_MAX_AMT_NONPREF|\
    COST_TYPE_MAIL_PREF|COST_AMT_MAIL_PREF|COST_MIN_AMT_MAIL_PREF|COST_MAX_AMT_MAIL_PREF|\
    COST_TYPE_MAIL_NONPREF|COST_AMT_MAIL_NONPREF|COST_MIN_AMT_MAIL_NONPREF|\
    COST_MAX_AMT_MAIL_NONPREF|TIER_SPECIALTY_YN|DED_APPLIES_YN";

const INSULIN_BENEFICIARY_COST: &str = "CONTRACT_ID|PLAN_ID|SEGMENT_ID|TIER|DAYS_SUPPLY|\
    copay_amt_pref_insln|copay_amt_nonpref_insln|copay_amt_mail_pref_insln|\
    copay_amt_mail_nonpref_insln|coin_amt_pref_insln|coin_amt_nonpref_insln|\
    coin_amt_mail_pref_insln|coin_amt_mail_nonpref_insln";

const EXCLUDED_DRUGS_FORMULARY: &str = "CONTRACT_ID|PLAN_ID|RXCUI|TIER|QUANTITY_LIMIT_YN|\
    QUANTITY_LIMIT_AMOUNT|QUANTITY_LIMIT_DAYS|PRIOR_AUTH_YN|STEP_THERAPY_YN|CAPPED_BENEFIT_YN";

const PHARMACY_NETWORKS: &str = "CONTRACT_ID|PLAN_ID|SEGMENT_ID|PHARMACY_NUMBER|\
    PHARMACY_ZIPCODE|PREFERRED_STATUS_RETAIL|PREFERRED_STATUS_MAIL|PHARMACY_RETAIL|\
    PHARMACY_MAIL|IN_AREA_FLAG|FLOOR_PRICE|BRAND_DISPENSING_FEE_30|BRAND_DISPENSING_FEE_60|\
    BRAND_DISPENSING_FEE_90|GENERIC_DISPENSING_FEE_30|GENERIC_DISPENSING_FEE_60|\
    GENERIC_DISPENSING_FEE_90|SELECTED_DISPENSING_FEE_30|SELECTED_DISPENSING_FEE_60|\
    SELECTED_DISPENSING_FEE_90";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_no_digit_too_many() {
        assert_eq!([0, 50, 125, 200, 105].map(dollars), ["0", "0.5", "1.25", "2", "1.05"]);
    }
}
