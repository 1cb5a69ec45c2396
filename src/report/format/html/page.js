"use strict";
// Opens problems and runs in place, filters, sorts and zooms. What is chosen is in the address, so that a link can be
// sent. Without this script the page shows all, and its links open what they lead to.
(() => {
  if (!document.getElementById("timeline")) return;
  const form = document.createElement("form");
  [form.id, form.role] = ["find", "search"];
  form.innerHTML = `
    <label>Find <input type="search" name="q" autocomplete="off" placeholder="job, state, reason or output"></label>
    <label>Sort the timeline by <select name="sort"><option>worst<option>name<option>duration</select></label>
    <label>From <input type="datetime-local" name="from"></label>
    <label>to <input type="datetime-local" name="to"></label>
    <button type="reset">Show all</button> <output role="status"></output>`;
  document.getElementById("problems").before(form);
  const one = (selector, node = document) => node.querySelector(selector);
  const all = (selector, node = document) => [...node.querySelectorAll(selector)];
  const problems = all(".problem");
  const rows = all("div.row[data-s]");
  const lines = one(".lines");
  const groups = all(".host, .more, .kind");
  const columns = Number(lines.dataset.columns);
  const step = Number(lines.dataset.step) * 1000;
  const begin = Date.parse(lines.dataset.begin + "Z");
  const time = (column) => new Date(begin + Math.round(column) * step).toISOString().slice(0, 19);
  const column = (text) => (Date.parse(text.length < 17 ? text + ":00Z" : text + "Z") - begin) / step;
  const openedBy = (row) => (row.nextElementSibling?.matches(".opened") ? row.nextElementSibling : null);
  const homes = new Map(rows.map((row) => [row, [row.parentElement, openedBy(row)]]));
  for (const name of ["from", "to"]) {
    [form[name].min, form[name].max] = [time(0).slice(0, 16), time(columns).slice(0, 16)];
    if (step % 60000) form[name].step = 1;
  }

  // What is chosen: in the fields, in the address, and on the page.
  const names = ["q", "sort", "from", "to", "at"];
  const chosen = () => {
    const hash = location.hash.slice(1);
    const given = new URLSearchParams(hash.includes("=") ? hash : { at: hash });
    return Object.fromEntries(names.map((name) => [name, given.get(name) ?? ""]));
  };
  const choose = (change, is_step) => {
    const next = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...chosen(), ...change })) {
      if (value && !(name === "sort" && value === "worst")) next.set(name, value);
    }
    history[is_step ? "pushState" : "replaceState"](null, "", "#" + next);
    show();
    if (is_step) reveal(change.at);
  };

  // The texts in which words are looked for: of a row also those of its problems, and of a problem the names of its jobs.
  let texts = null;
  const learn = () => {
    if (texts) return;
    texts = new Map(rows.map((row) => {
      const runs = document.getElementById("j" + row.id.slice(1));
      return [row, [row.textContent, one("svg", row).ariaLabel, runs?.textContent].join(" ").toLowerCase()];
    }));
    for (const problem of problems) {
      const head = one(".head", problem).textContent.toLowerCase();
      const jobs = (problem.dataset.jobs ?? "").split(" ").map((job) => document.getElementById("t" + job));
      const names = jobs.filter(Boolean).map((row) => one(".n", row).textContent);
      for (const row of jobs.filter(Boolean)) texts.set(row, `${texts.get(row)} ${head}`);
      texts.set(problem, [problem.textContent, ...names].join(" ").toLowerCase());
    }
  };
  const filter = (text, from, to) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (words.length) learn();
    const has = (it) => words.every((word) => texts.get(it).includes(word));
    for (const it of problems) {
      const { from: first, to: last } = it.dataset;
      it.hidden = !has(it) || Number(first) > to || Number(last) < from;
    }
    for (const it of rows) {
      it.hidden = !has(it);
      const opened = homes.get(it)[1];
      if (opened) opened.hidden = it.hidden;
    }
    for (const group of groups) {
      group.hidden = !one("div.row[data-s]:not([hidden]), .problem:not([hidden])", group);
      if (words.length && !group.hidden) group.dataset.opened ??= group.open || (group.open = true, "");
      else if (!words.length && group.dataset.opened !== undefined) {
        group.open = group.dataset.opened !== "";
        delete group.dataset.opened;
      }
    }
    const count = (them) => `${them.filter((it) => !it.hidden).length} of ${them.length}`;
    one("output", form).textContent = `${count(problems)} problems, ${count(rows)} jobs`;
  };

  const sort = (by) => {
    if ((lines.dataset.sort ?? "worst") === by) return;
    lines.dataset.sort = by;
    const name = (row) => one(".n", row).textContent;
    const orders = {
      name: (one, other) => name(one).localeCompare(name(other)),
      duration: (one, other) => other.dataset.s - one.dataset.s,
    };
    for (const row of orders[by] ? [...rows].sort(orders[by]) : rows) {
      const [home, opened] = homes.get(row);
      (orders[by] ? one(".sorted") : home).append(row, ...(opened ? [opened] : []));
    }
  };

  // The axis of the part that is seen, from one column to another.
  let seen = [0, columns];
  const scale = one(".scale");
  const steps = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];
  const ticks = all(".tick", scale);
  const zoom = (from, to) => {
    if (from === seen[0] && to === seen[1]) return;
    seen = [from, to];
    for (const svg of all(".t, .marks", lines)) {
      const height = svg.getAttribute("viewBox").split(" ")[3];
      svg.setAttribute("viewBox", `${from} 0 ${to - from} ${height}`);
    }
    const percent = (at) => `${((at - from) / (to - from)) * 100}%`;
    for (const tick of all(".tick", scale)) tick.remove();
    if (from === 0 && to === columns) return scale.append(...ticks);
    const length = (steps.find((it) => ((to - from) * step) / 1000 / it <= 12) ?? 2592000) * 1000;
    const first = Math.ceil((begin + from * step) / length) * length;
    for (let at = first; at < begin + to * step; at += length) {
      const text = ticks[0]?.cloneNode() ?? document.createElementNS("http://www.w3.org/2000/svg", "text");
      text.setAttribute("x", percent((at - begin) / step));
      const label = new Date(at).toISOString();
      text.textContent = at % 86400000 ? label.slice(11, length < 60000 ? 19 : 16) : label.slice(5, 10);
      scale.append(text);
    }
  };

  const show = () => {
    const { q, sort: by, from, to } = chosen();
    if (form.q.value !== q) form.q.value = q;
    form.sort.value = by || "worst";
    const first = Math.max(0, from ? column(from) : 0) || 0;
    const last = Math.min(columns, to ? column(to) : columns) || columns;
    const part = first < last ? [first, last] : [0, columns];
    form.from.value = part[0] > 0 ? from : "";
    form.to.value = part[1] < columns ? to : "";
    sort(form.sort.value);
    filter(q, ...part);
    zoom(...part);
  };

  // Opens what an id is in, and goes there.
  const reveal = (id) => {
    for (const it of all(".here")) it.classList.remove("here");
    const target = document.getElementById(id || "problems");
    if (!target || !id) return;
    for (let it = target; it; it = it.parentElement) {
      if (it.localName === "details") it.open = true;
      it.hidden = false;
    }
    if (/^[rt]\d/.test(id)) target.classList.add("here");
    const row = document.getElementById("t" + id.slice(1));
    const head = (/^j/.test(id) && row) || target;
    const to = /^r/.test(id) ? target : (one(".head", target.closest(".problem") ?? target) ?? head);
    to.scrollIntoView({ block: /^r/.test(id) ? "center" : "start" });
    const focus = one("a", target) && !/^[jr]|r$/.test(id) ? one("a", target) : target;
    if (focus === target) focus.tabIndex = -1;
    focus.focus({ preventScroll: true });
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#"]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.matches(".back")) link.closest("details").open = false;
    choose({ at: link.getAttribute("href").slice(1) }, true);
  });
  for (const event of ["popstate", "hashchange"]) {
    window.addEventListener(event, () => {
      show();
      reveal(chosen().at);
    });
  }
  form.addEventListener("input", () => {
    choose({ q: form.q.value, sort: form.sort.value, from: form.from.value, to: form.to.value, at: "" });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => choose({ q: "", sort: "", from: "", to: "", at: "" }));

  // Two clicks on the axis, or a drag, choose a part of the time.
  let start = null;
  const area = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const place = (event) => {
    const { left, width } = scale.getBoundingClientRect();
    return seen[0] + ((event.clientX - left) / width) * (seen[1] - seen[0]);
  };
  const paint = (to) => {
    const [first, last] = [Math.min(start, to), Math.max(start, to)];
    const part = (at) => `${((at - seen[0]) / (seen[1] - seen[0])) * 100}%`;
    area.setAttribute("x", part(first));
    area.setAttribute("width", part(seen[0] + Math.max(last - first, (seen[1] - seen[0]) / 400)));
    area.setAttribute("height", "28");
    scale.append(area);
  };
  let drag = 0;
  scale.addEventListener("pointerdown", (event) => {
    scale.setPointerCapture(event.pointerId);
    drag = event.clientX;
    if (start === null) paint((start = place(event)));
    event.preventDefault();
  });
  scale.addEventListener("pointermove", (event) => start !== null && paint(place(event)));
  scale.addEventListener("pointerup", (event) => {
    const to = place(event);
    const is_first = Math.abs(event.clientX - drag) < 4 && area.dataset.waits === undefined;
    if (is_first) return (area.dataset.waits = "");
    const [first, last] = [Math.floor(Math.min(start, to)), Math.ceil(Math.max(start, to))];
    start = null;
    delete area.dataset.waits;
    area.remove();
    choose({ from: first > 0 ? time(first) : "", to: last < columns ? time(last) : "", at: "" }, true);
  });

  // Bad cells have titles of their own.
  one(".axis").title = "Drag, or click at the beginning and at the end, to see a part of the time";
  lines.addEventListener("pointermove", (event) => {
    const cells = event.target.closest(".t");
    if (!cells) return lines.removeAttribute("title");
    const { left, top, width, bottom } = cells.getBoundingClientRect();
    const at = Math.floor(seen[0] + ((event.clientX - left) / width) * (seen[1] - seen[0]));
    const here = [bottom - 1, (top + bottom) / 2].map((y) => document.elementFromPoint(event.clientX, y));
    const state = here.some((it) => it?.matches("path.g")) ? ": ok" : here.some((it) => it?.matches("path.r")) ? ": running" : "";
    lines.title = `${time(at).slice(0, 16).replace("T", " ")}${state}`;
  });

  // One stop of the tab key for the timeline, and arrow keys in it.
  const stops = (line) => (line.localName === "summary" ? [line] : all("a", line));
  let [stop, left] = [null, 0];
  const visit = (it) => {
    if (stop) stop.setAttribute("tabindex", "-1");
    stop = it;
    stop?.setAttribute("tabindex", "0");
  };
  for (const it of all(".n a, summary.row", lines)) it.setAttribute("tabindex", "-1");
  visit(one(".n a, summary.row", lines));
  lines.addEventListener("focusin", (event) => {
    const it = event.target.closest(".row a, summary.row");
    if (it && it !== stop) visit(it);
  });
  lines.addEventListener("keydown", (event) => {
    const line = event.target.closest(".row");
    if (!line || event.ctrlKey || event.altKey || event.metaKey) return;
    const them = stops(line);
    const at = them.indexOf(event.target.closest("a, summary"));
    let to = null;
    if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (line.localName === "summary") line.parentElement.open = event.key === "ArrowRight";
      else [to, left] = [them[at + (event.key === "ArrowRight" ? 1 : -1)], 0];
    } else if (event.key === "Home" || event.key === "End") {
      [to, left] = [them.at(event.key === "Home" ? 0 : -1), 0];
    } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const visible = all(".row:not(.axis)", lines).filter((it) => it.checkVisibility() && stops(it).length);
      const next = visible[visible.indexOf(line) + (event.key === "ArrowDown" ? 1 : -1)];
      if (at > 0) left = event.target.getBoundingClientRect().left;
      const far = (it) => Math.abs(it.getBoundingClientRect().left - left);
      to = left && next ? stops(next).reduce((one, it) => (far(it) < far(one) ? it : one)) : next && stops(next)[0];
    } else return;
    event.preventDefault();
    if (to) {
      visit(to);
      to.focus();
    }
  });

  show();
  reveal(chosen().at);
})();
