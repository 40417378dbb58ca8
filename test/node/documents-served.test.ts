// The commands of docs/documents.md, as printed, against the served product.
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { served } from "./served-product.ts";
import { bash, missingOf } from "./shell.ts";

// biome-ignore lint/suspicious/noExplicitAny: a test that reads a wrong field fails.
type Json = any;

async function send(path: string, json: object, token = ""): Promise<Json> {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${served.shared.url}/api/v1${path}`, { method: "POST", headers, body: JSON.stringify(json) });
  expect(response.ok, `${path}: ${response.status}`).toBe(true);
  return ((await response.json()) as Json).data;
}

/** A nurse of the demo hospital. */
async function newNurse(): Promise<{ email: string; password: string }> {
  const { access_token } = await send("/auth/login", { email: "adm@demo.com", password: DEMO_PASSWORD });
  const headers = { Authorization: `Bearer ${access_token}` };
  const hospitals = (await (await fetch(`${served.shared.url}/api/v1/hospitals?limit=100`, { headers })).json()) as Json;
  const demo = hospitals.data.find(({ name }: { name: string }) => name === "Demo General Hospital");
  const email = `nurse-${crypto.randomUUID()}@example.org`;
  const password = "lanterns over seven hills";
  const { token } = await send("/users/invite", { email, role: "nurse", hospital_id: demo.hospital_id }, access_token);
  await send("/auth/invitations/accept", { token, password, full_name: "Nila Rao" });
  return { email, password };
}

it("docs/documents.md documents what the service does", async ({ skip }) => {
  const missing = await missingOf(["curl", "jq"]);
  skip(missing.length > 0, `this machine has no ${missing.join(", ")}`);
  const blocks = [...readFileSync("docs/documents.md", "utf8").matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks.length).toBeGreaterThan(3);
  // Other tests act as the demo's nurse, who has only so many requests a minute.
  const { email, password } = await newNurse();
  const commands = blocks
    .join("\n")
    .replace('"email":"nurse@demo.com","password":"password123"', `"email":"${email}","password":"${password}"`)
    .replaceAll("http://localhost:8787", served.shared.url);
  expect(commands).toContain(email);
  const run = await bash(`set -euo pipefail\n${commands}`);
  expect(run.status, run.stderr + run.stdout).toBe(0);
  expect(run.stdout.trim().split("\n")).toEqual([
    "current: Discharge after pneumonia, Discharge summary, text/plain",
    "version 1: superseded",
    "version 2: current",
    "precondition_failed",
    "Discharge after pneumonia",
    "1",
    "entered-in-error: Belongs to another patient",
    "true",
    "requested, Discharge summary",
    "cancelled",
  ]);
});
