// The portal in a real browser, against the product as `npm start` serves it. One after another: tests share one server.
import { defineConfig } from "@playwright/test";

/** A server that runs already, for those who write pages; the tests then neither build nor end it. */
const elsewhere = process.env["EDGECARE_URL"];

/** Times more than usual that a page may take, on a machine that does something else too. What is promised to people stays. */
const patience = Number(process.env["PATIENCE"] ?? 1);

export default defineConfig({
  testDir: "test/browser",
  outputDir: "test-results",
  testMatch: "**/*.spec.ts",
  // These end the server.
  ...(elsewhere && { testIgnore: "**/restart.spec.ts" }),
  globalSetup: "./test/browser/product.ts",
  workers: 1,
  // A machine that is shared may be busy for a second in which a number must be on the screen; the summary names what needed two tries.
  retries: process.env["CI"] ? 1 : 0,
  forbidOnly: true,
  timeout: 60_000 * patience,
  expect: { timeout: 10_000 * patience },
  reporter: process.env["CI"] ? [["list"], ["./test/browser/summary.ts"]] : "list",
  use: {
    locale: "en-IN",
    timezoneId: "Asia/Kolkata",
    viewport: { width: 1366, height: 768 },
    trace: "retain-on-failure",
    launchOptions: {
      executablePath: process.env["CHROMIUM"] ?? "/usr/bin/chromium",
      args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"],
    },
  },
});
