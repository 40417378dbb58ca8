#!/usr/bin/env node
// `npx edgecare`: starts cli/edgecare.ts. A Node that runs no TypeScript starts it on that of the npm package `node`.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

if (process.features.typescript) await import("./edgecare.ts");
else startWithOwnNode();

function startWithOwnNode() {
  const node = fileURLToPath(new URL("../node_modules/node/bin/node", import.meta.url));
  const command = fileURLToPath(new URL("edgecare.ts", import.meta.url));
  if (!existsSync(node)) {
    console.error("Run `npm ci` first: node_modules is missing or incomplete.");
    process.exitCode = 1;
    return;
  }
  const child = spawn(node, [command, ...process.argv.slice(2)], { stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}
