// Runs a bash script asynchronously: this process must notice when a server closes a kept connection meanwhile.
import { spawn } from "node:child_process";

export type Ended = { status: number | null; stdout: string; stderr: string };

/** @param place a folder and an environment other than those of this process */
export function bash(code: string, place: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-c", code], { ...place, stdio: ["ignore", "pipe", "pipe"] });
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

/** The given programs that are not installed. */
export async function missingOf(tools: readonly string[]): Promise<string[]> {
  const found = await Promise.all(tools.map((tool) => bash(`command -v ${tool}`)));
  return tools.filter((_, i) => found[i]?.status !== 0);
}
