"use strict";
// Search over the index that stands in the page. Without this script the page is whole, and the
// browser's own search finds everything.
(() => {
  const index = JSON.parse(document.getElementById("index").textContent);
  const rows = index.map(([id, name, parent, kind, words]) => ({
    id, name, parent, kind, words,
    low: name.toLowerCase(),
    all: (parent + "." + name + " " + words).toLowerCase(),
  }));
  const query = document.getElementById("query");
  const results = document.getElementById("results");
  const count = document.getElementById("count");
  const list = results.querySelector("ol");
  const SHOWN = 50;
  query.closest("[role=search]").hidden = false;

  // Every word must occur; a name counts for more than what is said about it.
  const find = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length === 0) return [];
    const found = [];
    for (const row of rows) {
      if (!words.every((word) => row.all.includes(word))) continue;
      let points = row.kind === "column" ? 0 : 1;
      for (const word of words) {
        if (row.low === word) points += 20;
        else if (row.low.startsWith(word)) points += 8;
        else if (row.low.includes(word)) points += 5;
        else if (row.parent.toLowerCase().includes(word)) points += 2;
      }
      found.push([points, row]);
    }
    found.sort((a, b) => b[0] - a[0] || a[1].name.length - b[1].name.length);
    return found.map(([, row]) => row);
  };

  // Text nodes only: what is searched was written by others.
  const marked = (element, text, words) => {
    const low = text.toLowerCase();
    let done = 0;
    while (done < text.length) {
      let at = -1, length = 0;
      for (const word of words) {
        const here = low.indexOf(word, done);
        if (here >= 0 && (at < 0 || here < at)) { at = here; length = word.length; }
      }
      if (at < 0) break;
      element.append(text.slice(done, at));
      const mark = document.createElement("mark");
      mark.textContent = text.slice(at, at + length);
      element.append(mark);
      done = at + length;
    }
    element.append(text.slice(done));
  };

  // Begins shortly before the first word that was found in it.
  const excerpt = (text, words) => {
    const low = text.toLowerCase();
    const places = words.map((word) => low.indexOf(word)).filter((at) => at >= 0);
    const first = places.length ? Math.min(...places) : 0;
    return first > 60 ? "… " + text.slice(text.indexOf(" ", first - 40) + 1) : text;
  };

  const show = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = find(query.value);
    results.hidden = words.length === 0;
    count.textContent = found.length === 0 ? "Nothing found"
      : found.length > SHOWN ? `${found.length} found, ${SHOWN} shown` : `${found.length} found`;
    list.replaceChildren(...found.slice(0, SHOWN).map((row) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = "#" + row.id;
      const name = document.createElement("b");
      marked(name, row.parent ? row.parent + "." + row.name : row.name, words);
      const kind = document.createElement("span");
      kind.className = "muted";
      kind.textContent = row.kind === "column" ? "" : " " + row.kind;
      const about = document.createElement("span");
      about.className = "about";
      marked(about, excerpt(row.words, words), words);
      link.append(name, kind, about);
      item.append(link);
      return item;
    }));
  };

  const close = () => { results.hidden = true; };
  query.addEventListener("input", show);
  query.addEventListener("focus", show);
  list.addEventListener("click", close);
  document.addEventListener("click", (event) => {
    if (!event.target.closest(".search")) close();
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
      query.select();
    } else if (event.key === "Escape" && !results.hidden) {
      close();
      query.focus();
      close();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && event.target.closest?.(".search")) {
      const links = [...list.querySelectorAll("a")];
      const next = links.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
      event.preventDefault();
      (links[next] ?? query).focus();
    } else if (event.key === "Enter" && event.target === query) {
      list.querySelector("a")?.click();
    }
  });
  // What is pointed at may lie in something that is folded.
  const unfold = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const folded = target?.closest("details:not([open])");
    if (folded) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", unfold);
  unfold();
  // A wide nav is open; on a small screen it would push the tables away.
  const tables = document.querySelector("nav.tables details");
  if (matchMedia("(max-width: 52rem)").matches) tables.open = false;
  // Paper shows all.
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("main details")) details.open = true;
  });
})();
