// Walks every page that a role can reach, in every language: axe in light and dark, the smallest phone, the console.
import type { Page } from "@playwright/test";
import { accessible, expect, fitsASmallPhone, type Role, signIn, test, watch } from "../support/test";

const LANGUAGES = ["en", "es", "it", "hi", "lt"];

type Reader = Role | "guest";

/**
 * Who walks one after the other; each looks only at what nobody before them saw. In the first language everybody walks
 * alone, since one page has other buttons for another role; what a language can spoil is the same for all of them.
 */
const PARTIES: Record<string, Reader[][]> = {
  en: [["manager"], ["guest"], ["customer"], ["owner"], ["member"], ["trainer"], ["technician"], ["agent"], ["admin"]],
  other: [
    ["manager", "trainer", "technician", "agent"],
    ["customer", "owner"],
    ["guest"],
  ],
};

/** Where the walk begins, a role's own first page before all; all else is found by following links. */
const DOORS: Record<string, string[]> = {
  guest: ["/", "/sign-in", "/sign-in/code", "/sign-in/link/long-over", "/training", "/help", "/no/such/page", "/demo/mail"],
  portal: ["/", "/purchases", "/purchases/register", "/repairs", "/repairs/new", "/training", "/training/mine", "/help", "/cases", "/cases/new", "/inbox", "/account"],
  desk: ["/desk", "/account", "/inbox", "/desk/reports"],
};

/**
 * Whose pages differ most by state: of each kind they look at two, in the first language; of a purchase, a repair, a class
 * and a case they open many more, and look at every one that has another shape.
 */
const CURIOUS: Reader[] = ["customer", "trainer", "technician", "manager"];
const STATEFUL = /^\/(desk\/)?(purchases|repairs|training|classes|cases)\/\*$/;
const OPENED = 20;
const SHAPES = 6;

/** What looks alike to everyone is walked by the customer alone. */
const SHARED = ["/demo/mail", "/demo/mail/*", "/sign-in", "/sign-in/code"];

test.describe.configure({ mode: "parallel" });

for (const language of LANGUAGES) {
  for (const party of PARTIES[language] ?? PARTIES.other) {
    test(`${party.join(", ")}, ${language}: every page is accessible and fits`, async ({ page, context, server }) => {
      test.setTimeout(900_000);
      const seen = new Map<string, number>();
      const problems: string[] = [];
      const trouble = watch(page);
      for (const role of party) {
        if (role === "guest") await context.clearCookies();
        else await signIn(context, server, role);
        await page.goto("/sign-in");
        await speak(page, language);
        problems.push(...(await walk(page, role, language, seen)));
      }
      await test.info().attach("pages", { body: [...seen.keys()].join("\n"), contentType: "text/plain" });
      expect([...problems, ...trouble]).toEqual([]);
    });
  }
}

/** Looks at every kind of page that a role can reach and that is not in `seen` yet; answers with what is wrong. */
async function walk(page: Page, role: Reader, language: string, seen: Map<string, number>): Promise<string[]> {
  const problems: string[] = [];
  const doors = DOORS[role === "guest" ? "guest" : ["customer", "owner", "member"].includes(role) ? "portal" : "desk"];
  const curious = language === "en" && CURIOUS.includes(role);
  const most = curious ? 2 : 1;
  const opened = new Map<string, number>();
  const shapes = new Map<string, Set<string>>();
  const queue = [...doors];
  const been = new Set<string>();
  while (queue.length > 0) {
    const path = queue.shift() ?? "/";
    const kind = kindOf(path);
    // Everybody has a first page of their own. The other doors are opened in any case, for the ways behind them.
    const known = path !== doors[0] && (seen.get(kind) ?? 0) >= most;
    const more = curious && STATEFUL.test(kind) && (opened.get(kind) ?? 0) < OPENED;
    if (been.has(path) || (known && !more && !doors.includes(path))) continue;
    if (SHARED.includes(kind) && role !== "guest" && role !== "customer") continue;
    been.add(path);

    const answer = await page.goto(path);
    const type = answer?.headers()["content-type"] ?? "";
    if (!type.includes("text/html")) continue;
    const links = await page.locator("a[href^='/']:not([download])").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
    queue.push(...links.map((href) => href.split("#")[0]).filter((href) => href && !/\.(ics|png|jpe?g|webp|csv|json|webmanifest)(\?|$)/.test(href) && !href.startsWith("/assets/") && !href.startsWith("/calendar/")));
    opened.set(kind, (opened.get(kind) ?? 0) + 1);
    const known_shapes = shapes.get(kind) ?? new Set<string>();
    const shape = await shapeOf(page);
    if (known && (!curious || known_shapes.has(shape) || known_shapes.size >= SHAPES)) continue;
    shapes.set(kind, known_shapes.add(shape));
    seen.set(kind, (seen.get(kind) ?? 0) + 1);
    if ((answer?.status() ?? 500) >= 500 || (answer?.status() === 404 && !path.startsWith("/no/"))) problems.push(`${answer?.status()} ${path}`);
    const doubt = async (check: Promise<void>) => check.catch((error: Error) => problems.push(`${role}: ${error.message.replaceAll(/\u001b\[[0-9;]*m/g, "")}`));
    if ((await page.locator("html").getAttribute("lang")) !== language) problems.push(`not in ${language}: ${path}`);
    await doubt(accessible(page));
    await doubt(fitsASmallPhone(page));
  }
  return problems;
}

/** What a page is made of: its forms, badges and alerts. A class that is full has another shape than one that is over. */
async function shapeOf(page: Page): Promise<string> {
  const parts = await page.locator("main :is(form[id], .badge, .alert, .empty, .periods, .timeline)").evaluateAll((all) => all.map((e) => `${(e.getAttribute("id") ?? "").replace(/-?[0-9a-f]{8}.*/, "")} ${e.getAttribute("class") ?? ""} ${e.getAttribute("data-tone") ?? ""}`));
  return [...new Set(parts)].sort().join("|");
}

/** `/repairs/RMA-7K3D-2Q` and `/repairs/RMA-9A1B-3C` are of one kind. */
function kindOf(path: string): string {
  const [bare, query = ""] = path.split("?");
  const kind = bare.split("/").map((part) => (/\d/.test(part) && part.length >= 4 ? "*" : part)).join("/");
  const names = [...new URLSearchParams(query).keys()].sort().join("&");
  return names ? `${kind}?${names}` : kind;
}

async function speak(page: Page, language: string): Promise<void> {
  await page.goto("/account");
  await page.locator("#language").selectOption(language);
  await page.locator(".language-menu button").click();
  await expect(page.locator("html")).toHaveAttribute("lang", language);
}
