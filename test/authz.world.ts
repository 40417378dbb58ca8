// The world of the authorization matrix: its principals with live tokens, its patients with their things, its requests.
import { type Place, PRINCIPALS, type Principal, TARGETS, type Target } from "./authz.matrix.ts";
import {
  API,
  type Ask,
  ask,
  env,
  link,
  newDevice,
  newHospital,
  newLogin,
  newPatient,
  newPdf,
  newPerson,
  type Patient,
  type Person,
  read,
  unique,
  upload,
  uploadForm,
} from "./world.ts";

export type Player = { principal: Principal; token: string | null; person: Person | null; sessionId: string | null };
/** Everything a request may name; in the twin for a random id, all of it is random. */
export type Handle = {
  hospitalId: string;
  patientId: string;
  reportId: string;
  deviceId: string;
  credentialId: string;
  /** A nurse of the hospital, not in the care team. */
  staffId: string;
  /** A doctor of the hospital, in the care team. */
  memberId: string;
  version: number;
};

const run = (query: string, ...values: unknown[]) =>
  // biome-ignore lint/plugin: constants of this file.
  env.DB.prepare(query)
    .bind(...values)
    .run();

export async function newPlayers() {
  const places: Record<Place, string> = { A: await newHospital(), B: await newHospital(), W: await newHospital("hospital") };
  const nurses = { A: await newPerson("nurse", places.A), W: await newPerson("nurse", places.W, "hospital") };
  const patients = await mapTargets(async (target) => {
    const place = TARGETS[target];
    return newPatient(places[place], nurses[place]);
  });
  const players: Player[] = [];
  for (const principal of PRINCIPALS) players.push(await newPlayer(principal, places, nurses.A, patients));
  const bound = players.find((player) => player.principal.name === "device bound");
  const handles = await mapTargets(async (target) => {
    const place = TARGETS[target];
    const uploader = target === "treated" ? { token: bound?.token ?? "" } : nurses[place];
    return newHandle(places[place], nurses[place], uploader, patients[target]);
  });
  for (const player of players) await end(player, places);
  return { places, nurses, patients, players, handles };
}
export type Stage = Awaited<ReturnType<typeof newPlayers>>;

async function mapTargets<T>(make: (target: Target) => Promise<T>): Promise<Record<Target, T>> {
  return { treated: await make("treated"), untreated: await make("untreated"), elsewhere: await make("elsewhere") };
}

async function newPlayer(
  principal: Principal,
  places: Record<Place, string>,
  nurse: Person,
  patients: Record<Target, Patient>,
): Promise<Player> {
  const { kind, role, place, wide, linked = [], team = [], bound } = principal;
  if (kind === "anonymous") return { principal, token: null, person: null, sessionId: null };
  if (kind === "device") {
    const { token } = await newDevice(nurse, bound ? patients[bound].id : null);
    return { principal, token, person: null, sessionId: null };
  }
  const person = await newPerson(role ?? "patient", place ? places[place] : null, wide ? "hospital" : "care_team");
  for (const target of linked) await link(person, patients[target]);
  for (const target of team) await joinTeam(patients[target].id, person.id);
  return { principal, token: person.token, person, sessionId: person.sessionId };
}

export const joinTeam = (patientId: string, userId: string) =>
  run("INSERT INTO care_team (patient_id, user_id, added_by, started_at) VALUES (?, ?, 'test', 1)", patientId, userId);

async function newHandle(hospitalId: string, nurse: Person, uploader: { token: string }, patient: Patient): Promise<Handle> {
  const device = await newDevice(nurse, patient.id);
  const sent = await upload(uploader, newPdf(`file of ${patient.canary}`), {
    patient_id: patient.id,
    fileName: `${patient.canary}.pdf`,
    metrics: JSON.stringify({ heart_rate: 72, vendor: patient.canary }),
  });
  const { data } = await read(sent);
  const staff = await newPerson("nurse", hospitalId);
  const member = await newPerson("doctor", hospitalId);
  await joinTeam(patient.id, member.id);
  return {
    hospitalId,
    patientId: patient.id,
    reportId: data.report_id,
    deviceId: device.id,
    credentialId: device.credentialId,
    staffId: staff.id,
    memberId: member.id,
    version: 1,
  };
}

async function end({ principal, person, token }: Player, places: Record<Place, string>): Promise<void> {
  if (principal.ended === "deactivated") await run("UPDATE users SET active = 0 WHERE id = ?", person?.id);
  if (principal.ended === "left") {
    await run("UPDATE memberships SET ended_at = 1 WHERE user_id = ? AND hospital_id = ?", person?.id, places.A);
  }
  if (principal.ended === "revoked") await run("UPDATE credentials SET revoked_at = 1 WHERE id = ?", token?.split("_")[1]);
}

/** What an allowed call would use up, made anew, so that every allowed cell meets the same state. */
export async function freshen(route: string, handle: Handle, stage: Stage): Promise<Handle> {
  const nurse = handle.hospitalId === stage.places.A ? stage.nurses.A : stage.nurses.W;
  if (route.endsWith("/care-team/:user_id") || route.endsWith("/members/:user_id")) {
    const doctor = await newPerson("doctor", handle.hospitalId);
    if (route.startsWith("DELETE") && route.includes("care-team")) await joinTeam(handle.patientId, doctor.id);
    return { ...handle, staffId: doctor.id, memberId: doctor.id };
  }
  if (route.endsWith("/credentials/:credential_id")) {
    const issued = await ask(`${API}/devices/${handle.deviceId}/credentials`, { as: nurse, json: { name: "spare" } });
    return { ...handle, credentialId: (await read(issued)).data.credential_id };
  }
  if (route.endsWith("/assignments/current")) {
    await ask(`${API}/devices/${handle.deviceId}/assignments`, { as: nurse, json: { patient_id: handle.patientId } });
  }
  if (route.startsWith("PATCH")) {
    const row = await env.DB.prepare("SELECT version FROM patients WHERE id = ?").bind(handle.patientId).first<number>("version");
    return { ...handle, version: row ?? 0 };
  }
  return handle;
}

const form = (handle: Handle): BodyInit => uploadForm(newPdf(`upload ${unique()}`), { patient_id: handle.patientId });

/** Bodies and headers of the routes that want some. */
const BODIES: Record<string, (handle: Handle, principal: Principal) => Ask> = {
  "POST /api/token": () => ({ body: "", headers: { "Content-Type": "application/x-www-form-urlencoded" } }),
  "POST /api/v1/auth/login": () => ({ json: {} }),
  "POST /api/v1/auth/refresh": () => ({ json: { refresh_token: 1 } }),
  "POST /api/v1/auth/bootstrap": () => ({ json: {} }),
  "POST /api/v1/users": (handle, { role }) => ({
    json: {
      email: `${unique()}@example.org`,
      full_name: "Ravi Kumar",
      password: "quiet river stones",
      role: "nurse",
      ...(role === "admin" && { hospital_id: handle.hospitalId }),
    },
  }),
  "POST /api/v1/hospitals": () => ({ json: { name: "Another hospital" } }),
  "PUT /api/v1/hospitals/:hospital_id/members/:user_id": () => ({ json: { role: "nurse" } }),
  "POST /api/v1/patients": (handle, { role }) => ({
    json: { first_name: "Nobody", ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "PATCH /api/v1/patients/:patient_id": (handle) => ({
    json: { monitoring: "home" },
    headers: { "If-Match": `"${handle.version}"` },
  }),
  "POST /api/v1/devices": (handle, { role }) => ({
    json: { kind: "ecg", name: "cart", ...(role === "admin" && { hospital_id: handle.hospitalId }) },
  }),
  "POST /api/v1/devices/:device_id/credentials": () => ({ json: { name: "ward PC" } }),
  "POST /api/v1/devices/:device_id/assignments": (handle) => ({ json: { patient_id: handle.patientId } }),
  "POST /api/v1/reports": (handle) => ({ body: form(handle) }),
  "POST /api/v1/ecg/reports/upload": (handle) => ({ body: form(handle) }),
};

export async function call(route: string, handle: Handle, player: Player, sessionId: string, token = player.token) {
  const [method = "GET", pattern = ""] = route.split(" ");
  const isTeam = pattern.includes("care-team");
  const path = pattern
    .replace(":hospital_id", handle.hospitalId)
    .replace(":patient_id", handle.patientId)
    .replace(":report_id", handle.reportId)
    .replace(":device_id", handle.deviceId)
    .replace(":credential_id", handle.credentialId)
    .replace(":user_id", isTeam ? handle.memberId : handle.staffId)
    .replace(":session_id", sessionId)
    .replace("/*", "/docs.js");
  const more = BODIES[route]?.(handle, player.principal) ?? {};
  return ask(path, { ...more, method, as: token });
}

/** A session of the player's own, for routes that end one. */
export async function spareSession(player: Player, places: Record<Place, string>) {
  const { role = "patient", place, wide } = player.principal;
  if (!player.person) return null;
  const hospitalId = place ? places[place] : null;
  return newLogin(player.person.id, { role, hospitalId, doctorScope: wide ? "hospital" : "care_team" });
}
