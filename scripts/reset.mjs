// `npm run reset`: delete the local stores and the log, apply the migrations and load the demo data.
import { rmSync } from "node:fs";
import { logFile, requireDevelopment, runningServer, stateFolder } from "./lib/development.mjs";
import { prepareStores, writeSecrets } from "./lib/local-state.mjs";

requireDevelopment();
const state = stateFolder();
const server = runningServer(state);
if (server) {
  console.error(`Refused: ${server.url} serves ${state} (process ${server.pid}). Stop it first.`);
  process.exit(1);
}
// The folder itself may hold other files: EDGECARE_STATE can name any folder.
for (const path of [`${state}/v3`, logFile(state), `${logFile(state)}.1`]) rmSync(path, { recursive: true, force: true });
writeSecrets();
prepareStores(state);
console.log(`Local state in ${state} was recreated.`);
