// LOINC codes of the known vital signs. A file without imports, since the portal uses it too.

/** LOINC codes by short name. */
export const CODES = {
  heart_rate: "8867-4",
  spo2: "2708-6",
  systolic: "8480-6",
  diastolic: "8462-4",
  mean_pressure: "8478-0",
  respiratory_rate: "9279-1",
  temperature: "8310-5",
  glucose: "2339-0",
  consciousness: "67775-7",
  inspired_oxygen: "3150-0",
  oxygen_flow: "3151-8",
  etco2: "19889-5",
  steps: "55423-8",
  sleep_minutes: "93832-4",
  energy: "41981-2",
  weight: "29463-7",
} as const;

/** The parameters of NEWS2 (RCP 2017), with the vitals that provide each. */
export const NEWS2_SOURCES = {
  respiratory_rate: [CODES.respiratory_rate],
  spo2: [CODES.spo2],
  oxygen: [CODES.inspired_oxygen, CODES.oxygen_flow],
  systolic: [CODES.systolic],
  pulse: [CODES.heart_rate],
  consciousness: [CODES.consciousness],
  temperature: [CODES.temperature],
} as const satisfies Record<string, readonly string[]>;
