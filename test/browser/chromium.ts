// The browser of the tests.
import { existsSync } from "node:fs";

/** Chromium without a window: the same engine, at half the CPU time of the whole browser, which draws a window per context. */
const HEADLESS_SHELL = "/usr/bin/chromium-headless-shell";
/** Has what the shell lacks: notifications. */
export const WHOLE_BROWSER = "/usr/bin/chromium";

/** `CHROMIUM`, or the headless shell if it is installed. */
export const findChromium = (): string =>
  process.env["CHROMIUM"] ?? (existsSync(HEADLESS_SHELL) ? HEADLESS_SHELL : WHOLE_BROWSER);
