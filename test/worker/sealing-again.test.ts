// A rotation of FIELD_KEYS: everything stored is sealed again under the new key, and opens without the old one.
import { getTableName, is } from "drizzle-orm";
import { getTableConfig, SQLiteTable } from "drizzle-orm/sqlite-core";
import { beforeAll, describe, expect, it } from "vitest";
import * as schema from "../../src/platform/db/schema.ts";
import { sealAgain } from "../../src/service/keys/seal-again.ts";
import { SEALED_TABLES } from "../../src/service/keys/sealed-columns.ts";
import { FILE_COLUMNS } from "../../src/service/keys/sealed-files.ts";
import { forgetTimeStep, post } from "../factor-steps.ts";
import { oneTimePassword } from "../one-time-password.ts";
import { API, env, PASSWORD, readAuditEvents, readJson, sendRequest } from "../world.ts";
import {
  ARCHIVED_VALUE,
  added,
  archivedAt,
  dropped,
  filesOf,
  newRecords,
  objectText,
  type Rotated,
  readKeyStatus,
  runUntilFree,
  signing,
  tablesWithValuesOf,
} from "./rotation-world.ts";

const HOUR_MS = 3_600_000;
const START = Date.now();

let world: Rotated;
beforeAll(async () => {
  world = await newRecords();
});

const tables = Object.values(schema).filter((value) => is(value, SQLiteTable));
const columnsLike = (pattern: RegExp) =>
  tables.flatMap((table) =>
    getTableConfig(table).columns.flatMap(({ name }) => (pattern.test(name) ? [`${getTableName(table)}.${name}`] : [])),
  );

describe("the tables of what is sealed", () => {
  it("have every sealed column of the schema", () => {
    const listed = SEALED_TABLES.flatMap(({ name, columns }) => columns.map(({ column }) => `${name}.${column.name}`));
    expect(listed.sort()).toEqual(columnsLike(/_sealed$/).sort());
  });

  it("have every column that names a file in R2", () => {
    const other = ["vital_months.file_key", "vital_months.stale_key", "replaced_files.file_key"];
    const listed = FILE_COLUMNS.map(({ table, fileKey }) => `${getTableName(table)}.${fileKey.name}`);
    expect([...listed, ...other].sort()).toEqual(columnsLike(/^(file|content|metrics|stale|archive)_key$/).sort());
  });
});

/** Reads one record of each kind. @returns the status and a part of each response */
async function readAll(of: Env) {
  const get = async (path: string, as = world.nurse) => sendRequest(`${API}${path}`, { as, env: of });
  const json = async (path: string, as = world.nurse) => {
    const response = await get(path, as);
    return { status: response.status, data: (await readJson(response)).data };
  };
  const bytes = async (path: string) => Buffer.from(await (await get(path)).arrayBuffer()).toString("base64");
  const day = (offset: number) => new Date(archivedAt() + offset * 24 * HOUR_MS).toISOString();
  const values = ({ data }: { data: { value: number }[] }) => data.map(({ value }) => value);
  return {
    patient: (await json(`/patients/${world.patient.id}`)).data?.first_name,
    file: await bytes(`/reports/${world.reportId}/file`),
    metrics: (await json(`/reports/${world.reportId}`)).data?.metrics?.heart_rate,
    document: await bytes(`/documents/${world.documentId}/file`),
    title: (await json(`/documents/${world.documentId}`)).data?.file_name,
    upload: (await get(`/uploads/${world.uploadId}/file`)).status,
    corrected: values(await json(`/patients/${world.monitoredId}/observations?from=${new Date(START - HOUR_MS).toISOString()}`)),
    archived: values(await json(`/patients/${world.monitoredId}/observations?from=${day(-1)}&to=${day(1)}`)),
    sessions: (await json("/auth/sessions", world.doctor)).status,
    users: (await json("/users", world.manager)).data?.length,
  };
}

async function logInWithCode(of: Env): Promise<number> {
  const login = await post("/auth/login", null, { email: world.doctor.email, password: PASSWORD }, { env: of });
  const { ticket } = await readJson(login);
  await forgetTimeStep(world.doctor.id);
  return (await post("/auth/login/second-step", null, { ticket, code: oneTimePassword(world.totpSecret) }, { env: of })).status;
}

describe("a rotation", () => {
  it("does nothing while the ring has one key", async () => {
    expect(await sealAgain(env, START)).toBe(0);
    expect(await env.DB.prepare("SELECT count(*) AS n FROM resealing").first<number>("n")).toBe(0);
  });

  it("counts what the old key has when the new one is added, and seals nothing", async () => {
    await runUntilFree(added, START);
    const { current_key_id, keys } = await readKeyStatus(world.admin, added);
    expect(current_key_id).toBe("f1");
    expect(keys).toEqual([
      { key_id: "f1", in_ring: true, values: expect.any(Number), can_be_dropped: false },
      { key_id: "f2", in_ring: true, values: 0, can_be_dropped: true },
    ]);
    expect(await tablesWithValuesOf("f2")).toEqual([]);
    expect(await filesOf("f2")).toEqual([]);
  });

  it("refuses to start without the old key before it is free", async () => {
    const response = await sendRequest(`${API}/patients/${world.patient.id}`, { as: world.nurse, env: dropped });
    expect(response.status).toBe(503);
  });

  it("seals rows, files and objects under the new key, after which everything opens without the old one", async () => {
    const before = await readAll(env);
    expect(before).toMatchObject({ metrics: 71, corrected: [72], archived: [ARCHIVED_VALUE], upload: 200, sessions: 200 });
    expect(before.file).toBe(Buffer.from(world.pdf).toString("base64"));
    expect(before.document).toBe(Buffer.from(world.text).toString("base64"));
    expect(await filesOf("f1")).not.toHaveLength(0);
    expect(await objectText(world.monitoredId)).toContain("s1.f1.");

    await runUntilFree(signing, START + 24 * HOUR_MS);

    expect(await tablesWithValuesOf("f1")).toEqual([]);
    expect(await filesOf("f1")).toEqual([]);
    expect(await objectText(world.monitoredId)).not.toMatch(/s1\.f1\.|"f1\//);
    const { keys, stores } = await readKeyStatus(world.admin, signing);
    expect(keys).toEqual([
      { key_id: "f2", in_ring: true, values: expect.any(Number), can_be_dropped: false },
      { key_id: "f1", in_ring: true, values: 0, can_be_dropped: true },
    ]);
    expect(stores.filter(({ unreadable }: { unreadable: number }) => unreadable > 0)).toEqual([]);
    expect(await readAll(dropped)).toEqual(before);
    expect(await logInWithCode(dropped)).toBe(200);
  });

  it("shows its progress to platform administrators alone, with an event in the audit log", async () => {
    const response = await sendRequest(`${API}/admin/keys`, { as: world.admin, env: signing });
    expect(await readAuditEvents(response.headers.get("x-request-id") ?? "")).toMatchObject([
      { event: "admin.keys", action: "R" },
    ]);
    expect((await sendRequest(`${API}/admin/keys`, { as: world.manager, env: signing })).status).toBe(403);
  });
});
