// Faults in emergency access and in the delay of its notices.
import { delayBody, newAccessRow, newDelayRow, startAccess } from "../emergency-scene.ts";
import { makeOfficer } from "../privacy-rows.ts";
import { API, env, newPatient, newPerson, type Person, sendRequest } from "../world.ts";
import { type FaultCase, queryCount, withNewKey, world } from "./faults-world.ts";

let madeOfficer: Promise<Person> | undefined;
const officer = () => (madeOfficer ??= newOfficer());
async function newOfficer(): Promise<Person> {
  const person = await newPerson("nurse", world.hospitalId);
  await makeOfficer(person);
  return person;
}
const newOne = async () => newAccessRow(world.doctor, world.hospitalId, (await newPatient(world.hospitalId, world.nurse)).id);
const newRecord = async () => (await newPatient(world.hospitalId, world.nurse)).id;

/** Of a delay of a new record. @param effect counts rows of the delay */
const delayCase = (
  method: "GET" | "PUT" | "DELETE",
  rest: Pick<FaultCase, "retry" | "used">,
  count: string | null,
): FaultCase => ({
  name: `${method} /patients/{id}/notice-delay`,
  status: 200,
  ...rest,
  async attempt() {
    const [as, id] = [await officer(), await newRecord()];
    if (method !== "PUT") await newDelayRow(id, as);
    const body = method === "PUT" ? { json: delayBody() } : {};
    const send = (faulty: Env) => sendRequest(`${API}/patients/${id}/notice-delay`, { as, method, ...body, env: faulty });
    if (count === null) return { send };
    const there = env.DB.prepare("SELECT count(*) AS n FROM notice_delays WHERE patient_id = ?").bind(id);
    return { send, effects: async () => (count === "row" ? queryCount(there) : 1 - (await queryCount(there))) };
  },
});

const readAs = (name: string, path: () => Promise<string>): FaultCase => ({
  name,
  status: 200,
  retry: "any",
  async attempt() {
    const url = API + (await path());
    return { send: (faulty) => sendRequest(url, { as: world.doctor, env: faulty }) };
  },
});

export const emergency: FaultCase[] = [
  readAs("GET /emergency-access", async () => "/emergency-access"),
  readAs("GET /emergency-access/{id}", async () => `/emergency-access/${await newOne()}`),
  {
    name: "POST /emergency-access",
    status: 201,
    retry: "once",
    async attempt() {
      const doctor = await newPerson("doctor", world.hospitalId);
      const id = await newRecord();
      const { headers } = withNewKey();
      const started = env.DB.prepare("SELECT count(*) AS n FROM emergency_accesses WHERE patient_id = ?").bind(id);
      return { send: (faulty) => startAccess(doctor, id, {}, headers, faulty), effects: () => queryCount(started) };
    },
  },
  {
    name: "POST /emergency-access/{id}/end",
    status: 200,
    retry: "none",
    used: 409,
    notifies: true,
    async attempt() {
      const id = await newOne();
      const ended = env.DB.prepare("SELECT count(*) AS n FROM emergency_accesses WHERE id = ? AND ended_at IS NOT NULL").bind(id);
      return {
        send: (faulty) => sendRequest(`${API}/emergency-access/${id}/end`, { as: world.doctor, method: "POST", env: faulty }),
        effects: () => queryCount(ended),
      };
    },
  },
  delayCase("GET", { retry: "any" }, null),
  delayCase("PUT", { retry: "any" }, "row"),
  delayCase("DELETE", { retry: "none", used: 404 }, "none"),
];
