// The audit log of a served product, from a nurse's read to the command that names a changed byte.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { isSigned, parseCheckpoint } from "../../verifier/note.ts";
import { verifyInclusion } from "../../verifier/tree.ts";
import { served } from "./served-product.ts";
import { createStateFolder, deleteStateFolder, newDemoState, type Server, startServer } from "./server.ts";

const state = newDemoState(served.demo);
const changed = createStateFolder();
let server: Server;

// biome-ignore lint/suspicious/noExplicitAny: the test asserts the response field by field.
async function ask(path: string, token: string, json?: object): Promise<any> {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const response = await fetch(`${server.url}/api/v1${path}`, {
    headers,
    ...(json && { method: "POST", body: JSON.stringify(json) }),
  });
  return { status: response.status, requestId: response.headers.get("X-Request-Id"), ...JSON.parse(await response.text()) };
}
const logIn = async (email: string): Promise<string> =>
  (await ask("/auth/login", "", { email, password: DEMO_PASSWORD })).data.access_token;

beforeAll(async () => {
  server = await startServer(state, { demo: false, build: false });
});
afterAll(async () => {
  await server.kill().catch(() => undefined);
  for (const folder of [state, changed]) deleteStateFolder(folder);
});

describe("a nurse's read", () => {
  it("is in the patient's own log within 5 s, with a proof that the verifier accepts", async () => {
    const [nurse, patient] = [await logIn("nurse@demo.com"), await logIn("patient@demo.com")];
    const own = (await ask("/patients", patient)).data[0];
    const read = await ask(`/patients/${own.patient_id}`, nurse);
    expect(read.status).toBe(200);
    const answeredAt = Date.now();
    const findRead = async () =>
      (await ask("/audit-events?event=patient.read", patient)).data.find(
        ({ request_id }: { request_id: string }) => request_id === read.requestId,
      );
    await expect.poll(findRead, { interval: 250, timeout: 5_000 }).toMatchObject({ outcome: "success", purpose: "TREAT" });
    expect(Date.now() - answeredAt).toBeLessThan(5_000);

    const { data: proof } = await ask(`/audit-events/${(await findRead()).id}/proof`, patient);
    expect(await isSigned(proof.checkpoint, [proof.verifier_key])).toBe(true);
    const checkpoint = parseCheckpoint(proof.hospital_id, proof.checkpoint);
    const leaf = Buffer.from(proof.leaf, "base64");
    const leafHash = new Uint8Array(createHash("sha256").update("\0").update(leaf).digest());
    const hashes = proof.hashes.map((hash: string) => new Uint8Array(Buffer.from(hash, "base64")));
    const root = checkpoint?.root ?? new Uint8Array();
    expect(verifyInclusion(proof.index, checkpoint?.size ?? 0, leafHash, hashes, root)).toBe(true);
    const subject = createHash("sha256").update(Buffer.from(proof.subject.salt, "base64url")).update(own.patient_id);
    expect(JSON.parse(leaf.toString()).subjects).toContain(subject.digest("base64url"));
    const other = new Uint8Array(createHash("sha256").update("\0").update("another leaf").digest());
    expect(verifyInclusion(proof.index, checkpoint?.size ?? 0, other, hashes, root)).toBe(false);
  });
});

describe("edgecare audit verify", () => {
  const verify = (folder: string) => {
    const args = ["cli/edgecare.mjs", "audit", "verify", join(folder, "v3"), "--keys", ".dev.vars"];
    const { status, stdout, stderr } = spawnSync("node", args, { encoding: "utf8" });
    return { status, output: stdout + stderr };
  };

  it("finds the logs of the server's folder intact, and names the event of a changed row or file", async () => {
    await server.kill();
    const intact = verify(state);
    expect(intact).toEqual({ status: 0, output: expect.stringMatching(/: intact \([1-9]/) });
    expect(intact.output).not.toMatch(/edited|deleted|inserted/);

    cpSync(state, changed, { recursive: true });
    const files = globSync("v3/do/*-AuditLog/*.sqlite", { cwd: changed }).filter((file) => !file.includes("metadata"));
    const { file, seq } = changeRow(files.map((name) => join(changed, name)));
    expect(verify(changed)).toEqual({ status: 1, output: expect.stringContaining(`edited at event ${seq}`) });

    cpSync(join(state, "v3"), join(changed, "v3"), { recursive: true, force: true });
    expect(file).not.toBe("");
    expect(verify(changed).status).toBe(0);
    const key = changeBlob();
    expect([key, verify(changed)]).toEqual([
      key,
      { status: 1, output: expect.stringMatching(/: (tile_changed|checkpoint_replaced|unreadable|edited)/) },
    ]);
  });

  /** Changes the reader's role in one open row. */
  function changeRow(files: readonly string[]): { file: string; seq: number } {
    for (const file of files) {
      const db = new DatabaseSync(file);
      try {
        if (!db.prepare("SELECT 1 FROM sqlite_master WHERE name = 'entries'").get()) continue;
        const row = db.prepare('SELECT seq FROM entries WHERE event LIKE \'%"role":"nurse"%\' LIMIT 1').get();
        if (!row) continue;
        const seq = Number(row["seq"]);
        db.prepare('UPDATE entries SET event = replace(event, \'"role":"nurse"\', \'"role":"doctor"\') WHERE seq = ?').run(seq);
        return { file, seq };
      } finally {
        db.close();
      }
    }
    return { file: "", seq: -1 };
  }

  /** Changes the first byte of the newest object of a log in the local bucket. @returns its key */
  function changeBlob(): string {
    for (const name of globSync("v3/r2/miniflare-R2BucketObject/*.sqlite", { cwd: changed })) {
      if (name.includes("metadata")) continue;
      const db = new DatabaseSync(join(changed, name));
      const row = db.prepare("SELECT key, blob_id FROM _mf_objects WHERE key LIKE 'tlog/%/tile/%' ORDER BY key LIMIT 1").get();
      db.close();
      const [blob] = row ? globSync(`v3/r2/*/blobs/${row["blob_id"]}`, { cwd: changed }) : [];
      if (!row || !blob) continue;
      const bytes = readFileSync(join(changed, blob));
      bytes[0] = (bytes[0] ?? 0) ^ 1;
      writeFileSync(join(changed, blob), bytes);
      return String(row["key"]);
    }
    return "";
  }
});
