// Options of `edgecare simulate`.
import { parseArgs } from "node:util";
import { z } from "zod";
import { SCENARIOS } from "./scenarios.ts";

export const SIMULATE_USAGE = `  simulate [--rate 5] [--patients 5] [--start-id 1] [--duration 0] [--url http://localhost:8787]
           [--email nurse@demo.com] [--password password123] [--scenario ${SCENARIOS.join("|")}]
           [--seed 1] [--socket] [--replay FILE [--speed N]]
         send simulated vital signs as bedside monitors do; this writes into the patients' records
         --rate      rows of vital signs per second over all patients (about six samples per row)
         --patients  number of patients, by patient number from --start-id on
         --duration  seconds; 0 runs until Ctrl-C (a second Ctrl-C does not wait for responses)
         --scenario  scenario of the first patient; the others are stable
                     (clock-wrong: 3 h 7 min ahead for an odd patient number, behind for an even one)
         --seed      the same seed gives the same values
         --socket    one WebSocket per monitor instead of HTTP requests
         --replay    play a recording for the first patient only: Challenge 2019 .psv, Challenge 2012 .txt, bedside
                     numerics (.hea or CSV), or CSV of effective_at,code,value,unit; it ends now and is sent at once,
                     or with --speed starts now and plays N times as fast as recorded
         exits with 1 if the service refuses a monitor, if responses are missing, or if less than half was stored`;

const OptionsSchema = z
  .strictObject({
    rate: z.coerce.number().positive().max(1_000).default(5),
    patients: z.coerce.number().int().min(1).max(1_000).default(5),
    "start-id": z.coerce.number().int().min(1).default(1),
    duration: z.coerce.number().min(0).default(0),
    url: z.url({ protocol: /^https?$/ }).default("http://localhost:8787"),
    email: z.string().min(1).default("nurse@demo.com"),
    password: z.string().min(1).default("password123"),
    scenario: z.enum(SCENARIOS).default("stable"),
    seed: z.coerce.number().int().min(0).max(0xffff_ffff).default(1),
    replay: z.string().min(1).optional(),
    speed: z.coerce.number().positive().optional(),
    socket: z.boolean().default(false),
  })
  .refine(({ replay, speed }) => speed === undefined || replay !== undefined, { path: ["speed"], message: "needs --replay" })
  .transform(({ "start-id": startId, url, replay = null, speed = null, ...rest }) => ({
    ...rest,
    startId,
    base: new URL(url),
    replay,
    speed,
  }));

export type Options = z.output<typeof OptionsSchema>;

const stringFlag = { type: "string" } as const;
const FLAGS = {
  rate: stringFlag,
  patients: stringFlag,
  "start-id": stringFlag,
  duration: stringFlag,
  url: stringFlag,
  email: stringFlag,
  password: stringFlag,
  scenario: stringFlag,
  seed: stringFlag,
  replay: stringFlag,
  speed: stringFlag,
  socket: { type: "boolean" },
} as const;

/** @returns the options, or a message about the first invalid one */
export function parseOptions(args: string[]): Options | string {
  let values: unknown;
  try {
    values = parseArgs({ args, options: FLAGS }).values;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const { data, error } = OptionsSchema.safeParse({ ...Object(values) });
  if (data) return data;
  const [issue] = error.issues;
  return `--${issue?.path.join(".")}: ${issue?.message}`;
}
