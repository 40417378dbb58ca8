// `npm run dev`: everything that `npm start` serves, and the portal with hot reload in front of it.
import { spawn } from "node:child_process";

const server = spawn("node", ["scripts/start.mjs"], { stdio: "inherit" });
const portal = spawn("vite", ["--config", "portal/vite.config.ts"], { stdio: "inherit" });
const children = [server, portal];
function stopAll() {
  for (const child of children) child.kill();
}
for (const child of children) child.on("exit", stopAll);
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, stopAll);
