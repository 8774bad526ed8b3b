"""The same rows: counts and digests of what contenders loaded, in SQL, outside of the clock.

A digest is over what CMS said and not over how it is stored: every field as text in one form, hashed a
row, summed over the rows in whatever order.
"""

# Where kiln gives CMS's columns back.
VIEWS = {"pharmacy_networks": "plan_pharmacy", "pricing": "price"}
# Where a full stop is CMS's null.
FULL_STOPS = {("insulin_beneficiary_cost", "tier")} | {
    ("pharmacy_networks", f"selected_dispensing_fee_{days}") for days in (30, 60, 90)}


def kinds(server, database, relation):
    """Columns of a relation, and of what kind each is: text, number or flag."""
    rows = server.ask(
        "select attname || ' ' || case when atttypid = 'bool'::regtype then 'flag' "
        "when atttypid in ('numeric'::regtype, 'int2'::regtype, 'int4'::regtype) then 'number' else 'text' end "
        f"from pg_attribute where attrelid = '{relation}'::regclass and attnum > 0 and not attisdropped "
        "order by attnum", database)
    return dict(row.split() for row in rows.split("\n"))


def digest(server, database, relation, columns, table):
    """Rows and digest of a relation, over these columns of these kinds."""
    fields = []
    for name, kind in columns.items():
        said = f"nullif({name}::text, ' ')"
        if (table, name) in FULL_STOPS:
            said = f"nullif({said}, '.')"
        if kind == "number":
            said = f"trim_scale({said}::numeric)::text"
        elif kind == "flag":
            said = f"(lower({said}) in ('y', 't', 'true', '1'))::text"
        fields.append(f"coalesce({said}, '~')")
    return server.ask(
        f"select count(*) || ' rows, digest ' || coalesce(sum(hashtextextended(concat_ws('|', {', '.join(fields)}), 0)"
        f"::numeric), 0) from {relation}", database)


def kiln_columns(server, build, table, of):
    """CMS's columns (those of `of`) with the kinds that kiln's table or view has."""
    found = kinds(server, build, VIEWS.get(table, table))
    return {name: found[name] for name in of}
