// Prism between a client and the served product: it checks every request and answer against the OpenAPI document.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { findFreePort } from "../../bench/free-port.ts";

export type ValidatingProxy = {
  url: string;
  /** How many requests have been forwarded. */
  forwarded: () => number;
  /** What did not fit the document, each with its request. */
  violations: () => string[];
  stop: () => void;
};

/** Reading the document takes seconds, on a busy machine more. */
const PATIENCE_MS = 180_000;

/** The proxy's own log: `get /health`, then violations of this request or its answer. */
export function readViolations(output: string): string[] {
  const found: string[] = [];
  let request = "";
  for (const line of stripVTControlCharacters(output).split("\n")) {
    request = /\[HTTP SERVER\] (\w+ \S+) .*Request received/.exec(line)?.[1] ?? request;
    const [, violation] = /Violation: (.*)/.exec(line) ?? [];
    if (violation) found.push(`${request}: ${violation.trim()}`);
  }
  return found;
}

export async function startValidatingProxy(upstream: string): Promise<ValidatingProxy> {
  const folder = mkdtempSync(join(tmpdir(), "edgecare-prism-"));
  const document = join(folder, "openapi.json");
  writeFileSync(document, await (await fetch(`${upstream}/openapi.json`)).text());
  const port = await findFreePort();
  let output = "";
  const child: ChildProcess = spawn("prism", ["proxy", document, upstream, "--port", String(port)], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk) => {
      output += chunk;
    });
  }
  const stop = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  const started = Date.now();
  while (!output.includes("Prism is listening")) {
    if (child.exitCode !== null || Date.now() - started > PATIENCE_MS) {
      stop();
      throw new Error(`the proxy did not start:\n${output.slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    forwarded: () => output.split("> Forwarding").length - 1,
    violations: () => readViolations(output),
    stop,
  };
}
