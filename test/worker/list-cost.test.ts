// What a list reads depends on its page, not on the rows that its filter leaves out, for staff and for administrators.
import { type SQL, sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { getDb } from "../../src/platform/db/client.ts";
import { withCounters } from "../stores.ts";
import { API, env, newDevice, newWorld, type Person, readJson, sendRequest, type World } from "../world.ts";

const ROWS = 3_000;
/** Above what access check, audit event and a page of 20 read, far below ROWS. */
const MAX_READ = 700;
const NOBODY = "0193a5b0-0000-7000-8000-00000000ffff";
const FUTURE = "2099-01-01T00:00:00Z";

let world: World;
let deviceId: string;
const numbered = (insert: SQL) =>
  getDb(env.DB).run(sql`WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ${ROWS}) ${insert}`);
const NEW_ID = sql`lower(hex(randomblob(16)))`;
const WHY = JSON.stringify({ value: 1, bound: 1, side: "low", window_s: 0, text: "x" });

beforeAll(async () => {
  world = await newWorld();
  const { hospitalId, patient, nurse } = world;
  deviceId = (await newDevice(nurse, patient.id)).id;
  await numbered(sql`INSERT INTO alerts (id, patient_id, hospital_id, rule, code, priority, state, why, raised_at, updated_at, version)
    SELECT ${NEW_ID}, ${patient.id}, ${hospitalId}, 'limit', '8867-4', 'low', 'cleared', ${WHY}, n, n, 1 FROM k`);
  await numbered(sql`INSERT INTO uploads (id, actor_kind, actor_id, hospital_id, outcome, request_id, created_at)
    SELECT ${NEW_ID}, 'user', 'x', ${hospitalId}, 'stored', 'x', n FROM k`);
  await numbered(sql`INSERT INTO devices (id, hospital_id, kind, name, created_by, created_at, updated_at)
    SELECT ${NEW_ID}, ${hospitalId}, 'ecg', 'D', 'x', n, n FROM k`);
  await numbered(sql`INSERT INTO credentials (id, kind, device_id, hospital_id, name, secret_hash, scopes, created_by, created_at)
    SELECT ${NEW_ID}, 'device', ${deviceId}, ${hospitalId}, 'x', 'x', 'x', 'x', n FROM k`);
});

async function measure(path: string, as: Person): Promise<{ read: number; items: number }> {
  const { env: counted, counts } = withCounters(env);
  const response = await sendRequest(API + path, { as, env: counted });
  expect(response.status, `${path} ${await response.clone().text()}`).toBe(200);
  return { read: counts.rowsRead, items: (await readJson(response)).data.length };
}

const ALERT_FILTERS = [
  "priority=high",
  "rule=news2",
  "code=2708-6",
  `ward_id=${NOBODY}`,
  `device_id=${NOBODY}`,
  `assigned_to=${NOBODY}`,
  "state=active",
  "open=true",
  `patient_id=${NOBODY}`,
  `from=${FUTURE}`,
].map((filter) => `/alerts?${filter}`);
const UPLOAD_FILTERS = ["/uploads?outcome=discarded", "/uploads?outcome=failed", "/uploads/quarantine"];
const DEVICE_FILTERS = [`/devices?patient_id=${NOBODY}`, "/devices?serial_number=none", `/devices?hospital_id=${NOBODY}`];

describe("a filter that matches nothing reads no more than a page,", () => {
  it.each([...ALERT_FILTERS, ...UPLOAD_FILTERS, "/api-keys"])("for staff and administrators: %s", async (path) => {
    for (const as of [path === "/api-keys" ? world.manager : world.nurse, world.admin]) {
      const { read, items } = await measure(path, as);
      expect(items, as.role).toBe(0);
      expect(read, as.role).toBeLessThan(MAX_READ);
    }
  });

  it.each(DEVICE_FILTERS)("of devices: %s", async (path) => {
    const as = path.includes("hospital_id") ? world.admin : world.nurse;
    const { read, items } = await measure(path, as);
    expect(items).toBe(0);
    expect(read).toBeLessThan(MAX_READ);
  });
});

describe("a page of a long list", () => {
  /** A count reads each match once, up to 10,001; the page must not read them a second time. */
  it.each<[string, keyof World & ("nurse" | "doctor" | "self" | "manager" | "admin")]>([
    ["/alerts", "nurse"],
    ["/alerts", "doctor"],
    ["/alerts", "self"],
    ["/alerts?code=8867-4", "admin"],
    ["/alerts?priority=low", "nurse"],
    ["/devices", "nurse"],
    ["/uploads", "nurse"],
  ])("reads the page and counts: %s as %s", async (path, role) => {
    const { read, items } = await measure(path, world[role]);
    expect(items).toBe(20);
    expect(read).toBeLessThan(ROWS + MAX_READ);
  });
});

describe("an administrator over 500 hospitals", () => {
  const HOSPITALS = 500;
  beforeAll(async () => {
    await numbered(sql`INSERT INTO hospitals (id, name, created_at, updated_at)
      SELECT 'cost-' || n, 'Hospital ' || n, n, n FROM k WHERE n <= ${HOSPITALS}`);
    await numbered(sql`INSERT INTO wards (id, hospital_id, name, created_at, updated_at)
      SELECT 'cost-ward-' || n, 'cost-' || n, 'Ward', n, n FROM k WHERE n <= ${HOSPITALS}`);
    await numbered(sql`INSERT INTO alerts (id, patient_id, hospital_id, rule, code, priority, state, why, raised_at, updated_at, version)
      SELECT 'cost-' || n, 'nobody', 'cost-' || n, 'limit', '2708-6', 'low', 'cleared',
        ${WHY}, n, n, 1 FROM k WHERE n <= ${HOSPITALS}`);
  });

  it.each(["/hospitals", "/wards", "/alerts?code=2708-6"])("reads a few rows per hospital: %s", async (path) => {
    const { read, items } = await measure(path, world.admin);
    expect(items).toBe(20);
    expect(read).toBeLessThan(12 * HOSPITALS + MAX_READ);
  });

  it("reads no row of hospitals without vitals in the hours of all", async () => {
    expect((await measure("/analytics/hourly-stats", world.admin)).read).toBeLessThan(2 * HOSPITALS + MAX_READ);
  });
});
