// In the authorization matrix, of intake: ids, requests, and what an allowed call consumes.
import type { AuthzFixture, IdsOwner, ResourceIds, RouteBodies, RouteQueries, TestCaller } from "./authz.world.ts";
import { newSubmissionRow } from "./care-rows.ts";
import { API, env, type Person, readJson, sendRequest } from "./world.ts";

/** Members whose names end with `Id` are random in requests about what does not exist. */
export type CareIdsG = {
  /** A link for nobody whom the hospital knows. */
  intakeLinkId: string;
  /** Answers for the patient that wait for review. */
  submissionId: string;
};

const FORM = { fields: ["first_name", "chief_complaint"], language: "en" };
const nurses = new Map<string, Person>();

async function newLink(hospitalId: string): Promise<string> {
  const as = nurses.get(hospitalId);
  if (!as) throw new Error("no nurse of this hospital");
  return (await readJson(await sendRequest(`${API}/intake-links`, { as, json: FORM }))).data.intake_link_id;
}

export const newCareIdsG = async ({ hospitalId, patient, nurse }: IdsOwner): Promise<CareIdsG> => {
  nurses.set(hospitalId, nurse);
  const submissionId = await newSubmissionRow({ hospitalId, patientId: patient.id, submittedBy: nurse.id });
  return { intakeLinkId: await newLink(hospitalId), submissionId };
};

const anyVersion = { headers: { "If-Match": "*" } };

export const CARE_BODIES_G: RouteBodies = {
  "POST /api/v1/intake-links": () => ({ json: FORM }),
  "POST /api/v1/intake/open": () => ({ json: { token: "ecn_test" } }),
  "POST /api/v1/intake/submit": () => ({ json: { token: "ecn_test", answers: { first_name: "Test" } } }),
  "POST /api/v1/intake-submissions": ({ patientId }) => ({
    json: { patient_id: patientId, answers: { chief_complaint: "Cough" } },
  }),
  "POST /api/v1/intake-submissions/:submission_id/take": () => ({ json: { take: ["chief_complaint"] }, ...anyVersion }),
  "POST /api/v1/intake-submissions/:submission_id/reject": () => ({ json: { reason: "A test" }, ...anyVersion }),
};

export const CARE_QUERIES_G: RouteQueries = {};

/** @returns null for a route of which nothing is renewed here */
export const renewCareG = async (
  route: string,
  handle: ResourceIds,
  _stage: AuthzFixture,
  _player: TestCaller,
): Promise<ResourceIds | null> => {
  if (route === "DELETE /api/v1/intake-links/:intake_link_id")
    return nurses.has(handle.hospitalId) ? { ...handle, intakeLinkId: await newLink(handle.hospitalId) } : null;
  if (!/intake-submissions\/:submission_id\/(take|reject)$/.test(route)) return null;
  const { hospitalId, patientId } = handle;
  const isThere = await env.DB.prepare("SELECT 1 FROM patients WHERE id = ?").bind(patientId).first();
  return isThere ? { ...handle, submissionId: await newSubmissionRow({ hospitalId, patientId, submittedBy: "test" }) } : null;
};
