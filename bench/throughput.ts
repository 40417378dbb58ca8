// Local throughput of the patients list against a bare read of D1 on the same workerd. The two take turns, so that a busy machine
// slows both.
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
    const list = () => callApi(server.url, token, "/api/v1/patients?limit=20");
    const bare = () => callApi(server.url, token, `/bare?hospital=${hospitalId}`);
    const rounds: { list: number; bare: number }[] = [];
    for (let round = -WARM_ROUNDS; round < ROUNDS; round++) {
      const first = round % 2 === 0 ? await drive(list) : await drive(bare);
      const second = round % 2 === 0 ? await drive(bare) : await drive(list);
      if (round >= 0) rounds.push(round % 2 === 0 ? { list: first, bare: second } : { list: second, bare: first });
    }
    const ratios = rounds.map((round) => round.list / round.bare);
    const ratio = median(ratios);
    const spread = `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`;
    console.log(
      `patients list of 20: ${median(rounds.map((round) => round.list)).toFixed(0)} requests/s; bare D1 read of 20 rows: ${median(rounds.map((round) => round.bare)).toFixed(0)} requests/s`,
    );
    console.log(`ratio: median ${ratio.toFixed(2)} of ${ROUNDS} rounds (${spread}); wanted: at least ${MIN_RATIO}`);
    process.exitCode = ratio >= MIN_RATIO ? 0 : 1;
  } finally {
    await server.close();
  }
}

await main();
