// Budgets of exports.
import { newRecordExport } from "../record-export-rows.ts";
import { API, sendRequest } from "../world.ts";
import { type BudgetCase, budget, doctor, getAs, reportId, withNewKey, world } from "./budgets-world.ts";

const ofExport = (path: string) => async (counted: Env) =>
  getAs(`/patients/${world.patient.id}/export/${await newRecordExport(world.patient.id, world.doctor)}${path}`, doctor)(counted);

export const careF: BudgetCase[] = [
  [
    "GET /reports/{id}/export",
    "read",
    200,
    budget(2, 20, 0, "get"),
    (counted) => getAs(`/reports/${reportId}/export?format=pdf`, doctor)(counted),
  ],
  [
    "POST /patients/{id}/export",
    "write",
    202,
    budget(3, 40, 30),
    (counted) =>
      sendRequest(`${API}/patients/${world.patient.id}/export`, {
        as: world.doctor,
        json: { format: "json" },
        ...withNewKey(),
        env: counted,
      }),
  ],
  [
    "GET /patients/{id}/export",
    "read",
    200,
    budget(1, 40, 0),
    (counted) => getAs(`/patients/${world.patient.id}/export`, doctor)(counted),
  ],
  ["GET /patients/{id}/export/{export_id}", "read", 200, budget(1, 20, 0), ofExport("")],
  ["GET /patients/{id}/export/{export_id}/file", "read", 200, budget(1, 20, 0, "get"), ofExport("/file")],
];
