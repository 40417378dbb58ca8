// Local throughput of the patients list, selected anew and from memory, against a bare read of D1 on the same workerd. They take
// turns, so that a busy machine slows all.
import { performance } from "node:perf_hooks";
import { getKeys } from "../src/platform/config.ts";
import { callApi } from "./api.ts";
import { createUser } from "./people.ts";
import { seedHospitals, seedPatients } from "./seed.ts";
import { buildBundle, startBench } from "./server.ts";

const PATIENTS = 5_000;
const ROUNDS = 12;
const WARM_ROUNDS = 4;
const REQUESTS = 400;
/** Concurrent requests. */
const LANES = 8;
const MIN_RATIO = 0.5;
/** A bound that no patient was updated after. */
const FAR = Date.UTC(2099, 0);

/** Requests per second. */
async function drive(send: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  let sent = 0;
  const lane = async () => {
    while (sent++ < REQUESTS) await send();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return (1_000 * REQUESTS) / (performance.now() - start);
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

async function main(): Promise<void> {
  const server = await startBench({ main: buildBundle("bench/throughput/entry.ts"), rateLimit: 1e9 });
  try {
    const hospitals = await seedHospitals(server.env.DB);
    const [hospitalId = ""] = hospitals;
    await seedPatients(server.env.DB, await getKeys(server.env), hospitals, 0, PATIENTS);
    const { token } = await createUser(server.env, { role: "nurse", hospitalId, doctorScope: "care_team" });
    let query = 0;
    const contestants = {
      // A query of its own each time, so that nothing is kept of it.
      selected: () => callApi(server.url, token, `/api/v1/patients?limit=20&updated_to=${new Date(FAR + query++).toISOString()}`),
      kept: () => callApi(server.url, token, "/api/v1/patients?limit=20"),
      bare: () => callApi(server.url, token, `/bare?hospital=${hospitalId}`),
    };
    const names = ["selected", "kept", "bare"] as const;
    const rounds: Record<(typeof names)[number], number>[] = [];
    for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
      const speeds = { selected: 0, kept: 0, bare: 0 };
      for (let turn = 0; turn < names.length; turn++) {
        const name = names[(turn + round + WARM_ROUNDS) % names.length] ?? "bare";
        speeds[name] = await drive(contestants[name]);
      }
      if (round >= 0) rounds.push(speeds);
    }
    const speedOf = (name: (typeof names)[number]) => median(rounds.map((round) => round[name])).toFixed(0);
    console.log(
      `requests/s: patients list of 20 ${speedOf("selected")}, the same from memory ${speedOf("kept")}, bare D1 read ${speedOf("bare")}`,
    );
    for (const name of ["selected", "kept"] as const) {
      const ratios = rounds.map((round) => round[name] / round.bare);
      const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
      const isEnough = median(ratios) >= MIN_RATIO;
      console.log(
        `ratio, ${name}: median ${median(ratios).toFixed(2)} of ${ROUNDS} rounds (${spread}); wanted: at least ${MIN_RATIO}`,
      );
      if (!isEnough) process.exitCode = 1;
    }
  } finally {
    await server.close();
  }
}

await main();
