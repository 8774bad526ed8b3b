"""Row g: a table of 840 columns, a quoted file, a night of small files: kiln against psql \\copy."""

import json
import shutil
from pathlib import Path

import data
from rounds import agree, in_turn, ratio, say
from servers import clean_environment, run
from watch import watch

HERE = Path(__file__).parent
FILES = 200


class Odd:
    """Three cases with a root folder of their own (`root/`), copied to where it may be locked."""

    def __init__(self, asked, private, work):
        self.asked, self.work = asked, work
        self.root = work / "root"
        shutil.copytree(HERE / "root", self.root)
        rows = asked.load_rows
        self.wide, self.quoted = work / "pbp_wide_20260701.txt", work / "quoted_20260701.csv"
        self.rows = {"wide": max(100, rows // 150), "quoted": max(100, rows // 6), "small": max(10, rows // 1500)}
        self.said, self.header = data.wide(self.wide, self.rows["wide"], asked.pbp)
        data.quoted(self.quoted, self.rows["quoted"])
        self.small = data.small(work / "small", FILES, self.rows["small"])
        self.rows["small"] *= FILES
        self.declare_columns()
        self.rows["wide_columns"] = self.rows["wide"]
        landed = {"wide": [self.wide], "wide_columns": [self.wide], "quoted": [self.quoted], "small": self.small}
        for database, files in landed.items():
            kiln = [asked.kiln, "--root", self.root]
            run([*kiln, "schema", "lock", database], env=private.kiln_env())
            run([*kiln, "land", database, *files], env=private.kiln_env())

    def declare_columns(self):
        """The wide table with every column a column, as psql has it: too long to be written by hand."""
        names = column_names(self.header)
        for side in ("sql", "sources"):
            (self.root / side / "wide_columns").mkdir()
        columns = "\n".join(f'    {{ from = "{said}", to = "{name}" }},' for said, name in zip(self.header, names))
        spec = (self.root / "sources/wide/pbp.toml").read_text()
        head, rest = spec.split("columns = [", 1)
        tail = "[format]" + rest.split("[format]", 1)[1]
        (self.root / "sources/wide_columns/pbp.toml").write_text(f"{head}columns = [\n{columns}\n]\n\n{tail}")
        table = ",\n".join(f"    {name} text" for name in names)
        said = "".join(f"comment on column pbp.{name} is 'A column of the PBP.';\n" for name in names)
        key = "create index pbp_plan on pbp (" + ", ".join(names[:3]) + ");\n"
        (self.root / "sql/wide_columns/0001_pbp.sql").write_text(
            f"-- pre-data\ncreate table pbp (\n{table}\n);\n\ncomment on table pbp is 'A PBP table, column by column.';\n"
            f"{said}\n-- post-data\n{key}")
        self.names = names

    def run(self, server):
        self.server, self.digests = server, {}
        cases = {
            "wide": ("pbp", self.psql_wide), "wide_columns": ("pbp", self.psql_wide),
            "quoted": ("plan_note", self.psql_quoted), "small": ("county", self.psql_small),
        }
        found = {"data": self.said}
        for case, (table, script) in cases.items():
            self.commands = []
            contenders = {"kiln": lambda no: self.kiln(no, case, table),
                          "psql": lambda no: self.psql(no, case, table, script())}
            seconds = in_turn(contenders, self.asked.rounds, f"g, {server.name}, {case}")
            found[case] = {"seconds": seconds, "ratio": ratio(seconds["kiln"], seconds["psql"]),
                           "rows": self.rows[case], "kiln_command_seconds": self.commands}
        return found

    def kiln(self, no, case, table):
        """`kiln load`, a trial without keys: the source's own seconds, as in row c. In the first round a whole
        build as well, to look at its rows."""
        kiln = [self.asked.kiln, "--root", self.root]
        if no == 0:
            self.server.clear()
            run([*kiln, "build", case, "--quiet"], env=self.server.kiln_env())
            self.check(no, case, f"kiln, {case}", self.server.builds(case)[0], table, columns=False)
        self.server.clear()
        ran = watch([*kiln, "load", case, table, "--json", "--quiet"], self.server.kiln_env())
        entry = json.loads(ran.output)
        agree(f"rows of the file and of kiln, {case}", self.rows[case], entry["counted"])
        self.commands.append(ran.seconds)
        return entry["seconds"]

    def psql(self, no, case, table, script):
        url = self.server.fresh("peer")
        path = self.work / "psql.sql"
        path.write_text(script)
        took = watch(["psql", "-Xq", "-v", "ON_ERROR_STOP=1", url, "-f", path], clean_environment()).seconds
        self.check(no, case, f"psql, {case}", "peer", table, columns=True)
        return took

    def check(self, no, case, who, database, table, columns):
        """Counts in every round, digests in the first."""
        rows = int(self.server.ask(f"select count(*) from {table}", database))
        agree(f"rows of the file and of {who}", self.rows[case], rows)
        if no == 0:
            found = self.digest(database, case, table, columns) or "none"
            agree(f"{who}, and who loaded it first", self.digests.setdefault(case, found), found)

    def digest(self, database, case, table, columns):
        """Of every field that is not empty. Where kiln gathers and psql does not, names and texts are compared."""
        row = "t::text"
        if case == "wide":
            others = "to_jsonb(t)" if columns else "fields"
            first = ", ".join(self.names[:3]) if columns else "contract_id, plan_id, segment_id"
            name = "replace(replace(left(lower(key), 60), ' (', '_'), ')', '')"
            skip = ", ".join(f"'{name}'" for name in self.names[:3])
            row = (f"concat_ws('|', {first}, (select string_agg({name} || '=' || value, '|' order by {name}) "
                   f"from jsonb_each_text({others}) where value is not null and {name} not in ({skip})))")
        return self.server.ask(f"select sum(hashtextextended({row}, 0)::numeric) from {table} t", database)

    def psql_wide(self):
        columns = ",\n".join(f"{name} text" for name in self.names)
        return (f"begin;\ncreate table pbp (\n{columns}\n);\n"
                f"\\copy pbp from '{self.wide}' with (format text, header, null '', freeze, encoding 'WIN1252')\ncommit;\n")

    def psql_quoted(self):
        return f"begin;\n{self.table('quoted')}\n\\copy plan_note from '{self.quoted}' with (format csv, header, freeze)\ncommit;\n"

    def psql_small(self):
        """One session and one transaction for all files: the kindest form of a loop over them."""
        copies = "\n".join(f"\\copy county from '{file}' with (format csv, header, freeze)" for file in self.small)
        return f"begin;\n{self.table('small')}\n{copies}\ncommit;\n"

    def table(self, database):
        text = next((self.root / "sql" / database).glob("0001_*.sql")).read_text()
        return text[text.index("create table"):text.index(");") + 2]


def column_names(header):
    """Names that Postgres takes, each once (a PBP table has segment_id twice)."""
    names, seen = [], set()
    for said in header:
        name = said.lower()[:60]
        while name in seen:
            name = f"{name[:58]}_2"
        seen.add(name)
        names.append(name)
    return names

