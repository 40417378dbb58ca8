// Faults in document requests.
import { newDocument } from "../document-files.ts";
import { newIncoming, newRequestRow } from "../document-request-rows.ts";
import { API, env, newHospital, sendRequest, uniqueText } from "../world.ts";
import { type FaultCase, queryCount, readCase, withNewKey, world } from "./faults-world.ts";

const own = () => ({ patientId: world.patient.id, hospitalId: world.hospitalId });
const newOutgoing = () => newRequestRow(own(), world.nurse.id);
const incoming = (status: "requested" | "approved") => async () => newIncoming(own(), await newHospital(), world.nurse, status);

/** A step that is taken once. @param status after it */
function stepCase(name: string, find: () => Promise<string>, status: string, body: () => Promise<object>): FaultCase {
  return {
    name: `POST /document-requests/{id}/${name}`,
    status: 200,
    retry: "none",
    used: 409,
    async attempt() {
      const [id, json] = [await find(), await body()];
      const done = env.DB.prepare("SELECT count(*) AS n FROM document_requests WHERE id = ? AND status = ?").bind(id, status);
      return {
        send: (faulty) =>
          sendRequest(`${API}/document-requests/${id}/${name}`, { as: world.nurse, method: "POST", json, env: faulty }),
        effects: () => queryCount(done),
      };
    },
  };
}

export const documentRequests: FaultCase[] = [
  readCase("GET /document-requests", () => `${API}/document-requests`),
  readCase("GET /document-requests/hospitals", () => `${API}/document-requests/hospitals`),
  {
    name: "GET /document-requests/{id}",
    status: 200,
    retry: "any",
    async attempt() {
      const id = await newOutgoing();
      return { send: (faulty) => sendRequest(`${API}/document-requests/${id}`, { as: world.nurse, env: faulty }) };
    },
  },
  {
    name: "POST /document-requests",
    status: 201,
    retry: "once",
    async attempt() {
      await env.DB.prepare("UPDATE consents SET status = 'expired'").run();
      const [json, options] = [{ patient_id: world.patient.id, description: uniqueText() }, withNewKey()];
      const before = await count();
      return {
        send: (faulty) => sendRequest(`${API}/document-requests`, { as: world.nurse, json, ...options, env: faulty }),
        effects: async () => (await count()) - before,
      };
    },
  },
  stepCase("approve", incoming("requested"), "approved", async () => ({})),
  stepCase("reject", incoming("requested"), "rejected", async () => ({ reason: "Not in our records" })),
  stepCase("fulfil", incoming("approved"), "fulfilled", async () => ({
    document_ids: [await newDocument(world.nurse, world.patient.id)],
  })),
  stepCase("cancel", newOutgoing, "cancelled", async () => ({})),
];

const count = () => queryCount(env.DB.prepare("SELECT count(*) AS n FROM document_requests"));
