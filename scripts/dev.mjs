// `npm run dev`: the same server as `npm start`, with the portal's hot-reload server in front of it.
import { spawn } from "node:child_process";

const server = spawn("node", ["scripts/start.mjs"], { stdio: "inherit" });
const portal = spawn("vite", ["--config", "portal/vite.config.ts"], { stdio: "inherit" });
const children = [server, portal];
function stopAll() {
  for (const child of children) child.kill();
}
for (const child of children) child.on("exit", stopAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stopAll);
