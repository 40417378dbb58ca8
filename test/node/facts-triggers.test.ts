// Triggers of the facts in patients' objects and of the rights in hospitals' feeds: a change of any column that `loadFacts` or
// `findVisiblePatients` reads queues a delivery to the object. The columns come from the code: SQLite reports each one that is read.
import { readdirSync, readFileSync } from "node:fs";
import { constants, DatabaseSync } from "node:sqlite";
import { beforeAll, describe, expect, it } from "vitest";
import { newSecrets } from "../../scripts/dev-secrets.mjs";
import { findVisiblePatients, type Subscription } from "../../src/monitoring/live/visibility.ts";
import { type Facts, loadFacts } from "../../src/monitoring/patient-object/context/facts.ts";
import { type Clinical, type Identity, sealPatient } from "../../src/patients/identity/sealed-fields.ts";
import { getKeys, type Keys } from "../../src/platform/config.ts";
import { getDb } from "../../src/platform/db/client.ts";

const NOW = Date.UTC(2026, 10, 29);
const HOSPITAL = "h";
/** With a device, settings and limits; and with nothing but samples of people, for which `monitoring_settings` has a row. */
const PATIENTS = ["equipped", "plain"] as const;
const IDENTITY: Identity = {
  first_name: "A",
  last_name: null,
  gender: "unknown",
  date_of_birth: "1990-01-01",
  phone: null,
  email: null,
  address: null,
  aadhaar_last4: null,
  abha_number: null,
};
const CLINICAL: Clinical = { medical_history: null, notes: null, symptoms: [] };
type PatientId = (typeof PATIENTS)[number];

let keys: Keys;
beforeAll(async () => {
  keys = await getKeys({ ...newSecrets(), ENVIRONMENT: "test", LOG_LEVEL: "INFO" } as unknown as Env);
});

type Row = Record<string, string | number | null>;

function insertRow(sqlite: DatabaseSync, table: string, row: Row): void {
  const columns = Object.keys(row);
  // biome-ignore lint/plugin: names of this file.
  const statement = sqlite.prepare(`INSERT INTO ${table} (${columns.join()}) VALUES (${columns.map(() => "?").join()})`);
  statement.run(...Object.values(row));
}

/** @param last the last migration to run */
async function newDatabase(last?: string): Promise<DatabaseSync> {
  const sqlite = new DatabaseSync(":memory:", { enableForeignKeyConstraints: false });
  const files = readdirSync("migrations").filter((name) => name.endsWith(".sql"));
  for (const name of files.sort()) {
    const migration = readFileSync(`migrations/${name}`, "utf8");
    // The code reads the tables and columns of later migrations, whose triggers are what a test leaves out.
    const isRun = !last || name <= last;
    sqlite.exec(
      isRun
        ? migration
        : (
            migration.match(
              /^(?:ALTER TABLE .* ADD|CREATE TABLE `(?:escalation_settings|factor_policies|consents|consent_records|consent_documents|emergency_accesses|erasures|guardianships|replaced_files)`) [^;]*;/gm,
            ) ?? []
          ).join("\n"),
    );
  }
  const insert = (table: string, row: Row) => insertRow(sqlite, table, row);
  const by = { created_by: "u", created_at: 1 };
  insert("hospitals", { id: HOSPITAL, name: "H", created_at: 1, updated_at: 1 });
  insert("wards", { id: "w", hospital_id: HOSPITAL, name: "W", created_at: 1, updated_at: 1 });
  for (const [i, id] of PATIENTS.entries()) {
    const sealed = await sealPatient(keys, id, 1, IDENTITY, CLINICAL);
    const seals = { identity_sealed: sealed.identitySealed, clinical_sealed: sealed.clinicalSealed };
    const ward_id = id === "equipped" ? "w" : null;
    insert("patients", { id, patient_number: i + 1, hospital_id: HOSPITAL, ward_id, ...seals, ...by, updated_at: 1 });
    insert("monitoring_settings", { patient_id: id, updated_by: "u", updated_at: 1 });
  }
  const rule = { code: "8867-4", hospital_id: HOSPITAL, limits: '{"low":46}', updated_by: "u", updated_at: 1 };
  insert("alert_rules", { scope_id: "w", scope: "ward", ...rule });
  insert("alert_rules", { scope_id: "equipped", scope: "patient", ...rule });
  for (const [scope, scope_id] of Object.entries({ hospital: HOSPITAL, ward: "w" }))
    insert("escalation_settings", { scope_id, scope, hospital_id: HOSPITAL, settings: "{}", updated_by: "u", updated_at: 1 });
  insert("devices", { id: "d", hospital_id: HOSPITAL, kind: "ecg", name: "D", ...by, updated_at: 1 });
  insert("device_assignments", { id: "a", device_id: "d", patient_id: "equipped", started_at: 1, created_by: "u" });
  insert("factor_policies", { hospital_id: HOSPITAL, role: "doctor", required_from: 9e15, set_by: "u", set_at: 1 });
  const credential = { id: "c", kind: "device", device_id: "d", hospital_id: HOSPITAL, name: "C", secret_hash: "x" };
  insert("credentials", { ...credential, scopes: "report:create observation:create", ...by });
  return sqlite;
}

/** As much of D1 as `batch` uses. */
function asD1(sqlite: DatabaseSync): D1Database {
  const prepare = (sql: string) => ({
    // biome-ignore lint/plugin: as D1 runs what the product prepares.
    bind: (...params: (string | number | null)[]) => ({ run: () => sqlite.prepare(sql).all(...params) }),
  });
  const batch = async (statements: { run: () => unknown[] }[]) =>
    statements.map(({ run }) => ({ success: true, results: run(), meta: {} }));
  return { prepare, batch } as unknown as D1Database;
}

const factsOf = (sqlite: DatabaseSync, id: string): Promise<Facts | null> =>
  loadFacts({ db: getDb(asD1(sqlite)), keys }, id, NOW);

type Column = { table: string; column: string };

/** The columns that a run reads, without primary keys, which never change. */
async function readColumns(sqlite: DatabaseSync, run: () => Promise<unknown>): Promise<Column[]> {
  const read = new Map<string, Column>();
  sqlite.setAuthorizer((action, table, column) => {
    if (action === constants.SQLITE_READ && table && column) read.set(`${table}.${column}`, { table, column });
    return constants.SQLITE_OK;
  });
  await run();
  sqlite.setAuthorizer(null);
  // json_each and other table functions have no columns in the schema.
  const isStored = sqlite.prepare(
    "SELECT 1 FROM pragma_table_info(?) WHERE name = ? AND pk = 0 AND ? IN (SELECT name FROM sqlite_schema)",
  );
  return [...read.values()].filter(({ table, column }) => isStored.get(table, column, table) !== undefined);
}

/** Changes a column in all rows, and takes it back. @returns whether the change is queued for the object */
function isDelivered(sqlite: DatabaseSync, { table, column }: Column, outboxId: string): boolean {
  sqlite.exec("BEGIN; DELETE FROM outbox;");
  const [{ type } = { type: "" }] = sqlite.prepare("SELECT type FROM pragma_table_info(?) WHERE name = ?").all(table, column) as {
    type: string;
  }[];
  const changed = type.toUpperCase() === "INTEGER" ? `coalesce(${column}, 0) + 1` : `coalesce(${column}, '') || 'x'`;
  // biome-ignore lint/plugin: names of the schema.
  const { changes } = sqlite.prepare(`UPDATE ${table} SET ${column} = ${changed}`).run();
  const row = sqlite.prepare("SELECT 1 FROM outbox WHERE id = ?").get(outboxId);
  sqlite.exec("ROLLBACK");
  expect(changes, `${table}.${column}`).toBeGreaterThan(0);
  return row !== undefined;
}

const readFactColumns = (sqlite: DatabaseSync) => readColumns(sqlite, () => factsOf(sqlite, "equipped"));
const toName = ({ table, column }: Column) => `${table}.${column}`;

async function undelivered(sqlite: DatabaseSync, patient: PatientId, tables?: readonly string[]): Promise<string[]> {
  const columns = (await readFactColumns(sqlite)).filter(({ table }) => tables?.includes(table) ?? true);
  return columns.filter((column) => !isDelivered(sqlite, column, `monitor:${patient}`)).map(toName);
}

/** The tables with a row of a patient who has neither monitoring nor a device nor limits. */
const PLAIN_TABLES = ["patients", "hospitals", "monitoring_settings", "escalation_settings"];
const WHY =
  "Add the column to a trigger in a new migration (0007_facts_follow.sql is the model): else objects keep its old value";

describe("the facts of a patient's object", () => {
  it("are read from the columns that this test sees", async () => {
    const sqlite = await newDatabase();
    const facts = await factsOf(sqlite, "equipped");
    expect(facts).toMatchObject({ age: { band: "adult" }, open: true, overrides: { ward: { "8867-4": { low: 46 } } } });
    expect(facts?.bindings).toMatchObject([{ device: "d", kind: "ecg", credentials: { c: null } }]);
    const names = (await readFactColumns(sqlite)).map(toName);
    expect(names.length).toBeGreaterThan(18);
    expect(names).toEqual(expect.arrayContaining(["patients.identity_sealed", "hospitals.active", "credentials.expires_at"]));
  });

  it("follow every change of what they rest on", async () => {
    const sqlite = await newDatabase();
    expect(await undelivered(sqlite, "equipped"), WHY).toEqual([]);
  });

  it("follow also for a patient without monitoring and devices", async () => {
    const sqlite = await newDatabase();
    expect(await undelivered(sqlite, "plain", PLAIN_TABLES), WHY).toEqual([]);
  });

  it("did not before 0007, which this test notices", async () => {
    const sqlite = await newDatabase("0006_audit_by_seq.sql");
    expect(await undelivered(sqlite, "equipped")).toEqual(expect.arrayContaining(["devices.kind", "credentials.scopes"]));
    expect(await undelivered(sqlite, "plain", PLAIN_TABLES)).toEqual(
      expect.arrayContaining(["patients.identity_sealed", "patients.active", "hospitals.active"]),
    );
  });

  it("are stale after a change of a column without a trigger, which this test notices", async () => {
    const sqlite = await newDatabase();
    sqlite.exec("DROP TRIGGER changed_settings_update");
    expect(await undelivered(sqlite, "plain", PLAIN_TABLES)).toEqual([
      "monitoring_settings.spo2_scale",
      "monitoring_settings.pregnant",
      "monitoring_settings.observation_mode",
    ]);
  });

  it("take the patient's own mode before the ward's", async () => {
    const sqlite = await newDatabase();
    sqlite.exec("UPDATE wards SET observation_mode = 'spot', observation_grace_minutes = 20, overdue_alarm = 1, trend_mark = 1");
    expect(await factsOf(sqlite, "equipped")).toMatchObject({
      watch: { mode: "spot", graceMinutes: 20 },
      overdueAlarm: true,
      trendMark: true,
    });
    expect(await factsOf(sqlite, "plain")).toMatchObject({ watch: { mode: "auto", graceMinutes: 15 } });
    sqlite.exec("UPDATE monitoring_settings SET observation_mode = 'continuous'");
    expect(await factsOf(sqlite, "equipped")).toMatchObject({ watch: { mode: "continuous", graceMinutes: 20 } });
  });

  it("take the ward's minutes before the hospital's, and the hospital's before the default", async () => {
    const sqlite = await newDatabase();
    const set = (scope: string, settings: object) =>
      sqlite.prepare("UPDATE escalation_settings SET settings = ? WHERE scope = ?").run(JSON.stringify(settings), scope);
    set("hospital", {
      escalation_minutes: { high: [5], medium: [20], low: [] },
      repeat_minutes: { high: 9, medium: null, low: null },
    });
    set("ward", { escalation_minutes: { high: [1, 2, 4], medium: [], low: [] } });
    const repeat_minutes = { high: 9, medium: null, low: null };
    expect((await factsOf(sqlite, "equipped"))?.reminders).toEqual({
      escalation: { high: [1, 2, 4], medium: [], low: [] },
      repeat_minutes,
    });
    expect((await factsOf(sqlite, "plain"))?.reminders).toEqual({
      escalation: { high: [5], medium: [20], low: [] },
      repeat_minutes,
    });
  });

  it("lose a credential that is no longer in use", async () => {
    const sqlite = await newDatabase();
    sqlite.exec("UPDATE credentials SET scopes = 'report:create'");
    expect((await factsOf(sqlite, "equipped"))?.bindings).toMatchObject([{ device: "d", credentials: {} }]);
  });
});

type Holder = { role: Subscription["role"]; actingFor: string | null; view: string };
/** A view of each role; the doctor's and the patient's are their own. */
const HOLDERS: readonly Holder[] = [
  { role: "admin", actingFor: null, view: "hospital/all" },
  { role: "nurse", actingFor: HOSPITAL, view: "hospital/all" },
  { role: "doctor", actingFor: HOSPITAL, view: "u-doctor/all" },
  { role: "patient", actingFor: null, view: "u-patient/named" },
];
/** A doctor of another hospital, who sees a patient of this one by a consent. */
const OTHER_HOSPITAL = "h2";
const GUEST_VIEW = `consent:${OTHER_HOSPITAL}:u-guest:u-guest/named`;
/** Another one, who sees the patient by an emergency access. */
const RESCUER_VIEW = `emergency:${OTHER_HOSPITAL}:u-rescuer/named`;
const NAMED = new Map([
  ["u-patient/named", ["plain"]],
  [GUEST_VIEW, ["plain"]],
  [RESCUER_VIEW, ["plain"]],
]);

const SUBSCRIPTIONS: readonly Subscription[] = [
  ...HOLDERS.map((holder) => ({
    ...holder,
    holder: { kind: "user" as const, userId: `u-${holder.role}`, sessionId: `s-${holder.role}` },
  })),
  {
    role: "app",
    actingFor: HOSPITAL,
    view: "hospital/all",
    holder: { kind: "app", credentialId: "k", hospitalId: HOSPITAL },
  },
  {
    role: "doctor",
    actingFor: OTHER_HOSPITAL,
    view: GUEST_VIEW,
    holder: { kind: "user", userId: "u-guest", sessionId: "s-guest" },
  },
  {
    role: "doctor",
    actingFor: OTHER_HOSPITAL,
    view: RESCUER_VIEW,
    holder: { kind: "user", userId: "u-rescuer", sessionId: "s-rescuer" },
  },
];

function addUser(sqlite: DatabaseSync, name: string, role: Subscription["role"], hospitalId: string | null): void {
  const account = { email_index: name, profile_sealed: "x", password_hash: "x", password_changed_at: 1, updated_at: 1 };
  insertRow(sqlite, "users", { id: `u-${name}`, ...account, is_admin: Number(role === "admin"), created_at: 1 });
  const times = { rotated_at: 1, created_at: 1, idle_expires_at: NOW * 2, expires_at: NOW * 2 };
  const session = { user_id: `u-${name}`, hospital_id: hospitalId, client_sealed: "x", ...times };
  insertRow(sqlite, "sessions", { id: `s-${name}`, ...session });
  const by = { created_by: "u", created_at: 1 };
  if (hospitalId) insertRow(sqlite, "memberships", { user_id: `u-${name}`, hospital_id: hospitalId, role, ...by });
}

/** Adds the guest's hospital, its record of a person, and the consent that shares this hospital's record. */
function addConsent(sqlite: DatabaseSync): void {
  const times = { created_at: 1, updated_at: 1 };
  insertRow(sqlite, "hospitals", { id: OTHER_HOSPITAL, name: "H2", ...times });
  addUser(sqlite, "guest", "doctor", OTHER_HOSPITAL);
  const seals = { identity_sealed: "x", clinical_sealed: "x" };
  const record = { id: "guest-record", patient_number: 9, hospital_id: OTHER_HOSPITAL, ...seals, created_by: "u", ...times };
  insertRow(sqlite, "patients", record);
  insertRow(sqlite, "care_team", { patient_id: "guest-record", user_id: "u-guest", added_by: "u", started_at: 1 });
  const ends = { answer_until: 1, expires_at: NOW * 2, erase_at: NOW * 2 };
  const scope = { purpose: "CAREMGT", kinds: "observations", data_from: 1, data_until: NOW * 2 };
  const consent = { id: "co", hospital_id: OTHER_HOSPITAL, patient_id: "guest-record", status: "granted", ...scope, ...ends };
  const profile = { id: "guest-profile", hospital_id: OTHER_HOSPITAL, user_id: "u-guest", details_sealed: "x", created_by: "u" };
  insertRow(sqlite, "practitioners", { ...profile, ...times });
  insertRow(sqlite, "consents", { ...consent, practitioner_id: "guest-profile", ...times });
  insertRow(sqlite, "consent_records", { consent_id: "co", patient_id: "plain" });
}

/** Adds an emergency access of the rescuer to this hospital's record; both hospitals know its person. */
function addEmergency(sqlite: DatabaseSync): void {
  addUser(sqlite, "rescuer", "doctor", OTHER_HOSPITAL);
  sqlite.exec("UPDATE hospitals SET emergency_reach = 'any_hospital'");
  sqlite.exec("UPDATE patients SET patient_uid = 'person', uid_basis = 'staff' WHERE id IN ('plain', 'guest-record')");
  const records = { patient_id: "plain", record_hospital_id: HOSPITAL, own_patient_id: "guest-record" };
  const times = { started_at: NOW - 1, ends_at: NOW * 2 };
  const reader = { id: "em", hospital_id: OTHER_HOSPITAL, user_id: "u-rescuer" };
  insertRow(sqlite, "emergency_accesses", { ...reader, ...records, reason_sealed: "x", stepped_up: 1, ...times });
}

/** Adds the people and the API key of `SUBSCRIPTIONS`. */
function addHolders(sqlite: DatabaseSync): void {
  const by = { created_by: "u", created_at: 1 };
  for (const { role, actingFor } of HOLDERS) addUser(sqlite, role, role, actingFor);
  addConsent(sqlite);
  addEmergency(sqlite);
  const key = {
    id: "k",
    kind: "app",
    hospital_id: HOSPITAL,
    name: "K",
    secret_hash: "x",
    scopes: "patient:read observation:read alert:read",
  };
  insertRow(sqlite, "credentials", { ...key, ...by });
  insertRow(sqlite, "care_team", { patient_id: "plain", user_id: "u-doctor", added_by: "u", started_at: 1 });
  insertRow(sqlite, "patient_links", {
    patient_id: "plain",
    user_id: "u-patient",
    method: "code",
    verified_by: "u",
    created_at: 1,
  });
}

/** Never changed, or moved forward only by the refresh or another proof of a session. */
const CONSTANT = [
  "sessions.created_at",
  "sessions.authenticated_at",
  "sessions.user_id",
  "sessions.expires_at",
  "credentials.kind",
  "credentials.hospital_id",
  "devices.hospital_id",
  "consents.hospital_id",
  "consents.patient_id",
  "consents.purpose",
  "consents.practitioner_id",
  "consents.documents_only",
  "consents.created_at",
  "emergency_accesses.hospital_id",
  "emergency_accesses.user_id",
  "emergency_accesses.patient_id",
  "emergency_accesses.record_hospital_id",
  "emergency_accesses.own_patient_id",
];

describe("the rights in a hospital's feed", () => {
  async function newRights(last?: string) {
    const sqlite = await newDatabase(last);
    addHolders(sqlite);
    const run = () => findVisiblePatients(getDb(asD1(sqlite)), HOSPITAL, SUBSCRIPTIONS, NAMED);
    const columns = await readColumns(sqlite, run);
    return { visible: await run(), columns, sqlite };
  }
  const undeliveredRights = ({ sqlite, columns }: Awaited<ReturnType<typeof newRights>>) =>
    columns.filter((column) => !isDelivered(sqlite, column, `feed:${HOSPITAL}`)).map(toName);

  it("are read from the columns that this test sees", async () => {
    const { visible, columns } = await newRights();
    expect([...visible.ended]).toEqual([]);
    const idsOf = (view: string) => visible.patients.get(view)?.map(({ id }) => id);
    expect(["hospital/all", "u-doctor/all", "u-patient/named", GUEST_VIEW, RESCUER_VIEW].map(idsOf)).toEqual([
      ["equipped"],
      [],
      ["plain"],
      ["plain"],
      ["plain"],
    ]);
    expect(visible.patients.get(GUEST_VIEW)?.[0]?.grant).toMatchObject({ consentId: "co", from: 1 });
    expect(visible.patients.get(RESCUER_VIEW)?.[0]?.grant).toEqual({ emergencyId: "em", endsAt: NOW * 2 });
    expect(columns.map(toName)).toEqual(
      expect.arrayContaining(["credentials.expires_at", "memberships.suspended_at", "care_team.ended_at", "patients.monitoring"]),
    );
  });

  it("follow every change of what they rest on", async () => {
    expect((await undeliveredRights(await newRights())).sort(), WHY).toEqual([...CONSTANT].sort());
  });

  it("do not follow a consent without its trigger, which this test notices", async () => {
    const rights = await newRights();
    rights.sqlite.exec("DROP TRIGGER changed_consent");
    expect(await undeliveredRights(rights)).toEqual(expect.arrayContaining(["consents.status", "consents.expires_at"]));
  });

  it("do not follow an emergency access, a reach and a person without their triggers, which this test notices", async () => {
    const rights = await newRights();
    rights.sqlite.exec("DROP TRIGGER changed_emergency; DROP TRIGGER changed_hospital; DROP TRIGGER changed_person");
    expect(await undeliveredRights(rights)).toEqual(
      expect.arrayContaining([
        "emergency_accesses.ends_at",
        "emergency_accesses.ended_at",
        "hospitals.emergency_reach",
        "patients.patient_uid",
        "patients.uid_basis",
      ]),
    );
  });

  const isQueuedBy = (sqlite: DatabaseSync, change: string): boolean => {
    sqlite.exec("BEGIN; DELETE FROM outbox");
    sqlite.exec(change);
    const row = sqlite.prepare("SELECT 1 FROM outbox WHERE id = ?").get(`feed:${HOSPITAL}`);
    sqlite.exec("ROLLBACK");
    return row !== undefined;
  };

  it("follow a new emergency access and a deleted one, and not without the triggers", async () => {
    const { sqlite } = await newRights();
    sqlite.exec("CREATE TEMP TABLE taken AS SELECT * FROM emergency_accesses; UPDATE taken SET id = 'further'");
    const changes = ["INSERT INTO emergency_accesses SELECT * FROM taken", "DELETE FROM emergency_accesses"];
    expect(changes.map((change) => isQueuedBy(sqlite, change))).toEqual([true, true]);
    sqlite.exec("DROP TRIGGER changed_emergency_insert; DROP TRIGGER changed_emergency_delete");
    expect(changes.map((change) => isQueuedBy(sqlite, change))).toEqual([false, false]);
  });

  it("did not follow the end of an API key before 0010, which this test notices", async () => {
    expect(await undeliveredRights(await newRights("0009_list_indexes.sql"))).toContain("credentials.expires_at");
  });
});
