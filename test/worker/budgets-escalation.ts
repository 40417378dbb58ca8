// Budgets of escalation settings and of the staff of a ward.
import { API, env, newWard, sendRequest } from "../world.ts";
import { type BudgetCase, budget, getAs, world } from "./budgets-world.ts";

const CHANGE = {
  escalation_minutes: { high: [2, 5], medium: [15], low: [] },
  tiers: [[{ role: "doctor" }, { group: "care_team" }]],
};
const put = (path: string, json: object, e: Env, version?: number) =>
  sendRequest(API + path, {
    as: world.manager,
    method: "PUT",
    json,
    ...(version && { headers: { "If-Match": `"${version}"` } }),
    env: e,
  });
/** A ward with two patients. */
async function newWardOfTwo(): Promise<string> {
  const ward = await newWard(world.manager);
  await env.DB.prepare("UPDATE patients SET ward_id = ? WHERE id IN (?, ?)")
    .bind(ward, world.patient.id, world.stranger.id)
    .run();
  return ward;
}
const remove = (path: string, e: Env) =>
  sendRequest(API + path, { as: world.manager, method: "DELETE", headers: { "If-Match": '"1"' }, env: e });

export const escalation: BudgetCase[] = [
  [
    "GET /hospitals/{id}/escalation",
    "read",
    200,
    budget(1, 15, 0),
    (e) => getAs(`/hospitals/${world.hospitalId}/escalation`, () => world.nurse)(e),
  ],
  [
    "GET /wards/{id}/escalation",
    "read",
    200,
    budget(1, 15, 0),
    async (e) => getAs(`/wards/${await newWard(world.manager)}/escalation`, () => world.nurse)(e),
  ],
  [
    "PUT /hospitals/{id}/escalation",
    "write",
    200,
    budget(3, 80, 40),
    (e) => put(`/hospitals/${world.hospitalId}/escalation`, CHANGE, e),
  ],
  [
    "DELETE /hospitals/{id}/escalation",
    "write",
    200,
    budget(3, 80, 40),
    (e) => remove(`/hospitals/${world.hospitalId}/escalation`, e),
  ],
  [
    "PUT /wards/{id}/escalation, two patients",
    "write",
    200,
    budget(3, 40, 15),
    async (e) => put(`/wards/${await newWardOfTwo()}/escalation`, CHANGE, e),
  ],
  [
    "DELETE /wards/{id}/escalation, two patients",
    "write",
    200,
    budget(3, 40, 15),
    async (e) => {
      const path = `/wards/${await newWardOfTwo()}/escalation`;
      await put(path, CHANGE, env);
      return remove(path, e);
    },
  ],
  [
    "GET /wards/{id}/staff",
    "read",
    200,
    budget(1, 15, 0),
    async (e) => getAs(`/wards/${await newWard(world.manager)}/staff`, () => world.nurse)(e),
  ],
  [
    "PUT /wards/{id}/staff",
    "write",
    200,
    budget(3, 50, 20),
    async (e) => put(`/wards/${await newWardOfTwo()}/staff`, { user_ids: [world.nurse.id, world.doctor.id] }, e, 1),
  ],
];
