"""chart.svg: bars by hand, legible on light and on dark pages."""

from html import escape

WIDTH, LEFT, BAR, GAP = 760, 190, 13, 9
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328; }
  .title { font-weight: 600; font-size: 15px; }
  .note { fill: #59636e; font-size: 11px; }
  .first { fill: #0969da; } .second { fill: #8fc1f5; } .own.first { fill: #bc4c00; } .own.second { fill: #f0a875; }
  .axis { stroke: #d1d9e0; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; } .note { fill: #9198a1; } .axis { stroke: #3d444d; }
    .first { fill: #4493f8; } .second { fill: #1f4f8f; } .own.first { fill: #f0883e; } .own.second { fill: #8a4a1c; }
  }
"""


def svg(result):
    """One picture: seconds of the whole, and load-only speed."""
    servers = list(result["servers"])
    names = {"kiln": "kiln", "shell": "shell script", "copy": "bare \\copy, no index"}
    panels = []
    if "a" in result:
        bars = {names[name]: [result["a"][s]["seconds"][name]["median"] for s in servers] for name in names}
        panels.append(("Zips in S3 → sealed: seconds (less is better)", bars, "{:.1f} s"))
    if "c" in result:
        speeds = {}
        for at, server in enumerate(servers):
            part = result["c"][server]
            for name, took in part["seconds"].items():
                if ", " not in name:
                    speeds.setdefault(name, [None] * len(servers))[at] = part["rows"][name] / took["median"] / 1e6
        panels.append(("Load only: million network rows a second (more is better)", speeds, "{:.2f}"))
    body, y = [], 8
    for title, bars, form in panels:
        y = panel(body, y, title, bars, form)
    legend = ", ".join(f"{shade} {server}" for shade, server in zip(("upper bar:", "lower bar:"), servers))
    body.append(f'<text class="note" x="8" y="{y + 8}">{escape(legend)}; {escape(result["made"])}</text>')
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y + 20}" role="img" '
            f'aria-label="The loader against what else there is">\n<style>{STYLE}</style>\n' + "\n".join(body) + "\n</svg>\n")


def panel(body, y, title, bars, form):
    """A title and its bars; where the next begins."""
    y += 18
    body.append(f'<text class="title" x="8" y="{y}">{escape(title)}</text>')
    y += 14
    top = y
    most = max((v for values in bars.values() for v in values if v is not None), default=1) or 1
    for name, values in bars.items():
        height = BAR * len(values)
        body.append(f'<text x="{LEFT - 8}" y="{y + height / 2 + 5}" text-anchor="end">{escape(name)}</text>')
        for shade, value in zip(("first", "second"), values):
            if value is not None:
                width = max(1, (WIDTH - LEFT - 80) * value / most)
                own = " own" if name == "kiln" else ""
                body.append(f'<rect class="{shade}{own}" x="{LEFT}" y="{y}" width="{width:.1f}" height="{BAR - 1}"/>')
                body.append(f'<text class="note" x="{LEFT + width + 6:.1f}" y="{y + BAR - 3}">{form.format(value)}</text>')
            y += BAR
        y += GAP
    body.append(f'<line class="axis" x1="{LEFT - 1}" y1="{top - 3}" x2="{LEFT - 1}" y2="{y - 4}"/>')
    return y + 6
