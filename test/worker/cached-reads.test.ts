// Lists and statistics that an isolate keeps: what is kept is what a read of the database would return, for nobody else, at once.
import { beforeAll, describe, expect, it } from "vitest";
import { CACHE_LIMITS, cachedReadsSize, clearCachedReads } from "../../src/access/cached-read.ts";
import { isSampled, times } from "../long.ts";
import { type Counts, withCounters } from "../stores.ts";
import {
  API,
  env,
  link,
  newPatient,
  newPdf,
  newPerson,
  newWard,
  newWorld,
  type Person,
  type RequestOptions,
  readAuditEvents,
  readJson,
  sendRequest,
  uniqueText,
  uploadReport,
  type World,
} from "../world.ts";

const LISTS = ["/patients", "/patients?limit=2", "/patients?sort=-updated", "/reports", "/reports?limit=2", "/ecg/reports"];
const PATHS = [...LISTS, "/reports/stats", "/wards", "/practitioners", "/hospitals/{id}/members"];

/** Two hospitals whose doctors are limited to care teams, or not; a patient has a record at both. */
let worlds: [World, World];
let people: Person[];

beforeAll(async () => {
  worlds = [await newWorld("care_team"), await newWorld("hospital")];
  const [first, second] = worlds;
  await link(first.self, second.patient);
  const colleague = await newPerson("doctor", first.hospitalId, "care_team");
  people = worlds.flatMap(({ nurse, doctor, manager, self, admin }) => [nurse, doctor, manager, self, admin]);
  people.push(colleague);
  for (const { nurse, manager, patient } of worlds) {
    await newWard(manager);
    await sendRequest(`${API}/practitioners`, { as: manager, json: { user_id: nurse.id } });
    await uploadReport(nurse, newPdf(), { patient_id: patient.id });
  }
});

const get = (path: string, as: Person, options: RequestOptions = {}) =>
  sendRequest(`${API}${path.replace("{id}", hospitalOf(as))}`, { as, ...options });
/** The caller's hospital; the first one for callers without one. */
function hospitalOf(person: Person): string {
  const own = worlds.find(({ nurse, doctor, manager }) => [nurse, doctor, manager].includes(person));
  return (own ?? worlds[0]).hospitalId;
}

async function read(path: string, as: Person) {
  const response = await get(path, as);
  const { data, meta } = await readJson(response);
  return { status: response.status, data, meta };
}

/** What differs between the kept results and the database, for everybody. @param every in `npm test`, each how many-th pair */
async function findStale(paths: readonly string[] = PATHS, every = 1): Promise<string[]> {
  const pairs = paths.flatMap((path, row) =>
    people.flatMap((person, column) => (isSampled(row, column, every) ? [{ path, person }] : [])),
  );
  const warm = [];
  for (const { path, person } of pairs) warm.push(await read(path, person));
  clearCachedReads();
  const stale: string[] = [];
  for (const [i, { path, person }] of pairs.entries()) {
    const cold = await read(path, person);
    if (JSON.stringify(cold) !== JSON.stringify(warm[i])) stale.push(`${path} of ${person.role}`);
  }
  return stale;
}

/** A repeatable order of changes. */
function* draw(seed: number): Generator<number> {
  for (let state = seed; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

const patch = async (path: string, as: Person, json: object) => {
  const response = await sendRequest(`${API}${path}`, { as, method: "PATCH", json, headers: { "If-Match": "*" } });
  expect([path, response.status]).toEqual([path, 200]);
};
const idOf = async (path: string, as: Person, name: string): Promise<string> => (await read(path, as)).data[0][name];

type Change = (world: World) => Promise<unknown>;
/** Each changes what some list of some caller shows or counts. */
const CHANGES: Record<string, Change> = {
  "a patient": ({ hospitalId, nurse }) => newPatient(hospitalId, nurse),
  "a name": ({ nurse, patient }) => patch(`/patients/${patient.id}`, nurse, { first_name: uniqueText() }),
  "a patient's ward": async ({ nurse, manager, stranger }) =>
    patch(`/patients/${stranger.id}`, nurse, { ward_id: await newWard(manager) }),
  "a patient inactive": async ({ nurse, patient }) => {
    const { is_active } = (await read(`/patients/${patient.id}`, nurse)).data;
    return patch(`/patients/${patient.id}`, nurse, { is_active: !is_active, reason: "Discharged" });
  },
  "a mistake deleted": async ({ hospitalId, nurse, manager }) => {
    const { id } = await newPatient(hospitalId, nurse);
    await read("/patients", nurse);
    const headers = { "If-Match": "*" };
    expect((await sendRequest(`${API}/patients/${id}`, { as: manager, method: "DELETE", headers })).status).toBe(200);
  },
  "a report": ({ nurse, stranger }) => uploadReport(nurse, newPdf(), { patient_id: stranger.id }),
  "a report corrected": async ({ nurse }) =>
    patch(`/reports/${await idOf("/reports", nurse, "report_id")}`, nurse, { comment: uniqueText(), reason: "Typed wrong" }),
  "a report moved": async ({ nurse, patient, stranger }) => {
    const [report] = (await read("/reports", nurse)).data;
    const to = report.patient.patient_id === patient.id ? stranger.id : patient.id;
    const json = { patient_id: to, reason: "Other patient" };
    const moved = await sendRequest(`${API}/reports/${report.report_id}/move`, {
      as: nurse,
      json,
      headers: { "If-Match": "*" },
    });
    expect(moved.status).toBe(200);
  },
  "into the care team": async ({ manager, doctor, stranger }) =>
    sendRequest(`${API}/patients/${stranger.id}/care-team/${doctor.id}`, { as: manager, method: "PUT" }),
  "out of the care team": async ({ manager, doctor, stranger }) =>
    sendRequest(`${API}/patients/${stranger.id}/care-team/${doctor.id}`, { as: manager, method: "DELETE" }),
  "a ward": ({ manager }) => newWard(manager),
  "a ward's name": async ({ manager }) =>
    patch(`/wards/${await idOf("/wards", manager, "ward_id")}`, manager, { name: `Ward ${uniqueText()}` }),
  "a profile": async ({ manager }) =>
    patch(`/practitioners/${await idOf("/practitioners", manager, "practitioner_id")}`, manager, { specialty: uniqueText() }),
  "a colleague's name": ({ nurse }) => patch("/auth/me", nurse, { full_name: `Name ${uniqueText()}` }),
  "a colleague suspended": async ({ manager, hospitalId }) => {
    const { id } = await newPerson("nurse", hospitalId);
    await sendRequest(`${API}/practitioners`, { as: manager, json: { user_id: id } });
    expect(await findStale(["/practitioners"])).toEqual([]);
    return patch(`/users/${id}`, manager, { is_active: false });
  },
  "a hospital's name": ({ admin, hospitalId }) => patch(`/hospitals/${hospitalId}`, admin, { name: `Hospital ${uniqueText()}` }),
};

describe("a kept list", () => {
  it("is what the database has, for every caller, after every change", async () => {
    expect(await findStale()).toEqual([]);
    const random = draw(7);
    const order = Object.entries(CHANGES).map(([name, change]) => ({ name, change, at: random.next().value }));
    for (let round = 0; round < times(1, 6); round++) {
      for (const { name, change } of order.toSorted((a, b) => a.at - b.at)) {
        const world = worlds[Number(random.next().value < 0.5)] ?? worlds[0];
        await change(world);
        expect([name, await findStale(PATHS, 4)]).toEqual([name, []]);
      }
      for (const entry of order) entry.at = random.next().value;
    }
  });

  it("becomes stale without its trigger (the known-bad twin)", async () => {
    const trigger = await env.DB.prepare("SELECT sql FROM sqlite_master WHERE name = 'version_patients_update'").first<string>(
      "sql",
    );
    await findStale(["/patients"]);
    await env.DB.exec("DROP TRIGGER version_patients_update");
    await CHANGES["a name"]?.(worlds[0]);
    const stale = await findStale(["/patients"]);
    await env.DB.exec(String(trigger));
    expect(stale).toContain("/patients of nurse");
  });

  it("is read for every table that its statements name", async () => {
    const kindOf: Record<string, string> = { memberships: "staff", users: "staff", hospitals: "practitioners" };
    const judged = ["sessions", "data_versions", "json_each"];
    const [{ nurse, doctor }] = worlds;
    for (const path of PATHS) {
      for (const person of [nurse, doctor]) {
        clearCachedReads();
        const [versions = "", ...statements] = await statementsOf(path, person);
        const kinds = [...versions.matchAll(/"data_versions"\."(\w+)"|data_versions\.(\w+)/g)].map(([, a, b]) => a ?? b);
        const tables = statements.flatMap((text) =>
          [...text.matchAll(/(?:FROM|JOIN) "?([a-z_]+)"?/g)].map(([, name = ""]) => name),
        );
        // Counters change in the batch of the rows that they count; whether the hospital exists is read each time.
        const counters = path.startsWith("/patients") ? "patients" : "reports";
        const shown = tables
          .filter((name) => !judged.includes(name) && !(path.endsWith("/members") && name === "hospitals"))
          .map((name) => (name === "counters" ? counters : (kindOf[name] ?? name)));
        expect(shown.length, path).toBeGreaterThan(0);
        const missing = [...new Set(shown)].filter((kind) => !kinds.includes(kind));
        expect([path, person.role, missing]).toEqual([path, person.role, []]);
      }
    }
  });
});

/** The statements of a read, that of its versions first, that of its session left out. */
async function statementsOf(path: string, as: Person): Promise<string[]> {
  const texts: string[] = [];
  const DB = new Proxy(env.DB, {
    get(target, name) {
      if (name === "prepare") {
        return (text: string) => {
          texts.push(text);
          // biome-ignore lint/plugin: passes on statements of the code under test.
          return target.prepare(text);
        };
      }
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  expect((await get(path, as, { env: { ...env, DB } })).status).toBe(200);
  const [versions = [], others = []] = [true, false].map((isFirst) =>
    texts.filter((text) => / AS version$/.test(text) === isFirst),
  );
  expect(versions).toHaveLength(1);
  return [...versions, ...others.filter((text) => !text.includes("FROM sessions s JOIN"))];
}

/** Session, version and counters. */
const MAX_ROWS_OF_KEPT = 12;

async function counted(path: string, as: Person): Promise<Counts> {
  const { env: counting, counts } = withCounters(env);
  const response = await get(path, as, { env: counting });
  expect(response.status).toBe(200);
  await response.body?.cancel();
  return counts;
}

describe("a repeated read", () => {
  it("selects no row of the list, and appends its event as always", async () => {
    const [{ nurse, hospitalId }] = worlds;
    for (let i = 0; i < 20; i++) await newPatient(hospitalId, nurse);
    for (const path of PATHS) {
      clearCachedReads();
      const first = await counted(path, nurse);
      const again = await counted(path, nurse);
      expect([path, again.d1, again.rowsWritten, again.objects]).toEqual([path, 1, 0, ["audit.append"]]);
      expect(again.rowsRead, path).toBeLessThanOrEqual(MAX_ROWS_OF_KEPT);
      expect(again.rowsRead, path).toBeLessThanOrEqual(first.rowsRead);
    }
  });

  it("names the patients of the page in its event, under a new id", async () => {
    const [{ nurse }] = worlds;
    const readLogged = async () => {
      const id = uniqueText();
      await get("/patients", nurse, { headers: { "X-Request-Id": id } });
      return (await readAuditEvents(id))[0];
    };
    const [first, second] = [await readLogged(), await readLogged()];
    expect(first?.subjects.length).toBeGreaterThan(0);
    expect(second?.subjects).toEqual(first?.subjects);
    expect([second?.event, second?.detail, second?.actor_id]).toEqual([first?.event, first?.detail, first?.actor_id]);
    expect(second?.id).not.toBe(first?.id);
  });

  it("is shared by staff of the same scope, each with cursors of their own", async () => {
    const [{ nurse, hospitalId }] = worlds;
    const other = await newPerson("nurse", hospitalId, "care_team");
    const own = await read("/patients?limit=2", nurse);
    const rows = (await counted("/patients?limit=2", other)).rowsRead;
    expect(rows).toBeLessThanOrEqual(MAX_ROWS_OF_KEPT);
    const theirs = await read("/patients?limit=2", other);
    expect(theirs.data).toEqual(own.data);
    const follow = (cursor: string, as: Person) => get(`/patients?limit=2&cursor=${encodeURIComponent(cursor)}`, as);
    expect((await follow(theirs.meta.pagination.next_cursor, other)).status).toBe(200);
    expect((await follow(own.meta.pagination.next_cursor, other)).status).toBe(400);
  });

  it("is 304 with the ETag, until the data change, and not with that of another caller", async () => {
    const [{ nurse, manager, doctor, patient }] = worlds;
    const etagOf = async (path: string, as: Person) => (await get(path, as)).headers.get("ETag") ?? "";
    const readIf = (path: string, as: Person, etag: string, id = uniqueText()) =>
      get(path, as, { headers: { "If-None-Match": etag, "X-Request-Id": id } });
    for (const path of ["/patients", "/reports", "/reports/stats", "/wards", "/practitioners"]) {
      const [etag, id] = [await etagOf(path, nurse), uniqueText()];
      expect([path, (await readIf(path, nurse, etag, id)).status]).toEqual([path, 304]);
      expect(await readAuditEvents(id)).toHaveLength(1);
      expect((await readIf(path, doctor, etag)).status).toBe(200);
      expect((await readIf(path, manager, etag)).status).toBe(200);
    }
    const newest = "/patients?sort=-updated";
    const etag = await etagOf(newest, nurse);
    await patch(`/patients/${patient.id}`, nurse, { first_name: "Changed" });
    const changed = await readIf(newest, nurse, etag);
    expect([changed.status, JSON.stringify(await readJson(changed))]).toEqual([200, expect.stringContaining("Changed")]);
    expect(changed.headers.get("ETag")).not.toBe(etag);
  });

  it("has an ETag of what the caller sees alone, so that it tells nothing of other patients", async () => {
    const [{ doctor, nurse, hospitalId }] = worlds;
    const etags = async () => {
      const seen = [];
      for (const path of ["/patients", "/reports", "/reports/stats", "/wards"])
        seen.push((await get(path, doctor)).headers.get("ETag"));
      return seen;
    };
    const before = await etags();
    expect(before).not.toContain(null);
    const { id } = await newPatient(hospitalId, nurse);
    await uploadReport(nurse, newPdf(), { patient_id: id });
    expect(await etags()).toEqual(before);
  });

  it("ends with the right, at once", async () => {
    const [{ manager, hospitalId }] = worlds;
    const leaver = await newPerson("nurse", hospitalId, "care_team");
    const etag = (await get("/patients", leaver)).headers.get("ETag") ?? "";
    expect((await get("/patients", leaver)).status).toBe(200);
    await patch(`/users/${leaver.id}`, manager, { is_active: false });
    for (const tag of ["*", etag]) {
      const refused = await get("/patients", leaver, { headers: { "If-None-Match": tag } });
      expect([refused.status, refused.headers.get("ETag")]).toEqual([401, null]);
    }
  });
});

describe("what is kept", () => {
  it("is bounded: in all, per result, and by the length of a query", async () => {
    const [, { nurse, manager }] = worlds;
    clearCachedReads();
    const names = Array.from({ length: times(60, 3_000) }, () => uniqueText());
    for (const name of names) await get(`/practitioners?specialty=${name}`, nurse);
    const kept = cachedReadsSize();
    expect(kept).toBeGreaterThan(0);
    expect(kept).toBeLessThanOrEqual(CACHE_LIMITS.total);
    await get(`/practitioners?specialty=${"x".repeat(CACHE_LIMITS.key)}`, nurse);
    expect(cachedReadsSize()).toBe(kept);
    expect((await get("/wards", manager)).headers.get("ETag")).not.toBeNull();
  });

  it("is nothing for callers of several hospitals", async () => {
    const [{ self, admin }] = worlds;
    clearCachedReads();
    for (const person of [self, admin])
      for (const path of PATHS) expect([path, (await get(path, person)).headers.get("ETag")]).toEqual([path, null]);
    expect(cachedReadsSize()).toBe(0);
  });
});

describe("a morning on the ward", () => {
  it("is read from memory, mostly", async () => {
    const [{ nurse, doctor, manager, patient }] = worlds;
    const random = draw(11);
    const reads = [nurse, doctor, manager].flatMap((person) =>
      ["/patients", "/reports", "/wards", "/reports/stats"].map((path) => ({ path, person })),
    );
    const countRows = async (isKept: boolean) => {
      const rows: number[] = [];
      for (const { path, person } of reads) {
        if (!isKept) clearCachedReads();
        rows.push((await counted(path, person)).rowsRead);
      }
      return rows;
    };
    const without = await countRows(false);
    let [hits, rows, rounds] = [0, 0, 0];
    for (; rounds < times(20, 200); rounds++) {
      // One change in four rounds, which ends what is kept of every list that shows patients.
      if (random.next().value < 0.25) await patch(`/patients/${patient.id}`, nurse, { first_name: uniqueText() });
      const read = await countRows(true);
      hits += read.filter((n) => n <= MAX_ROWS_OF_KEPT).length;
      rows += read.reduce((sum, n) => sum + n, 0);
    }
    const rowsWithout = without.reduce((sum, n) => sum + n, 0) * rounds;
    console.log(`${hits} of ${rounds * reads.length} reads from memory, ${rows} rows read instead of ${rowsWithout}`);
    expect(hits).toBeGreaterThan(rounds * reads.length * 0.5);
    expect(rows).toBeLessThan(rowsWithout * 0.7);
  });
});
