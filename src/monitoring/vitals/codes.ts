// The codes of the vital signs that we know, by themselves: the portal has them too.

/** LOINC by the wire's names. */
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

/** What NEWS2 is made of (RCP 2017), and the vitals any of which tell it. */
export const NEWS2_SOURCES = {
  respiratory_rate: [CODES.respiratory_rate],
  spo2: [CODES.spo2],
  oxygen: [CODES.inspired_oxygen, CODES.oxygen_flow],
  systolic: [CODES.systolic],
  pulse: [CODES.heart_rate],
  consciousness: [CODES.consciousness],
  temperature: [CODES.temperature],
} as const satisfies Record<string, readonly string[]>;
