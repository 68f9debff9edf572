// Walks every page that a role can reach, in every language: axe in light and dark, the smallest phone, the console.
import { accessible, expect, fitsASmallPhone, type Role, signIn, test, watch } from "../support/test";

const LANGUAGES = ["en", "es", "it", "hi", "lt"];
const ROLES: (Role | "guest")[] = ["guest", "customer", "owner", "member", "trainer", "technician", "agent", "manager", "admin"];

/** Where the walk begins; all else is found by following links. */
const DOORS: Record<string, string[]> = {
  guest: ["/", "/sign-in", "/sign-in/code", "/training", "/help", "/no/such/page", "/demo/mail"],
  portal: ["/", "/purchases", "/purchases/register", "/repairs", "/repairs/new", "/training", "/training/mine", "/help", "/cases", "/cases/new", "/inbox", "/account"],
  desk: ["/desk", "/account", "/inbox"],
};

/** How many pages of one kind (purchases, repairs…) are looked at: they differ by state. In the first language, that is. */
const OF_A_KIND = 2;

/** What looks alike to everyone is walked by the customer alone. */
const SHARED = ["/demo/mail", "/demo/mail/*", "/sign-in", "/sign-in/code"];

test.describe.configure({ mode: "parallel" });

for (const role of ROLES) {
  for (const language of LANGUAGES) {
    // A member's pages are the owner's with less on them, an administrator's the manager's.
    if (language !== "en" && (role === "member" || role === "admin")) continue;
    test(`${role}, ${language}: every page is accessible and fits`, async ({ page, context, server }) => {
      test.setTimeout(600_000);
      if (role !== "guest") await signIn(context, server, role);
      await page.goto("/sign-in");
      await speak(page, language);

      const kinds = new Map<string, number>();
      const queue = [...DOORS[role === "guest" ? "guest" : ["customer", "owner", "member"].includes(role) ? "portal" : "desk"]];
      const seen = new Set<string>();
      const problems: string[] = [];
      const trouble = watch(page);
      while (queue.length > 0) {
        const path = queue.shift() ?? "/";
        const kind = kindOf(path);
        if (seen.has(path) || (kinds.get(kind) ?? 0) >= (language === "en" ? OF_A_KIND : 1)) continue;
        if (SHARED.includes(kind) && role !== "guest" && role !== "customer") continue;
        seen.add(path);
        kinds.set(kind, (kinds.get(kind) ?? 0) + 1);

        const answer = await page.goto(path);
        const type = answer?.headers()["content-type"] ?? "";
        if (!type.includes("text/html")) continue;
        if ((answer?.status() ?? 500) >= 500 || (answer?.status() === 404 && !path.startsWith("/no/"))) problems.push(`${answer?.status()} ${path}`);
        const doubt = async (check: Promise<void>) => check.catch((error: Error) => problems.push(error.message.replaceAll(/\u001b\[[0-9;]*m/g, "")));
        if ((await page.locator("html").getAttribute("lang")) !== language) problems.push(`not in ${language}: ${path}`);
        await doubt(accessible(page));
        await doubt(fitsASmallPhone(page));
        const links = await page.locator("a[href^='/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
        queue.push(...links.map((href) => href.split("#")[0]).filter((href) => href && !/\.(ics|png|jpe?g|webp|csv|json|webmanifest)(\?|$)/.test(href) && !href.startsWith("/assets/") && !href.startsWith("/calendar/")));
      }
      await test.info().attach("pages", { body: [...seen].join("\n"), contentType: "text/plain" });
      expect([...problems, ...trouble]).toEqual([]);
    });
  }
}

/** `/repairs/RMA-7K3D-2Q` and `/repairs/RMA-9A1B-3C` are of one kind. */
function kindOf(path: string): string {
  const [bare, query = ""] = path.split("?");
  const kind = bare.split("/").map((part) => (/\d/.test(part) && part.length >= 4 ? "*" : part)).join("/");
  const names = [...new URLSearchParams(query).keys()].sort().join("&");
  return names ? `${kind}?${names}` : kind;
}

async function speak(page: import("@playwright/test").Page, language: string): Promise<void> {
  await page.goto("/account");
  await page.locator("#language").selectOption(language);
  await page.locator(".language-menu button").click();
  await expect(page.locator("html")).toHaveAttribute("lang", language);
}
