"use strict";
// Shows the jobs that the three fields ask for. Without this script the page shows them all.
const form = document.getElementById("filter");
if (form) {
  const jobs = [...document.querySelectorAll("[data-job]")];
  const runs = [...document.querySelectorAll("[data-state]")];
  const groups = [...document.querySelectorAll(".timeline tbody")];
  const rows = jobs.filter((job) => job.matches("tr"));
  const number = new Intl.NumberFormat("en");
  const filter = () => {
    const host = form.host.value.trim();
    const job = form.job.value.trim();
    const state = form.state.value;
    for (const it of jobs) {
      const { host: on, job: name, states } = it.dataset;
      it.hidden = !(on.includes(host) && name.includes(job) && states.includes(state));
    }
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
