"""How nights went, for tests/forecast to play again: a ledger each, as short as a forecast needs it, at some moments
the share of each source's rows that was in and the seconds that they had taken, and when what follows rows began and
ended."""

import json

POINTS = 40  # of a source's rows, or of a night, or up to twice as many


def write(folder, nights):
    folder.mkdir(parents=True, exist_ok=True)
    built = [night for night in nights if night["seen"]]
    for number, night in enumerate(built, 1):
        told = {"name": night["name"], "ledger": ledger(night["ledger"]), **jobs(night["seen"])}
        (folder / f"{number}.json").write_text(json.dumps(rounded(told), separators=(",", ":")) + "\n")


def ledger(whole):
    """Without what no forecast looks at."""
    short = {**whole, "settings": [], "expected": [], "checks": [], "warnings": [], "forecast": None, "promoted": None}
    for source in short["sources"]:
        files = source["files"]
        source["files"] = [{**files[0], "bytes": sum(file["bytes"] for file in files)}] if files else []
    return short


def jobs(seen):
    rows, after = {}, {}
    for moment in seen:
        at = moment["elapsed"]
        for name, doing in moment["jobs"]["rows"].items():
            points = rows.setdefault(name, [])
            if not points or points[-1][1] < 1.0:
                points.append([at, 1.0 if doing["is_over"] else min(doing["share"], 0.999), doing["seconds"]])
        for name, doing in moment["jobs"]["after"].items():
            began = after.setdefault(name, [at - doing["seconds"]])[0]
            after[name] = [began, began + doing["seconds"]]
    return {"rows": {name: thinned(points) for name, points in rows.items()}, "after": after}


def thinned(points):
    every = max(1, len(points) // POINTS)
    return points[:-1:every] + points[-1:]


def rounded(value):
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    return [rounded(entry) for entry in value] if isinstance(value, list) else value
