// The portal on Cloudflare Pages, emulated locally: its Function forwards /api to the served product.
import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { findFreePort } from "../../bench/free-port.ts";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { PORTAL_CSP } from "../../src/service/portal-policy.ts";
import { served } from "./served-product.ts";
import { killGroup } from "./server.ts";

/** Outside the project, whose wrangler.toml is the Worker's. */
const site = mkdtempSync(join(tmpdir(), "edgecare-pages-"));
let pages: ChildProcess | undefined;
let url = "";

beforeAll(async () => {
  cpSync("portal/functions", join(site, "functions"), { recursive: true });
  cpSync("dist/portal", join(site, "dist"), { recursive: true });
  writeFileSync(join(site, "wrangler.toml"), readFileSync("portal/wrangler.toml", "utf8").replace('"../dist/portal"', '"dist"'));
  const port = String(await findFreePort());
  url = `http://localhost:${port}`;
  pages = spawn(
    resolve("node_modules/.bin/wrangler"),
    ["pages", "dev", "--ip", "127.0.0.1", "--port", port, "--inspector-port", "0"],
    {
      cwd: site,
      detached: true,
      env: {
        ...process.env,
        CLOUDFLARE_CF_FETCH_ENABLED: "false",
        WRANGLER_SEND_METRICS: "false",
        // Other servers on this machine use the same name.
        WRANGLER_REGISTRY_PATH: served.shared.registry,
      },
      stdio: "ignore",
    },
  );
  while (!(await reaches("/api/v1/auth/me"))) await new Promise((wake) => setTimeout(wake, 300));
}, 180_000);

afterAll(async () => {
  if (pages) await killGroup(pages, url);
  rmSync(site, { recursive: true, force: true });
});

/** The Function responds, and so does the Worker behind it. */
const reaches = (path: string) =>
  fetch(url + path).then(
    ({ status }) => status === 401,
    () => false,
  );

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(url + path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: url, ...headers },
    body: JSON.stringify(body),
  });

it("shows the same page at every address of the portal, under the same policy", async () => {
  for (const path of ["/", "/ward", "/patients/0193a5b0-0000-7000-8000-000000000001/vitals"]) {
    const answer = await fetch(url + path, { headers: { Accept: "text/html" } });
    expect(answer.headers.get("content-security-policy")).toBe(PORTAL_CSP);
    expect(await answer.text()).toContain('<div id="portal">');
  }
});

it("signs in with a cookie on its own origin, which no other origin may use", async () => {
  const login = await post("/api/v1/auth/login", { email: "nurse@demo.com", password: DEMO_PASSWORD, transport: "cookie" });
  expect(login.status).toBe(200);
  const cookie = login.headers.getSetCookie().find((line) => line.startsWith("__Secure-edgecare_refresh=")) ?? "";
  expect(cookie).toMatch(/HttpOnly; Secure; SameSite=Strict/);
  const [pair = ""] = cookie.split(";");
  expect((await post("/api/v1/auth/refresh", {}, { Cookie: pair, Origin: "https://elsewhere.example" })).status).toBe(403);
  expect((await post("/api/v1/auth/refresh", {}, { Cookie: pair })).status).toBe(200);
});

it("says how the service is", async () => {
  for (const path of ["/health", "/health/ready"]) {
    const { data } = JSON.parse(await (await fetch(url + path)).text());
    expect(data.d1.status).toBe("ok");
  }
});

it("opens a live view through the Function", async () => {
  const login = await post("/api/v1/auth/login", { email: "nurse@demo.com", password: DEMO_PASSWORD });
  const { data: session } = JSON.parse(await login.text());
  const issued = await post("/api/v1/live/tickets", {}, { Authorization: `Bearer ${session.access_token}` });
  const { data: ticket } = JSON.parse(await issued.text());
  // As the portal does; the ticket's own URL names the origin of the service's configuration.
  const socket = new WebSocket(`${url.replace("http", "ws")}/api/v1/live?ticket=${ticket.ticket}`);
  const first = await new Promise<string>((resolve, reject) => {
    socket.addEventListener("message", ({ data }) => resolve(String(data)));
    socket.addEventListener("close", ({ code }) => reject(new Error(`closed with ${code}`)));
  });
  expect(JSON.parse(first).type).toBe("snapshot");
  socket.close();
});
