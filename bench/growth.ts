// Rows read per request with 5,000 and with 50,000 patients and reports: they must depend on the page, not on the database.
import type { UserEffectiveRole } from "../src/access/actor.ts";
import { app } from "../src/app.ts";
import { getKeys } from "../src/platform/config.ts";
import { getDb } from "../src/platform/db/client.ts";
import { careTeam, patientLinks } from "../src/platform/db/schema.ts";
import { withCounters } from "../test/stores.ts";
import { createUser } from "./people.ts";
import { type SeededIds, seedHospitals, seedPatients } from "./seed.ts";
import { startBench } from "./server.ts";

const SMALL = 5_000;
const LARGE = 50_000;
const PAGE_SIZE = 20;
const TEAM_SIZE = 40;

type Reader = { who: string; token: string };

async function createReader(env: Env, who: string, effectiveRole: UserEffectiveRole): Promise<Reader & { id: string }> {
  return { who, ...(await createUser(env, effectiveRole)) };
}

async function createReaders(env: Env, { hospitals, patients }: SeededIds): Promise<Reader[]> {
  const db = getDb(env.DB);
  const hospitalId = hospitals[0] ?? "";
  const nurse = await createReader(env, "nurse", { role: "nurse", hospitalId, doctorScope: "care_team" });
  const doctor = await createReader(env, "doctor", { role: "doctor", hospitalId, doctorScope: "care_team" });
  const patient = await createReader(env, "patient", { role: "patient", hospitalId: null, doctorScope: "care_team" });
  const admin = await createReader(env, "admin", { role: "admin", hospitalId: null, doctorScope: "care_team" });
  const team = patients.filter((_, i) => i % hospitals.length === 0).slice(0, TEAM_SIZE);
  for (const patientId of team)
    await db.insert(careTeam).values({ patientId, userId: doctor.id, addedBy: "bench", startedAt: 0 });
  const own = team[0] ?? "";
  await db
    .insert(patientLinks)
    .values({ userId: patient.id, patientId: own, method: "claim_code", verifiedBy: "bench", createdAt: 0 });
  const manager = await createReader(env, "manager", { role: "hospital_admin", hospitalId, doctorScope: "care_team" });
  return [nurse, doctor, patient, admin, manager];
}

const daysAgo = (days: number) => new Date(Math.floor(Date.now() / 86_400_000 - days) * 86_400_000).toISOString();
const NOBODY = "0193a5b0-0000-7000-8000-00000000ffff";
const NO_REPORTS = ["device_id", "uploaded_by", "encounter_id", "hospital_id"].map((name) => `/reports?${name}=${NOBODY}`);
/** Filters that match nothing: they must not read the whole table. */
const EMPTY_FILTERS = [
  "/patients?monitoring=ward",
  "/patients?active=false",
  "/patients?patient_uid=mfrggzdfmztwq2lkonsw23tpoa",
  `/patients?ward_id=${NOBODY}`,
  `/patients?assigned_doctor_id=${NOBODY}`,
  "/patients?created_from=2099-01-01T00:00:00Z",
  "/patients?updated_from=2099-01-01T00:00:00Z",
  "/reports?session_type=none",
  "/reports?status=registered",
  ...NO_REPORTS,
];
const NO_EVENTS = ["from=2099-01-01T00:00:00Z", "event=nothing", "outcome=failed", "actor_id=nobody"];

type Cell = { who: string; path: string; trips: number; rows: number; written: number; items: number };

async function measure(baseEnv: Env, { who, token }: Reader, path: string): Promise<Cell> {
  const { env, counts } = withCounters(baseEnv);
  const answer = await app.fetch(
    new Request(`http://localhost/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } }),
    env,
  );
  const body: { data: unknown } = await answer.json();
  if (answer.status !== 200) throw new Error(`${who} ${path}: ${answer.status} ${JSON.stringify(body)}`);
  return {
    who,
    path,
    trips: counts.d1,
    rows: counts.rowsRead,
    written: counts.rowsWritten,
    items: Array.isArray(body.data) ? body.data.length : 1,
  };
}

async function measureAll(env: Env, people: Reader[], { hospitals, patients, reports }: SeededIds): Promise<Cell[]> {
  const lists = [
    "/patients",
    "/patients?sort=updated",
    "/patients?offset=10",
    "/reports",
    "/reports?status=final",
    "/reports?kind=ecg&offset=10",
    "/reports?sort=created",
    "/reports?sort=-effective",
    "/reports?sort=effective",
    "/reports?sort=-effective&kind=ecg",
    "/reports?effective_from=2099-01-01T00:00:00Z",
    "/reports?effective_to=2000-01-01T00:00:00Z&sort=effective",
  ];
  const cells: Cell[] = [];
  for (const reader of people) {
    for (const path of [
      ...lists,
      ...EMPTY_FILTERS,
      "/reports?heart_rate_min=100&from=2020-01-01T00:00:00Z",
      "/reports?effective_from=2020-01-01T00:00:00Z&sort=-effective",
      // One week; both sizes have the same number of reports in it.
      `/reports?effective_from=${daysAgo(395)}&effective_to=${daysAgo(388)}`,
      `/reports?hospital_id=${hospitals[0]}`,
      `/reports?hospital_id=${hospitals[0]}&sort=-effective`,
      `/reports?patient_id=${patients[0]}`,
      "/reports/stats",
      `/patients/${patients[0]}`,
      `/reports/${reports[0]}`,
    ])
      cells.push(await measure(env, reader, path));
  }
  // A common prefix, a rare prefix, two words, and no match.
  const searches = ["q=fi", "q=first4", "q=first4%20last4", "q=nobody"].map((query) => `/patients/search?${query}`);
  const searchers = people.filter(({ who }) => who === "nurse" || who === "doctor" || who === "manager");
  // The first search of an isolate reads the hospital's settings, which are then cached.
  for (const reader of searchers.slice(0, 1)) await measure(env, reader, "/patients/search?q=nobody");
  for (const reader of searchers) {
    for (const path of searches) cells.push(await measure(env, reader, path));
  }
  const admin = people.find(({ who }) => who === "admin");
  if (admin) for (const path of ["/admin/reports", "/admin/stats"]) cells.push(await measure(env, admin, path));
  for (const reader of people.filter(({ who }) => who === "admin" || who === "manager")) {
    for (const filter of NO_EVENTS) cells.push(await measure(env, reader, `/audit-events?${filter}`));
    for (const path of ["/uploads?outcome=discarded", "/uploads/quarantine"]) cells.push(await measure(env, reader, path));
  }
  return cells;
}

async function main(): Promise<void> {
  // The objects of the production bundle; the Worker's code runs here, with counters around the stores.
  const server = await startBench();
  const env: Env = { ...server.env, ENVIRONMENT: "test", LOG_LEVEL: "CRITICAL" };
  env.RATE_PERSON = { limit: async () => ({ success: true }) };
  try {
    const hospitals = await seedHospitals(env.DB);
    const small = await seedPatients(env.DB, await getKeys(env), hospitals, 0, SMALL);
    const people = await createReaders(env, small);
    const before = await measureAll(env, people, small);
    await seedPatients(env.DB, await getKeys(env), hospitals, SMALL, LARGE);
    const after = await measureAll(env, people, small);
    printReport(before, after);
  } finally {
    await server.close();
  }
}

/** Filters without a counter count their matches up to 10,001, with at most two reads per row (table and index). */
const COUNT_BOUND = 2 * 10_001 + 400;
const isCounted = (path: string) => /heart_rate|effective_from=2020/.test(path);

/** A search of several words reads up to 200 entries per word to find the rarest (patients/list-patients.ts). */
const SEARCH_PROBE_ROWS = 200;

function maxRows({ path, rows }: Cell): number {
  if (isCounted(path)) return COUNT_BOUND;
  const words = path.includes("/search") ? path.split("%20").length : 1;
  return rows + PAGE_SIZE + (words > 1 ? words * SEARCH_PROBE_ROWS : 0);
}

/** A read of the audit log first hands over the events that wait in D1. */
const maxTrips = ({ path }: Cell) => (path.startsWith("/audit-events") ? 2 : 1);

/** How many reads have each value, such as `1 (150 reads), 2 (3 reads)`. */
function countValues(values: readonly number[]): string {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([value, n]) => `${value} (${n} reads)`)
    .join(", ");
}

function printReport(before: Cell[], after: Cell[]): void {
  console.log(
    `| role | request | D1 round trips | rows at ${SMALL} | rows at ${LARGE} | written | items |\n|---|---|---|---|---|---|---|`,
  );
  let grown = 0;
  for (const [i, small] of before.entries()) {
    const large = after[i];
    if (!large) throw new Error("a measurement is missing");
    const path = small.path.replace(/[0-9a-f-]{36}/, "{id}");
    console.log(
      `| ${small.who} | ${path} | ${large.trips} | ${small.rows} | ${large.rows} | ${large.written} | ${large.items} |`,
    );
    if (large.rows > maxRows(small) || large.trips > maxTrips(large)) grown++;
  }
  const [trips, written] = [after.map((cell) => cell.trips), after.map((cell) => cell.written)];
  console.log(`\nD1 round trips per read: ${countValues(trips)}. D1 rows written per read: ${countValues(written)}.`);
  console.log(
    `\n${before.length} reads measured; ${grown} grew by more than a page of ${PAGE_SIZE} or took more than one round trip (audit log: two).`,
  );
  console.log("Reads with a heart rate or date range filter count their matches up to 10,001; that is their bound.");
  console.log("Searches of several words may read 200 more rows per word, the maximum cost of finding the rarest word.");
  process.exitCode = grown === 0 && before.length > 0 ? 0 : 1;
}

await main();
