// Figures of the running product, each with its goal beside it. Goals hold for two cores that the load generator shares.
//
//   make bench                      everything
//   make bench ARGS="pages import"  some of it: idle, bytes, pages, signing, import, rush (the last on both engines)

import { execFileSync, spawn } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { get } from "node:http";
import { createServer } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";

const binary = process.env.AFTERCARE_BIN ?? "dist/aftercare";
const wanted = process.argv.slice(2);
const wants = (name) => wanted.length === 0 || wanted.includes(name);
const scratch = mkdtempSync(join(tmpdir(), "aftercare-bench-"));
const rows = [];
const servers = new Set();

function figure(what, value, goal, met) {
  rows.push([what, value, goal, met === undefined ? "" : met ? "met" : "MISSED"]);
  console.log(`${met === false ? "✗" : "✓"} ${what}: ${value}${goal ? ` (goal: ${goal})` : ""}`);
}

function freePort() {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

async function serve(data, ...settings) {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const began = performance.now();
  const child = spawn(binary, ["serve", "--demo", "--listen", `127.0.0.1:${port}`, "--data-dir", data, "--public-url", url, ...settings], { stdio: "ignore" });
  servers.add(child);
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the server ended with ${child.exitCode}`);
    if ((await fetch(`${url}/readyz`).catch(() => undefined))?.ok) break;
    await pause(20);
  }
  const ready = performance.now() - began;
  const stop = async () => {
    child.kill("SIGTERM");
    await new Promise((done) => child.once("exit", done));
    servers.delete(child);
  };
  return { url, ready, memory: () => memory(child.pid), stop };
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function post(url, path, fields, cookie) {
  return fetch(url + path, {
    method: "POST",
    redirect: "manual",
    headers: { origin: url, ...(cookie ? { cookie } : {}), "content-type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams(fields),
  });
}

/** The body as it travels: what `fetch` would hide by unpacking it. */
function sent(url, headers) {
  return new Promise((done, failed) => {
    get(url, { headers }, (answer) => {
      const parts = [];
      answer.on("data", (part) => parts.push(part));
      answer.on("end", () => done(Buffer.concat(parts)));
    }).on("error", failed);
  });
}

const cookieOf = (answer) => answer.headers.getSetCookie().map((c) => c.split(";")[0]).filter((c) => c.startsWith("aftercare=")).join("; ");

async function signIn(url, as) {
  return cookieOf(await post(url, "/demo/sign-in", { as }));
}

function wrk(url, cookie, connections = 25, seconds = 10) {
  const said = execFileSync("wrk", ["-t2", `-c${connections}`, `-d${seconds}s`, "--latency", "-H", `Cookie: ${cookie}`, "-H", "Accept-Encoding: identity", url], { encoding: "utf8" });
  const number = (pattern) => pattern.exec(said)?.[1];
  const ms = (text = "") => (text.endsWith("us") ? parseFloat(text) / 1000 : text.endsWith("ms") ? parseFloat(text) : parseFloat(text) * 1000);
  const rate = Number(number(/Requests\/sec:\s+([\d.]+)/));
  return { rate, p50: ms(number(/^\s+50%\s+(\S+)/m)), p99: ms(number(/^\s+99%\s+(\S+)/m)), failed: Number(number(/Non-2xx or 3xx responses: (\d+)/) ?? 0) };
}

// --- the parts -------------------------------------------------------------------------------------------------------

async function idle(data) {
  const first = await serve(data);
  await first.stop();
  const server = await serve(data);
  figure("ready after a start", `${Math.round(server.ready)} ms`, "1 s", server.ready <= 1000);
  await pause(3000);
  const used = server.memory();
  figure("memory when idle", `${used.toFixed(1)} MB`, "30 MB", used <= 30);
  return server;
}

async function bytes(server) {
  const cookie = await signIn(server.url, "customer");
  const weigh = async (path) => {
    const plain = await sent(server.url + path, { cookie, "accept-encoding": "identity" });
    const packed = await sent(server.url + path, { cookie, "accept-encoding": "br" });
    return { body: plain, raw: plain.length, packed: packed.length };
  };
  const kb = (n) => `${(n / 1024).toFixed(1)} KB`;
  const home = await weigh("/");
  const html = home.body.toString();
  const style = await weigh(/href="(\/assets\/[^"]+\.css)"/.exec(html)?.[1] ?? "/");
  figure("first page, HTML", `${kb(home.raw)} raw, ${kb(home.packed)} brotli`, "");
  figure("style", `${kb(style.raw)} raw, ${kb(style.packed)} brotli`, "");
  figure("HTML and style together", kb(home.packed + style.packed), "25 KB", home.packed + style.packed <= 25 * 1024);

  // The heaviest: a page with islands on it.
  let scripts = 0;
  for (const path of ["/", "/repairs/new", "/training", "/purchases", ...links(html)]) {
    const page = (await weigh(path)).body.toString();
    const boot = /src="(\/assets\/[^"]+)" data-module="([^"]+)" data-wasm="([^"]+)"/.exec(page);
    if (!boot) continue;
    for (const [name, address] of [["boot script", boot[1]], ["module script", boot[2]], ["wasm", boot[3]]]) {
      const part = await weigh(address);
      scripts += part.packed;
      figure(name, `${kb(part.raw)} raw, ${kb(part.packed)} brotli`, "");
    }
    figure("wasm and scripts of a first visit", kb(scripts), "90 KB", scripts <= 90 * 1024);
    return;
  }
  figure("wasm and scripts of a first visit", "0 KB: no island met", "90 KB", true);
}

const links = (html) => [...html.matchAll(/href="(\/(?:training|purchases|repairs)\/[^"]+)"/g)].map((m) => m[1]).slice(0, 10);

async function pages(server) {
  const cookie = await signIn(server.url, "customer");
  const list = await (await fetch(`${server.url}/training`, { headers: { cookie } })).text();
  const oneClass = /href="(\/training\/[0-9a-f-]{20,})"/.exec(list)?.[1];
  for (const [name, path] of [["home", "/"], ["my purchases", "/purchases"], ["class list", "/training"], ["class page", oneClass]]) {
    if (!path) continue;
    wrk(server.url + path, cookie, 25, 2);
    const { rate, p50, p99, failed } = wrk(server.url + path, cookie);
    figure(`${name}: pages a second, 25 connections`, `${Math.round(rate)}, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms${failed ? `, ${failed} FAILED` : ""}`, "5,000, p99 30 ms", rate >= 5000 && p99 <= 30 && failed === 0);
  }
  figure("memory after that load", `${server.memory().toFixed(1)} MB`, "300 MB", server.memory() <= 300);
}

/** Runs a command to its end; gives the seconds that it took and the most memory that it held. */
async function measured(...args) {
  const began = performance.now();
  const child = spawn(binary, args, { stdio: ["ignore", "ignore", "inherit"] });
  let most = 0;
  const watch = setInterval(() => {
    try {
      most = Math.max(most, memory(child.pid));
    } catch {
      // It has just ended.
    }
  }, 50);
  const code = await new Promise((done) => child.once("exit", done));
  clearInterval(watch);
  if (code !== 0) throw new Error(`aftercare ${args[0]} ended with ${code}`);
  return { seconds: (performance.now() - began) / 1000, most };
}

const dayOf = (n) => `2026-0${1 + (n % 9)}-${String(1 + (n % 28)).padStart(2, "0")}`;

function written(name, lines) {
  const file = join(scratch, name);
  writeFileSync(file, lines.join("\n") + "\n");
  return file;
}

function purchases(count) {
  const lines = ["order_number,order_line,purchased_on,delivered_on,customer_email,customer_name,customer_language,customer_country,sku,product_name,kind,serial_number,quantity,unit_price,currency,warranty_months"];
  for (let n = 0; n < count; n += 1) {
    lines.push(`B${n},1,${dayOf(n)},${dayOf(n)},buyer${n % 30000}@bench.example,Buyer ${n % 30000},en,LT,SKU-${n % 500},Product ${n % 500},goods,SN-${n},1,${10 + (n % 900)}.00,EUR,24`);
  }
  return written(`purchases-${count}.csv`, lines);
}

/** As the shared data has them: every fourth line is a firm's, every fifth has a plan with its three benefits. */
function wholePurchases(count) {
  const lines = ["order_number,order_line,purchased_on,delivered_on,customer_email,customer_name,customer_language,customer_country,organisation,sku,product_name,kind,serial_number,quantity,unit_price,currency,warranty_months,plan"];
  for (let n = 0; n < count; n += 1) {
    const firm = n % 4 === 0 ? `Firm ${n % 3000}` : "";
    const [quantity, serials] = n % 10 === 1 ? [2, `SN-${n}a|SN-${n}b`] : [1, `SN-${n}`];
    lines.push(`B${n},1,${dayOf(n)},${dayOf(n)},buyer${n % 30000}@bench.example,Buyer ${n % 30000},en,LT,${firm},SKU-${n % 500},Product ${n % 500},goods,${serials},${quantity},${10 + (n % 900)}.00,EUR,24,${n % 5 === 0 ? "care-6" : ""}`);
  }
  return written(`whole-purchases-${count}.csv`, lines);
}

/** Orders of two lines each, as WooCommerce's REST API gives them. */
function wooOrders(count) {
  const orders = [];
  for (let n = 0; n < count / 2; n += 1) {
    const at = `${dayOf(n)}T09:00:00`;
    const name = { first_name: "Buyer", last_name: `${n % 30000}`, company: n % 4 === 0 ? `Firm ${n % 3000}` : "", address_1: "Street 1", city: "Town", postcode: "01100", country: "LT" };
    const item = (id) => ({ id, name: `Product ${id % 500}`, product_id: id % 500, variation_id: 0, quantity: 1, tax_class: "", subtotal: "100.00", subtotal_tax: "21.00", total: "100.00", total_tax: "21.00", taxes: [], meta_data: [], sku: `SKU-${id % 500}`, price: 100, image: { id: "", src: "" }, parent_name: null });
    orders.push(JSON.stringify({ id: n + 1, status: "completed", currency: "EUR", prices_include_tax: true, date_created: at, date_created_gmt: at, date_completed_gmt: at, date_paid_gmt: at, total: "242.00", number: `${n + 1}`, billing: { ...name, email: `buyer${n % 30000}@bench.example`, phone: "" }, shipping: name, meta_data: [], line_items: [item(2 * n + 1), item(2 * n + 2)], tax_lines: [], shipping_lines: [], fee_lines: [], coupon_lines: [], refunds: [] }));
  }
  return written(`orders-${count}.json`, [`[${orders.join(",\n")}]`]);
}

/** Whether the time of an answer tells who is a customer: the same question about known and unknown addresses, in turn. */
async function signing(data) {
  const count = 600;
  execFileSync(binary, ["import", "purchases", purchases(count), "--data-dir", data], { stdio: "ignore" });
  // Senders are limited; each question comes from another.
  const server = await serve(data, "--trusted-proxies", "127.0.0.1");
  const times = { buyer: [], nobody: [] };
  for (let n = 0; n < count; n += 1) {
    for (const who of n % 2 === 0 ? ["buyer", "nobody"] : ["nobody", "buyer"]) {
      const began = performance.now();
      const answer = await fetch(`${server.url}/sign-in`, {
        method: "POST",
        redirect: "manual",
        headers: { origin: server.url, "x-forwarded-for": `10.${who.length}.${n >> 8}.${n & 255}` },
        body: new URLSearchParams({ email: `${who}${n}@bench.example` }),
      });
      await answer.arrayBuffer();
      if (answer.status !== 303) throw new Error(`asking for a code was answered with ${answer.status}`);
      times[who].push(performance.now() - began);
    }
  }
  await server.stop();
  const median = (all) => all.slice(50).sort((a, b) => a - b)[Math.floor((all.length - 50) / 2)];
  const [known, unknown] = [median(times.buyer), median(times.nobody)];
  const ratio = known / unknown;
  figure("asking for a code: a known address by an unknown one, median", `${ratio.toFixed(3)} times: ${known.toFixed(2)} ms and ${unknown.toFixed(2)} ms`, "0.95 to 1.05 times", Math.abs(ratio - 1) <= 0.05);
}

async function importing() {
  const held = [];
  for (const count of [100_000, 200_000]) {
    const data = join(scratch, `import-${count}`);
    mkdirSync(data);
    const { seconds, most } = await measured("import", "purchases", purchases(count), "--data-dir", data);
    const goal = (count / 100_000) * 20;
    figure(`import of ${count} purchases`, `${seconds.toFixed(1)} s, ${Math.round(count / seconds)} rows a second`, `${goal} s`, seconds <= goal);
    held.push(most);
  }
  const plans = written("plans.csv", ["plan,name,period_months,training_seats,maintenance_visits,repairs,applies_to_kind", "care-6,Care,6,3,2,1,goods"]);
  const count = 100_000;
  for (const [name, file, ...more] of [["with firms and plans", wholePurchases(count)], ["of WooCommerce", wooOrders(count), "--format", "woocommerce"]]) {
    const data = join(scratch, `import ${name}`);
    mkdirSync(data);
    await measured("import", "plans", plans, "--data-dir", data);
    const { seconds } = await measured("import", "purchases", file, ...more, "--data-dir", data);
    figure(`import of ${count} purchases ${name}`, `${seconds.toFixed(1)} s, ${Math.round(count / seconds)} rows a second`, "20 s", seconds <= 20);
  }
  const [once, twice] = held;
  figure("memory of an import of twice the size", `${(twice / once).toFixed(2)} times: ${once.toFixed(0)} MB and ${twice.toFixed(0)} MB`, "1.1 times", twice <= once * 1.1);
}

// --- the whole -------------------------------------------------------------------------------------------------------

const failures = [];
const part = async (name, act) => {
  if (!wants(name)) return;
  try {
    await act();
  } catch (error) {
    failures.push(`${name}: ${error.message}`);
    console.log(`✗ ${name}: ${error.message}`);
  }
};

try {
  console.log(`${cpus().length} cores, ${cpus()[0]?.model ?? ""}\n`);
  const server = await idle(join(scratch, "demo"));
  await part("bytes", () => bytes(server));
  await part("pages", () => pages(server));
  await server.stop();
  await part("signing", () => signing(join(scratch, "demo")));
  await part("import", importing);
} finally {
  for (const child of servers) child.kill("SIGKILL");
  rmSync(scratch, { recursive: true, force: true });
}

const widths = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at].length)));
const table = rows.map((row) => row.map((cell, at) => cell.padEnd(widths[at])).join("  ")).join("\n");
console.log(`\n${table}`);
createWriteStream("target/bench.txt").end(`${table}\n`);
if (failures.length > 0) process.exitCode = 1;
