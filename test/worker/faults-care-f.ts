// Faults in exports.
import { API } from "../world.ts";
import { type FaultCase, readCase, reportId } from "./faults-world.ts";

export const careF: FaultCase[] = [readCase("GET /reports/{id}/export", () => `${API}/reports/${reportId}/export?format=pdf`)];
