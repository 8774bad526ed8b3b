//! Which databases of the server kiln has made, and what each one is. Three places say it, so that two
//! of them may be lost: the comment on the database, kiln's own note of it in the database `kiln`, and
//! the stamp inside. A name alone says nothing: what only looks like a build is somebody else's.

use serde_json::json;

use super::{Build, BuildState, Tag, database_of};
use crate::config::name::SUBSET;
use crate::postgres::{Ident, Session, always_quoted, db, literal};

/// A database as the server lists it.
struct ListedDatabase {
    build: Build,
    comment: Option<String>,
    /// What kiln's note of this very object (not of its name) says; the tag came with the form after
    /// the first.
    noted: bool,
    note: Option<Tag>,
    /// Whether the stamp may be asked for: only where a role of kiln's owns the database, for what is
    /// asked runs with kiln's rights.
    owned: Option<String>,
}

/// Where it is known from what a build is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TagSource {
    Comment,
    Note,
    Stamp,
}

/// The server's builds of one database (its live name included), oldest first. Databases that kiln
/// did not make are not among them, however they are named; nor are those that somebody renamed away.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn builds(control: &Session, database: &str) -> anyhow::Result<Vec<Build>> {
    Ok(found(control, database).await?.into_iter().map(|(build, _)| build).collect())
}

async fn found(
    control: &Session,
    database: &str,
) -> anyhow::Result<Vec<(Build, Option<TagSource>)>> {
    let mut builds = Vec::new();
    for mut listed in list(control, database).await? {
        let name = listed.build.name.clone();
        let said = listed.comment.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let of_this = |tag: &Tag| is_of(tag, database, &name);
        if let Some(tag) = said {
            if of_this(&tag) {
                listed.build.tag = Some(tag);
                builds.push((listed.build, Some(TagSource::Comment)));
            }
            continue;
        }
        let note = listed.note.take().filter(of_this);
        // What was sealed and noted so is known. A note from before the seal may be behind it.
        let stamped = match &note {
            Some(tag) if tag.state.is_sealed() => None,
            _ => stamped(control, &listed, database).await,
        };
        let known = if stamped.is_some() { TagSource::Stamp } else { TagSource::Note };
        listed.build.tag = stamped.or(note);
        match &listed.build.tag {
            Some(_) => builds.push((listed.build, Some(known))),
            None if listed.noted => builds.push((listed.build, None)),
            None => {}
        }
    }
    let live_number = builds.iter().find(|(build, _)| build.name == database);
    let live_number = live_number.map_or(0, |(build, _)| build.number());
    for (build, known) in &mut builds {
        let number = build.number();
        if let (Some(tag), Some(TagSource::Stamp)) = (&mut build.tag, &known) {
            tag.state = state_of_stamped(&build.name, database, number, live_number);
        }
    }
    builds.sort_by_key(|(build, _)| build.number());
    Ok(builds)
}

/// Whether a tag tells of this database: a copy, or one renamed away, carries another's.
fn is_of(tag: &Tag, database: &str, name: &str) -> bool {
    tag.kiln == 1 && tag.database == database && (name == database || name == tag.build)
}

/// What a sealed build is of which only the stamp is left: newer than the live one it never was live.
fn state_of_stamped(name: &str, database: &str, number: u64, live_number: u64) -> BuildState {
    match name == database {
        true => BuildState::Live,
        false if number > live_number => BuildState::Sealed,
        false => BuildState::Previous,
    }
}

async fn list(control: &Session, database: &str) -> anyhow::Result<Vec<ListedDatabase>> {
    let rows = control
        .query(
            "select d.datname::text, d.oid, d.datconnlimit = -2,
                    shobj_description(d.oid, 'pg_database'),
                    b.name is not distinct from d.datname::text, b.tag,
                    case when d.datconnlimit <> -2
                          and (pg_has_role(d.datdba, 'usage')
                               or has_database_privilege(d.oid, 'connect'))
                         then pg_database_size(d.oid) end,
                    case when pg_has_role(d.datdba, 'usage') and d.datallowconn
                         then pg_get_userbyid(d.datdba)::text end
             from pg_database d
             left join kiln.build b on b.oid = d.oid and b.database = $1
             where d.datname = $1
                or left(d.datname, length($1) + 1) = $1 || '_'
                   and substr(d.datname, length($1) + 2) ~ '^[0-9]{5,}(_subset)?$'",
            &[&database],
        )
        .await
        .map_err(db("list the builds"))?;
    let listed = rows.iter().map(|row| {
        let note: Option<serde_json::Value> = row.get(5);
        let build = Build {
            name: row.get(0),
            oid: row.get(1),
            tag: None,
            invalid: row.get(2),
            bytes: row.get(6),
        };
        ListedDatabase {
            build,
            comment: row.get(3),
            noted: row.get(4),
            note: note.and_then(|note| serde_json::from_value(note).ok()),
            owned: row.get(7),
        }
    });
    Ok(listed.collect())
}

/// What the stamp in a database says, as a tag; `None` where there is no stamp of this database's.
async fn stamped(control: &Session, listed: &ListedDatabase, database: &str) -> Option<Tag> {
    let name = listed.build.name.as_str();
    let owner = listed.owned.as_deref().filter(|_| !listed.build.invalid)?;
    let session = control.server().connect_as(name, "stamp").await.ok()?;
    let act = format!("set role {}", always_quoted(owner));
    session.batch_execute(&act).await.ok()?;
    // A view of that name could do anything with the rights of whoever reads it.
    let table =
        "select from pg_class c where c.oid = to_regclass('kiln.stamp') and c.relkind = 'r'";
    session.query_opt(table, &[]).await.ok()??;
    let row = session
        .query_opt(
            "select build, database, version, fingerprint, period, without, run,
                    to_char(sealed_at at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')
             from kiln.stamp",
            &[],
        )
        .await
        .ok()??;
    let (build, product): (String, String) = (row.get(0), row.get(1));
    if database_of(&build) != Some(database) {
        return None;
    }
    let version = row.get::<_, i32>(2).cast_unsigned();
    let mut tag = Tag::new(&product, &build, row.get(6), version, BuildState::Sealed);
    tag.fingerprint = row.get(3);
    tag.period = row.get(4);
    tag.without = row.get(5);
    tag.sealed = row.get(7);
    tag.created = tag.sealed.clone().unwrap_or_default();
    tag.subset = build.ends_with(SUBSET).then(|| format!("a part of {database}"));
    is_of(&tag, database, name).then_some(tag)
}

/// Writes down again what kiln knows of its builds, where the note is lost or behind: at the start of
/// what holds the lock. Notes of what is gone go.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn note_again(lock: &Session, database: &str) -> anyhow::Result<()> {
    let found = found(lock, database).await?;
    for (build, known) in &found {
        if matches!(known, Some(TagSource::Note | TagSource::Stamp)) {
            tracing::warn!(
                database = build.name,
                build = build.own_name(),
                "the comment on it is not kiln's any more; what it is was found elsewhere, and is \
                 written there again"
            );
            say_again(lock, build).await;
        }
    }
    let tagged: Vec<_> =
        found.iter().filter_map(|(build, _)| Some((build, build.tag.as_ref()?))).collect();
    let notes: Vec<serde_json::Value> = tagged
        .iter()
        .map(|(build, tag)| json!({ "name": tag.build, "oid": build.oid, "run": tag.run, "tag": tag }))
        .collect();
    lock.execute(
        "with known as (
             select * from jsonb_to_recordset($2) as k (name text, oid oid, run text, tag jsonb)
         ), gone as (
             delete from kiln.build b where database = $1 and name not in (select name from known)
                 and not exists (select from pg_database d where d.oid = b.oid)
         )
         insert into kiln.build as b (name, database, run, oid, tag)
         select name, $1, run, oid, tag from known
         on conflict (name) do update set oid = excluded.oid, tag = excluded.tag
             where (b.oid, b.tag) is distinct from (excluded.oid, excluded.tag)",
        &[&database, &serde_json::Value::Array(notes)],
    )
    .await
    .map_err(db("note the builds"))?;
    Ok(())
}

/// Puts kiln's comment on a build again: with the database `kiln` lost as well, who rolled away from it or
/// holds it would be known to nobody.
async fn say_again(lock: &Session, build: &Build) {
    let (Some(tag), Some(name)) = (&build.tag, Ident::parse(&build.name)) else { return };
    if let Err(error) = lock.batch_execute(&tag.comment_sql(&name)).await {
        let error = error.to_string();
        tracing::warn!(database = build.name, error, "the comment cannot be written");
    }
}

/// Takes the next build number whose name nobody has, and notes the name: what kiln is about to make.
/// It is above the number of every build that there is, for numbers give the order, and the database
/// `kiln` may have been lost with its counter.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn next_build(
    control: &Session,
    database: &str,
    run: &str,
    is_subset: bool,
) -> anyhow::Result<String> {
    let all = builds(control, database).await?;
    let highest = all.iter().map(Build::number).max().unwrap_or(0);
    let highest = i64::try_from(highest).unwrap_or(i64::MAX - 1);
    loop {
        let row = control
            .query_one("select nextval('kiln.build_number')", &[])
            .await
            .map_err(db("take a build number"))?;
        let mut number: i64 = row.get(0);
        if number <= highest {
            number = highest + 1;
            let set = format!("select setval('kiln.build_number', {number})");
            control.batch_execute(&set).await.map_err(db("take a build number"))?;
        }
        let name = super::build_name(database, number, is_subset);
        let noted = control
            .execute(
                "insert into kiln.build (name, database, run)
                 select $1::text, $2, $3
                 where not exists (select from pg_database where datname = $1::text)
                 on conflict do nothing",
                &[&name, &database, &run],
            )
            .await
            .map_err(db("note the build"))?;
        if noted == 1 {
            return Ok(name);
        }
        tracing::warn!(name, "this name is taken; the next number is");
    }
}

/// Notes which object the database of this name will be, before it is made: `create database … oid`
/// then makes this one, or none. Whatever kills kiln in between, what it made can be distinguished from what others
/// make.
///
/// # Errors
/// When the server refuses.
pub(crate) async fn intend(control: &Session, name: &str, tag: &Tag) -> anyhow::Result<u32> {
    // Below are the server's own.
    let row = control
        .query_one(
            "insert into kiln.build as b (name, database, run, tag, oid)
             values ($1, $2, $3, $4, (16384 + floor(random() * (4294967295 - 16384)))::int8::oid)
             on conflict (name) do update set tag = excluded.tag, oid = excluded.oid
             returning oid",
            &[&name, &tag.database, &tag.run, &serde_json::to_value(tag)?],
        )
        .await
        .map_err(db("note the build"))?;
    Ok(row.get(0))
}

/// The statement that notes what a build is now, for whoever puts a comment on it.
pub(crate) fn note_sql(tag: &Tag) -> String {
    let (tag, name) = (literal(&tag.json()), literal(&tag.build));
    format!("update kiln.build set tag = {tag} where name = {name}")
}

/// Whether the database of this name is the very object that kiln has noted as made by it; `None`
/// where there is none of that name.
///
/// # Errors
/// When the server cannot be asked.
pub(crate) async fn is_made_by_kiln(control: &Session, name: &str) -> anyhow::Result<Option<bool>> {
    let row = control
        .query_opt(
            "select coalesce(d.oid = b.oid, false) from pg_database d
             left join kiln.build b on b.name = d.datname::text where d.datname = $1",
            &[&name],
        )
        .await
        .map_err(db(format!("look for {name}")))?;
    Ok(row.map(|row| row.get(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_tells_of_the_database_that_it_names_and_of_no_copy_of_it() {
        let tag = Tag::new("druginfo", "druginfo_00007", "r", 1, BuildState::Sealed);
        assert!(is_of(&tag, "druginfo", "druginfo"));
        assert!(is_of(&tag, "druginfo", "druginfo_00007"));
        assert!(!is_of(&tag, "druginfo", "druginfo_00008"), "a copy");
        assert!(!is_of(&tag, "druginfo", "druginfo_kept"), "renamed away");
        assert!(!is_of(&tag, "planinfo", "planinfo"), "of another database");
    }

    #[test]
    fn of_what_only_the_stamp_tells_newer_than_live_was_never_live() {
        let state = |name, number| state_of_stamped(name, "druginfo", number, 7);
        assert_eq!(state("druginfo", 7), BuildState::Live);
        assert_eq!(state("druginfo_00006", 6), BuildState::Previous);
        assert_eq!(state("druginfo_00008", 8), BuildState::Sealed);
    }
}
