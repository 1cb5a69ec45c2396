"use strict";
// Shows the jobs that the three fields ask for. Without this script the page shows them all.
const form = document.getElementById("filter");
if (form) {
  const rows = [...document.querySelectorAll("[data-job]")];
  const lists = rows.map((row) => document.querySelector(row.querySelector("th a").hash));
  const runs = [...document.querySelectorAll("[data-state]")];
  const groups = [...document.querySelectorAll(".timeline tbody")];
  const number = new Intl.NumberFormat("en");
  const filter = () => {
    const host = form.host.value.trim();
    const job = form.job.value.trim();
    const state = form.state.value;
    rows.forEach((row, index) => {
      const { host: on, job: name, states } = row.dataset;
      row.hidden = !(on.includes(host) && name.includes(job) && states.includes(state));
      lists[index].hidden = row.hidden;
    });
    for (const run of runs) run.hidden = state !== "" && run.dataset.state !== state;
    for (const group of groups) group.hidden = !group.querySelector("[data-job]:not([hidden])");
    document.body.dataset.show = state;
    const shown = rows.filter((row) => !row.hidden).length;
    form.querySelector("output").textContent =
      `${number.format(shown)} of ${number.format(rows.length)} jobs`;
  };
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
}
