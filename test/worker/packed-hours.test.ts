// Hours older than 60 days are packed into files. Every read across the border returns what it returned before, wherever a run
// is killed; nothing is lost, double or left over.
import { sql } from "drizzle-orm";
import { beforeAll, describe, expect, it } from "vitest";
import { runCleanup } from "../../src/cron.ts";
import { firstHourOf, firstKeptHour, toMonth } from "../../src/monitoring/packed-hours/months.ts";
import { MAX_PACKED_MONTHS, packOldHours, STALE_FILE_MS } from "../../src/monitoring/packed-hours/pack-hours.ts";
import { getDb } from "../../src/platform/db/client.ts";
import { times } from "../long.ts";
import { createRandom } from "../node/alerts-randomness.ts";
import { interceptStores, type StoreCall, withCounters } from "../stores.ts";
import { API, env, newHospital, newPatient, newPerson, newWorld, readJson, sendRequest, type World } from "../world.ts";
import { HEART_RATE, HOUR_MS, SPO2, TEMPERATURE, toIso } from "./vitals-world.ts";

const DAY = 24 * HOUR_MS;
/** The beginning of the day: runs that are an hour apart stay in it, and the border does not move. */
const now = Date.now() - (Date.now() % DAY);
const border = firstKeptHour(now);

type Stats = Record<string, [n: number, min: number, max: number, sum: number, last: number, ms: number]>;
type HourRow = { hospital: string; patient: string; hour: number; stats: Stats; version: number };

async function insertHours(rows: HourRow[]): Promise<void> {
  for (let i = 0; i < rows.length; i += 200) {
    const some = rows
      .slice(i, i + 200)
      .map((row) => [row.hospital, row.hour, row.patient, JSON.stringify(row.stats), row.version]);
    await getDb(env.DB).run(sql`INSERT INTO vital_hours (hospital_id, hour, patient_id, stats, version)
      SELECT value->>0, value->>1, value->>2, value->>3, value->>4 FROM json_each(${JSON.stringify(some)}) WHERE 1
      ON CONFLICT DO UPDATE SET stats = excluded.stats, version = excluded.version WHERE excluded.version > vital_hours.version`);
  }
}

const random = createRandom(11);
const tenths = (from: number, to: number) => random.integer(from * 10, to * 10) / 10;
function randomStats(): Stats {
  const stats: Stats = {};
  for (const [code, from, to] of [
    [HEART_RATE, 50, 120],
    [SPO2, 88, 100],
    [TEMPERATURE, 35, 40],
  ] as const) {
    if (!random.chance(0.8)) continue;
    const [a, b] = [tenths(from, to), tenths(from, to)];
    const n = random.integer(2, 60);
    const [min, max] = [Math.min(a, b), Math.max(a, b)];
    stats[code] = [n, min, max, Math.round(10 * (min + (n - 1) * max)) / 10, max, random.integer(0, HOUR_MS - 1)];
  }
  return stats;
}

/** Hours with gaps of hours and of days; all of those at both borders: of a month, and of what is packed. */
function randomHours(hospital: string, patient: string, from: number, to: number, density: number): HourRow[] {
  const rows: HourRow[] = [];
  const edges = new Set(
    [border, firstHourOf(toMonth(border)), firstHourOf(toMonth(border) - 1)].flatMap((hour) => [hour - 1, hour]),
  );
  let gap = 0;
  for (let hour = from; hour < to; hour++) {
    if (random.chance(0.01)) gap = random.integer(10, 80);
    gap--;
    if (edges.has(hour) || (gap < 0 && random.chance(density)))
      rows.push({ hospital, patient, hour, stats: randomStats(), version: random.integer(1, 50) });
  }
  return rows;
}

const get = async (path: string, as: { token: string }, on: Env = env) => {
  const response = await sendRequest(`${API}${path}`, { as, env: on });
  const body = await readJson(response);
  expect(response.status, JSON.stringify(body)).toBe(200);
  return body;
};
const range = (from: number, to: number) => `from=${toIso(from * HOUR_MS)}&to=${toIso(to * HOUR_MS)}`;

/** Every page of a list. */
async function listAll(path: string, as: { token: string }): Promise<unknown[]> {
  const rows: unknown[] = [];
  for (let cursor = ""; ; ) {
    const { data, meta } = await get(`${path}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`, as);
    rows.push(...data);
    if (!meta.pagination.has_more) return rows;
    cursor = meta.pagination.next_cursor;
  }
}

/** Reads of one patient over one range, by all routes that read hours. */
async function readRange(patient: string, as: { token: string }, [from, to]: readonly [number, number], codes: string) {
  const short = range(Math.max(from, to - 31 * 24), to);
  return {
    rollups: await listAll(
      `/patients/${patient}/observations/rollups?interval=hour&limit=${random.pick([3, 50, 1000])}&${short}${codes}`,
      as,
    ),
    buckets:
      to - from <= 24 ? [] : (await get(`/patients/${patient}/observations?buckets=40&${range(from, to)}${codes}`, as)).data,
    vitals: (await get(`/analytics/patients/${patient}/summary?${range(from, to)}`, as)).data.vitals,
  };
}

const storedFiles = async () => {
  const keys: string[] = [];
  for (let cursor: string | undefined; ; ) {
    const page = await env.FILES.list(cursor === undefined ? {} : { cursor });
    keys.push(...page.objects.map(({ key }) => key).filter((key) => key.includes("/hours/")));
    if (!page.truncated) return keys.sort();
    cursor = page.cursor;
  }
};
const namedFiles = async () => {
  const { results } = await env.DB.prepare(
    "SELECT file_key AS key FROM vital_months WHERE file_key IS NOT NULL ORDER BY 1",
  ).all();
  return results.map(({ key }) => key);
};
const countOldRows = async () => {
  const { results } = await env.DB.prepare("SELECT count(*) AS n FROM vital_hours WHERE hour < ?").bind(border).all();
  return results[0]?.["n"];
};

/** Runs until nothing is left to pack and no file is stale. The clock of the later runs has passed the wait of stale files. */
async function packAll(at = now): Promise<void> {
  for (let run = 0; run < 20; run++) {
    const { packed, deleted } = await packOldHours(env, at + run * (STALE_FILE_MS + 1000));
    if (packed + deleted === 0 && run > 1) return;
  }
  throw new Error("the job does not end");
}

let world: World;
beforeAll(async () => {
  world = await newWorld();
});

describe("reads across the border", () => {
  it("return what they returned before, for any range, half-packed months and corrections", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const empty = await newPatient(world.hospitalId, world.nurse);
    await insertHours(randomHours(world.hospitalId, patient.id, border - 150 * 24, border + 58 * 24, 0.15));
    await insertHours(randomHours(world.hospitalId, world.stranger.id, border - 40 * 24, border + 24, 0.1));
    const reads = Array.from({ length: times(10, 100) }, () => {
      const from = border - random.integer(-20 * 24, 160 * 24);
      const hours = [random.pick([random.integer(1, 40), random.integer(24, 31 * 24), random.integer(31 * 24, 300 * 24)])];
      const codes = random.pick(["", "&code=heart_rate", "&code=temperature,spo2", "&code=unknown"]);
      return { of: random.chance(0.8) ? patient.id : empty.id, over: [from, from + (hours[0] ?? 1)] as const, codes };
    });
    reads.push({ of: patient.id, over: [border - 300 * 24, border + 58 * 24], codes: "" });
    reads.push({ of: patient.id, over: [border - 2, border + 2], codes: "" });
    const readAll = async () => {
      const answers = [];
      for (const { of, over, codes } of reads) answers.push(await readRange(of, world.nurse, over, codes));
      return answers;
    };
    const before = await readAll();
    expect(before.at(-1)?.vitals).toHaveLength(3);
    expect(before.at(-2)?.buckets.length).toBeGreaterThan(30);
    // Ten days earlier, the newest packed month is packed in part.
    await packAll(now - 10 * DAY - 30 * HOUR_MS);
    expect(await countOldRows()).toBeGreaterThan(10);
    expect(await readAll()).toEqual(before);
    await packAll();
    expect(await countOldRows()).toBe(0);
    expect(await storedFiles()).toEqual(await namedFiles());
    expect(await readAll()).toEqual(before);
    // Control: an hour more is seen.
    const [hour] = [border - 24 * 30 - 5];
    const correction: Stats = { [HEART_RATE]: [1, 300, 300, 300, 300, 5] };
    await insertHours([{ hospital: world.hospitalId, patient: patient.id, hour, stats: correction, version: 99 }]);
    const corrected = await readAll();
    expect(corrected).not.toEqual(before);
    await packAll();
    expect(await countOldRows()).toBe(0);
    expect(await readAll()).toEqual(corrected);
    // A delivery that is repeated, and an older version, change nothing.
    await insertHours([{ hospital: world.hospitalId, patient: patient.id, hour, stats: randomStats(), version: 98 }]);
    expect(await readAll()).toEqual(corrected);
    await packAll();
    expect(await readAll()).toEqual(corrected);
    // A correction without the code hides the packed hour of that code.
    await insertHours([{ hospital: world.hospitalId, patient: patient.id, hour, stats: {}, version: 100 }]);
    const path = `/patients/${patient.id}/observations/rollups?${range(hour, hour + 1)}`;
    expect((await get(path, world.nurse)).data).toEqual([]);
    expect((await get(`${path}&code=heart_rate`, world.nurse)).data).toEqual([]);
  });

  it("of a year open at most 13 files and take no further round trip; recent ones open none", async () => {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const stats: Stats = { [HEART_RATE]: [1, 60, 60, 60, 60, 0] };
    const rows = Array.from({ length: 500 }, (_, i) => ({ hour: border + 59 * 24 - i * 24, stats, version: 1 }));
    await insertHours(rows.map((row) => ({ hospital: world.hospitalId, patient: patient.id, ...row })));
    await packAll();
    const costOf = async (query: string) => {
      const { env: counted, counts } = withCounters(env);
      await get(`/patients/${patient.id}/observations?buckets=100&${query}`, world.nurse, counted);
      return counts;
    };
    const year = await costOf(range(border - 365 * 24 - 13, border - 13));
    expect([year.d1, new Set(year.r2)]).toEqual([2, new Set(["get"])]);
    expect(year.r2.length).toBeGreaterThanOrEqual(12);
    expect(year.r2.length).toBeLessThanOrEqual(13);
    const recent = await costOf(range(border + 24, border + 59 * 24));
    expect([recent.d1, recent.r2]).toEqual([2, []]);
  });
});

describe("the statistics of a hospital", () => {
  it("have days where hours are packed, and count the patients that the caller may see", async () => {
    const hospital = await newHospital();
    const [nurse, other] = [await newPerson("nurse", hospital), await newPerson("nurse", await newHospital())];
    const patients = [await newPatient(hospital, nurse), await newPatient(hospital, nurse)];
    const rows = patients.flatMap(({ id }) => randomHours(hospital, id, border - 6 * 24, border + 24, 0.5));
    await insertHours(rows);
    const path = `/analytics/hourly-stats?limit=7&${range(border - 5 * 24 + 3, border + 10)}`;
    const read = (as: { token: string }) => listAll(path, as) as Promise<Record<string, unknown>[]>;
    const before = await read(nurse);
    const groups = Map.groupBy(
      rows.flatMap(({ hour, patient, stats }) =>
        Object.entries(stats).map(([code, [n, min, max, sum]]) => ({
          hour: hour < border ? hour - (hour % 24) : hour,
          patient,
          code,
          n,
          min,
          max,
          sum,
        })),
      ),
      ({ hour, code }) => `${toIso(hour * HOUR_MS)} ${code}`,
    );
    const expected = [...groups]
      .map(([key, group]) => ({
        hour: key.split(" ")[0] ?? "",
        resolution: key < toIso(border * HOUR_MS) ? "day" : "hour",
        code: key.split(" ")[1],
        patients: new Set(group.map(({ patient }) => patient)).size,
        n: group.reduce((sum, { n }) => sum + n, 0),
        min: Math.min(...group.map(({ min }) => min)),
        max: Math.max(...group.map(({ max }) => max)),
        mean: expect.closeTo(group.reduce((sum, { sum: one }) => sum + one, 0) / group.reduce((sum, { n }) => sum + n, 0), 6),
      }))
      .filter(({ hour }) => hour >= toIso((border - 5 * 24) * HOUR_MS) && hour < toIso((border + 10) * HOUR_MS))
      .sort((a, b) => (`${a.hour} ${a.code}` < `${b.hour} ${b.code}` ? -1 : 1));
    const bare = (items: Record<string, unknown>[]) => items.map(({ name: _n, unit: _u, ...rest }) => rest);
    expect(new Set(before.map(({ resolution }) => resolution))).toEqual(new Set(["day", "hour"]));
    expect(bare(before)).toEqual(expected);
    await packOldHours(env, now - 3 * DAY);
    expect(bare(await read(nurse))).toEqual(expected);
    await packAll();
    expect(bare(await read(nurse))).toEqual(expected);
    expect(await read(other)).toEqual([]);
    const { meta, data } = await get(`/analytics/hourly-stats?${range(border - 30, border - 29)}`, nurse);
    expect([meta.from, meta.to]).toEqual([toIso((border - 48) * HOUR_MS), toIso((border - 24) * HOUR_MS)]);
    expect(data.every(({ resolution }: { resolution: string }) => resolution === "day")).toBe(true);
    const { env: counted, counts } = withCounters(env);
    await get(path, nurse, counted);
    expect([counts.d1, counts.r2]).toEqual([1, []]);
  });
});

/** Ends the process at the k-th call to a store: that call and all later ones fail, `after` it has happened or `before`. */
function killedAt(k: number, when: "before" | "after", store = env): { env: Env; killed: () => boolean } {
  let isKilled = false;
  const wrapped = interceptStores(store, async (call: StoreCall, run) => {
    if (call.k < k) return run();
    isKilled = true;
    if (call.k === k && when === "after") await run();
    throw new Error("killed");
  });
  return { env: wrapped, killed: () => isKilled };
}

/** A twin with the known fault: R2 confirms a file before it has it, so the rows are deleted before the file is there. */
function withEarlyConfirmation(real: Env): Env {
  let late: (() => Promise<unknown>) | null = null;
  return interceptStores(real, async (call, run) => {
    if (call.op === "put") {
      late = run;
      return {} as Awaited<ReturnType<typeof run>>;
    }
    const result = await run();
    if (call.op === "batch" && late) {
      const put = late;
      late = null;
      await put();
    }
    return result;
  });
}

describe("a run that is killed", () => {
  /** One patient with two months of hours, one of them packed in part. @returns a check, and what became of each kill */
  async function newCase() {
    const patient = await newPatient(world.hospitalId, world.nurse);
    const rows = randomHours(world.hospitalId, patient.id, border - 20 * 24, border + 24, 0.2);
    await insertHours(rows);
    await packOldHours(env, now - 12 * DAY);
    const path = `/patients/${patient.id}/observations/rollups?limit=1000&${range(border - 20 * 24, border + 24)}`;
    const expected = rows
      .flatMap(({ hour, stats }) =>
        Object.entries(stats).map(([code, [n, min, max]]) => ({ hour: toIso(hour * HOUR_MS), code, n, min, max })),
      )
      .sort((a, b) => (`${a.hour} ${a.code}` < `${b.hour} ${b.code}` ? -1 : 1));
    const isIntact = async () => {
      const response = await sendRequest(`${API}${path}`, { as: world.nurse });
      if (response.status !== 200) return false;
      const { data } = await readJson(response);
      const found = data.map(({ hour, code, n, min, max }: (typeof expected)[0]) => ({ hour, code, n, min, max }));
      return JSON.stringify(found) === JSON.stringify(expected);
    };
    return { patient, isIntact };
  }

  it("loses nothing and leaves nothing, at whichever call", async () => {
    await packAll();
    for (const when of ["before", "after"] as const) {
      for (let k = 1; ; k++) {
        const { isIntact } = await newCase();
        const { env: mortal, killed } = killedAt(k, when);
        await packOldHours(mortal, now).catch(() => undefined);
        expect(await isIntact(), `${when} call ${k}`).toBe(true);
        await packAll();
        expect(await isIntact(), `${when} call ${k}, and packed later`).toBe(true);
        expect(await countOldRows()).toBe(0);
        expect(await storedFiles()).toEqual(await namedFiles());
        if (!killed()) break;
        expect(k).toBeLessThan(20);
      }
    }
  });

  it("is noticed to lose hours if rows were deleted before the file is stored (the check works)", async () => {
    await packAll();
    const losses = [];
    for (let k = 1; k < 8; k++) {
      const { isIntact } = await newCase();
      const { env: mortal } = killedAt(k, "before");
      await packOldHours(withEarlyConfirmation(mortal), now).catch(() => undefined);
      losses.push(!(await isIntact()));
      await env.DB.batch([env.DB.prepare("DELETE FROM vital_hours"), env.DB.prepare("DELETE FROM vital_months")]);
      for (const key of await storedFiles()) await env.FILES.delete(key);
    }
    expect(losses).toContain(true);
  });

  it("and one beside another pack each month once; a correction between reading and deleting stays", async () => {
    const { isIntact, patient } = await newCase();
    await Promise.all([packOldHours(env, now), packOldHours(env, now), packOldHours(env, now)]);
    expect(await isIntact()).toBe(true);
    await packAll();
    expect(await isIntact()).toBe(true);
    expect(await storedFiles()).toEqual(await namedFiles());
    const hour = border - 3;
    const stats: Stats = { [HEART_RATE]: [1, 70, 70, 70, 70, 0] };
    const row = { hospital: world.hospitalId, patient: patient.id, hour };
    await insertHours([{ ...row, stats, version: 200 }]);
    const later: Stats = { [HEART_RATE]: [1, 71, 71, 71, 71, 0] };
    const racing = interceptStores(env, async (call, run) => {
      if (call.op === "put") await insertHours([{ ...row, stats: later, version: 201 }]);
      return run();
    });
    await packOldHours(racing, now + 10 * STALE_FILE_MS);
    const read = async () =>
      (await get(`/patients/${patient.id}/observations/rollups?${range(hour, hour + 1)}`, world.nurse)).data;
    expect(await countOldRows()).toBe(1);
    expect(await read()).toMatchObject([{ min: 71 }]);
    await packAll(now + 12 * STALE_FILE_MS);
    expect(await countOldRows()).toBe(0);
    expect(await read()).toMatchObject([{ min: 71 }]);
  });
});

describe("the job", () => {
  it("keeps files that a sweep of orphans sees, is bounded, and costs one round trip when there is nothing to do", async () => {
    await packAll();
    const files = await storedFiles();
    await runCleanup(env, now + 5 * DAY);
    expect(await storedFiles()).toEqual(files);
    const { env: idle, counts } = withCounters(env);
    await packOldHours(idle, now);
    expect([counts.d1, counts.rowsWritten, counts.r2]).toEqual([1, 0, []]);
    const stats: Stats = { [HEART_RATE]: [1, 60, 60, 60, 60, 0] };
    const hospital = await newHospital();
    const rows = Array.from({ length: MAX_PACKED_MONTHS + 5 }, (_, i) => ({
      hospital,
      patient: `p${i}`,
      hour: border - 9,
      stats,
      version: 1,
    }));
    await getDb(
      env.DB,
    ).run(sql`INSERT INTO patients (id, patient_number, hospital_id, identity_sealed, clinical_sealed, created_by,
        created_at, updated_at)
      SELECT value, 900000 + key, ${hospital}, '', '', 'test', ${now}, ${now}
      FROM json_each(${JSON.stringify(rows.map(({ patient }) => patient))})`);
    await insertHours(rows);
    expect((await packOldHours(env, now)).packed).toBe(MAX_PACKED_MONTHS);
    expect((await packOldHours(env, now)).packed).toBe(5);
  });

  it("leaves a month in D1 whose file is damaged, tries again later, and packs the others", async () => {
    const [damaged, other] = [await newPatient(world.hospitalId, world.nurse), await newPatient(world.hospitalId, world.nurse)];
    const stats: Stats = { [HEART_RATE]: [1, 60, 60, 60, 60, 0] };
    const row = { hospital: world.hospitalId, stats, version: 1 };
    await insertHours([{ ...row, patient: damaged.id, hour: border - 5 }]);
    await packAll();
    const { results } = await env.DB.prepare("SELECT file_key AS key FROM vital_months WHERE patient_id = ?")
      .bind(damaged.id)
      .all();
    const key = String(results[0]?.["key"]);
    const file = await (await env.FILES.get(key))?.arrayBuffer();
    if (!file) throw new Error("no file");
    const bytes = new Uint8Array(file);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    await env.FILES.put(key, bytes);
    await insertHours([
      { ...row, patient: damaged.id, hour: border - 4 },
      { ...row, patient: other.id, hour: border - 4 },
    ]);
    expect((await packOldHours(env, now)).packed).toBe(1);
    expect(await countOldRows()).toBe(1);
    const path = `${API}/patients/${damaged.id}/observations/rollups?${range(border - 6, border)}`;
    expect((await sendRequest(path, { as: world.nurse })).status).toBe(500);
    bytes[3] = (bytes[3] ?? 0) ^ 1;
    await env.FILES.put(key, bytes);
    await packAll();
    expect(await countOldRows()).toBe(0);
    expect((await get(path.slice(API.length), world.nurse)).data).toHaveLength(2);
  });
});
