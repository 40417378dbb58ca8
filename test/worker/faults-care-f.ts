// Faults in exports.
import { newRecordExport } from "../record-export-rows.ts";
import { API, env, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, reportId, withNewKey, world } from "./faults-world.ts";

/** A read of an export that is made once. */
function readExport(name: string, path: string): FaultCase {
  let id: string | undefined;
  return {
    name,
    status: 200,
    retry: "any",
    async attempt() {
      id ??= await newRecordExport(world.patient.id, world.doctor);
      const url = `${API}/patients/${world.patient.id}/export/${id}${path}`;
      return { send: (faulty) => sendRequest(url, { as: world.doctor, env: faulty }) };
    },
  };
}

export const careF: FaultCase[] = [
  readCase("GET /reports/{id}/export", () => `${API}/reports/${reportId}/export?format=pdf`),
  {
    name: "POST /patients/{id}/export",
    status: 202,
    retry: "once",
    async attempt() {
      // Those of earlier attempts count as open, and towards the hospital's day.
      await env.DB.prepare("DELETE FROM record_exports WHERE patient_id = ?").bind(world.patient.id).run();
      const options = withNewKey();
      const made = env.DB.prepare("SELECT count(*) AS n FROM record_exports WHERE patient_id = ?").bind(world.patient.id);
      const url = `${API}/patients/${world.patient.id}/export`;
      return {
        send: (faulty) => sendRequest(url, { as: world.doctor, json: { format: "json" }, ...options, env: faulty }),
        effects: () => queryCount(made),
      };
    },
  },
  readCase("GET /patients/{id}/export", () => `${API}/patients/${world.patient.id}/export`),
  readExport("GET /patients/{id}/export/{export_id}", ""),
  readExport("GET /patients/{id}/export/{export_id}/file", "/file"),
];
