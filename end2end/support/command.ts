import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "@playwright/test";
import { binary, type Server } from "./server";

/** Runs a command of the product beside its running server; answers with what it printed. */
export function command(server: Server, ...args: string[]): string {
  const env = { ...process.env, AFTERCARE_DATA_DIR: server.data, AFTERCARE_PUBLIC_URL: server.url };
  return execFileSync(binary, args, { encoding: "utf8", env });
}

/** Imports purchases, written as lines below this header. */
export const HEADER = "order_number,customer_email,customer_name,purchased_on,delivered_on,product_name,kind,customer_country,serial_number,warranty_months";

export function importPurchases(server: Server, name: string, rows: string[]): void {
  const file = join(server.data, `${name}.csv`);
  writeFileSync(file, [HEADER, ...rows].join("\n"));
  command(server, "import", "purchases", file);
}

/** Signs somebody in who is no account of the demo, by a link of the operator's. */
export async function enterAs(page: Page, context: BrowserContext, server: Server, email: string): Promise<void> {
  const link = /http\S+/.exec(command(server, "sign-in-link", email))?.[0] ?? "";
  await context.clearCookies();
  await page.goto(link);
  await page.getByRole("main").getByRole("button").click();
}

/** The newest letter in the demo's mail whose text fits, opened in a page of its own and closed again. */
export async function newestLetter(page: Page, fits: RegExp): Promise<{ text: string; links: string[] }> {
  const mail = await page.context().newPage();
  await mail.goto("/demo/mail");
  const letters = await mail.locator("main a[href^='/demo/mail/']").evaluateAll((all) => all.map((a) => a.getAttribute("href") ?? ""));
  for (const letter of letters.slice(0, 10)) {
    await mail.goto(letter);
    const text = await mail.locator("main").innerText();
    const links = await mail.locator("main a").evaluateAll((all) => all.map((a) => (a as HTMLAnchorElement).href));
    if (fits.test(text)) {
      await mail.close();
      return { text, links };
    }
  }
  throw new Error(`no letter says ${fits}`);
}
