// Accounts of patients that have claimed records of hospitals.
import { type Caller, type Login, logIn } from "./api.ts";
import { type Patient, uniqueText, type World } from "./world.ts";

const PASSWORD = "lanterns over seven hills";

/** An account that has claimed the record, besides the one that it registered with. */
export async function newPatientLogin(world: World, patient: Patient): Promise<Login> {
  const login = { email: `patient-${uniqueText()}@example.org`, password: PASSWORD };
  await world.admin.ask("/auth/register", { json: { ...login, full_name: "Sarala Bose" } });
  await claimRecord(await logIn(login), world, patient);
  return login;
}

export async function claimRecord(account: Caller, { clerk }: World, { id, birth }: Patient): Promise<void> {
  const { data } = await clerk.ask(`/patients/${id}/claim-codes`, { method: "POST" });
  await account.ask("/patients/claim", { json: { code: data.code, date_of_birth: birth } });
}

/** The patient asks about the newest read of their record. @returns the id of the review */
export async function askAboutRead(login: Login, patient: Patient, text: string): Promise<string> {
  const caller = await logIn(login);
  const [event] = (await caller.ask(`/audit-events?patient_id=${patient.id}&event=patient.read`)).data;
  return (await caller.ask("/privacy-questions", { json: { event_id: event.id, text } })).data.question_id;
}
