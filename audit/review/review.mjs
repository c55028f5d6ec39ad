// Moves through a queue by key, keeps the coming pictures ready, and says "saved" only after the server has said so.
// Without it every link and form works by itself.
const status = document.querySelector("#status");
const pages = new Map();
const pictures = new Map();
const memory = {
  get: (name) => JSON.parse(sessionStorage.getItem(name) ?? "null"),
  set: (name, value) => sessionStorage.setItem(name, JSON.stringify(value)),
};
let desk = document.querySelector("main");
let saving = Promise.resolve();
let unsaved = 0;
let done = null;
let moving = false;

const say = (text, problem = false) => {
  status.textContent = text;
  status.classList.toggle("problem", problem);
};

// Pictures

const picture = (address) => {
  if (!pictures.has(address)) {
    const image = new Image();
    image.src = address;
    pictures.set(address, image);
    if (pictures.size > 80) pictures.delete(pictures.keys().next().value);
  }
  return pictures.get(address);
};

const look = (key) => {
  const links = [...desk.querySelectorAll(`[data-view="${key}"]`)];
  for (const link of links) {
    const shown = link.closest("figure").querySelector("img");
    const wanted = picture(link.dataset.src);
    if (!shown || shown === wanted) continue;
    wanted.alt = shown.alt.replace(/[^,]*$/, ` ${link.firstChild.textContent}`);
    shown.replaceWith(wanted);
    for (const other of link.parentElement.children) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
  }
  if (links.length) memory.set("view", key);
  return links.length > 0;
};

const turn = () => {
  const links = [...(desk.querySelector(".views")?.children ?? [])];
  const at = links.findIndex((link) => link.hasAttribute("aria-current"));
  if (links.length) look(links[(at + 1) % links.length].dataset.view);
};

const unshown = (event) => {
  if (event.target.tagName !== "IMG") return;
  const words = document.createElement("p");
  words.className = "none";
  words.textContent = "This picture cannot be shown.";
  event.target.replaceWith(words);
};

// Moving

const load = (address) => {
  if (!pages.has(address)) {
    const page = fetch(address).then(async (answer) => {
      if (!answer.ok) throw new Error(`The desk answered ${answer.status}.`);
      const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = document.importNode(parsed.querySelector("main"), true);
      for (const link of main.querySelectorAll("[data-src]")) picture(link.dataset.src);
      await Promise.allSettled([...main.querySelectorAll("img")].map((image) => image.decode()));
      return { main, title: parsed.title };
    });
    page.catch(() => pages.delete(address));
    pages.set(address, page);
    if (pages.size > 24) pages.delete(pages.keys().next().value);
  }
  return pages.get(address);
};

const ready = () => {
  for (const address of [desk.dataset.onward, desk.dataset.after, desk.dataset.before]) if (address) load(address);
  for (const link of desk.querySelectorAll("[data-src]")) picture(link.dataset.src);
};

const show = ({ main, title }) => {
  desk.replaceWith(main);
  desk = main;
  count(done); // the page was made ready before the last decisions
  document.title = title;
  history.replaceState(null, "", desk.dataset.here);
  scrollTo(0, 0);
  if (memory.get("view")) look(memory.get("view"));
  ready();
  const onward = desk.dataset.onward;
  if (onward) load(onward).then((next) => next.main.dataset.onward && load(next.main.dataset.onward), () => {});
};

const go = async (address) => {
  if (!address) return say("This is the last one.");
  moving = address !== desk.dataset.here; // until the next picture is there, no key may decide about this one
  try {
    show(await load(address));
  } catch (error) {
    say(`The desk does not answer: is the command still running? ${error.message}`, true);
  } finally {
    moving = false;
  }
};

// Deciding

const post = async (address, body) => {
  const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } });
  const said = await answer.json().catch(() => ({ said: `Not saved: the desk answered ${answer.status}.` }));
  if (!answer.ok) throw new Error(said.said);
  return said;
};

const count = (decided) => {
  done = decided ?? done;
  const shown = desk.querySelector("#done");
  if (!shown || done === null) return;
  shown.textContent = done;
  desk.querySelector("header progress").value = done;
};

const later = (work, here) => {
  unsaved += 1;
  saving = saving.then(work).catch((error) => {
    pages.delete(here);
    go(here).then(() => say(error.message || "Not saved: the desk does not answer.", true));
  }).finally(() => { unsaved -= 1; });
};

const decide = (form, button) => {
  if (moving) return say("The next picture is not there yet: decide when you see it.");
  const { here, onward, after } = desk.dataset;
  const body = new URLSearchParams(new FormData(form, button));
  say("Saving…");
  later(async () => {
    const said = await post(form.action, body);
    memory.set("mine", [...(memory.get("mine") ?? []), { here, undoes: said.undoes }].slice(-1000));
    pages.delete(here);
    count(said.decided);
    say([said.said, said.conflict].filter(Boolean).join(" "), Boolean(said.conflict));
    if (!(onward ?? after)) go(here);
  }, here);
  if (onward ?? after) go(onward ?? after);
};

const takeBack = (here, undoes) => {
  say("Taking back…");
  later(async () => {
    const body = new URLSearchParams({ undoes, find: new URL(here, location.href).searchParams.get("find") ?? "" });
    const said = await post(`${here.split("?")[0]}/undo`, body);
    done = said.decided;
    memory.set("mine", (memory.get("mine") ?? []).filter((one) => one.undoes !== undoes));
    pages.clear();
    await go(here);
    say(said.said);
  }, here);
};

// The last decision is known once all have been saved.
const undo = () => saving.then(() => {
  const last = (memory.get("mine") ?? []).at(-1);
  if (last) return takeBack(last.here, last.undoes);
  const button = desk.querySelector(".history .holds .undo button");
  if (!button) return say("There is nothing to take back.");
  takeBack(desk.dataset.here, button.value);
});

document.addEventListener("submit", (event) => {
  if (event.target.matches(".decide")) decide(event.target, event.submitter);
  else if (event.target.matches(".undo")) takeBack(desk.dataset.here, event.submitter.value);
  else return;
  event.preventDefault();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("a");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (link.dataset.view) look(link.dataset.view);
  else if (["prev", "next"].includes(link.rel) && desk.matches(".desk")) go(link.getAttribute("href"));
  else return;
  event.preventDefault();
});

// Keys

const cells = (step) => {
  const boxes = [...desk.querySelectorAll("input[name=item]")];
  const at = boxes.indexOf(document.activeElement);
  boxes[at < 0 ? 0 : Math.min(Math.max(at + step, 0), boxes.length - 1)]?.focus();
};

const move = (step) => {
  if (desk.matches(".sheet")) cells(step);
  else go(step > 0 ? desk.dataset.after : desk.dataset.before);
};

const swap = () => {
  const radios = [...desk.querySelectorAll("input[name=about]")];
  const other = radios.find((radio) => !radio.checked);
  if (other) other.checked = true;
  else document.activeElement.matches?.("input[name=item]") && document.activeElement.click();
};

const focus = (selector) => () => desk.querySelector(selector)?.focus();
const keys = {
  ArrowRight: () => move(1), j: () => move(1), ArrowLeft: () => move(-1), k: () => move(-1), u: undo, x: swap,
  g: focus("input[name=n]"), "/": focus("input[name=find][type=search]"), n: focus("input[name=note]"),
  "?": () => { const help = desk.querySelector("#help"); if (help) { help.open = !help.open; help.scrollIntoView({ block: "nearest" }); } },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !desk) return;
  const at = event.target;
  if (event.key === "Escape") return at.blur();
  if (at.matches("input:not([type=checkbox], [type=radio]), textarea, select")) return;
  if (at.matches("[type=radio]") && event.key.startsWith("Arrow")) return;
  const button = /^[1-9]$/.test(event.key) && desk.querySelector(`button[data-key="${event.key}"]`);
  if (button) button.click();
  else if (/^[1-9]$/.test(event.key)) say("That decision is about two pictures: see the queue of near-duplicates, or the grid.");
  else if (keys[event.key]) keys[event.key]();
  else if (event.key === " " && !at.matches("a, button, input, summary")) turn();
  else if (!(desk.matches(".desk") && look(event.key))) return;
  event.preventDefault();
});

// What others do meanwhile

const ask = async () => {
  if (document.hidden || unsaved || !desk?.matches(".desk")) return;
  const { here, seen } = desk.dataset;
  try {
    const now = await (await fetch(`${here.split("?")[0]}/state`)).json();
    if (here !== desk.dataset.here || unsaved) return;
    count(now.decided);
    if (now.seen === seen) return;
    const note = desk.querySelector("input[name=note]").value;
    pages.delete(here);
    await go(here);
    desk.querySelector("input[name=note]").value = note;
    say("Somebody has decided about this picture elsewhere: see “Decided so far”.", true);
  } catch {
    say("The desk does not answer: is the command still running?", true);
  }
};

document.addEventListener("error", unshown, true);
addEventListener("beforeunload", (event) => unsaved && event.preventDefault());
if (desk?.matches(".desk")) {
  if (memory.get("view")) look(memory.get("view"));
  ready();
  setInterval(ask, 2000);
}
