// The raw state after an erasure: nothing of the person is left in D1, R2, KV or the patient's object, and the certificate says what was.
import { beforeAll, expect, it } from "vitest";
import { ERASED_TABLES } from "../../src/erasure/run/erased-tables.ts";
import { fromBase64Url } from "../../src/platform/base64.ts";
import { getKeys } from "../../src/platform/config.ts";
import { API, env, listLoggedEvents, newWorld, readJson, sendRequest, type World } from "../world.ts";
import {
  ABHA_NUMBER,
  approved,
  countObjectRows,
  eraseAll,
  fillStores,
  idsOf,
  listFiles,
  listHints,
  scanD1,
  sealedValuesOf,
} from "./erasure-world.ts";

let world: World;
beforeAll(async () => {
  world = await newWorld();
  await fillStores(world);
});

const readCertificate = async (id: string) =>
  (await readJson(await sendRequest(`${API}/erasures/${id}/certificate`, { as: world.manager }))).data;

it("an erased patient is found nowhere, and the certificate counts what was there", async () => {
  const { patient, self } = world;
  const person = await env.DB.prepare("SELECT patient_uid AS uid FROM patients WHERE id = ?")
    .bind(patient.id)
    .first<{ uid: string }>();
  const id = await approved(world);
  const ids = await idsOf(patient.id, self.id);
  const texts = [...ids, person?.uid ?? "", patient.canary, self.email, self.username, "1964-03-04", "7000000001"];
  const secrets = await sealedValuesOf(ids);
  const before = {
    d1: await scanD1(texts),
    files: await listFiles(),
    hints: await listHints(patient.id),
    rows: await countObjectRows(patient.id),
  };
  expect(secrets.length).toBeGreaterThan(15);
  expect(before.hints).toHaveLength(1);
  expect(before.rows).toBeGreaterThan(3);

  await eraseAll(id);

  expect(Object.fromEntries(await scanD1([...texts, ...secrets]))).toEqual({});
  expect(await countObjectRows(patient.id)).toBe(0);
  expect(await listHints(patient.id)).toEqual([]);
  const left = await listFiles();
  const { counts, signed_text, signature, list_sha256 } = await readCertificate(id);
  const certified = Object.fromEntries(counts.map(({ store, count }: { store: string; count: number }) => [store, count]));
  const scanned = Object.fromEntries([...before.d1].map(([table, rows]) => [`d1.${table}`, rows.length]));
  // The change of the report that was moved to another record lost the id, and stays.
  scanned["d1.report_changes.from_patient_id"] = scanned["d1.report_changes"] ?? 0;
  delete scanned["d1.report_changes"];
  expect(certified).toMatchObject(scanned);
  expect(certified).toMatchObject({
    "r2.files": before.files.length - left.length - 1,
    "object.files": 1,
    "object.rows": before.rows,
    "kv.hints": 1,
  });
  expect(list_sha256).toMatch(/^[0-9a-f]{64}$/);

  const { auditSigners } = await getKeys(env);
  expect(fromBase64Url(signature.public_key)).toEqual(auditSigners.current.publicKey);
  const key = await crypto.subtle.importKey("raw", auditSigners.current.publicKey, "Ed25519", false, ["verify"]);
  const bytes = new TextEncoder().encode(signed_text);
  const value = fromBase64Url(signature.value) ?? new Uint8Array();
  expect(await crypto.subtle.verify("Ed25519", key, value, bytes)).toBe(true);
  expect(await crypto.subtle.verify("Ed25519", key, value, new TextEncoder().encode(`${signed_text} `))).toBe(false);
  for (const [store, count] of Object.entries(certified)) expect(signed_text).toContain(`\ncount ${store} ${count}\n`);
});

it("the audit log keeps ids of the patient, and no name, number or contact", async () => {
  const events = JSON.stringify(await listLoggedEvents());
  expect(events).toContain(world.patient.id);
  for (const text of [world.patient.canary, world.self.email, world.self.username, "1964-03-04", "7000000001", ABHA_NUMBER])
    expect(events).not.toContain(text);
});

it("others keep their records, files and counts", async () => {
  const { nurse, stranger, hospitalId } = world;
  expect((await sendRequest(`${API}/patients/${stranger.id}`, { as: nurse })).status).toBe(200);
  const { data } = await readJson(await sendRequest(`${API}/reports?patient_id=${stranger.id}`, { as: nurse }));
  expect(data).toHaveLength(1);
  expect((await sendRequest(`${API}/reports/${data[0].report_id}/file`, { as: nurse })).status).toBe(200);
  const total = await env.DB.prepare("SELECT n FROM counters WHERE scope = ? AND day = 0 AND name = 'patients'")
    .bind(`h:${hospitalId}`)
    .first<number>("n");
  expect(total).toBe(
    await env.DB.prepare("SELECT count(*) AS n FROM patients WHERE hospital_id = ?").bind(hospitalId).first<number>("n"),
  );
});

it.each(["alerts", "vital_hours", "notifications", "deliveries", "uploads", "counters"])(
  "the scan finds rows of %s that an erasure would leave",
  async (table) => {
    const other = await newWorld();
    await fillStores(other);
    const ids = await idsOf(other.patient.id, other.self.id);
    const id = await approved(other);
    await eraseAll(
      id,
      ERASED_TABLES.filter((erased) => erased.table !== table),
    );
    expect([...(await scanD1(ids)).keys()]).toContain(table);
  },
);
