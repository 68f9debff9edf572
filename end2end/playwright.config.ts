import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { defineConfig, devices } from "@playwright/test";

const chromium = execFileSync(fileURLToPath(new URL("support/chromium.sh", import.meta.url)), { encoding: "utf8" }).trim();

const browser = {
  launchOptions: {
    executablePath: chromium,
    args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  },
};

const phone = { ...devices["Pixel 7"], viewport: { width: 390, height: 844 }, ...browser };
const desktop = { viewport: { width: 1280, height: 800 }, ...browser };

/** What looks at every page by itself: on a desk only. */
const ONCE = ["shared/pages.spec.ts", "shared/mail.spec.ts", "shared/typed.spec.ts"];
/** What looks at the executable that operators install: `make test-release`, by which alone AFTERCARE_BIN is set. */
const RELEASE = ["shared/release.spec.ts"];

/**
 * Every journey runs three times: on a phone, on a desk, and without scripts; what customers do a fourth time, with
 * scripts whose wasm never comes. Each worker has a server of its own.
 */
export default defineConfig<{ wasm: boolean }>({
  testDir: ".",
  testMatch: "**/*.spec.ts",
  globalSetup: "./support/seed.ts",
  fullyParallel: false,
  workers: 2,
  // A fresh browser and a fresh server for what failed; what passes then is still listed as flaky.
  retries: 1,
  timeout: 90_000,
  expect: { timeout: 8_000 },
  reporter: [["list"]],
  outputDir: "test-results",
  // Pages turn into each other without a movement that a test would have to wait for; steady.alive.spec.ts has it on.
  use: { contextOptions: { reducedMotion: "reduce" }, locale: "en-GB", timezoneId: "Europe/Vilnius", screenshot: "only-on-failure", trace: process.env.TRACE ? "on" : "off", actionTimeout: 10_000, navigationTimeout: 20_000 },
  projects: [
    { name: "phone", use: phone, testIgnore: [...ONCE, ...RELEASE] },
    { name: "desktop", use: desktop, testIgnore: [...ONCE, ...RELEASE] },
    { name: "no-js", use: { ...phone, javaScriptEnabled: false }, testIgnore: [...ONCE, ...RELEASE, "**/*.alive.spec.ts"] },
    { name: "no-wasm", use: { ...phone, wasm: false }, testMatch: ["customer/**/*.spec.ts"], testIgnore: ["**/*.alive.spec.ts"] },
    { name: "pages", use: desktop, testMatch: ONCE },
    ...(process.env.AFTERCARE_BIN ? [{ name: "release", use: phone, testMatch: [...RELEASE, "**/*.alive.spec.ts"] }] : []),
  ],
});
