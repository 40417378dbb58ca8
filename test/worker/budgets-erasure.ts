// Budgets of retention policies, legal holds and erasures.
import { renewSignIn } from "../authz.factors.ts";
import { clearHolds, clearPolicy, clearRequests, newErasure, newHold, RETENTION, signCertificate } from "../erasure-rows.ts";
import { API, newPatient, sendRequest } from "../world.ts";
import { admin, type BudgetCase, budget, getAs, world } from "./budgets-world.ts";

const manager = () => world.manager;
const post = (path: string, e: Env, json?: object) =>
  sendRequest(API + path, { as: world.manager, method: "POST", ...(json && { json }), env: e });
const REASON = { reason: "Asked for" };

/** A request about a new patient. @returns the path of the erasure */
async function newRequest(state: "requested" | "erased"): Promise<string> {
  await renewSignIn(world.manager.sessionId);
  const { id } = await newPatient(world.hospitalId, world.nurse);
  return `/erasures/${await newErasure(id, world.hospitalId, state)}`;
}

export const erasure: BudgetCase[] = [
  [
    "GET /hospitals/{id}/retention",
    "read",
    200,
    budget(1, 15, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/retention`, manager)(e),
  ],
  [
    "GET /hospitals/{id}/retention/preview",
    "read",
    200,
    budget(2, 100, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/retention/preview`, manager)(e),
  ],
  [
    "PUT /hospitals/{id}/retention",
    "write",
    200,
    budget(3, 40, 20),
    async (e) => {
      await clearPolicy(world.hospitalId);
      return sendRequest(`${API}/hospitals/${world.hospitalId}/retention`, {
        as: world.manager,
        method: "PUT",
        json: RETENTION,
        env: e,
      });
    },
  ],
  [
    "POST /patients/{id}/hold",
    "write",
    201,
    budget(2, 40, 20),
    async (e) => {
      await clearHolds(world.patient.id);
      return post(`/patients/${world.patient.id}/hold`, e, REASON);
    },
  ],
  [
    "POST /patients/{id}/hold/release",
    "write",
    200,
    budget(2, 40, 20),
    async (e) => {
      await newHold(world.patient.id, world.hospitalId);
      return post(`/patients/${world.patient.id}/hold/release`, e, REASON);
    },
  ],
  ["GET /patient-holds", "read", 200, budget(1, 40, 0), getAs("/patient-holds", manager)],
  [
    "POST /patients/{id}/erasure",
    "write",
    201,
    budget(2, 40, 25),
    async (e) => {
      await renewSignIn(world.manager.sessionId);
      await clearRequests(world.patient.id);
      return post(`/patients/${world.patient.id}/erasure`, e, REASON);
    },
  ],
  ["GET /erasures", "read", 200, budget(1, 60, 0), getAs("/erasures", manager)],
  ["GET /erasures/{id}", "read", 200, budget(1, 20, 0), async (e) => getAs(await newRequest("erased"), manager)(e)],
  [
    "GET /erasures/{id}/certificate",
    "read",
    200,
    budget(1, 20, 0),
    async (e) => getAs(`${await newRequest("erased")}/certificate`, manager)(e),
  ],
  [
    "POST /erasures/{id}/approve",
    "write",
    200,
    budget(3, 100, 40, "", "monitor.snapshot"),
    async (e) => post(`${await newRequest("requested")}/approve`, e),
  ],
  [
    "POST /erasures/{id}/reject",
    "write",
    200,
    budget(2, 60, 30),
    async (e) => post(`${await newRequest("requested")}/reject`, e, REASON),
  ],
  ["GET /admin/erasures", "read", 200, budget(1, 120, 0), getAs("/admin/erasures", admin)],
  [
    "POST /admin/erasures/apply",
    "write",
    200,
    budget(2, 60, 30),
    async (e) => {
      await renewSignIn(admin().sessionId);
      const { id } = await newPatient(world.hospitalId, world.nurse);
      const json = { certificates: [await signCertificate(id, world.hospitalId)] };
      return sendRequest(`${API}/admin/erasures/apply`, { as: admin(), method: "POST", json, env: e });
    },
  ],
];
