// The commands of docs/trust-story.md, as printed, against a product of its own: the story changes secrets and erases a patient.
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createDemoPatients } from "../../cli/demo/people.ts";
import { VERIFY } from "../long.ts";
import { findWords } from "./at-rest.ts";
import { createProjectCopy } from "./project-copy.ts";
import { served } from "./served-product.ts";
import { deleteStateFolder, newDemoState, type Server, startServer } from "./server.ts";
import { bash, type Ended, missingOf } from "./shell.ts";
import { findRows } from "./state-rows.ts";

const missing = await missingOf(["curl", "jq", "timeout"]);
const project = createProjectCopy();
const state = newDemoState(served.demo);
const [former] = createDemoPatients(30).slice(29);
const FORMER_NUMBER = 31;
/** Where ids of an erased patient stay (docs/retention.md), beside the objects of the audit log. */
const KEPT_TABLES = ["audit_staged", "erasures"];

/** The rotation of the keys of all demo data, the last two blocks, runs in `npm run verify`. */
const BLOCKS = VERIFY ? 13 : 11;
/** For a busy machine. */
const PATIENCE_S = 400;

let server: Server;
let story: Ended;

/** Calls the job of each minute all the time. @returns how to stop */
function runCron(url: string): () => void {
  let stopped = false;
  const cron = `${url}/cdn-cgi/local/scheduled?cron=${encodeURIComponent("* * * * *")}`;
  void (async () => {
    while (!stopped) {
      await fetch(cron).catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  })();
  return () => {
    stopped = true;
  };
}

async function runStory(): Promise<Ended> {
  const blocks = [...readFileSync("docs/trust-story.md", "utf8").matchAll(/```bash\n([\s\S]*?)```/g)].map(([, code]) => code);
  expect(blocks).toHaveLength(13);
  const commands = blocks.slice(0, BLOCKS).join("\n").replaceAll("http://localhost:8787", server.url);
  const env = { ...process.env, EDGECARE_STATE: state, PORT: new URL(server.url).port };
  const stopCron = runCron(server.url);
  try {
    writeFileSync(join(project, "story.sh"), `set -euo pipefail\n${commands}`);
    // A step that waits for ever ends with all that it has started, and with what was printed until then.
    return await bash(`exec timeout ${PATIENCE_S} bash story.sh`, { cwd: project, env });
  } finally {
    stopCron();
  }
}

beforeAll(
  async () => {
    if (missing.length > 0) return;
    server = await startServer(state, { demo: false, build: false, cwd: project });
    story = await runStory();
  },
  2 * PATIENCE_S * 1_000,
);
afterAll(async () => {
  await server?.kill();
  for (const folder of [project, state]) deleteStateFolder(folder);
});

const LOG_OF_STORY = [
  "patient | - | consent.grant | self | PATRQT",
  "doctor | Lakeside Clinic | document.read | consent | TREAT",
  "doctor | Lakeside Clinic | observation.read | consent | TREAT",
  "doctor | Lakeside Clinic | document.list | consent | TREAT",
  "doctor | Lakeside Clinic | live.open | consent | TREAT",
  "doctor | Lakeside Clinic | live.view | consent | TREAT",
  "doctor | Lakeside Clinic | document.download | consent | TREAT",
  "patient | - | consent.revoke | self | PATRQT",
  "doctor | - | emergency_access.start | emergency | BTG",
  "doctor | - | patient.read | emergency | BTG",
  "doctor | - | emergency_access.end | emergency | BTG",
];
const linesOf = (text: string) => text.trim().split("\n");

describe.skipIf(missing.length > 0)("docs/trust-story.md", () => {
  it("documents what the service does", () => {
    expect(story.status, story.stderr + story.stdout).toBe(0);
    const lines = linesOf(story.stdout).map((line) => line.replace(/^20\d\d-\d\d-\d\d \| /, ""));
    expect(lines.filter((line) => !line.includes(" | "))).toEqual([
      "claimed: true",
      "404",
      "Jonas Berg, Lakeside Clinic: Chest pain, earlier findings wanted",
      "granted: documents, observations",
      "200",
      "200",
      "404",
      "404",
      "reports: 0",
      "documents: 0 of 2021, Scan",
      "revoked",
      expect.stringMatching(/^the live view ended after \d+ ms: "code":4403$/),
      expect.stringMatching(/^the download broke off at \d+ of 20,000,017 bytes$/),
      "404",
      "revoked",
      "privacy officer: true",
      "404",
      "reads the record of Meena",
      "emergency.access",
      "privacy.review_opened",
      "Unconscious after a fall, allergies are needed",
      "403",
      "the review is closed",
      "the access is ended",
      "404",
      "id,log,seq,recorded,event,action,outcome,reason",
      "3",
      expect.stringMatching(/^patient\.read of 20\S+ is event \d+ of \d+ in edgecare\/audit\/\S+, about patient \S+$/),
      "a changed proof is refused",
      "step_up_required",
      "200",
      "restricted",
      "404",
      "d1.patients: 1",
      "d1.reports: 1",
      "r2.files: 2",
      "signature: true",
      '{"rows_left":0}',
      ...(VERIFY ? ["replaced_files", "200"] : []),
    ]);
    // The live view and the download begin at once.
    expect(lines.filter((line) => line.includes(" | ")).sort()).toEqual([...LOG_OF_STORY].sort());
  });

  it("ends a live view within a second of a revocation, and a download before its end", () => {
    const [, ms] = /the live view ended after (\d+) ms/.exec(story.stdout) ?? [];
    expect(Number(ms)).toBeLessThan(1_000);
    const [, bytes] = /broke off at (\d+) of/.exec(story.stdout) ?? [];
    expect(Number(bytes)).toBeGreaterThan(0);
    expect(Number(bytes)).toBeLessThan(20_000_017);
  });
});

/** The ids and files of the former patient, in the demo data before the story. */
function formerRecord(): { ids: string[]; files: string[] } {
  const [file] = globSync("v3/d1/miniflare-D1DatabaseObject/*.sqlite", { cwd: served.demo }).filter(
    (name) => !name.includes("metadata"),
  );
  const db = new DatabaseSync(join(served.demo, file ?? ""), { readOnly: true });
  const record = db.prepare("SELECT id, identity_sealed FROM patients WHERE patient_number = ?").get(FORMER_NUMBER);
  const reports = db.prepare("SELECT * FROM reports WHERE patient_id = ?").all(String(record?.["id"]));
  db.close();
  const values = reports.flatMap((row) => Object.entries(row)).filter(([, value]) => typeof value === "string");
  const files = values.filter(([name]) => name.endsWith("_key")).map(([, value]) => String(value));
  return { ids: [record?.["id"], record?.["identity_sealed"], ...reports.map(({ id }) => id)].map(String), files };
}

describe.skipIf(missing.length > 0)("an erased patient", () => {
  const { ids, files } = formerRecord();
  const storesOf = (folder: string) =>
    new Set(
      findRows(folder, [...ids, ...files])
        .filter(({ file, table }) => !file.startsWith("do/edgecare-AuditLog") && !KEPT_TABLES.includes(table))
        .map(({ file, table }) => `${file.split("/").slice(0, 2).join("/")}: ${table}`),
    );

  it("was in the database, the bucket and the demo data before the story", () => {
    expect([...storesOf(served.demo)]).toEqual(
      expect.arrayContaining([
        "d1/miniflare-D1DatabaseObject: patients",
        "d1/miniflare-D1DatabaseObject: reports",
        "r2/miniflare-R2BucketObject: _mf_objects",
      ]),
    );
  });

  it("is in no row of any store, but for ids in the audit log and in the erasure", () => {
    expect([...storesOf(state)]).toEqual([]);
  });

  it("is in no file of the state by name, number or address", () => {
    expect(former).toBeDefined();
    const { first_name = "", last_name, email = "", phone = "", address = "" } = former ?? {};
    expect(findWords(state, [`${first_name} ${last_name}`, email, phone, address])).toEqual([]);
  });
});
