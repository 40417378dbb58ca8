// Every page of the portal, with the ids of a hospital that has something to show on each.
import { DEMO_PASSWORD } from "../../cli/demo/people.ts";
import { CODES } from "../../src/vitals/catalogue.ts";
import { type Login, logIn } from "./api.ts";
import { newEcg, quarantined, sendEcg } from "./ecg.ts";
import { CALM, desaturate, type World } from "./world.ts";

/** `name` is also that of its picture. */
export type Place = { name: string; path: string; as: Login | null };

/** What the pages show: a patient in alarm, one who is well, one of whom a vital is missing, one of whom nothing is known. */
async function furnished(world: World) {
  const { clerk, admin, newPatient, newMonitor, newDevice, hospital, ward } = world;
  const [ill, calm, partly] = [await newPatient(), await newPatient(), await newPatient()];
  await newPatient();
  const monitors = [await newMonitor(ill), await newMonitor(calm), await newMonitor(partly)] as const;
  const { respiratory_rate: _, ...incomplete } = CALM;
  for (const secondsAgo of [50, 40, 30, 20, 10]) await monitors[0].send(CALM, secondsAgo);
  await desaturate(monitors[0]);
  await monitors[1].send({ ...CALM, systolic: 104 });
  await monitors[2].send({ ...incomplete, spo2: 104 });
  const report = await sendEcg(clerk, await newEcg(ill), ill);
  const upload = await quarantined(await newDevice(null, "ecg"), await newEcg(calm));
  await admin.ask(`/wards/${ward.ward_id}/alert-rules/${CODES.spo2}`, { method: "PUT", json: { low: 90 } });
  const alert = await openAlert(world, ill.id);
  return { ill, calm, report: report.report_id ?? "", upload, alert, device: monitors[0].id, hospital: hospital.hospital_id };
}

async function openAlert({ clerk }: World, patientId: string): Promise<string> {
  for (let look = 0; look < 50; look++) {
    const [alert] = (await clerk.ask(`/alerts?patient_id=${patientId}`)).data;
    if (alert) return alert.alert_id;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new Error("no alarm was raised");
}

const PATIENT: Login = { email: "patient@demo.com", password: DEMO_PASSWORD };

export async function placesOf(world: World): Promise<Place[]> {
  const { nurse, doctor, manager } = world.people;
  const { ill, report, upload, alert, device, hospital } = await furnished(world);
  const patient = await logIn(PATIENT);
  const [own] = (await patient.ask("/reports?limit=1")).data;
  const at = (as: Login | null, paths: Record<string, string>): Place[] =>
    Object.entries(paths).map(([name, path]) => ({ name, path, as }));
  const chart = `/patients/${ill.id}`;
  return [
    ...at(null, { login: "/login", invitation: "/invitation", "no-page": "/login/nowhere" }),
    ...at(nurse, {
      ward: "/ward",
      alarms: "/alarms",
      alarm: `/alarms/${alert}`,
      patients: "/patients",
      patient: chart,
      "patient-vitals": `${chart}/vitals`,
      "patient-alarms": `${chart}/alarms`,
      "patient-limits": `${chart}/limits`,
      uploads: "/uploads",
      "upload-new": "/uploads/new",
      quarantine: "/uploads/quarantine",
      upload: `/uploads/${upload}`,
      device: `/devices/${device}`,
      account: "/account",
      "no-access": "/patients/01900000-0000-7000-8000-000000000000",
    }),
    ...at(doctor, {
      "patient-reports": `${chart}/reports`,
      "patient-devices": `${chart}/devices`,
      "patient-history": `${chart}/history`,
      "patient-timeline": `${chart}/timeline`,
      reports: "/reports",
      report: `/reports/${report}`,
    }),
    ...at(manager, {
      admin: "/admin",
      users: "/admin/users",
      user: `/admin/users/${world.people.nurse.id}`,
      practitioners: "/admin/practitioners",
      hospitals: "/admin/hospitals",
      hospital: `/admin/hospitals/${hospital}`,
      devices: "/admin/devices",
      rules: "/admin/rules",
      "api-keys": "/admin/api-keys",
      audit: "/admin/audit",
      health: "/admin/health",
    }),
    ...at(PATIENT, {
      me: "/me",
      "me-reports": "/me/reports",
      "me-report": `/me/reports/${own?.report_id ?? ""}`,
      "me-vitals": "/me/vitals",
      "me-devices": "/me/devices",
      "me-access": "/me/access",
    }),
  ];
}
