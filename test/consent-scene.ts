// A person with a record in two hospitals: `a` holds data, `b` asks for them.
import { expect } from "vitest";
import { API, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "./world.ts";

export async function newConsentScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  return { a, b, person, atA, atB };
}
export type ConsentScene = Awaited<ReturnType<typeof newConsentScene>>;
type Sharing = Pick<ConsentScene, "person" | "atA" | "atB"> & { b: Pick<ConsentScene["b"], "nurse"> };

export const postJson = (path: string, as: Person, json: object = {}) =>
  sendRequest(`${API}${path}`, { as, method: "POST", json });

export type AskedScope = { kinds: string[]; data_from: string; data_until: string; purpose?: string; expires_at?: string };

/** Staff of `b` asks, the person grants as asked. @returns the consent's id */
export async function grantAsAsked({ b, person, atA, atB }: Sharing, scope: AskedScope): Promise<string> {
  const defaults = { purpose: "CAREMGT", expires_at: new Date(Date.now() + 86_400_000).toISOString() };
  const asked = await postJson("/consents", b.nurse, { patient_id: atB.id, ...defaults, ...scope });
  expect(asked.status).toBe(201);
  const id = (await readJson(asked)).data.consent_id;
  expect((await postJson(`/consents/${id}/grant`, person, { patient_ids: [atA.id] })).status).toBe(200);
  return id;
}

export async function revoke({ person }: Pick<ConsentScene, "person">, consentId: string): Promise<void> {
  expect((await postJson(`/consents/${consentId}/revoke`, person)).status).toBe(200);
}
