// The people of the demo data. All are fictional and the same on every machine.
import { mulberry32 } from "../random.ts";

export const DEMO_PASSWORD = "password123";
export const FIRST_HOSPITAL = "Demo General Hospital";
export const SECOND_HOSPITAL = "Lakeside Clinic";

export const STAFF = [
  { email: "adm@demo.com", username: "adm", full_name: "Ira Menon", role: "admin", hospital: 0, what: "administrator" },
  {
    email: "doc@demo.com",
    username: "doc",
    full_name: "Asha Rao",
    role: "doctor",
    hospital: 1,
    what: `doctor at ${FIRST_HOSPITAL}`,
  },
  {
    email: "nurse@demo.com",
    username: "nurse",
    full_name: "Ravi Kumar",
    role: "nurse",
    hospital: 1,
    what: `nurse at ${FIRST_HOSPITAL}`,
  },
  { email: "patient@demo.com", username: "patient", full_name: "Meena Joshi", role: "patient", hospital: 0, what: "patient" },
  {
    email: "doc2@demo.com",
    username: "doc2",
    full_name: "Jonas Berg",
    role: "doctor",
    hospital: 2,
    what: `doctor at ${SECOND_HOSPITAL}`,
  },
] as const;

const FIRST_NAMES = {
  female: [
    "Meena",
    "Asha",
    "Fatima",
    "Lakshmi",
    "Grace",
    "Sunita",
    "Anita",
    "Priya",
    "Noor",
    "Elena",
    "Kavya",
    "Ruth",
    "Leela",
    "Maria",
    "Divya",
  ],
  male: [
    "Imran",
    "Arjun",
    "Joseph",
    "Vikram",
    "Suresh",
    "Daniel",
    "Rahul",
    "Omar",
    "Kiran",
    "Peter",
    "Anil",
    "Samuel",
    "Ganesh",
    "Thomas",
    "Rohan",
  ],
};
const LAST_NAMES = [
  "Joshi",
  "Verma",
  "Khan",
  "Iyer",
  "Fernandes",
  "Patel",
  "Nair",
  "Singh",
  "Das",
  "Reddy",
  "Mathew",
  "Kulkarni",
  "Bose",
  "Shaikh",
  "Gowda",
];
const HISTORIES = [
  "Hypertension since 2015, on amlodipine 5 mg.",
  "Type 2 diabetes, diet controlled.",
  "Paroxysmal palpitations, no syncope.",
  "Sleep apnoea, CPAP since 2023.",
  "Mild asthma in childhood.",
];
const SYMPTOMS = [["palpitations"], ["breathlessness on stairs"], [], ["chest tightness", "fatigue"], ["dizziness"]];

/** UIDAI publishes these numbers for tests; the first belongs to the person who is registered at both hospitals. */
const AADHAAR_NUMBERS = ["999999990019", "999999990026", "999999990042", "999999990057"];

/** The first `count` fictional patients; an index always gives the same person. */
export function createDemoPatients(count: number) {
  return Array.from({ length: count }, (_, i) => {
    const random = mulberry32(7_919 * (i + 1));
    const pick = <T>(list: readonly T[]): T => {
      const chosen = list[Math.floor(random() * list.length)];
      if (chosen === undefined) throw new Error("an empty list");
      return chosen;
    };
    const gender = i % 2 === 0 ? ("female" as const) : ("male" as const);
    const first = FIRST_NAMES[gender][Math.floor(i / 2) % FIRST_NAMES[gender].length] ?? "Asha";
    const last = LAST_NAMES[(i * 7) % LAST_NAMES.length] ?? "Verma";
    const year = 1938 + Math.floor(random() * 65);
    const month = String(1 + Math.floor(random() * 12)).padStart(2, "0");
    const day = String(1 + Math.floor(random() * 28)).padStart(2, "0");
    return {
      first_name: first,
      last_name: last,
      gender,
      date_of_birth: `${year}-${month}-${day}`,
      phone: `+91 9${String(Math.floor(random() * 1e9)).padStart(9, "0")}`,
      email: `${first}.${last}${i + 1}@example.org`.toLowerCase(),
      address: `${1 + Math.floor(random() * 120)} ${pick(["Lake Road", "Station Street", "Temple Lane", "Garden View"])}, ${pick(["Pune", "Mysuru", "Kochi", "Nagpur"])}`,
      medical_history: pick(HISTORIES),
      notes: null,
      symptoms: [...pick(SYMPTOMS)],
      abha_number: null,
      aadhaar_number: AADHAAR_NUMBERS[i],
      ward_id: null,
      monitoring: "off" as const,
    };
  });
}
