// Budgets of document requests.
import { newDocument } from "../document-files.ts";
import { newIncoming, newRequestRow } from "../document-request-rows.ts";
import { API, newWorld, sendRequest, type World } from "../world.ts";
import { type BudgetCase, budget, withNewKey } from "./budgets-world.ts";

/** Two hospitals of their own: grants would add rows to what other lines read of a patient. */
let world: World;
let other: World;
let made: Promise<unknown> | undefined;
const makeWorlds = () =>
  (made ??= Promise.all([newWorld(), newWorld()]).then((worlds) => {
    [world, other] = worlds;
  }));

const own = () => ({ patientId: world.patient.id, hospitalId: world.hospitalId });
const newOutgoing = async () => {
  await makeWorlds();
  return newRequestRow(own(), world.nurse.id);
};
const incoming = async (status: "requested" | "approved" = "requested") => {
  await makeWorlds();
  return newIncoming(own(), other.hospitalId, other.nurse, status);
};
const get = (path: string, counted: Env) => sendRequest(`${API}${path}`, { as: world.nurse, env: counted });

let filled: Promise<unknown> | undefined;
/** More requests than a page, in both directions. */
const fill = () => (filled ??= Promise.all(Array.from({ length: 30 }, (_, i) => (i % 2 ? newOutgoing() : incoming()))));
const listWhenFilled = (query: () => string) => async (counted: Env) => {
  await fill();
  return get(`/document-requests${query()}`, counted);
};
const take = (name: string, find: () => Promise<string>, body: () => Promise<object> = async () => ({})) => {
  return async (e: Env) => {
    const [id, json] = [await find(), await body()];
    return sendRequest(`${API}/document-requests/${id}/${name}`, { as: world.nurse, method: "POST", json, env: e });
  };
};

/** Lists show a page of 20 out of 30 requests. */
export const documentRequests: BudgetCase[] = [
  ["GET /document-requests", "read", 200, budget(1, 900, 0), listWhenFilled(() => "")],
  ["GET /document-requests?direction=in", "read", 200, budget(1, 900, 0), listWhenFilled(() => "?direction=in")],
  ["GET /document-requests?patient_id", "read", 200, budget(1, 900, 0), listWhenFilled(() => `?patient_id=${world.patient.id}`)],
  ["GET /document-requests?status", "read", 200, budget(1, 900, 0), listWhenFilled(() => "?status=requested")],
  ["GET /document-requests/hospitals", "read", 200, budget(1, 300, 0), (e) => get("/document-requests/hospitals", e)],
  [
    "GET /document-requests/{id}",
    "read",
    200,
    budget(1, 30, 0),
    async (e) => get(`/document-requests/${await newOutgoing()}`, e),
  ],
  [
    "POST /document-requests",
    "write",
    201,
    // The requests of a day to the person, read by the check and by the write.
    budget(3, 160, 40),
    async (e) => {
      await makeWorlds();
      const json = { patient_id: world.patient.id, description: "Discharge summary" };
      return sendRequest(`${API}/document-requests`, { as: world.nurse, json, ...withNewKey(), env: e });
    },
  ],
  ["POST /document-requests/{id}/approve", "write", 200, budget(2, 120, 20), take("approve", () => incoming())],
  [
    "POST /document-requests/{id}/reject",
    "write",
    200,
    budget(3, 120, 30),
    take(
      "reject",
      () => incoming(),
      async () => ({ reason: "Not in our records" }),
    ),
  ],
  [
    "POST /document-requests/{id}/fulfil",
    "write",
    200,
    budget(3, 140, 30),
    take(
      "fulfil",
      () => incoming("approved"),
      async () => ({ document_ids: [await newDocument(world.nurse, world.patient.id)] }),
    ),
  ],
  ["POST /document-requests/{id}/cancel", "write", 200, budget(2, 120, 30), take("cancel", newOutgoing)],
];
