// The page over the bench's HTTP API: it draws what the machine says of itself, and passes on what a hand does.

const LINES_SHOWN = 200;
const PROBLEM_MS = 6000;
const SLIDERS = [
  ["dropped", "lost", 100, "%"],
  ["corrupted", "corrupted", 100, "%"],
  ["repeated", "repeated", 100, "%"],
  ["delayed_ms", "late", 3000, " ms"],
];
const WHO = { hand: "you", host: "terminal", device: "device" };
const IN_MOUTH = ["accepting", "returning", "rejecting"];

const $ = (selector, within = document) => within.querySelector(selector);
const make = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const words = (name) => name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
const short = (amount) => amount.replace(/\.00$/, "");

// Asking --------------------------------------------------------------------------------------------------------------

async function ask(method, path, body = {}) {
  try {
    const answer = await fetch(`/api${path}`, {
      method,
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    const said = await answer.json();
    if (!answer.ok) complain(`${said.problem}: ${said.remedy}.`);
    return said;
  } catch {
    complain("The bench does not answer. Start it again: kiosk bench --config FILE");
    return null;
  }
}

let complaint;
function complain(text) {
  const box = $("#problem");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(complaint);
  complaint = setTimeout(() => (box.hidden = true), PROBLEM_MS);
}

// One device ----------------------------------------------------------------------------------------------------------

function card(device) {
  const article = $("#device").content.cloneNode(true).firstElementChild;
  const path = `/devices/${device.name}`;
  article.id = `device-${device.name}`;
  $("h2", article).textContent = device.name;
  $(".protocol", article).textContent = device.title;
  for (const worth of device.pieces) {
    const button = piece(worth, device.kind, "button");
    button.onclick = () => ask("POST", `${path}/insert`, { amount: worth });
    $(".pieces", article).append(button);
  }
  deeds(article, device, path);
  for (const fault of device.possible) $(".faults", article).append(faultSwitch(fault, path));
  for (const slider of SLIDERS) sliderRow(article, path, ...slider);
  return article;
}

function piece(worth, kind, tag = "span") {
  const made = make(tag, { className: kind === "coins" ? "piece coin" : "piece", textContent: short(worth) });
  made.dataset.worth = worth;
  if (tag === "button") made.type = "button";
  return made;
}

function deeds(article, device, path) {
  const button = (name, text, act, look = "") => {
    const made = make("button", { type: "button", className: look, textContent: text, onclick: act });
    made.dataset.deed = name;
    $(".deeds", article).append(made);
  };
  const now = () => article.device;
  if (device.kind === "notes") button("withdraw", "Pull back", () => ask("POST", `${path}/withdraw`));
  button("take", "Empty the tray", () => ask("POST", `${path}/take`));
  if (device.box_in !== null) button("box", "", () => ask("PUT", `${path}/box`, { on: !now().box_in }), "stop");
  button("plug", "", () => ask("PUT", `${path}/plug`, { on: !now().plugged }), "stop");
  button("power", "", () => ask("PUT", `${path}/power`, { on: !now().powered }), "stop");
  if (device.kind === "notes") {
    button("cut", "Cut while stacking", () => ask("PUT", `${path}/power`, { cut_in: "stacking" }), "stop");
  }
}

function faultSwitch(fault, path) {
  const made = make("button", { type: "button", className: "switch", textContent: words(fault) });
  made.setAttribute("role", "switch");
  made.dataset.fault = fault;
  made.onclick = () => {
    const on = made.getAttribute("aria-checked") !== "false";
    return on ? ask("DELETE", `${path}/faults/${fault}`) : ask("PUT", `${path}/faults/${fault}`);
  };
  return made;
}

function sliderRow(article, path, key, text, most, unit) {
  const input = make("input", { type: "range", min: 0, max: most, step: most / 20, ariaLabel: `Answers ${text}` });
  input.dataset.line = key;
  input.dataset.unit = unit;
  input.onchange = () => {
    const number = Number(input.value);
    const line = { ...article.device.line, [key]: unit === "%" ? number / 100 : number };
    return ask("PUT", `${path}/line`, line);
  };
  const shown = make("output", { className: "quiet" });
  input.oninput = () => (shown.textContent = `${input.value}${unit}`);
  $(".sliders", article).append(make("span", { textContent: `Answers ${text}` }), input, shown);
}

function draw(article, device) {
  article.device = device;
  const [look, says] = mood(device);
  const state = $(".state", article);
  state.className = `tell state ${look}`;
  state.textContent = says;
  drawPath(article, device, look);
  $(".facts", article).textContent = facts(device);
  for (const button of article.querySelectorAll("button.piece")) {
    const open = device.accepted.includes(button.dataset.worth);
    button.classList.toggle("shut", !open);
    button.title = open ? `Insert ${button.dataset.worth}` : `Insert ${button.dataset.worth}, which is not taken now`;
  }
  label(article, "box", device.box_in ? "Take the box out" : "Put an empty box in");
  label(article, "plug", device.plugged ? "Unplug" : "Plug in");
  label(article, "power", device.powered ? "Cut power" : "Power on");
  label(article, "cut", device.cut_in ? `Will be cut in ${device.cut_in}` : "Cut while stacking");
  const tray = $('[data-deed="take"]', article);
  tray.disabled = device.hand.count === 0;
  for (const made of article.querySelectorAll(".switch")) {
    const { fault } = made.dataset;
    const waits = device.next_faults.includes(fault) ? "mixed" : "false";
    made.setAttribute("aria-checked", device.faults.includes(fault) ? "true" : waits);
  }
  for (const input of article.querySelectorAll("input")) {
    if (document.activeElement === input && input.matches(":active")) continue;
    const value = device.line[input.dataset.line];
    input.value = input.dataset.unit === "%" ? Math.round(value * 100) : value;
    input.oninput();
  }
}

function label(article, deed, text) {
  const button = $(`[data-deed="${deed}"]`, article);
  if (button) button.textContent = text;
}

function mood(device) {
  if (!device.plugged) return ["stop", "unplugged"];
  if (!device.powered) return ["stop", "without power"];
  if (device.faults.length) return ["stop", device.faults.map((fault) => words(fault).toLowerCase()).join(", ")];
  if (!device.host) return ["careful", "nobody speaks to it"];
  if (device.phase !== "idle") return ["good", device.says];
  return device.accepted.length ? ["good", `waits for ${device.kind}`] : ["good", "takes nothing now"];
}

function facts(device) {
  const line = bad(device) ? " The line is bad." : "";
  const port = device.plugged ? `On ${device.port}.` : `Not on ${device.port}.`;
  return `${port}${line}`;
}

function drawPath(article, device, look) {
  const [mouth, inside, box] = article.querySelectorAll(".place");
  const open = look === "good" && device.phase === "idle" && device.accepted.length > 0;
  mouth.className = `place mouth ${open ? "open" : ""}`;
  inside.className = `place inside ${device.faults.length ? "broken" : ""}`;
  box.className = `place box ${device.box_in === false ? "broken" : ""}`;
  const outside = IN_MOUTH.includes(device.phase);
  const shown = device.in_path ? piece(device.in_path, device.kind) : null;
  fill(mouth, "mouth", device.in_path && outside ? device.in_path : null, shown, device.hand.count ? `tray: ${device.hand.count}` : "mouth");
  fill(inside, "inside", device.in_path && !outside ? device.in_path : null, shown, device.in_path && !outside ? device.says : "inside");
  const sum = device.box_in === false ? "box is out" : `box: ${device.box.count}`;
  fill(box, "box", `${device.box.sum}`, make("b", { textContent: device.box.count ? device.box.sum : "empty" }), sum);
}

// A place is drawn anew only when something else is in it, so that what moves is seen to move.
function fill(place, name, what, shown, caption) {
  $("i", place).textContent = caption;
  const is = String(what);
  if (place.dataset.what === is) return;
  place.dataset.what = is;
  place.replaceChildren($("i", place), ...(what === null ? [] : [shown]));
}

// All of it -----------------------------------------------------------------------------------------------------------

function drawMachine(picture) {
  $("#terminal").textContent = picture.terminal;
  for (const device of picture.devices) {
    let article = document.getElementById(`device-${device.name}`);
    if (!article) {
      article = card(device);
      $("#machine").before(article);
    }
    draw(article, device);
  }
  drawWhole(picture.devices);
}

function drawWhole(devices) {
  const powered = devices.some((device) => device.powered);
  const faults = devices.reduce((sum, device) => sum + device.faults.length + device.next_faults.length, 0);
  const away = devices.filter((device) => !device.plugged || !device.powered).length;
  const summary = $("#summary");
  summary.className = `tell ${faults || away ? "stop" : "good"}`;
  const told = [faults && `${faults} ${faults === 1 ? "fault" : "faults"}`, away && `${away} of ${devices.length} off`];
  summary.textContent = told.filter(Boolean).join(", ") || "nothing is wrong";
  $("#power").textContent = powered ? "Cut all power" : "Power on";
  $("#power").onclick = () => ask("PUT", "/machine/power", { on: !powered });
  $("#mend").disabled = faults === 0;
  $("#mend").onclick = () => each(devices, "DELETE", "faults");
  $("#straighten").disabled = !devices.some(bad);
  $("#straighten").onclick = () => each(devices, "PUT", "line");
  const [first] = devices;
  const header = "-H 'Content-Type: application/json'";
  $("#example").textContent =
    `curl -X POST ${header} -d '{"amount": "${first.pieces[0]}"}' ${location.origin}/api/devices/${first.name}/insert`;
}

const bad = (device) => Object.values(device.line).some((value) => value > 0);
const each = (devices, method, what) =>
  Promise.all(devices.map((device) => ask(method, `/devices/${device.name}/${what}`)));

function write(lines) {
  const list = $("#lines");
  for (const line of lines) {
    if (line.number <= Number(list.dataset.last ?? 0)) continue;
    list.dataset.last = line.number;
    const at = new Date(line.at_ms).toLocaleTimeString("en-GB");
    const says = line.device ? `${line.device}: ${line.says}` : line.says;
    const who = make("span", { className: `who ${line.who}`, textContent: WHO[line.who] });
    list.prepend(make("li", {}, make("time", { textContent: at }), who, make("span", { textContent: says })));
  }
  while (list.children.length > LINES_SHOWN) list.lastElementChild.remove();
}

function listen() {
  const events = new EventSource("/api/events");
  const link = $("#link");
  events.onopen = () => {
    document.body.classList.remove("away");
    $("#problem").hidden = true;
    link.className = "tell good";
    link.textContent = "connected";
    $("#lines").replaceChildren();
    delete $("#lines").dataset.last; // a bench that was started anew counts from one again
  };
  events.onerror = () => {
    document.body.classList.add("away");
    link.className = "tell careful";
    link.textContent = "the bench does not answer";
    complain("The bench does not answer. Start it again: kiosk bench --config FILE");
  };
  events.addEventListener("machine", (event) => drawMachine(JSON.parse(event.data)));
  events.addEventListener("log", (event) => write(JSON.parse(event.data)));
}

listen();
