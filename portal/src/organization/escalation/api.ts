// API calls for escalation settings and the staff who hear of a ward's alarms.
import { hc } from "hono/client";
import type { escalationRoutes } from "../../../../src/organization/escalation/routes.ts";
import { API_BASE, CLIENT_OPTIONS, formatEtag, readData } from "../../platform/api/client.ts";

const { hospitals, wards } = hc<typeof escalationRoutes>(API_BASE, CLIENT_OPTIONS);
const hospitalApi = hospitals[":hospital_id"].escalation;
const wardApi = wards[":ward_id"].escalation;
const staffApi = wards[":ward_id"].staff;

export type Scope = { kind: "hospital" | "ward"; id: string };

export const readEscalation = ({ kind, id }: Scope) =>
  readData(kind === "hospital" ? hospitalApi.$get({ param: { hospital_id: id } }) : wardApi.$get({ param: { ward_id: id } }));
export type Escalation = Awaited<ReturnType<typeof readEscalation>>;
export type EscalationChange = Parameters<typeof wardApi.$put>[0]["json"];
export type TierEntry = NonNullable<EscalationChange["tiers"]>[number][number];

/** @param version of the settings that the change replaces; null when there are none yet */
export function writeEscalation({ kind, id }: Scope, version: number | null, json: EscalationChange) {
  const header = version === null ? {} : { "if-match": formatEtag(version) };
  return readData(
    kind === "hospital"
      ? hospitalApi.$put({ param: { hospital_id: id }, header, json })
      : wardApi.$put({ param: { ward_id: id }, header, json }),
  );
}

export function resetEscalation({ kind, id }: Scope, version: number) {
  const header = { "if-match": formatEtag(version) };
  return readData(
    kind === "hospital"
      ? hospitalApi.$delete({ param: { hospital_id: id }, header })
      : wardApi.$delete({ param: { ward_id: id }, header }),
  );
}

export const readWardStaff = (ward_id: string) => readData(staffApi.$get({ param: { ward_id } }));
export type WardStaff = Awaited<ReturnType<typeof readWardStaff>>;
export const writeWardStaff = ({ ward_id, version }: WardStaff, user_ids: string[]) =>
  readData(staffApi.$put({ param: { ward_id }, header: { "if-match": formatEtag(version) }, json: { user_ids } }));
