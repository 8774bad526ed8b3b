//! Names that read like real ones and are nobody's: substances built from a stem that says what
//! they are for, as international nonproprietary names are, and the people and streets that
//! registers are full of.

use super::random::Stream;

/// A kind of drug.
pub(super) struct Kind {
    /// How the substance's name ends.
    stem: &'static str,
    pub(super) class: &'static str,
    pub(super) form: &'static str,
    pub(super) route: &'static str,
    pub(super) unit: &'static str,
    strengths: &'static [&'static str],
    /// What a package holds.
    pub(super) package: &'static str,
}

/// What a product is called and what is in it.
pub(super) struct Substance {
    pub(super) generic: String,
    /// None for a generic.
    pub(super) brand: Option<String>,
    pub(super) strength: &'static str,
    pub(super) kind: &'static Kind,
}

/// The substance of a product, by the product's number.
pub(super) fn substance(seed: u64, product: u32) -> Substance {
    let mut stream = Stream::new(seed, "substances", u64::from(product / 3));
    // Every fortieth substance is an insulin: they have rules of their own.
    let (kind, generic) = if stream.below(40) == 0 {
        (&INSULIN, format!("Insulin {}", stream.pick(&["glargine", "lispro", "aspart", "human"])))
    } else {
        let kind = stream.pick(&KINDS);
        let (first, second) = (stream.pick(&FIRST), stream.pick(&SECOND));
        (kind, format!("{first}{second}{}", kind.stem))
    };
    let brand = stream
        .percent(35)
        .then(|| format!("{}{}", stream.pick(&BRAND_FIRST), stream.pick(&BRAND_SECOND)));
    // Three products of a substance in a row: three strengths.
    let strength = kind.strengths[product as usize % kind.strengths.len()];
    Substance { generic, brand, strength, kind }
}

/// A labeler's name, by its code; one has a stray quote, as in the FDA's file.
pub(super) fn labeler(seed: u64, code: &str) -> String {
    let number = code.parse().unwrap_or(0);
    let mut stream = Stream::new(seed, "labelers", number);
    let name = format!("{}{}", stream.pick(&BRAND_FIRST), stream.pick(&BRAND_SECOND));
    match number % 97 {
        13 => format!("{name} \"Labs\" Inc"),
        _ => format!("{name} {}", stream.pick(&LABELERS)),
    }
}

/// A surname and a given name.
pub(super) fn person(stream: &mut Stream) -> (&'static str, &'static str) {
    let surname: &&str = stream.pick(&SURNAMES);
    let given: &&str = stream.pick(&GIVEN);
    (*surname, *given)
}

/// A house number and a street.
pub(super) fn street(stream: &mut Stream) -> String {
    format!("{} {} {}", 1 + stream.below(9_900), stream.pick(&STREETS), stream.pick(&WAYS))
}

const INSULIN: Kind = Kind {
    stem: "",
    class: "Insulin Analog [EPC]",
    form: "INJECTION, SOLUTION",
    route: "SUBCUTANEOUS",
    unit: "[iU]/mL",
    strengths: &["100", "100", "200"],
    package: "5 SYRINGE, PLASTIC in 1 CARTON",
};

const fn tablet(
    stem: &'static str,
    class: &'static str,
    strengths: &'static [&'static str],
) -> Kind {
    Kind {
        stem,
        class,
        form: "TABLET, FILM COATED",
        route: "ORAL",
        unit: "mg/1",
        strengths,
        package: "90 TABLET, FILM COATED in 1 BOTTLE",
    }
}

const KINDS: [Kind; 16] = [
    tablet("statin", "HMG-CoA Reductase Inhibitor [EPC]", &["10", "20", "40"]),
    tablet("pril", "Angiotensin Converting Enzyme Inhibitor [EPC]", &["2.5", "5", "10"]),
    tablet("sartan", "Angiotensin 2 Receptor Blocker [EPC]", &["40", "80", "160"]),
    tablet("olol", "beta-Adrenergic Blocker [EPC]", &["25", "50", "100"]),
    tablet("gliptin", "Dipeptidyl Peptidase 4 Inhibitor [EPC]", &["25", "50", "100"]),
    tablet("gliflozin", "Sodium-Glucose Cotransporter 2 Inhibitor [EPC]", &["5", "10", "25"]),
    tablet("tinib", "Kinase Inhibitor [EPC]", &["20", "40", "80"]),
    tablet("xaban", "Factor Xa Inhibitor [EPC]", &["2.5", "5", "15"]),
    tablet("azepam", "Benzodiazepine [EPC]", &[".5", "1", "2"]),
    tablet("oxetine", "Serotonin and Norepinephrine Reuptake Inhibitor [EPC]", &["20", "30", "60"]),
    tablet("triptan", "Serotonin-1b and Serotonin-1d Receptor Agonist [EPC]", &["25", "50", "100"]),
    tablet("vir", "Antiviral Agent [EPC]", &["300", "400", "800"]),
    Kind {
        stem: "prazole",
        class: "Proton Pump Inhibitor [EPC]",
        form: "CAPSULE, DELAYED RELEASE",
        route: "ORAL",
        unit: "mg/1",
        strengths: &["10", "20", "40"],
        package: "30 CAPSULE, DELAYED RELEASE in 1 BOTTLE",
    },
    Kind {
        stem: "terol",
        class: "beta2-Adrenergic Agonist [EPC]",
        form: "AEROSOL, METERED",
        route: "RESPIRATORY (INHALATION)",
        unit: "ug/1",
        strengths: &["45", "90", "110"],
        package: "1 INHALER in 1 CARTON",
    },
    Kind {
        stem: "lizumab",
        class: "Interleukin Antagonist [EPC]",
        form: "INJECTION, SOLUTION",
        route: "SUBCUTANEOUS",
        unit: "mg/mL",
        strengths: &["40", "75", "150"],
        package: "2 SYRINGE, GLASS in 1 CARTON",
    },
    Kind {
        stem: "oprost",
        class: "Prostaglandin Analog [EPC]",
        form: "SOLUTION/ DROPS",
        route: "OPHTHALMIC",
        unit: "mg/mL",
        strengths: &[".03", ".05", ".1"],
        package: "1 BOTTLE, DROPPER in 1 CARTON",
    },
];

const FIRST: [&str; 24] = [
    "Al", "Bel", "Cor", "Dal", "Em", "Fen", "Gal", "Hal", "Iv", "Jan", "Kel", "Lor", "Mar", "Nel",
    "Ol", "Per", "Quin", "Ral", "Sel", "Tor", "Ul", "Vel", "Wil", "Zan",
];

const SECOND: [&str; 20] = [
    "a", "amo", "ati", "be", "cado", "de", "eno", "fi", "iso", "lu", "mi", "ne", "ovo", "pra",
    "ro", "sa", "ta", "uro", "vi", "zo",
];

const BRAND_FIRST: [&str; 20] = [
    "Ad", "Bri", "Car", "Dor", "Ely", "Fas", "Gly", "Hum", "Ina", "Jar", "Kor", "Lym", "Mav",
    "Nor", "Oxa", "Pal", "Ril", "Syn", "Trel", "Xel",
];

const BRAND_SECOND: [&str; 20] = [
    "vance", "dora", "lixa", "mira", "nexa", "onta", "pria", "quel", "resta", "sara", "tiva",
    "unio", "vesta", "wella", "xana", "yara", "zeva", "bora", "cela", "fara",
];

const LABELERS: [&str; 8] = [
    "Pharmaceuticals, Inc.",
    "Laboratories Limited",
    "Pharma LLC",
    "Health Corp.",
    "Generics USA",
    "Therapeutics",
    "Repackaging Services",
    "Biologics, Inc",
];

const SURNAMES: [&str; 24] = [
    "ABBOTT",
    "BARNES",
    "CASTILLO",
    "DELGADO",
    "ELLISON",
    "FOSTER",
    "GRAVES",
    "HOLLAND",
    "IRWIN",
    "JENSEN",
    "KELLER",
    "LARSEN",
    "MORALES",
    "NGUYEN",
    "OCONNOR",
    "PATEL",
    "QUINN",
    "REYES",
    "SANTOS",
    "TURNER",
    "UNDERWOOD",
    "VARGAS",
    "WEBER",
    "YOUNG",
];

const GIVEN: [&str; 24] = [
    "ALICE", "BRUNO", "CARMEN", "DAVID", "ELENA", "FRANK", "GRACE", "HENRY", "IRENE", "JAMES",
    "KAREN", "LOUIS", "MARIA", "NATHAN", "OLIVIA", "PETER", "QUENTIN", "ROSA", "SAMUEL", "TERESA",
    "URSULA", "VICTOR", "WALTER", "YVONNE",
];

const STREETS: [&str; 16] = [
    "MAIN",
    "OAK",
    "MAPLE",
    "CEDAR",
    "PARK",
    "LAKE",
    "HILL",
    "WASHINGTON",
    "CHURCH",
    "MILL",
    "SPRING",
    "RIVER",
    "ELM",
    "CENTER",
    "UNION",
    "COUNTY ROAD 12",
];

const WAYS: [&str; 6] = ["ST", "AVE", "BLVD", "RD", "DR", "HWY"];
