// Builds the portal to dist/portal, including the headers for Cloudflare Pages.
import { writeFileSync } from "node:fs";
import { build } from "vite";
import { PORTAL_CSP } from "../src/service/portal-policy.ts";

const HEADERS = `/*
  Content-Security-Policy: ${PORTAL_CSP}
  X-Content-Type-Options: nosniff
  X-Frame-Options: DENY
  Referrer-Policy: no-referrer
  Cross-Origin-Resource-Policy: same-origin
  Strict-Transport-Security: max-age=31536000; includeSubDomains
/portal/*
  Cache-Control: public, max-age=31536000, immutable
/portal/boot.js
  ! Cache-Control
  Cache-Control: no-cache
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
