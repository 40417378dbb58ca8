// Budgets of documents.
import { markInError, newDocument, newText, uploadDocument, uploadVersion } from "../document-files.ts";
import { API, sendRequest } from "../world.ts";
import { type BudgetCase, budget, doctor, getAs, nurse, withNewKey, world } from "./budgets-world.ts";

const newOne = () => newDocument(world.nurse, world.patient.id);
const ofNew =
  (path: string, as = doctor) =>
  async (counted: Env) =>
    getAs(`/documents/${await newOne()}${path}`, as)(counted);

let filled: Promise<unknown> | undefined;
/** More documents than a page. By a manager: one person has 100 requests per minute. */
const fill = () => (filled ??= Promise.all(Array.from({ length: 30 }, () => newDocument(world.manager, world.patient.id))));
const listWhenFilled = (query: () => string) => async (counted: Env) => {
  await fill();
  return getAs(`/documents${query()}`, nurse)(counted);
};

/** Lists show a page of 20 out of 30 documents. */
export const documents: BudgetCase[] = [
  ["GET /documents", "read", 200, budget(1, 120, 0), listWhenFilled(() => "")],
  ["GET /documents?patient_id", "read", 200, budget(1, 120, 0), listWhenFilled(() => `?patient_id=${world.patient.id}`)],
  ["GET /documents/{id}", "read", 200, budget(1, 14, 0), ofNew("")],
  ["GET /documents/{id}/file", "read", 200, budget(1, 14, 0, "get"), ofNew("/file")],
  [
    "POST /documents/{id}/link",
    "read",
    200,
    budget(1, 14, 0),
    async (e) => sendRequest(`${API}/documents/${await newOne()}/link`, { as: world.doctor, method: "POST", env: e }),
  ],
  [
    "POST /documents",
    "write",
    201,
    budget(2, 16, 24, "put"),
    (e) => uploadDocument(world.nurse, newText(), { patient_id: world.patient.id }, { ...withNewKey(), env: e }),
  ],
  [
    "POST /documents, same file",
    "write",
    200,
    budget(2, 12, 6),
    async (e) => {
      const file = newText();
      await newDocument(world.nurse, world.patient.id, file);
      return uploadDocument(world.nurse, file, { patient_id: world.patient.id }, { ...withNewKey(), env: e });
    },
  ],
  [
    "POST /documents, refused",
    "write",
    415,
    budget(2, 12, 5),
    (e) => uploadDocument(world.nurse, new Uint8Array([0]), { patient_id: world.patient.id }, { env: e }),
  ],
  [
    "POST /documents/{id}/versions",
    "write",
    201,
    budget(2, 20, 26, "put"),
    async (e) => uploadVersion(world.nurse, await newOne(), newText(), '"1"', {}, { ...withNewKey(), env: e }),
  ],
  [
    "DELETE /documents/{id}",
    "write",
    200,
    budget(2, 20, 10),
    async (e) => markInError(world.nurse, await newOne(), '"1"', "a test", e),
  ],
];
