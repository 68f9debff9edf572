// Whatever is wrong with a form, it comes back with the fault and with everything that was typed: every form that a role
// can reach is sent once with one text that is too long.
import type { Page } from "@playwright/test";
import { expect, type Role, signIn, test, watch } from "../support/test";

const READERS: { role: Role | "guest"; doors: string[] }[] = [
  { role: "guest", doors: ["/sign-in", "/help"] },
  { role: "customer", doors: ["/", "/purchases", "/purchases/register", "/repairs", "/training", "/training/mine", "/cases", "/cases/new", "/account"] },
  { role: "owner", doors: ["/", "/training", "/training/team", "/purchases"] },
  { role: "trainer", doors: ["/desk", "/desk/classes", "/desk/classes/new"] },
  { role: "technician", doors: ["/desk", "/desk/repairs"] },
  { role: "agent", doors: ["/desk", "/desk/cases", "/desk/registrations", "/desk/neglected"] },
  { role: "manager", doors: ["/desk", "/desk/settings", "/desk/classes", "/desk/neglected"] },
];

/** Long enough for every field, short enough for every door. */
const LONG = 30_000;

test.describe.configure({ mode: "parallel" });

for (const { role, doors } of READERS) {
  test(`${role}: every form comes back with what was typed`, async ({ page, context, server }) => {
    test.setTimeout(600_000);
    const trouble = watch(page, (message) => /status of 4(13|29)/.test(message.text()));
    if (role !== "guest") await signIn(context, server, role);
    const wrong: string[] = [];
    const sent = new Set<string>();
    const been = new Map<string, number>();
    const queue = [...doors];
    while (queue.length > 0) {
      const path = queue.shift() ?? "/";
      const kind = path.split("?")[0].split("/").map((part) => (/\d/.test(part) && part.length >= 4 ? "*" : part)).join("/");
      // Of each kind of page two, in case that they differ.
      if ((been.get(kind) ?? 0) >= 2) continue;
      been.set(kind, (been.get(kind) ?? 0) + 1);
      const answer = await page.goto(path);
      if (!answer?.headers()["content-type"]?.includes("text/html") || answer.status() >= 400) continue;
      const links = await page.locator("main a[href^='/']:not([download])").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
      queue.push(...links.map((href) => href.split("#")[0]).filter((href) => href && !/\.(ics|png|svg|pdf|csv|json)(\?|$)/.test(href) && !href.startsWith("/demo/") && !href.startsWith("/calendar/")));
      for (const fault of await sendAll(page, kind, sent)) wrong.push(`${path}: ${fault}`);
    }
    expect(sent.size, "forms with something to type").toBeGreaterThan(0);
    await test.info().attach("forms", { body: [...sent].join("\n"), contentType: "text/plain" });
    expect([...wrong, ...trouble]).toEqual([]);
  });
}

/** Sends every form of the page that has something to type and was not sent yet; says what is wrong with the answers. */
async function sendAll(page: Page, kind: string, sent: Set<string>): Promise<string[]> {
  const count = await page.locator("main form[method=post]").count();
  const wrong: string[] = [];
  for (let n = 0; n < count; n++) {
    const said = await page.evaluate(
      async ({ n, kind, known, long }) => {
        const TYPED = "textarea, input:not([type]), input[type=text], input[type=search], input[type=tel], input[type=url], input[type=email]";
        const form = document.querySelectorAll<HTMLFormElement>("main form[method=post]")[n];
        const named = (e: Element): string => e.getAttribute("name") ?? "";
        const texts = [...form.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(TYPED)].filter((e) => named(e) && !e.readOnly && !e.disabled);
        if (texts.length === 0) return undefined;
        const action = new URL(form.getAttribute("action") ?? location.href, location.href);
        const fixed = [...form.querySelectorAll<HTMLInputElement>("input[type=hidden]")].filter((e) => named(e) === "act" || named(e) === "do").map((e) => e.value);
        const buttons = [...form.querySelectorAll<HTMLButtonElement>("button")].filter((e) => e.type === "submit");
        const button = buttons.find((e) => e.dataset.tone === "primary") ?? buttons.at(-1);
        const id = `${kind} ${(form.getAttribute("id") ?? "").replace(/-?[0-9a-f]{8}.*/, "")} ${fixed.join()} ${texts.map(named).join(" ")}`;
        if (known.includes(id)) return undefined;
        const body = new FormData(form);
        // The first is too long; the others are what the reader will look for. Numbers and codes have their own faults.
        for (const [place, text] of texts.entries()) body.set(named(text), place === 0 ? "w".repeat(long) : `typed ${place}`);
        if (button?.name) body.set(button.name, button.value);
        // A choice that nobody made is the first that there is.
        for (const select of form.querySelectorAll("select")) if (!body.get(select.name)) body.set(select.name, [...select.options].find((o) => o.value)?.value ?? "");
        const multipart = form.enctype === "multipart/form-data";
        const answer = await fetch(action, { method: "POST", redirect: "manual", body: multipart ? body : new URLSearchParams([...body].map(([name, value]) => [name, String(value)])) });
        if (answer.type === "opaqueredirect") return { id, wrong: "took a text of 30,000 characters" };
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        if (answer.status !== 422) return { id, wrong: `answered ${answer.status}: ${page.querySelector("h1")?.textContent}` };
        const missing = texts.slice(1).map((text, place) => ({ name: named(text), value: `typed ${place + 1}` }));
        const back = (name: string, value: string): boolean => [...page.querySelectorAll<HTMLInputElement | HTMLTextAreaElement>(`[name="${name}"]`)].some((e) => (e instanceof HTMLTextAreaElement ? e.textContent : e.getAttribute("value"))?.includes(value));
        const lost = missing.filter(({ name, value }) => !back(name, value)).map(({ name }) => name);
        if (!back(named(texts[0]), "w".repeat(200))) lost.unshift(named(texts[0]));
        if (lost.length > 0) return { id, wrong: `lost ${lost.join(", ")}` };
        if (!page.querySelector("[role=alert], .field-fault, [aria-invalid=true]")) return { id, wrong: "no fault is shown" };
        return { id, wrong: "" };
      },
      { n, kind, known: [...sent], long: LONG },
    );
    if (!said) continue;
    sent.add(said.id);
    if (said.wrong) wrong.push(`${said.id}: ${said.wrong}`);
  }
  return wrong;
}
