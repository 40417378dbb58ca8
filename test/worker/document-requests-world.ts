// Two hospitals and a person with a record at each, for tests of document requests: B asks, A answers.
import { forgetDenials } from "../consent-rows.ts";
import { newDocument } from "../document-files.ts";
import { API, link, newPatient, newPerson, newWorld, type Person, readJson, sendRequest } from "../world.ts";

export const DESCRIPTION = "Discharge summary of the pneumonia in spring";

export async function newScene() {
  const [a, b] = [await newWorld(), await newWorld()];
  const person = await newPerson("patient");
  const [atA, atB] = [await newPatient(a.hospitalId, a.nurse), await newPatient(b.hospitalId, b.nurse)];
  for (const patient of [atA, atB]) await link(person, patient);
  return { a, b, person, atA, atB };
}
export type Scene = Awaited<ReturnType<typeof newScene>>;

export const post = (path: string, as: Person, json: object = {}, headers = {}) =>
  sendRequest(`${API}${path}`, { as, method: "POST", json, headers });
export const get = (path: string, as: Person) => sendRequest(`${API}${path}`, { as });
export const readData = async (response: Response) => (await readJson(response)).data;
export const codeOf = async (response: Response): Promise<[number, string]> => [response.status, (await readJson(response)).code];

export async function create({ b, atB }: Scene, change: object = {}, as = b.nurse) {
  await forgetDenials(atB.id);
  return post("/document-requests", as, { patient_id: atB.id, description: DESCRIPTION, ...change });
}

/** @returns the ids of a request and its consent */
export async function newRequest(scene: Scene, change: object = {}) {
  const { document_request_id: id, consent_id: consentId } = await readData(await create(scene, change));
  return { id: String(id), consentId: String(consentId) };
}
export const grant = ({ person, atA }: Scene, consentId: string, change: object = {}) =>
  post(`/consents/${consentId}/grant`, person, { patient_ids: [atA.id], ...change });

export const step = (name: "approve" | "reject" | "fulfil" | "cancel", id: string, as: Person, json: object = {}) =>
  post(`/document-requests/${id}/${name}`, as, name === "reject" ? { reason: "Not in our records", ...json } : json);

/** A request that the person has consented to. */
export async function newConsented(scene: Scene, change: object = {}) {
  const request = await newRequest(scene, change);
  await grant(scene, request.consentId);
  return request;
}

/** A request that A has fulfilled with one document. */
export async function newFulfilled(scene: Scene) {
  const request = await newConsented(scene);
  const documentId = await newDocument(scene.a.nurse, scene.atA.id);
  await step("approve", request.id, scene.a.nurse);
  await step("fulfil", request.id, scene.a.nurse, { document_ids: [documentId] });
  return { ...request, documentId };
}

export const statusOf = async (id: string, as: Person): Promise<string> =>
  (await readData(await get(`/document-requests/${id}`, as)))?.status;
