// Builds the portal to dist/portal, including the headers for Cloudflare Pages.
import { writeFileSync } from "node:fs";
import { build } from "vite";
import { PORTAL_CSP, PUSH_WORKER_CSP } from "../src/service/portal-policy.ts";

/** Files whose names contain no hash are asked for again each time. */
const HEADERS = `/*
  Content-Security-Policy: ${PORTAL_CSP}
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
  Cross-Origin-Resource-Policy: same-origin
  Strict-Transport-Security: max-age=31536000; includeSubDomains
/portal/*
  Cache-Control: public, max-age=31536000, immutable
${[
  "boot.js",
  "push-worker.js",
  "manifest.webmanifest",
  "icon.svg",
  "icon-180.png",
  "icon-192.png",
  "icon-512.png",
  "badge-96.png",
]
  .map((name) => `/portal/${name}\n  ! Cache-Control\n  Cache-Control: no-cache\n`)
  .join("")}/portal/push-worker.js
  ! Content-Security-Policy
  Content-Security-Policy: ${PUSH_WORKER_CSP}
`;

export async function buildPortal() {
  // Under another NODE_ENV, such as that of tests, Vite would pack React's development build.
  const nodeEnv = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await build({ configFile: "portal/vite.config.ts", logLevel: "warn" });
  } finally {
    if (nodeEnv === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = nodeEnv;
  }
  writeFileSync("dist/portal/_headers", HEADERS);
}

if (import.meta.main) await buildPortal();
