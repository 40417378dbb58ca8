// The portal in a real browser, against the product as `npm start` serves it. Two workers share one server; each has a hospital of its own.
import { defineConfig } from "@playwright/test";
import { patiently } from "./test/browser/extent.ts";

/** A server that runs already, for those who write pages; the tests then neither build nor end it. */
const elsewhere = process.env["EDGECARE_URL"];

export default defineConfig({
  testDir: "test/browser",
  outputDir: "test-results",
  testMatch: "**/*.spec.ts",
  // These end the server.
  ...(elsewhere && { testIgnore: "**/restart.spec.ts" }),
  globalSetup: "./test/browser/product.ts",
  workers: 2,
  retries: 0,
  forbidOnly: true,
  timeout: patiently(60_000),
  expect: { timeout: patiently(10_000) },
  reporter: [["list"], ["./test/browser/summary.ts"]],
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
