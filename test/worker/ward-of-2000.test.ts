// The board of a ward of 2,000 monitored patients: rows and object calls are bounded, and objects that hang do not hold it.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { BOARD_DEADLINE_MS, MAX_BOARD_PATIENTS, SNAPSHOT_DEADLINE_MS } from "../../src/organization/wards/board.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { withCounters } from "../stores.ts";
import { API, env, newPatient, newWard, newWorld, readJson, sendRequest, type World } from "../world.ts";

const PATIENTS = 2_000;
let world: World;
let ward: string;
beforeAll(async () => {
  world = await newWorld();
  ward = await newWard(world.manager);
  const { id, number } = await newPatient(world.hospitalId, world.nurse);
  // The sealed fields of another record do not open under a new id: the first forty are real.
  const crowd = await Promise.all(Array.from({ length: MAX_BOARD_PATIENTS }, () => newPatient(world.hospitalId, world.nurse)));
  const place = env.DB.prepare("UPDATE patients SET ward_id = ?, monitoring = 'ward' WHERE id = ?");
  await env.DB.batch(crowd.map((patient) => place.bind(ward, patient.id)));
  await getDb(
    env.DB,
  ).run(sql`WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < ${PATIENTS - MAX_BOARD_PATIENTS})
    INSERT INTO patients (id, patient_number, hospital_id, ward_id, monitoring, identity_sealed, clinical_sealed, created_by,
      created_at, updated_at)
    SELECT lower(hex(randomblob(16))), CAST(${number} AS INTEGER) + 1000000 + k.n, hospital_id, ${ward}, 'ward', identity_sealed,
      clinical_sealed, 'x', 1, 1
    FROM patients, k WHERE id = ${id}`);
});

const board = (over: Env) => sendRequest(`${API}/wards/${ward}/board`, { as: world.nurse, env: over });

/** The patients' objects, of which some never answer. */
function hangingObjects(hangs: (call: number) => boolean) {
  let calls = 0;
  const monitor = {
    getByName: (id: string) => ({
      snapshot: () => (hangs(++calls) ? new Promise(() => undefined) : env.PATIENT_MONITOR.getByName(id).snapshot()),
    }),
  };
  return { over: { ...env, PATIENT_MONITOR: monitor as never }, calls: () => calls };
}

type Entry = { is_known: boolean; news2: unknown; latest: unknown[]; alerts: unknown[]; last_seen_at: string | null };

describe("the board of a ward of 2,000", () => {
  it("shows forty, asks forty objects, and reads each patient of the ward three times at most", async () => {
    const { env: counted, counts } = withCounters(env);
    const { data } = await readJson(await board(counted));
    expect(data.patients).toHaveLength(MAX_BOARD_PATIENTS);
    expect(data.watched).toBe(1_000);
    expect(counts.objects.filter((op) => op !== "audit.append")).toHaveLength(MAX_BOARD_PATIENTS);
    expect(counts.d1).toBe(1);
    // Index and table for the order, index and table of the 1,000 that are counted.
    expect(counts.rowsRead).toBeLessThan(3 * PATIENTS + 2 * 1_000);
  });

  it("one object that hangs is shown as unknown, after its deadline", async () => {
    const { over } = hangingObjects((call) => call === 5);
    const started = Date.now();
    const { data } = await readJson(await board(over));
    expect(Date.now() - started).toBeLessThan(SNAPSHOT_DEADLINE_MS + 2_000);
    const unknown: Entry[] = data.patients.filter((entry: Entry) => !entry.is_known);
    expect(data.patients).toHaveLength(MAX_BOARD_PATIENTS);
    expect(unknown.length).toBeGreaterThan(0);
    for (const entry of unknown) {
      expect(entry).toMatchObject({ is_known: false, news2: null, latest: [], alerts: [], last_seen_at: null });
    }
  });

  it("when all hang, the board answers after its own deadline and asks no further objects", async () => {
    const { over, calls } = hangingObjects(() => true);
    const started = Date.now();
    const response = await board(over);
    expect(response.status).toBe(200);
    expect(Date.now() - started).toBeLessThan(BOARD_DEADLINE_MS + 2_000);
    const { data } = await readJson(response);
    expect(data.patients.map(({ is_known }: Entry) => is_known)).toEqual(Array(MAX_BOARD_PATIENTS).fill(false));
    expect(calls()).toBeLessThan(MAX_BOARD_PATIENTS);
  });
});
