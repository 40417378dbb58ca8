// A separate hospital per test: staff, patients, monitors and their data. No other test sees or changes it.
import { randomBytes } from "node:crypto";
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { toMeasurement } from "../../cli/simulate/source.ts";
import type { CODES } from "../../src/monitoring/vitals/catalogue.ts";
import { type Caller, type Login, logIn, withToken } from "./api.ts";

const PASSWORD = "lanterns over seven hills";
export const uniqueText = (): string => randomBytes(5).toString("hex");

export type Person = Login & { id: string; name: string };
export type Patient = { id: string; number: number; name: string; birth: string };
type Vital = keyof typeof CODES;
export type Values = Partial<Record<Vital, number>>;
/** A manually recorded value. `at`: epoch milliseconds. */
export type WrittenValue = { vital: Vital; value: number; at: number };
export type Monitor = {
  id: string;
  token: string;
  send: (values: Values, secondsAgo?: number, conditions?: readonly string[]) => Promise<void>;
};

/** Normal vital signs with a NEWS2 of 0. */
export const NORMAL_VALUES: Values = {
  heart_rate: 72,
  spo2: 97,
  respiratory_rate: 16,
  systolic: 122,
  diastolic: 78,
  temperature: 36.8,
  consciousness: 0,
  inspired_oxygen: 21,
};

/** First names that occur in no text of the portal, so that finding one proves a leak. */
const FIRST = ["Zubaida", "Quirina", "Xanthe", "Yashodhara", "Wilhelmina", "Vrinda"] as const;
/** Realistic names for screenshots. */
const LAST = ["Verma", "Okonkwo", "Iyer", "Fernandes", "Das", "Mehta", "Pillai"] as const;
let named = 0;
/** The maximum number per request. */
const MOST_SAMPLES = 1_000;

export type World = Awaited<ReturnType<typeof newWorld>>;

/**
 * The clerk's calls set things up, so that they do not count against the rate limit of page viewers (100 per minute and user).
 * @param plain realistic names; otherwise every name is unique, so that a test recognises its own
 */
export async function newWorld({ plain = false }: { plain?: boolean } = {}) {
  const admin = await logIn({ email: "adm@demo.com", password: DEMO_PASSWORD });
  const hospital = (
    await admin.ask("/hospitals", {
      json: { name: plain ? "Lake Hospital" : `Hospital ${uniqueText()}`, time_zone: "Asia/Kolkata" },
    })
  ).data;
  const names = new Set<string>();
  const mark = plain ? () => "" : () => ` ${uniqueText()}`;

  async function createPerson(role: "nurse" | "doctor" | "hospital_admin", by: Caller): Promise<Person> {
    const login = { email: `${role}-${uniqueText()}@example.org`, password: PASSWORD };
    const name = { nurse: "Anita Nair", doctor: "Dr Rao", hospital_admin: "Ira Bose" }[role] + mark();
    const json = { ...login, full_name: name, role, ...(by === admin && { hospital_id: hospital.hospital_id }) };
    return { ...login, name, id: (await by.ask("/users", { json })).data.user_id };
  }

  const manager = await createPerson("hospital_admin", admin);
  // Not by the administrator, whom all tests share: one person creates 20 accounts a minute.
  const management = await logIn(manager);
  const newPerson = (role: "nurse" | "doctor" | "hospital_admin", by: Caller = management) => createPerson(role, by);
  const people = {
    manager,
    nurse: await newPerson("nurse"),
    doctor: await newPerson("doctor"),
    clerk: await newPerson("nurse"),
  };
  const clerk = await logIn(people.clerk);
  const ward = (await management.ask("/wards", { json: { name: "Ward 3" } })).data;

  /** A woman of 62 on the ward, without a device yet. */
  async function newPatient(more: object = {}, by: Caller = clerk): Promise<Patient> {
    const first = FIRST[named++ % FIRST.length] ?? FIRST[0];
    const last = plain ? LAST[named % LAST.length] : `Okonkwo${uniqueText()}`;
    const json = {
      first_name: first,
      last_name: last,
      gender: "female",
      date_of_birth: "1964-03-04",
      ward_id: ward.ward_id,
      monitoring: "ward",
      assigned_doctor_id: people.doctor.id,
      ...more,
    };
    const { data } = await by.ask("/patients", { json });
    names.add(first).add(last ?? "");
    return { id: data.patient_id, number: data.patient_number, name: `${first} ${last}`, birth: json.date_of_birth };
  }

  async function newDevice(patient: Patient | null, kind: string, by: Caller = clerk): Promise<{ id: string; token: string }> {
    const { device_id: id } = (await by.ask("/devices", { json: { kind, name: `Device${plain ? ` ${kind}` : mark()}` } })).data;
    if (patient) await by.ask(`/devices/${id}/assignments`, { json: { patient_id: patient.id } });
    const { token } = (await by.ask(`/devices/${id}/credentials`, { json: { name: "test" } })).data;
    return { id, token };
  }

  /** A bedside monitor of this patient. */
  async function newMonitor(patient: Patient, by: Caller = clerk): Promise<Monitor> {
    const device = await newDevice(patient, "bedside_monitor", by);
    const machine = withToken(device.token);
    const send = async (values: Values, secondsAgo = 0, conditions?: readonly string[]): Promise<void> => {
      const effective_at = new Date(Date.now() - 1_000 * secondsAgo).toISOString();
      const samples = Object.entries(values).map(([name, value]) => ({
        ...toMeasurement(name as Vital, value),
        effective_at,
      }));
      await machine.ask("/observations", { json: { samples, ...(conditions && { conditions }) } });
    };
    return { ...device, send };
  }

  async function newWard(name: string): Promise<{ id: string; path: string }> {
    const { ward_id: id } = (await management.ask("/wards", { json: { name } })).data;
    return { id, path: `/ward?ward=${id}` };
  }

  /** Values of the last thirty days, entered by a person: device values count only while the device is assigned. */
  async function writeDown(patient: Patient, written: readonly WrittenValue[]): Promise<void> {
    for (let from = 0; from < written.length; from += MOST_SAMPLES) {
      const samples = written.slice(from, from + MOST_SAMPLES).map(({ vital, value, at }) => ({
        ...toMeasurement(vital, value),
        effective_at: new Date(at).toISOString(),
      }));
      const { stored } = (await clerk.ask("/observations", { json: { patient_id: patient.id, samples } })).data;
      if (stored !== samples.length) throw new Error(`of ${samples.length} samples ${stored} were stored`);
    }
  }

  return { hospital, ward, people, admin, clerk, names, newPerson, newPatient, newDevice, newMonitor, newWard, writeDown };
}

export type Bed = { patient: Patient; monitor: Monitor };

/** A separate hospital with one ward, and a monitor per bed. */
export async function newFullWard(size: number): Promise<{ world: World; beds: Bed[] }> {
  const world = await newWorld();
  // The rate limit is 100 requests per minute and user, so several users set the ward up.
  const clerks = [world.clerk];
  for (let i = 0; i < 3; i++) clerks.push(await logIn(await world.newPerson("nurse")));
  const shares = await Promise.all(
    clerks.map(async (clerk, nth) => {
      const mine: Bed[] = [];
      for (let bed = nth; bed < size; bed += clerks.length) {
        const patient = await world.newPatient({}, clerk);
        mine.push({ patient, monitor: await world.newMonitor(patient, clerk) });
      }
      return mine;
    }),
  );
  return { world, beds: shares.flat() };
}

/** SpO₂ of 84: beyond the critical limit, so a high alarm at once. */
export const desaturate = (monitor: Monitor): Promise<void> => monitor.send({ ...NORMAL_VALUES, spo2: 84 });
