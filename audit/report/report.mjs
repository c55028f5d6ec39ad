// Sorts and filters the pictures of the report, and moves through them by key. Without it the page shows everything.
const grid = document.querySelector("#pictures ul.grid");
if (grid) {
  const form = document.querySelector("form.tools");
  const cells = [...grid.children];
  const number = (cell, key) => Number(cell.dataset[key] ?? -1);
  const orders = {
    loss: (a, b) => number(b, "loss") - number(a, "loss"),
    p: (a, b) => number(b, "p") - number(a, "p"),
    "-p": (a, b) => number(a, "p") - number(b, "p"),
    name: (a, b) => a.dataset.name.localeCompare(b.dataset.name, undefined, { numeric: true }),
  };
  const shown = () => [...grid.children].filter((cell) => !cell.hidden);

  const apply = () => {
    const wanted = Object.fromEntries(new FormData(form));
    const text = wanted.text.toLowerCase();
    const filters = ["split", "label", "called", "cause", "source"].filter((name) => wanted[name]);
    for (const cell of cells) {
      cell.hidden =
        filters.some((name) => cell.dataset[name] !== wanted[name]) ||
        (wanted.wrong && !cell.classList.contains("wrong")) ||
        !cell.dataset.name.toLowerCase().includes(text);
    }
    grid.append(...cells.toSorted(orders[wanted.sort]));
    form.querySelector("output").textContent = `${shown().length} shown`;
    reach(shown()[0]);
  };

  const reach = (cell) => {
    for (const other of cells) other.tabIndex = other === cell ? 0 : -1;
  };

  const move = (from, key) => {
    const all = shown();
    const across = all.filter((cell) => cell.offsetTop === all[0].offsetTop).length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: across, ArrowUp: -across };
    const next =
      key === "Home" ? all[0] : key === "End" ? all.at(-1) : all[all.indexOf(from) + (steps[key] ?? NaN)];
    if (next) {
      reach(next);
      next.focus();
    }
    return Boolean(next);
  };

  grid.addEventListener("keydown", (event) => {
    const cell = event.target.closest("li");
    if (event.key === "Enter") cell.querySelector("a")?.click();
    else if (move(cell, event.key)) event.preventDefault();
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing) {
      event.preventDefault();
      form.elements.text.focus();
    } else if (event.key === "Escape" && form.contains(event.target)) {
      form.reset();
      apply();
    }
  });
  form.addEventListener("input", apply);
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const part of document.querySelectorAll(".scripted")) part.hidden = false;
  apply();
}
