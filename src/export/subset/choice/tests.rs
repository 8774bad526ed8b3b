//! Which query comes of which rules, without a server.

use super::*;
use crate::catalog::manifest::Percent;
use crate::export::subset::rules::Rule;

fn table(name: &str, columns: &[&str]) -> CatalogTable {
    let columns = columns.iter().map(|column| (*column).to_owned()).collect();
    CatalogTable { name: name.to_owned(), columns }
}

fn follows(table: &str, own: &str, theirs: &str) -> Rule {
    let by = vec![(own.to_owned(), theirs.to_owned())];
    Rule { keep: RowChoice::Follows { table: table.to_owned(), by }, condition: None, line: 7 }
}

fn facts() -> CatalogFacts {
    CatalogFacts {
        tables: vec![
            table("county", &["code"]),
            table("cost", &["contract", "plan", "amount"]),
            table("drug", &["formulary", "ndc"]),
            table("plan", &["contract", "plan", "formulary"]),
        ],
        references: Vec::new(),
        sets: Vec::new(),
    }
}

fn set(table: &str, column: &str, dictionary: &str) -> SetColumn {
    let [table, column, dictionary] = [table, column, dictionary].map(str::to_owned);
    SetColumn { table, column, many: false, dictionary }
}

fn rules() -> Rules {
    let mut rules = Rules {
        sample: Some(SampleKey {
            table: Some("plan".into()),
            key: vec!["contract".into(), "plan".into()],
        }),
        ..Rules::default()
    };
    rules.tables.insert("drug".into(), follows("plan", "formulary", "formulary"));
    rules
}

fn asked(percent: &str) -> SubsetRequest {
    let percent: Percent = percent.parse().expect("a percentage");
    SubsetRequest { percent, conditions: BTreeMap::new() }
}

fn condition(chosen: &Chosen, name: &str) -> Option<String> {
    let table = chosen.tables.iter().find(|table| table.name == name).expect("chosen");
    table.condition.clone()
}

#[track_caller]
fn chosen(rules: &Rules, asked: &SubsetRequest, facts: &CatalogFacts) -> Chosen {
    let problems = Problems::default();
    let chosen = choose(rules, asked, facts, &problems);
    problems.into_result("").expect("no problems");
    chosen
}

fn refused(rules: &Rules, asked: &SubsetRequest, facts: &CatalogFacts) -> String {
    let problems = Problems::default();
    choose(rules, asked, facts, &problems);
    problems.into_result("").expect_err("problems").to_string()
}

#[test]
fn the_sample_is_hashed_what_has_its_key_goes_with_it_and_the_rest_is_whole() {
    let chosen = chosen(&rules(), &asked("25"), &facts());
    let sampled = condition(&chosen, "plan").expect("sampled");
    assert!(sampled.starts_with("sha256(convert_to(concat_ws('|', contract, plan)"), "{sampled}");
    assert_eq!(
        condition(&chosen, "cost").expect("follows"),
        format!("(contract, plan) in (select contract, plan from \"plan\" where {sampled})")
    );
    assert_eq!(
        condition(&chosen, "drug").expect("follows"),
        format!("(formulary) in (select formulary from \"plan\" where {sampled})")
    );
    assert_eq!(condition(&chosen, "county"), None);
    assert_eq!(chosen.undeclared, ["county"]);
}

#[test]
fn without_one_table_every_table_with_the_key_is_sampled_on_its_own_and_alike() {
    let mut rules = rules();
    rules.sample.as_mut().expect("a sample").table = None;
    let chosen = chosen(&rules, &asked("25"), &facts());
    let sampled = condition(&chosen, "plan").expect("sampled");
    assert_eq!(condition(&chosen, "cost").as_deref(), Some(sampled.as_str()));
    assert_eq!(chosen.tables.iter().filter(|table| table.is_sampled).count(), 2);
}

#[test]
fn a_hundred_percent_is_everything_and_a_condition_narrows_all_that_follows() {
    let everything = chosen(&rules(), &asked("100"), &facts());
    assert!(everything.tables.iter().all(|table| table.condition.is_none()));
    let mut narrowed = asked("100");
    narrowed.conditions.insert("plan".into(), "contract = 'H1'".into());
    let chosen = chosen(&rules(), &narrowed, &facts());
    assert_eq!(condition(&chosen, "plan").as_deref(), Some("(contract = 'H1')"));
    let cost = condition(&chosen, "cost").expect("follows");
    assert!(cost.ends_with("from \"plan\" where (contract = 'H1'))"), "{cost}");
    assert_eq!(condition(&chosen, "county"), None);
}

#[test]
fn what_a_kept_row_refers_to_is_kept_whatever_its_own_rule_says() {
    let mut facts = facts();
    facts.references.push(Reference {
        table: "cost".into(),
        to: "county".into(),
        columns: vec!["plan".into()],
        to_columns: vec!["code".into()],
    });
    let mut rules = rules();
    let nothing = Rule { keep: RowChoice::Nothing, condition: None, line: 1 };
    rules.tables.insert("county".into(), nothing);
    let chosen = chosen(&rules, &asked("25"), &facts);
    let cost = condition(&chosen, "cost").expect("follows");
    assert_eq!(
        condition(&chosen, "county").expect("closed"),
        format!("(false or (\"code\") in (select \"plan\" from \"cost\" where {cost}))")
    );
}

#[test]
fn a_table_goes_with_the_dictionary_of_its_key_and_the_others_go_with_the_table() {
    let mut facts = facts();
    facts.tables.push(table("network", &["plan_key", "terms_key"]));
    facts.tables.push(table("network_plan", &["id", "contract", "plan"]));
    facts.tables.push(table("network_terms", &["id", "fee"]));
    facts.sets.push(set("network", "plan_key", "network_plan"));
    facts.sets.push(set("network", "terms_key", "network_terms"));
    let words = |rules: &Rules| {
        let chosen = chosen(rules, &asked("5"), &facts);
        let network = chosen.tables.into_iter().filter(|table| table.name.starts_with("network"));
        network.map(|table| table.words).collect::<Vec<_>>()
    };
    assert_eq!(
        words(&rules()),
        ["with network_plan by plan_key", "with plan by contract, plan", "with network by id"]
    );
    let mut rules = rules();
    rules.tables.insert("network".into(), Rule { keep: RowChoice::All, condition: None, line: 1 });
    assert_eq!(words(&rules), ["all", "with network by id", "with network by id"]);
}

#[test]
fn rows_that_name_many_are_not_chosen_by_those() {
    let mut facts = facts();
    facts.tables.push(table("network", &["plan_key", "terms_keys"]));
    facts.tables.push(table("network_plan", &["id", "contract", "plan"]));
    let set = set("network", "unnest(terms_keys)", "network_plan");
    facts.sets.push(SetColumn { many: true, ..set });
    let said = refused(&rules(), &asked("5"), &facts);
    assert!(said.contains("a row of network names many of network_plan"), "{said}");
    let mut rules = rules();
    rules.tables.insert("network".into(), Rule { keep: RowChoice::All, condition: None, line: 1 });
    let mut asked = asked("5");
    asked.conditions.insert("network_plan".into(), "id < 10".into());
    let said = refused(&rules, &asked, &facts);
    assert!(said.contains("--rule: a row of network names many of network_plan"), "{said}");
}

#[test]
fn circles_and_unknown_tables_are_named_and_a_whole_table_ends_a_circle() {
    let mut rules = rules();
    rules.tables.insert("plan".into(), follows("drug", "formulary", "formulary"));
    assert!(
        refused(&rules, &asked("5"), &facts()).contains("circle: cost → plan → drug → plan"),
        "{}",
        refused(&rules, &asked("5"), &facts())
    );
    rules.tables.insert("drug".into(), Rule { keep: RowChoice::All, condition: None, line: 1 });
    chosen(&rules, &asked("5"), &facts());
    rules.tables.insert("pln".into(), follows("conty", "a", "a"));
    let said = refused(&rules, &asked("5"), &facts());
    assert!(said.contains("no table pln that the loader fills; did you mean `plan`?"), "{said}");
    assert!(said.contains("`follows`: no table conty"), "{said}");
}

#[test]
fn conditions_of_the_command_line_are_split_at_the_first_sign() {
    let said = ["pricing=ndc = '1'".to_owned(), " plan = a=b".to_owned()];
    let read = conditions(&said).expect("well formed");
    assert_eq!(read["pricing"], "ndc = '1'");
    assert_eq!(read["plan"], "a=b");
    for bad in ["pricing", "=x", "pricing="] {
        assert!(conditions(&[bad.to_owned()]).is_err(), "{bad}");
    }
    assert!(conditions(&["a=1".to_owned(), "a=2".to_owned()]).is_err());
}
