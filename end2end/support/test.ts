import { type BrowserContext, type ConsoleMessage, type Page, test as base, expect } from "@playwright/test";
import axe from "axe-core";
import { Server } from "./server";

export { expect };

export type Role = "customer" | "owner" | "member" | "trainer" | "technician" | "agent" | "manager" | "admin";

type PerWorker = {
  server: Server;
  /** A file that says a word of its own has a server, with all its questions still open, of its own. */
  apart: string;
};
type PerTest = {
  /** Steps into a demo account, as the bar on top of the demo does. */
  as: (role: Role) => Promise<void>;
  scripts: boolean;
  /** Whether the browser gets the wasm that it asks for. */
  wasm: boolean;
};

export const test = base.extend<PerTest, PerWorker>({
  apart: ["", { option: true, scope: "worker" }],
  server: [
    async ({}, use) => {
      const server = await Server.start(process.env.AFTERCARE_E2E_SEED);
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
  baseURL: async ({ server }, use) => use(server.url),
  scripts: async ({ javaScriptEnabled }, use) => use(javaScriptEnabled !== false),
  wasm: [true, { option: true }],
  as: async ({ context, server }, use) => use((role) => signIn(context, server, role)),
  // Nothing may be said on the console, thrown, refused by the security policy, or fail to load.
  page: async ({ page, server, wasm }, use, info) => {
    const trouble = watch(page, wasm ? () => false : blocked);
    if (!wasm) await withoutWasm(page);
    await use(page);
    if (info.status !== "passed") await info.attach("server", { body: server.tail(), contentType: "text/plain" });
    expect(trouble, "console, errors, security policy").toEqual([]);
    if (!wasm) await expect(page.locator("html[data-alive]"), "islands without wasm").toHaveCount(0);
  },
});

export async function signIn(context: BrowserContext, server: Server, role: Role): Promise<void> {
  const answer = await server.post("/demo/sign-in", { as: role });
  expect(answer.status, "stepping into a role").toBe(303);
  await context.clearCookies();
  for (const cookie of answer.headers.getSetCookie()) {
    const [pair] = cookie.split(";");
    const at = pair.indexOf("=");
    await context.addCookies([{ name: pair.slice(0, at), value: pair.slice(at + 1), url: server.url }]);
  }
}

export function watch(page: Page, allowed: (message: ConsoleMessage) => boolean = () => false): string[] {
  const trouble: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type()) && !expected(message.text()) && !allowed(message)) trouble.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => {
    // The browser says when it gives up turning one page into the next: the window changed, the next page came too soon or
    // too late. The pages themselves are none the worse.
    if (!/^Transition was (aborted|skipped)/.test(error.message)) trouble.push(`thrown: ${error.message}`);
  });
  page.on("response", (response) => {
    if (response.status() >= 500) trouble.push(`${response.status()} ${response.url()}`);
  });
  return trouble;
}

/** Chromium itself notes every answer of 4xx to a page that was asked for; 422 and 404 pages are part of the product. */
function expected(text: string): boolean {
  return /the server responded with a status of 4(03|04|09|10|22)/.test(text);
}

const COLOURS = ["color-contrast", "link-in-text-block"];
/** Blocked in the network stack: a route of Playwright's would hold up every other request, too. */
async function withoutWasm(page: Page): Promise<void> {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Network.enable");
  await devtools.send("Network.setBlockedURLs", { urls: ["*.wasm"] });
}

/** What a wasm that does not come leaves on the console: the browser's own line, and boot.js saying that it goes on. */
function blocked(message: ConsoleMessage): boolean {
  return message.location().url.endsWith(".wasm") || message.text().startsWith("The islands stay still:");
}

const RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];

/** No violation of WCAG 2.2 A and AA, in light and in dark. */
export async function accessible(page: Page): Promise<void> {
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await settled(page);
    // The theme changes nothing but colours.
    const look = () => violations(page, colorScheme === "light" ? { type: "tag", values: RULES } : { type: "rule", values: COLOURS });
    let found = await look();
    // On a busy machine a part of the page may be repainted in the other theme a frame late; what is wrong stays wrong.
    if (found.length > 0) {
      await settled(page);
      found = await look();
    }
    const said = found.map((v) => `${v.id}: ${v.nodes.map((n) => `${n.html.slice(0, 160)} ${n.any[0]?.message ?? ""}`).slice(0, 3).join(" | ")}`);
    expect(said, `axe, ${colorScheme}, ${page.url()}`).toEqual([]);
  }
}

/** Our pages have no frames: axe runs in the page itself, once there for both themes, which takes half the time of its driver. */
async function violations(page: Page, runOnly: axe.RunOnly): Promise<axe.Result[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axe.source);
  return page.evaluate(async (only) => {
    const found = await (window as unknown as { axe: typeof axe }).axe.run(document, { runOnly: only, resultTypes: ["violations"] });
    return found.violations;
  }, runOnly);
}

/** Two frames painted, and nothing moves any more; what a page that is left alone still calls moving after two seconds does not count. */
async function settled(page: Page): Promise<void> {
  await page.evaluate(
    () =>
      new Promise<void>((done) => {
        let frames = 0;
        const look = () => {
          frames += 1;
          const moves = document.getAnimations().some((animation) => animation.playState === "running");
          if (frames >= 2 && (!moves || frames > 120)) done();
          else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
      }),
  );
}

/** Nothing sticks out of a phone of 320 px, and everything one taps is 44 px tall. */
export async function fitsASmallPhone(page: Page): Promise<void> {
  const before = page.viewportSize();
  await page.setViewportSize({ width: 320, height: 640 });
  const found = await page.evaluate(() => {
    const small: string[] = [];
    const wide: string[] = [];
    for (const e of document.querySelectorAll<HTMLElement>("a, button, input, select, textarea, summary, label.choice, label.star, label.checkbox")) {
      const box = e.getBoundingClientRect();
      const look = getComputedStyle(e);
      if (box.width <= 1 || box.height <= 1 || look.visibility === "hidden" || look.display === "inline" || e.closest(".skip-link, [hidden]")) continue;
      if (e.matches("label input")) continue;
      if (box.height < 43.5) small.push(`${e.outerHTML.slice(0, 100)} ${Math.round(box.width)}×${Math.round(box.height)}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) {
      for (const e of document.querySelectorAll<HTMLElement>("main *, header *, footer *")) {
        if (e.getBoundingClientRect().right > innerWidth + 1) wide.push(e.outerHTML.slice(0, 120));
      }
      wide.push(`page: ${document.documentElement.scrollWidth} px`);
    }
    return { small, wide: wide.slice(0, 4) };
  });
  if (before) await page.setViewportSize(before);
  expect(found, `at 320 px, ${page.url()}`).toEqual({ small: [], wide: [] });
}
