// The principals of the fuzzer and what they work on: two hospitals with markers in their texts, created through the API.
import { APP_SCOPES } from "../../src/access/permissions.ts";
import type { Role } from "../authz.matrix.ts";
import { type Answer, parseJson } from "./contract.ts";
import type { Json } from "./document.ts";
import type { Pool, Sender } from "./pool.ts";
import { createPdf, sha256, toBytes, type WireRequest } from "./requests.ts";

export type Timed = Answer & { ms: number };
/** @returns null if the client cannot send the request, such as a URL that it rejects */
export type Send = (request: WireRequest) => Promise<Timed | null>;
export type Principal = Sender & {
  group: string;
  role: Role | "app" | "device" | "none";
  /** One hospital per name; null for people without one. */
  hospital: string | null;
  userId: string | null;
  token: string | null;
  /** Markers that answers to this principal may contain. */
  sees: Set<string>;
  /** Creates its token again, after another request has ended it; null for principals whose token is to be invalid. */
  renew: (() => Promise<void>) | null;
  restsUntil: number;
};
export type FuzzWorld = {
  groups: Map<string, Principal[]>;
  /** Every marker, by hospital. */
  marks: Map<string, string[]>;
  pool: Pool;
  /** Opens the hospitals again, after a request has closed one: nobody could be renewed there. */
  reopen: () => Promise<void>;
};

const API = "/api/v1";
const PASSWORD = "quiet river stones";
/** Accounts per role, so that the limits per person and the ends of sessions do not stop the run. */
const ACCOUNTS = 3;

type Call = (
  scope: string,
  token: string | null,
  path: string,
  options?: { method?: string; json?: Json; version?: number; pdf?: string },
) => Promise<Data>;
/** `data` of an answer; its members are read by name. */
type Data = Record<string, Json | undefined>;

const member = (data: Data, name: string): string => {
  const value = data[name];
  if (typeof value !== "string") throw new Error(`an answer without ${name}: ${JSON.stringify(data)}`);
  return value;
};

/** Requests of the set-up; waits where a limit of the product says so. */
function createCall(send: Send, pool: Pool): Call {
  return async function call(scope, token, path, { method, json, version, pdf } = {}) {
    const body = pdf !== undefined ? createPdf(pdf) : json === undefined ? null : toBytes(JSON.stringify(json));
    const headers: [string, string][] = token === null ? [] : [["Authorization", `Bearer ${token}`]];
    if (body) headers.push(["Content-Type", pdf === undefined ? "application/json" : "application/pdf"]);
    if (body) headers.push(["Content-Length", String(body.length)]);
    if (body && pdf !== undefined) headers.push(["X-Content-SHA256", await sha256(body)], ["X-File-Name", "ecg.pdf"]);
    if (version !== undefined) headers.push(["If-Match", `"${version}"`]);
    const request = { method: method ?? (body ? "POST" : "GET"), target: API + path, headers, body };
    let answer = await send(request);
    for (let attempt = 0; answer?.status === 429 && attempt < 5; attempt++) {
      // A quota ends tomorrow; the set-up fails instead of waiting for it.
      const wait = Math.min(65_000, Number(answer.headers["retry-after"] ?? 1) * 1_000);
      await new Promise((resolve) => setTimeout(resolve, wait));
      answer = await send(request);
    }
    if (answer === null || answer.status >= 300) throw new Error(`${request.method} ${path}: ${answer?.status} ${answer?.text}`);
    const parsed = parseJson(answer.text);
    pool.harvest(scope, parsed);
    const { data } = Object(parsed);
    return typeof data === "object" && data !== null ? data : {};
  };
}

export type Keeper = {
  /** Logs in as an administrator whom no request of the run names. */
  login: () => Promise<string>;
};

export function loginWith(send: Send, email: string, password: string): () => Promise<string> {
  const json = { email, password };
  const body = toBytes(JSON.stringify(json));
  const headers: [string, string][] = [
    ["Content-Type", "application/json"],
    ["Content-Length", String(body.length)],
  ];
  return async () => {
    const answer = await send({ method: "POST", target: `${API}/auth/login`, headers, body });
    if (answer?.status !== 200) throw new Error(`login of ${email}: ${answer?.status} ${answer?.text}`);
    return String(JSON.parse(answer.text).data.access_token);
  };
}

export async function createFuzzWorld(send: Send, keeper: Keeper, pool: Pool, unique: string): Promise<FuzzWorld> {
  const call = createCall(send, pool);
  let adminToken = await keeper.login();
  pool.excluded.add(member(await call("*", adminToken, "/auth/me"), "user_id"));
  const asKeeper: Call = async (scope, _, path, options) => {
    try {
      return await call(scope, adminToken, path, options);
    } catch (error) {
      if (!/: 401 /.test(String(error))) throw error;
      adminToken = await keeper.login();
      return call(scope, adminToken, path, options);
    }
  };
  const byKeeper = (scope: string, path: string, json: Json = {}, more: { method?: string; version?: number } = {}) =>
    asKeeper(scope, null, path, { json, method: "POST", ...more });
  const groups = new Map<string, Principal[]>();
  const marks = new Map<string, string[]>();
  let count = 0;
  const email = () => `fuzz${unique}n${count++}@example.org`;

  function enter(principal: Omit<Principal, "restsUntil" | "userId" | "sees"> & { sees?: string[]; userId?: string }): Principal {
    const sees = principal.sees ?? (principal.hospital === null ? [] : (marks.get(principal.hospital) ?? []));
    const entered: Principal = { ...principal, userId: principal.userId ?? null, sees: new Set(sees), restsUntil: 0 };
    groups.set(entered.group, [...(groups.get(entered.group) ?? []), entered]);
    return entered;
  }

  /** An account that chose its own password, with a session. */
  async function addStaff(group: string, role: "nurse" | "doctor" | "hospital_admin", hospital: string, hospitalId: string) {
    const account = async () => {
      const login = { email: email(), password: PASSWORD };
      // The token of the invitation is for this account alone.
      const invited = await byKeeper("set-up", "/users/invite", { email: login.email, role, hospital_id: hospitalId });
      const json = { token: member(invited, "token"), password: PASSWORD, full_name: "Fuzz Staff" };
      const accepted = await call(hospital, null, "/auth/invitations/accept", { json });
      const token = member(accepted, "access_token");
      const me = await call(hospital, token, "/auth/me");
      return { login, token, userId: member(me, "user_id") };
    };
    const mark = marks.get(hospital)?.[0] ?? null;
    const principal = enter({ group, role, hospital, scope: hospital, mark, renew: null, ...(await account()) });
    principal.renew = renewAccount(principal, account);
    return principal;
  }

  /** Logs in again; a new account if that fails, as after a change of the password. */
  function renewAccount(
    principal: Principal,
    account: () => Promise<{ login: { email: string; password: string }; token: string; userId: string }>,
  ): () => Promise<void> {
    return async () => {
      try {
        if (!principal.login) throw new Error("no login");
        principal.token = member(await call("set-up", null, "/auth/login", { json: principal.login }), "access_token");
        await call("set-up", principal.token, "/auth/me");
      } catch {
        Object.assign(principal, await account());
      }
    };
  }

  async function addPatientAccount(group: string, hospital: string | null, patientId: string | null, mark: string | null) {
    const account = async () => {
      const login = { email: email(), password: PASSWORD };
      const json = { ...login, full_name: "Fuzz Patient" };
      const token = member(await call("set-up", null, "/auth/register/patient", { json }), "access_token");
      if (patientId !== null) {
        const { code } = await byKeeper("set-up", `/patients/${patientId}/claim-codes`);
        await call("set-up", token, "/patients/claim", { json: { code: code ?? "", date_of_birth: "1964-03-04" } });
      }
      const me = await call(hospital === null ? "self" : `patient:${hospital}`, token, "/auth/me");
      return { login, token, userId: member(me, "user_id") };
    };
    const scope = hospital === null ? "self" : `patient:${hospital}`;
    const sees = mark === null || hospital === null ? [] : [mark, marks.get(hospital)?.[0] ?? mark];
    const principal = enter({ group, role: "patient", hospital: null, scope, mark, sees, renew: null, ...(await account()) });
    if (patientId !== null) pool.add(scope, "patient_id", patientId);
    principal.renew = renewAccount(principal, account);
  }

  async function addKey(group: string, hospital: string, hospitalId: string, scopes: readonly string[], isRevoked = false) {
    const create = async () => {
      const made = await byKeeper(hospital, "/api-keys", { name: "fuzz", scopes: [...scopes], hospital_id: hospitalId });
      const id = member(made, "api_key_id");
      if (isRevoked) await asKeeper("set-up", null, `/api-keys/${id}`, { method: "DELETE" });
      return member(made, "token");
    };
    const mark = marks.get(hospital)?.[0] ?? null;
    const principal = enter({
      group,
      role: isRevoked ? "none" : "app",
      hospital,
      scope: hospital,
      mark,
      token: await create(),
      renew: null,
      ...(isRevoked && { sees: [] }),
    });
    if (isRevoked) return;
    principal.renew = async () => {
      principal.token = await create();
    };
  }

  async function addDevice(group: string, hospital: string, hospitalId: string, patientId: string | null) {
    const mark = marks.get(hospital)?.[0] ?? null;
    const create = async () => {
      const device = await byKeeper(hospital, "/devices", {
        kind: "bedside_monitor",
        name: `Monitor ${mark}`,
        hospital_id: hospitalId,
      });
      const id = member(device, "device_id");
      if (patientId !== null) await byKeeper(hospital, `/devices/${id}/assignments`, { patient_id: patientId });
      return member(await byKeeper(hospital, `/devices/${id}/credentials`, { name: "fuzz" }), "token");
    };
    const principal = enter({ group, role: "device", hospital, scope: hospital, mark, token: await create(), renew: null });
    principal.renew = async () => {
      principal.token = await create();
    };
    return principal;
  }

  /** A hospital with its staff, patients, devices and keys. */
  async function addHospital(name: string, doctorScope: string): Promise<string> {
    const hospital = await byKeeper(name, "/hospitals", { name: `Hospital ${name} ${unique}`, doctor_scope: doctorScope });
    const hospitalId = member(hospital, "hospital_id");
    const mark = `marker${name}${unique}`;
    const patientMarks = ["p", "q", "r"].map((letter) => `marker${name}${letter}${unique}`);
    marks.set(name, [mark, ...patientMarks]);
    const ward = member(await byKeeper(name, "/wards", { name: `Ward ${mark}`, hospital_id: hospitalId }), "ward_id");
    const patients: string[] = [];
    for (const own of patientMarks) {
      const json = {
        first_name: own,
        last_name: mark,
        address: own,
        notes: own,
        monitoring: "ward",
        ward_id: ward,
        hospital_id: hospitalId,
        date_of_birth: "1964-03-04",
      };
      patients.push(member(await byKeeper(name, "/patients", json), "patient_id"));
    }
    const suffix = name === "A" ? "" : " elsewhere";
    for (let i = 0; i < ACCOUNTS; i++) {
      await addStaff(`nurse${suffix}`, "nurse", name, hospitalId);
      const doctor = await addStaff(`doctor${suffix}`, "doctor", name, hospitalId);
      for (const patient of patients)
        await byKeeper(name, `/patients/${patient}/care-team/${doctor.userId}`, {}, { method: "PUT" });
      await addStaff(`hospital admin${suffix}`, "hospital_admin", name, hospitalId);
      await addPatientAccount(`patient${suffix}`, name, patients[i] ?? null, patientMarks[i] ?? null);
    }
    const doctor = groups.get(`doctor${suffix}`)?.[0];
    await byKeeper(name, "/practitioners", { user_id: doctor?.userId ?? "", hospital_id: hospitalId, specialty: mark });
    await addKey(`app${suffix}`, name, hospitalId, APP_SCOPES);
    const device = await addDevice(`device${suffix}`, name, hospitalId, patients[0] ?? null);
    await addTraces(name, patients[0] ?? "", ward, device.token, groups.get(`nurse${suffix}`)?.[0]?.token ?? null);
    if (name === "A") {
      for (const scope of APP_SCOPES) {
        // A key that creates or changes patients must also read them.
        const scopes = /^patient:(create|update)$/.test(scope) ? ["patient:read", scope] : [scope];
        await addKey(`app with ${scope}`, name, hospitalId, scopes);
      }
      await addKey("app revoked", name, hospitalId, APP_SCOPES, true);
      const unbound = await addDevice("device unbound", name, hospitalId, null);
      // Kept for staff to assign.
      await call(name, unbound.token, "/observations", { json: sample("8867-4", "/min", 72) });
      await call(name, unbound.token, "/reports", { pdf: `${mark} ${unique}` });
    }
    return hospitalId;
  }

  /** Samples, alerts, rules and history of one patient, so that requests find something. */
  async function addTraces(scope: string, patientId: string, ward: string, device: string | null, nurse: string | null) {
    const mark = marks.get(scope)?.[0] ?? "";
    await call(scope, device, "/observations", { json: sample("8867-4", "/min", 72) });
    await call(scope, device, "/observations", { json: sample("2708-6", "%", 70) });
    await call(scope, nurse, `/patients/${patientId}/intake`, { json: { chief_complaint: mark, symptoms: [mark] } });
    for (const path of [`wards/${ward}`, `patients/${patientId}`]) {
      await call(scope, nurse, `/${path}/alert-rules/heart_rate`, { method: "PUT", json: { low: 46 } });
    }
    await call(scope, nurse, `/patients/${patientId}/claim-codes`, { method: "POST" });
    await call(scope, nurse, "/live/tickets", { json: { patient_id: patientId } });
    await call(scope, nurse, `/alerts?patient_id=${patientId}`);
    await call(scope, device, "/reports", { pdf: `${mark} report ${unique}` });
    for (const list of ["users", "users/invitations", "api-keys"]) {
      await call(
        scope,
        groups.get(scope === "A" ? "hospital admin" : "hospital admin elsewhere")?.[0]?.token ?? null,
        `/${list}`,
      );
    }
    for (const patient of groups.get(scope === "A" ? "patient" : "patient elsewhere") ?? []) {
      for (const list of ["reports", "alerts", "auth/sessions"]) await call(patient.scope, patient.token, `/${list}`);
    }
  }

  const hospitalA = await addHospital("A", "care_team");
  const hospitalB = await addHospital("B", "hospital");
  for (let i = 0; i < ACCOUNTS; i++) {
    await addPatientAccount("self-registered", null, null, null);
    const admin = await addStaff("platform admin", "nurse", "A", hospitalA);
    await byKeeper("set-up", `/users/${admin.userId}`, { is_admin: true }, { method: "PATCH", version: 1 });
    const everything = [...marks.values()].flat();
    Object.assign(admin, { role: "admin", scope: "*", mark: null, hospital: null, sees: new Set(everything) });
    const renew = admin.renew;
    admin.renew = async () => {
      const before = admin.userId;
      await renew?.();
      if (admin.userId !== before) {
        await byKeeper("set-up", `/users/${admin.userId}`, { is_admin: true }, { method: "PATCH", version: 1 });
        await renew?.();
      }
    };
    await admin.renew();
  }
  const outsider = { role: "none" as const, hospital: null, renew: null, sees: [] };
  enter({ ...outsider, group: "anonymous", scope: "nobody", mark: null, token: null });
  enter({ ...outsider, group: "forged token", scope: "nobody", mark: null, token: "eyJhbGciOiJub25lIn0.e30.x" });
  const loggedOut = await addStaff("logged out", "nurse", "B", hospitalB);
  await call("set-up", loggedOut.token, "/auth/logout", { method: "POST" });
  Object.assign(loggedOut, { renew: null, role: "none", sees: new Set() });
  // Links and tickets of the first hospital open what its staff may see.
  enter({ ...outsider, group: "signed link", scope: "A", mark: null, token: null, sees: marks.get("A") ?? [] });
  pool.isSettingUp = false;
  const reopen = async () => {
    for (const id of [hospitalA, hospitalB]) {
      const { is_active, version } = await asKeeper("set-up", null, `/hospitals/${id}`);
      if (is_active === false)
        await byKeeper("set-up", `/hospitals/${id}`, { is_active: true }, { method: "PATCH", version: Number(version) });
    }
  };
  return { groups, marks, pool, reopen };
}

const sample = (code: string, unit: string, value: number) => ({ code, unit, value, effective_at: new Date().toISOString() });
