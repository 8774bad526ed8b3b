//! How far a night's rows may differ from those that are live before a person has to look: what a
//! spec's `[gates]` says.

use crate::config::strict::TomlTable;

/// The limits of the gates `rows` and `nulls`. `older` has none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gates {
    /// Fewest rows, as a multiple of live's.
    pub rows_ratio_min: f64,
    /// Most rows, as a multiple of live's.
    pub rows_ratio_max: f64,
    /// By how much the share of a column's rows that are null may rise.
    pub nulls_rise_max: f64,
    /// Whether the first data of a later year are held against wider limits.
    pub new_year: bool,
}

impl Default for Gates {
    fn default() -> Gates {
        Gates { rows_ratio_min: 0.8, rows_ratio_max: 1.25, nulls_rise_max: 0.1, new_year: false }
    }
}

/// What is expected of a new plan year: plans come, go and are renumbered, and files gain and lose
/// columns. A file that collapsed is still refused.
const NEW_YEAR: Gates =
    Gates { rows_ratio_min: 0.5, rows_ratio_max: 2.0, nulls_rise_max: 0.5, new_year: true };

impl Gates {
    pub(super) fn parse(root: &TomlTable<'_>) -> Gates {
        let mut gates = Gates::default();
        let Some(table) = root.table("gates") else { return gates };
        if let Some(ratio) = table.ratio("rows_ratio_min") {
            gates.rows_ratio_min = ratio;
        }
        if let Some(said) = table.number("rows_ratio_max") {
            gates.rows_ratio_max = said.value;
            if said.value < 1.0 {
                table.problem(said.line, "`gates.rows_ratio_max` must be 1.0 or more");
            }
        }
        if let Some(ratio) = table.ratio("nulls_rise_max") {
            gates.nulls_rise_max = ratio;
        }
        if let Some(said) = table.text("expect") {
            gates.new_year = said.value == "new-year";
            if !gates.new_year {
                let found = format!("`gates.expect` must be \"new-year\", found {:?}", said.value);
                table.problem(said.line, found);
            }
        }
        table.done();
        gates
    }

    /// The limits for data of this year where live's are of that one.
    pub fn between(&self, live: Option<i16>, new: Option<i16>) -> Gates {
        match (live, new) {
            (Some(live), Some(new)) if self.new_year && new > live => Gates {
                rows_ratio_min: self.rows_ratio_min.min(NEW_YEAR.rows_ratio_min),
                rows_ratio_max: self.rows_ratio_max.max(NEW_YEAR.rows_ratio_max),
                nulls_rise_max: self.nulls_rise_max.max(NEW_YEAR.nulls_rise_max),
                new_year: true,
            },
            _ => *self,
        }
    }
}
