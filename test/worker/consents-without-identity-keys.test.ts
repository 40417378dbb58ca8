// A deployment without IDENTITY_KEYS accepts no Aadhaar numbers: records are linked by claim codes and ABHA numbers, and sharing works
// as elsewhere.
import { beforeAll, describe, expect, it } from "vitest";
import { API, env, newPdf, newPerson, newWorld, type Person, readJson, sendRequest, uploadForm, type World } from "../world.ts";

const without: Env = { ...env, IDENTITY_KEYS: "" };
const post = (path: string, as: Person, json: object = {}) =>
  sendRequest(`${API}${path}`, { as, method: "POST", json, env: without });
const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as, env: without });

/** A record that the person has claimed by a code. @returns its id */
async function newClaimedRecord({ nurse }: World, person: Person, numbers: object = {}): Promise<string> {
  const identity = { first_name: "Asha", date_of_birth: "1964-03-04", duplicate_reason: "Another", ...numbers };
  const created = await post("/patients", nurse, identity);
  expect(created.status).toBe(201);
  const { patient_id } = (await readJson(created)).data;
  const issued = await post(`/patients/${patient_id}/claim-codes`, nurse);
  expect(issued.status).toBe(201);
  const { code } = (await readJson(issued)).data;
  expect((await post("/patients/claim", person, { code, date_of_birth: "1964-03-04" })).status).toBeLessThan(300);
  return patient_id;
}

/** A number that no other test uses. */
const newAbha = () => `91${String(Math.floor(Math.random() * 1e12)).padStart(12, "0")}`;

let a: World;
let b: World;
let person: Person;
beforeAll(async () => {
  [a, b] = [await newWorld(), await newWorld()];
  person = await newPerson("patient");
});

describe("without keys for national numbers", () => {
  it("a person links both records by codes, grants what is asked, and ends it", async () => {
    const [atA, atB] = [await newClaimedRecord(a, person), await newClaimedRecord(b, person)];
    const body = uploadForm(newPdf(), { patient_id: atA, kind: "ecg", recorded_at: "2026-03-01T08:00:00Z" });
    const { report_id } = (await readJson(await sendRequest(`${API}/reports`, { as: a.nurse, body, env: without }))).data;
    const scope = { kinds: ["report:ecg"], data_from: "2026-01-01T00:00:00Z", data_until: "2026-06-30T00:00:00Z" };
    const expires_at = new Date(Date.now() + 86_400_000).toISOString();
    const asked = await post("/consents", b.nurse, { patient_id: atB, purpose: "CAREMGT", ...scope, expires_at });
    const { consent_id } = (await readJson(asked)).data;
    expect((await get(`/reports/${report_id}`, b.nurse)).status).toBe(404);
    expect((await post(`/consents/${consent_id}/grant`, person, { patient_ids: [atA] })).status).toBe(200);
    expect((await get(`/reports/${report_id}`, b.nurse)).status).toBe(200);
    expect((await post(`/consents/${consent_id}/revoke`, person)).status).toBe(200);
    expect((await get(`/reports/${report_id}`, b.nurse)).status).toBe(404);
  });

  it("records are one person's by the ABHA number that staff of both hospitals has recorded, once they are claimed", async () => {
    const abha_number = newAbha();
    const somebody = await newPerson("patient");
    const atA = await newClaimedRecord(a, somebody, { abha_number });
    const ask = async (numbers: object): Promise<{ id: string; claim: () => Promise<Response> }> => {
      const identity = { first_name: "Asha", date_of_birth: "1964-03-04", duplicate_reason: "Another", ...numbers };
      const { patient_id } = (await readJson(await post("/patients", b.nurse, identity))).data;
      const scope = { kinds: ["report:ecg"], data_from: "2026-01-01T00:00:00Z", data_until: "2026-06-30T00:00:00Z" };
      const expires_at = new Date(Date.now() + 86_400_000).toISOString();
      const asked = await post("/consents", b.nurse, { patient_id, purpose: "CAREMGT", ...scope, expires_at });
      expect(asked.status).toBe(201);
      const { code } = (await readJson(await post(`/patients/${patient_id}/claim-codes`, b.nurse))).data;
      const claim = () => post("/patients/claim", somebody, { code, date_of_birth: "1964-03-04" });
      return { id: (await readJson(asked)).data.consent_id, claim };
    };
    const grant = async (id: string) => (await post(`/consents/${id}/grant`, somebody, { patient_ids: [atA] })).status;
    const [own, others] = [await ask({ abha_number }), await ask({ abha_number: newAbha() })];
    expect(await grant(own.id)).toBe(404);
    expect((await own.claim()).status).toBeLessThan(300);
    expect(await grant(own.id)).toBe(200);
    expect(await grant(others.id)).toBe(404);
  });
});
