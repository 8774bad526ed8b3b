//! From which version on readers are still served: what two catalogs differ in, as a reader of the
//! first one feels it. What is new is no matter to it; what is gone, what has another type, what may
//! newly be null, and answers that mean something else are.
//!
//! A function's body may change: whether its answers then mean something else no catalog can say, so
//! its comment says it, with `[meaning 2]`; likewise those of tables, views and columns.
//!
//! Its lines are no SQL that people wrote: Postgres printed them from its catalog (`pg_get_functiondef` and the like)
//! when a version was locked, in one form. They are all that is left of a version, whose catalog nobody can ask any
//! more for `pronargdefaults` or `proargnames`; and they are what fingerprints are made of, so that another form of
//! them would be another version of every schema.

/// Why readers of the first catalog are not served by the second; empty where they are.
pub(crate) fn lost(before: &[String], after: &[String]) -> Vec<String> {
    let now: Vec<CatalogObject> = after.iter().map(|line| CatalogObject::read(line)).collect();
    let then: Vec<CatalogObject> = before.iter().map(|line| CatalogObject::read(line)).collect();
    let mut lost: Vec<String> = then.iter().filter_map(|old| old.missed_in(&now)).collect();
    for new in &now {
        // What is new means what it means; what readers knew does not.
        if let CatalogObject::Meaning { of, number } = new
            && then.iter().any(|old| old.is_called(of))
            && !then.contains(new)
        {
            lost.push(format!("{of} means something else: [meaning {number}]"));
        }
    }
    lost
}

/// Functions that both catalogs have, with another body.
pub(crate) fn rewritten(before: &[String], after: &[String]) -> Vec<String> {
    let changed =
        after.iter().filter(|line| !before.contains(line)).map(|line| CatalogObject::read(line));
    let then: Vec<CatalogObject> = before.iter().map(|line| CatalogObject::read(line)).collect();
    let name = |object: CatalogObject| match object {
        CatalogObject::Function(new) if then.iter().any(|old| old.is_called(new.name)) => {
            Some(new.name.to_owned())
        }
        _ => None,
    };
    changed.filter_map(name).collect()
}

/// One line of a catalog (`fingerprint.sql`), as far as a reader feels it.
#[derive(Debug, PartialEq, Eq)]
enum CatalogObject<'a> {
    Relation(&'a str),
    Column {
        name: &'a str,
        /// With its collation, which orders it.
        kind: (&'a str, &'a str),
        not_null: bool,
    },
    /// A key or another constraint: what a reader may rely on.
    Rule {
        relation: &'a str,
        definition: &'a str,
    },
    Function(FunctionSignature<'a>),
    Enum {
        name: &'a str,
        labels: Vec<&'a str>,
    },
    Meaning {
        of: &'a str,
        number: &'a str,
    },
    /// Whatever readers do not see, or see only as time: plain indexes, triggers, sequences.
    Unseen,
    /// Anything else must be as it was.
    Other(&'a str),
}

/// How a function is called, and what it gives.
#[derive(Debug, PartialEq, Eq)]
struct FunctionSignature<'a> {
    name: &'a str,
    takes: Vec<&'a str>,
    /// Columns of its result, where it has them.
    columns: Vec<&'a str>,
    /// What it returns, where that is no list of columns.
    returns: &'a str,
}

impl<'a> CatalogObject<'a> {
    fn read(line: &'a str) -> CatalogObject<'a> {
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        let word = |text: &'a str| text.split_once(' ').unwrap_or((text, ""));
        match kind {
            "table" | "view" | "relation" | "type" => {
                CatalogObject::Relation(word(rest.strip_prefix("unlogged ").unwrap_or(rest)).0)
            }
            "partitioned" => CatalogObject::Relation(rest.strip_prefix("table ").unwrap_or(rest)),
            "materialized" => {
                CatalogObject::Relation(word(rest.strip_prefix("view ").unwrap_or(rest)).0)
            }
            "column" => column(rest),
            "constraint" => {
                let (relation, rest) = word(rest);
                CatalogObject::Rule { relation, definition: word(rest).1 }
            }
            "index" if rest.starts_with("CREATE UNIQUE ") => {
                let definition = rest.split_once(" ON ").map_or(rest, |(_, on)| on);
                CatalogObject::Rule { relation: word(definition).0, definition }
            }
            "index" | "trigger" | "sequence" => CatalogObject::Unseen,
            "function" => FunctionSignature::read(rest)
                .map_or(CatalogObject::Other(line), CatalogObject::Function),
            "enum" => {
                let (name, labels) = word(rest);
                let labels = labels.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                CatalogObject::Enum { name, labels: list(labels.unwrap_or_default()) }
            }
            "meaning" => {
                let (of, number) = rest.rsplit_once(' ').unwrap_or((rest, ""));
                CatalogObject::Meaning { of, number }
            }
            _ => CatalogObject::Other(line),
        }
    }

    fn is_called(&self, wanted: &str) -> bool {
        match self {
            CatalogObject::Relation(name) | CatalogObject::Column { name, .. } => *name == wanted,
            CatalogObject::Function(function) => function.name == wanted,
            _ => false,
        }
    }

    /// What a reader of this object misses in another catalog.
    fn missed_in(&self, now: &[CatalogObject<'_>]) -> Option<String> {
        let there = now.contains(self);
        match self {
            CatalogObject::Unseen => None,
            _ if there => None,
            CatalogObject::Relation(name) => Some(format!("{name} is gone")),
            CatalogObject::Column { name, kind, not_null } => {
                column_missed(name, *kind, *not_null, now)
            }
            CatalogObject::Rule { relation, definition } => {
                Some(format!("{relation} does not keep to {definition} any more"))
            }
            CatalogObject::Function(old) => old.missed_in(now),
            CatalogObject::Enum { name, labels } => {
                let kept = now.iter().any(|new| match new {
                    CatalogObject::Enum { name: new, labels: now } if new == name => {
                        labels.iter().all(|label| now.contains(label))
                    }
                    _ => false,
                });
                (!kept).then(|| format!("type {name} has lost labels"))
            }
            CatalogObject::Meaning { of, number } => {
                // A newer number is said of the new line.
                let newer = now
                    .iter()
                    .any(|new| matches!(new, CatalogObject::Meaning { of: new, .. } if new == of));
                (!newer).then(|| format!("{of} has lost its [meaning {number}]"))
            }
            CatalogObject::Other(line) => {
                let head: String = line.chars().take(80).collect();
                Some(format!("{} is not what it was", head.lines().next().unwrap_or_default()))
            }
        }
    }
}

fn column_missed(
    name: &str,
    kind: (&str, &str),
    not_null: bool,
    now: &[CatalogObject<'_>],
) -> Option<String> {
    let found = now.iter().find_map(|new| match new {
        CatalogObject::Column { name: new, kind, not_null } if *new == name => {
            Some((*kind, *not_null))
        }
        _ => None,
    });
    match found {
        None => Some(format!("column {name} is gone")),
        Some((new, _)) if new != kind => {
            let both = |(kind, order): (&str, &str)| format!("{kind} {order}").trim().to_owned();
            Some(format!("column {name} was {}, is {}", both(kind), both(new)))
        }
        Some((_, new)) => (not_null && !new).then(|| format!("column {name} may be null now")),
    }
}

/// `public.county.name text not null collate "C" default 'x'`
fn column(rest: &str) -> CatalogObject<'_> {
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let ends = [" generated ", " default "].iter().filter_map(|word| rest.find(word)).min();
    let rest = &rest[..ends.unwrap_or(rest.len())];
    let (rest, order) = rest.split_once(" collate ").unwrap_or((rest, ""));
    let kind = rest.strip_suffix(" not null");
    CatalogObject::Column { name, kind: (kind.unwrap_or(rest), order), not_null: kind.is_some() }
}

impl<'a> FunctionSignature<'a> {
    /// Reads what `pg_get_functiondef` writes, up to its body.
    fn read(text: &'a str) -> Option<FunctionSignature<'a>> {
        let text = text.strip_prefix("CREATE OR REPLACE ")?;
        let text = text.strip_prefix("FUNCTION ").or_else(|| text.strip_prefix("PROCEDURE "))?;
        let (name, rest) = text.split_at(text.find('(')?);
        let inner = within(rest)?;
        let (gives, takes): (Vec<&str>, Vec<&str>) =
            list(inner).into_iter().partition(|argument| argument.starts_with("OUT "));
        let after = &rest[inner.len() + 2..];
        let returns = after.trim_start().strip_prefix("RETURNS ").unwrap_or_default();
        let columns = returns.strip_prefix("TABLE").and_then(within);
        let line = returns.lines().next().unwrap_or_default();
        Some(FunctionSignature {
            name,
            takes,
            columns: columns.map_or(gives, list),
            returns: if columns.is_some() { "TABLE" } else { line },
        })
    }

    fn missed_in(&self, now: &[CatalogObject<'_>]) -> Option<String> {
        let mut found = now.iter().filter_map(|new| match new {
            CatalogObject::Function(new) if new.name == self.name => Some(new),
            _ => None,
        });
        match found.next() {
            None => Some(format!("function {} is gone", self.name)),
            Some(first) if first.serves(self) || found.any(|new| new.serves(self)) => None,
            Some(_) => Some(format!(
                "function {} is called in another way, or gives something else",
                self.name
            )),
        }
    }

    /// Whether every call of the other, and every use of its result, is one of this one too.
    fn serves(&self, other: &FunctionSignature<'_>) -> bool {
        fn bare(argument: &str) -> &str {
            argument.split_once(" DEFAULT ").map_or(argument, |(bare, _)| bare)
        }
        let same = other.takes.iter().zip(&self.takes).all(|(old, new)| {
            bare(old) == bare(new) && (new.contains(" DEFAULT ") || !old.contains(" DEFAULT "))
        });
        let mut more = self.takes.iter().skip(other.takes.len());
        self.takes.len() >= other.takes.len()
            && same
            && more.all(|argument| argument.contains(" DEFAULT "))
            && self.returns == other.returns
            && other.columns.iter().all(|column| self.columns.contains(column))
    }
}

/// What stands between a text's first bracket and the one that closes it.
fn within(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('(')?;
    let end = scan(inner, |depth, byte| depth == 0 && byte == b')')?;
    Some(&inner[..end])
}

/// The parts between commas, outside of brackets and quotes.
fn list(mut text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    while let Some(end) = scan(text, |depth, byte| depth == 0 && byte == b',') {
        parts.push(text[..end].trim());
        text = &text[end + 1..];
    }
    parts.extend(Some(text.trim()).filter(|last| !last.is_empty()));
    parts
}

/// Where the first byte stands, outside of quotes, that is looked for at this depth of brackets.
fn scan(text: &str, wanted: impl Fn(usize, u8) -> bool) -> Option<usize> {
    let (mut depth, mut quote) = (0_usize, None);
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (Some(open), byte) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, byte) if wanted(depth, byte) => return Some(at),
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[') => depth += 1,
            (None, b')' | b']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: [&str; 9] = [
        "column public.county.name text not null collate \"C\" default 'x'::text",
        "column public.county.stars numeric(2,1)",
        "constraint public.county county_pkey PRIMARY KEY (county_fips)",
        "enum public.tier ('a', 'b')",
        "function CREATE OR REPLACE FUNCTION public.cost(drug text, days integer DEFAULT f('(', 1))\n RETURNS TABLE(plan text, cost numeric)\n LANGUAGE sql\nAS $function$ select 1 $function$\n",
        "function CREATE OR REPLACE FUNCTION public.plans(zip text)\n RETURNS json\n LANGUAGE sql\nAS $function$ select 1 $function$\n",
        "index CREATE INDEX county_name ON public.county USING btree (name)",
        "table public.county",
        "view public.seen as  SELECT county.name\n   FROM county;",
    ];

    /// What is lost when lines are edited, added (to nothing) or taken away (by nothing).
    fn after(edits: &[(&str, &str)]) -> Vec<String> {
        let before: Vec<String> = BEFORE.iter().map(|line| (*line).to_owned()).collect();
        let mut after = before.clone();
        for (from, to) in edits {
            match after.iter_mut().find(|line| !from.is_empty() && line.contains(from)) {
                Some(line) => *line = line.replace(from, to),
                None => after.push((*to).to_owned()),
            }
        }
        after.retain(|line| !line.is_empty() && !line.starts_with("gone"));
        lost(&before, &after)
    }

    #[test]
    fn additions_serve_every_reader_of_before() {
        let none: [String; 0] = [];
        assert_eq!(after(&[]), none);
        let additions = [
            ("", "table public.new"),
            ("", "column public.county.new text"),
            ("", "constraint public.county named CHECK ((name <> ''::text))"),
            ("numeric(2,1)", "numeric(2,1) not null"),
            ("default 'x'::text", "default 'y'::text"),
            ("('a', 'b')", "('a', 'b', 'c')"),
            ("cost numeric)", "cost numeric, premium numeric)"),
            ("zip text)", "zip text, page integer DEFAULT 1)"),
            ("CREATE INDEX county_name", "gone"),
            ("select 1", "select 2"),
            ("SELECT county.name", "SELECT county.name, county.stars"),
            ("table public.county", "table unlogged public.county"),
            ("constraint public.county county_pkey", "constraint public.county other_name"),
            ("", "meaning public.new 2"),
        ];
        for edit in additions {
            assert_eq!(after(&[edit]), none, "{edit:?}");
        }
        assert_eq!(after(&additions), none);
    }

    #[test]
    fn what_a_reader_would_miss_is_named() {
        for (from, to, said) in [
            ("table public.county", "gone", "public.county is gone"),
            ("table public.county", "table public.area", "public.county is gone"),
            ("view public.seen", "gone", "public.seen is gone"),
            ("county.stars", "county.rating", "column public.county.stars is gone"),
            ("numeric(2,1)", "numeric(3,1)", "was numeric(2,1), is numeric(3,1)"),
            (" collate \"C\"", "", "column public.county.name was text \"C\", is text"),
            ("text not null", "text", "column public.county.name may be null now"),
            ("(county_fips)", "(county_fips, name)", "PRIMARY KEY (county_fips) any more"),
            ("'a', 'b'", "'a'", "public.tier has lost labels"),
            ("public.plans(", "public.offers(", "function public.plans is gone"),
            ("zip text", "zip integer", "function public.plans is called in another way"),
            ("zip text", "zip text, page integer", "function public.plans is called"),
            ("RETURNS json", "RETURNS jsonb", "or gives something else"),
            ("days integer DEFAULT f('(', 1)", "days integer", "function public.cost is called"),
            ("cost numeric)", "price numeric)", "function public.cost is called"),
            ("", "meaning public.plans 2", "public.plans means something else: [meaning 2]"),
            ("", "meaning public.county.stars 2", "public.county.stars means something else"),
        ] {
            let lost = after(&[(from, to)]);
            assert!(lost.len() == 1 && lost[0].contains(said), "{from} → {to}: {lost:?}");
        }
    }

    #[test]
    fn a_meaning_changes_by_its_number_and_a_body_is_only_named() {
        let told =
            |number: u32| vec![BEFORE[5].to_owned(), format!("meaning public.plans {number}")];
        assert_eq!(lost(&told(2), &told(2)).len(), 0);
        assert_eq!(lost(&told(2), &told(3)), ["public.plans means something else: [meaning 3]"]);
        assert_eq!(lost(&told(2), &told(2)[..1]), ["public.plans has lost its [meaning 2]"]);
        let body = |body: &str| vec![BEFORE[5].replace("select 1", body), BEFORE[7].to_owned()];
        assert_eq!(rewritten(&body("select 1"), &body("select 2")), ["public.plans"]);
        assert!(rewritten(&body("select 1"), &body("select 1")).is_empty());
    }
}
