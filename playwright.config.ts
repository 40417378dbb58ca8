// Playwright configuration: the portal against `npm start`. The workers share one server; each has its own hospital.
import { defineConfig } from "@playwright/test";
import { findChromium } from "./test/browser/chromium.ts";
import { patiently } from "./test/browser/extent.ts";

/** A running server, for development of pages; the tests then neither build nor stop it. */
const elsewhere = process.env["EDGECARE_URL"];

export default defineConfig({
  testDir: "test/browser",
  outputDir: "test-results",
  testMatch: "**/*.spec.ts",
  // These tests stop the server.
  ...(elsewhere && { testIgnore: "**/restart.spec.ts" }),
  globalSetup: "./test/browser/product.ts",
  // One more than the two cores of the budget: many tests wait for alarms, stale values or the clock.
  workers: 3,
  // Until `npm run steady` has passed: a test that needs a second try in CI is named in the summary. Locally there is none.
  retries: process.env["CI"] ? 1 : 0,
  forbidOnly: true,
  timeout: patiently(60_000),
  expect: { timeout: patiently(10_000) },
  reporter: [["list"], ["./test/browser/summary.ts"]],
  use: {
    locale: "en-IN",
    timezoneId: "Asia/Kolkata",
    viewport: { width: 1366, height: 768 },
    // Actions, requests and console of a failed test, and its last screen. Pictures and DOM of every step take much of the
    // browser's CPU time: `npx playwright test --trace on` records them.
    trace: { mode: "retain-on-failure", screenshots: false, snapshots: false },
    screenshot: "only-on-failure",
    launchOptions: {
      executablePath: findChromium(),
      // Hinting to whole pixels, the default of the headless shell, makes text wider than on screens.
      args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--font-render-hinting=none"],
    },
  },
});
