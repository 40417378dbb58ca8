// Consents of a record that is restricted until its erasure: nothing is shared any more; the person may still deny and revoke.
import { describe, expect, it } from "vitest";
import { type ConsentScene, newConsentScene, postJson } from "../consent-scene.ts";
import { API, type Person, readJson, sendRequest } from "../world.ts";
import { newConsented, newFulfilled } from "./document-requests-world.ts";
import { REASON, secondManager } from "./erasure-world.ts";

const scope = () => ({
  kinds: ["report:ecg"],
  data_from: "2025-01-01T00:00:00Z",
  data_until: "2026-12-31T23:59:59.999Z",
  expires_at: new Date(Date.now() + 86_400_000).toISOString(),
});

/** Of the record at A, or of the record at B. */
async function restrict({ hospitalId }: ConsentScene["a"], patientId: string): Promise<void> {
  const asked = await postJson(`/patients/${patientId}/erasure`, await secondManager(hospitalId), REASON);
  const { erasure_id: id } = (await readJson(asked)).data;
  expect((await postJson(`/erasures/${id}/approve`, await secondManager(hospitalId))).status).toBe(200);
}

async function askAtB({ b, atB }: ConsentScene): Promise<string> {
  const asked = await postJson("/consents", b.nurse, { patient_id: atB.id, purpose: "CAREMGT", ...scope() });
  expect(asked.status).toBe(201);
  return (await readJson(asked)).data.consent_id;
}

const grant = ({ person, atA }: ConsentScene, id: string) => postJson(`/consents/${id}/grant`, person, { patient_ids: [atA.id] });
const share = ({ b, person, atA }: ConsentScene) =>
  postJson("/consents/share", person, { hospital_id: b.hospitalId, patient_ids: [atA.id], ...scope() });
const offer = ({ person, atA }: ConsentScene) => postJson("/consents/offers", person, { patient_ids: [atA.id], ...scope() });
const redeem = ({ b, atB }: ConsentScene, code: string) => postJson("/consents/redeem", b.nurse, { code, patient_id: atB.id });
const codeOf = async (scene: ConsentScene): Promise<string> => (await readJson(await offer(scene))).data.code;

describe("a restricted record", () => {
  it("is not shared by a grant, on the person's own initiative, or by a code", async () => {
    const scene = await newConsentScene();
    const { a, person, atA } = scene;
    const [asked, other, granted] = [await askAtB(scene), await askAtB(scene), await askAtB(scene)];
    expect((await grant(scene, granted)).status).toBe(200);
    const code = await codeOf(scene);
    await restrict(a, atA.id);
    expect((await grant(scene, asked)).status).toBe(409);
    expect((await share(scene)).status).toBe(409);
    expect((await offer(scene)).status).toBe(409);
    expect((await redeem(scene, code)).status).toBe(409);
    expect((await postJson(`/consents/${other}/deny`, person)).status).toBe(200);
    expect((await postJson(`/consents/${granted}/revoke`, person)).status).toBe(200);
  });

  it("gets nothing shared with it", async () => {
    const scene = await newConsentScene();
    const { b, person, atB } = scene;
    const [asked, other] = [await askAtB(scene), await askAtB(scene)];
    const code = await codeOf(scene);
    await restrict(b, atB.id);
    expect((await grant(scene, asked)).status).toBe(409);
    expect((await share(scene)).status).toBe(409);
    expect((await redeem(scene, code)).status).toBe(404);
    expect((await postJson(`/consents/${other}/deny`, person)).status).toBe(200);
  });
});

describe("the check", () => {
  const check = async (as: Person, query: string) => {
    const { data } = await readJson(await sendRequest(`${API}/consents/check?${query}`, { as }));
    return [data.allowed, data.reason];
  };

  it.each(["a", "b"] as const)("says that nothing can be read while the record at %s is restricted", async (at) => {
    const scene = await newConsentScene();
    const { b, person, atA, atB } = scene;
    expect((await grant(scene, await askAtB(scene))).status).toBe(200);
    const callers: [Person, string][] = [
      [b.nurse, `patient_id=${atA.id}`],
      [b.nurse, `patient_id=${atB.id}`],
      [person, ""],
    ];
    for (const [as, query] of callers) expect(await check(as, query)).toEqual([true, null]);
    await restrict(scene[at], at === "a" ? atA.id : atB.id);
    for (const [as, query] of callers) expect(await check(as, query)).toEqual([false, "restricted"]);
  });

  it("says that the request for documents has not been fulfilled", async () => {
    const scene = await newConsentScene();
    const query = `patient_id=${scene.atA.id}&kind=documents`;
    await newConsented(scene);
    expect(await check(scene.b.nurse, query)).toEqual([false, "not_fulfilled"]);
    await newFulfilled(scene);
    expect(await check(scene.b.nurse, query)).toEqual([true, null]);
  });
});
