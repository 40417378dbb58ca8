// Runs a bash script while this process goes on: a server may close kept connections meanwhile, which must be noticed.
import { spawn } from "node:child_process";

export type Ended = { status: number | null; stdout: string; stderr: string };

export function bash(code: string): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", code], { stdio: ["ignore", "pipe", "pipe"] });
    const ended: Ended = { status: null, stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      ended.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      ended.stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ ...ended, status }));
  });
}

/** Which of these programs the machine has not. */
export async function missingOf(tools: readonly string[]): Promise<string[]> {
  const found = await Promise.all(tools.map((tool) => bash(`command -v ${tool}`)));
  return tools.filter((_, i) => found[i]?.status !== 0);
}
