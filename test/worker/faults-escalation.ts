// Fault cases of escalation settings and of the staff of a ward.
import { API, env, newHospital, newPerson, newWard, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, world } from "./faults-world.ts";

const CHANGE = { escalation_minutes: { high: [2, 5], medium: [15], low: [] } };
const settingsOf = (scopeId: string) =>
  queryCount(env.DB.prepare("SELECT count(*) AS n FROM escalation_settings WHERE scope_id = ?").bind(scopeId));
const staffOf = (wardId: string) =>
  queryCount(env.DB.prepare("SELECT count(*) AS n FROM ward_staff WHERE ward_id = ?").bind(wardId));

async function newPlace(scope: "wards" | "hospitals") {
  if (scope === "wards") return { id: await newWard(world.manager), manager: world.manager };
  const id = await newHospital();
  return { id, manager: await newPerson("hospital_admin", id) };
}

export const escalation: FaultCase[] = [
  readCase(
    "GET /hospitals/{id}/escalation",
    () => `${API}/hospitals/${world.hospitalId}/escalation`,
    () => world.nurse,
  ),
  {
    name: "PUT /wards/{id}/staff",
    status: 200,
    retry: "none",
    async attempt() {
      const ward = await newWard(world.manager);
      const change = { method: "PUT", json: { user_ids: [world.nurse.id] }, headers: { "If-Match": '"1"' } };
      return {
        send: (faulty) => sendRequest(`${API}/wards/${ward}/staff`, { ...change, as: world.manager, env: faulty }),
        effects: () => staffOf(ward),
      };
    },
  },
  ...(["wards", "hospitals"] as const).flatMap((scope): FaultCase[] => [
    {
      name: `PUT /${scope}/{id}/escalation`,
      status: 200,
      retry: "none",
      used: 428,
      async attempt() {
        const { id, manager } = await newPlace(scope);
        const change = { as: manager, method: "PUT", json: CHANGE };
        return {
          send: (faulty) => sendRequest(`${API}/${scope}/${id}/escalation`, { ...change, env: faulty }),
          effects: () => settingsOf(id),
        };
      },
    },
    {
      name: `DELETE /${scope}/{id}/escalation`,
      status: 200,
      retry: "none",
      used: 404,
      async attempt() {
        const { id, manager } = await newPlace(scope);
        const path = `${API}/${scope}/${id}/escalation`;
        await sendRequest(path, { as: manager, method: "PUT", json: CHANGE });
        const options = { as: manager, method: "DELETE", headers: { "If-Match": '"1"' } };
        return {
          send: (faulty) => sendRequest(path, { ...options, env: faulty }),
          effects: async () => 1 - (await settingsOf(id)),
        };
      },
    },
  ]),
];
