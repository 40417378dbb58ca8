// Fault cases of retention policies, legal holds and erasures.
import { renewSignIn } from "../authz.factors.ts";
import { newErasure, newHold, RETENTION, signCertificate } from "../erasure-rows.ts";
import { API, env, newHospital, newPatient, newPerson, type RequestOptions, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, readCase, world } from "./faults-world.ts";

const REASON = { reason: "Asked for" };
const manager = () => world.manager;
const count = (from: string, id: string) =>
  // biome-ignore lint/plugin: a constant of this file with a placeholder.
  queryCount(env.DB.prepare(`SELECT count(*) AS n FROM ${from}`).bind(id));
const newPatientId = async () => (await newPatient(world.hospitalId, world.nurse)).id;
const newRequest = async (state: "requested" | "erased") => newErasure(await newPatientId(), world.hospitalId, state);

/** A write that a repetition finds done. @param arrange returns the path and what counts the effect */
const writeCase = (
  name: string,
  status: number,
  used: number,
  arrange: () => Promise<{ path: string; effects: () => Promise<number> } & RequestOptions>,
): FaultCase => ({
  name,
  status,
  retry: "none",
  used,
  async attempt() {
    await renewSignIn(world.manager.sessionId);
    const { path, effects, ...options } = await arrange();
    const send = (faulty: Env) => sendRequest(API + path, { as: world.manager, method: "POST", ...options, env: faulty });
    return { send, effects };
  },
});

const decideCase = (decision: "approve" | "reject", state: string) =>
  writeCase(`POST /erasures/{id}/${decision}`, 200, 409, async () => {
    const id = await newRequest("requested");
    const path = `/erasures/${id}/${decision}`;
    const effects = () => count(`erasures WHERE state = '${state}' AND id = ?`, id);
    return { path, effects, ...(decision === "reject" && { json: REASON }) };
  });

export const erasure: FaultCase[] = [
  readCase("GET /hospitals/{id}/retention", () => `${API}/hospitals/${world.hospitalId}/retention`, manager),
  readCase("GET /hospitals/{id}/retention/preview", () => `${API}/hospitals/${world.hospitalId}/retention/preview`, manager),
  readCase("GET /patient-holds", () => `${API}/patient-holds`, manager),
  readCase("GET /erasures", () => `${API}/erasures`, manager),
  writeCase("PUT /hospitals/{id}/retention", 200, 428, async () => {
    const id = await newHospital();
    const as = await newPerson("hospital_admin", id);
    const effects = () => count("retention_policies WHERE hospital_id = ?", id);
    return { path: `/hospitals/${id}/retention`, method: "PUT", as, json: RETENTION, effects };
  }),
  writeCase("POST /patients/{id}/hold", 201, 409, async () => {
    const id = await newPatientId();
    return { path: `/patients/${id}/hold`, json: REASON, effects: () => count("patient_holds WHERE patient_id = ?", id) };
  }),
  writeCase("POST /patients/{id}/hold/release", 200, 409, async () => {
    const id = await newPatientId();
    await newHold(id, world.hospitalId);
    const effects = () => count("patient_holds WHERE released_at IS NOT NULL AND patient_id = ?", id);
    return { path: `/patients/${id}/hold/release`, json: REASON, effects };
  }),
  writeCase("POST /patients/{id}/erasure", 201, 409, async () => {
    const id = await newPatientId();
    return { path: `/patients/${id}/erasure`, json: REASON, effects: () => count("erasures WHERE patient_id = ?", id) };
  }),
  decideCase("approve", "restricted"),
  decideCase("reject", "rejected"),
  readCase(
    "GET /admin/erasures",
    () => `${API}/admin/erasures`,
    () => world.admin,
  ),
  {
    name: "POST /admin/erasures/apply",
    status: 200,
    retry: "any",
    async attempt() {
      await renewSignIn(world.admin.sessionId);
      const id = await newPatientId();
      const json = { certificates: [await signCertificate(id, world.hospitalId)] };
      const send = (faulty: Env) => sendRequest(`${API}/admin/erasures/apply`, { as: world.admin, json, env: faulty });
      return { send, effects: () => count("erasures WHERE state = 'erasing' AND patient_id = ?", id) };
    },
  },
];
