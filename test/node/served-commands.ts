// Development commands with a running server: log lines as printed, its status, and restored demo logins.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { DEMO_PASSWORD, STAFF } from "../../cli/demo/people.ts";

type Served = { url: string; state: string };

export function describeServedCommands(served: () => Served): void {
  /** Asynchronous: this process must notice when the server closes a connection meanwhile. */
  const run = async (command: string, ...args: string[]) => {
    const { url, state } = served();
    const child = spawn(command, args, { env: { ...process.env, EDGECARE_STATE: state, PORT: new URL(url).port } });
    const status = new Promise<number | null>((resolve) => child.on("close", resolve));
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    return { status: await status, stdout, stderr };
  };
  const npm = (script: string, ...args: string[]) => run("npm", "run", "--silent", script, "--", ...args);

  async function ask(
    path: string,
    { token, ...init }: { method?: string; token?: string; json?: object; version?: number } = {},
  ) {
    const response = await fetch(`${served().url}/api/v1${path}`, {
      method: init.method ?? (init.json ? "POST" : "GET"),
      headers: {
        "Content-Type": "application/json",
        ...(token && { Authorization: `Bearer ${token}` }),
        ...(init.version && { "If-Match": `"${init.version}"` }),
      },
      ...(init.json && { body: JSON.stringify(init.json) }),
    });
    const id = response.headers.get("X-Request-Id") ?? "";
    return { status: response.status, id, body: JSON.parse((await response.text()) || "{}") };
  }
  const login = (email: string, password: string = DEMO_PASSWORD) => ask("/auth/login", { json: { email, password } });

  describe("development commands beside a running product", () => {
    it("npm run logs finds each request, with the line of the source that logged it", async () => {
      const { id, body } = await login("nobody@demo.com");
      const lines = async () => (await npm("logs", "--json", "--request", id)).stdout.trim().split("\n");
      await expect.poll(async () => (await lines()).length, { timeout: 60_000 }).toBe(2);
      const [first = "", second = ""] = await lines();
      const [problem, request] = [JSON.parse(first), JSON.parse(second)];
      const sourceLine = ({ pathname, lineno }: { pathname: string; lineno: number }) =>
        readFileSync(pathname, "utf8").split("\n")[lineno - 1]?.trim();
      expect(problem).toMatchObject({ levelname: "WARNING", error_id: body.error_id, status: 401 });
      expect(sourceLine(problem)).toMatch(/^log\(c\.env, .*`problem \$\{error\.code\}`/);
      expect(request).toMatchObject({ levelname: "INFO", message: "request", route: "/api/v1/auth/login" });
      expect(sourceLine(request)).toMatch(/^log\(c\.env, "INFO", "request"/);
      expect((await npm("logs", "--json", "--error", body.error_id)).stdout.trim()).toBe(first);
    });

    it("npm run status says where it is up, with its commit; npm run reset is refused", async () => {
      const { stdout } = await npm("status");
      expect(stdout).toMatch(new RegExp(`^Product +up at ${served().url} \\(health: ok; process \\d+, commit \\S+, since `, "m"));
      expect(stdout).toMatch(/^Migrations +\d+ applied, none pending$/m);
      expect(stdout).toMatch(/^Demo data +loaded$/m);
      expect(stdout).toMatch(/^Portal +built 20/m);
      expect(await npm("reset")).toMatchObject({ status: 1, stderr: expect.stringContaining("Stop it first") });
    });

    it("edgecare demo --recreate lifts locks and restores passwords, names, roles and accounts", async () => {
      const admin = (await login("adm@demo.com")).body.data.access_token;
      const patient = (await login("patient@demo.com")).body.data.access_token;
      const { data: people } = (await ask("/users?limit=100", { token: admin })).body;
      const find = (email: string) => people.find((person: { email: string }) => person.email === email);
      const change = async (email: string, json: object) => {
        const { user_id, version } = find(email);
        expect((await ask(`/users/${user_id}`, { method: "PATCH", token: admin, version, json })).status).toBe(200);
      };
      for (let n = 0; n < 5; n++) await login("doc@demo.com", "not the password");
      expect((await login("doc@demo.com")).status).toBe(423);
      await change("nurse@demo.com", { is_active: false });
      await change("doc2@demo.com", { email: "other@demo.com", full_name: "Somebody Else" });
      const words = { current_password: DEMO_PASSWORD, new_password: "seven hills over lanterns" };
      expect((await ask("/auth/password/change", { token: patient, json: words })).status).toBeLessThan(300);
      expect((await login("patient@demo.com")).status).toBe(401);

      const { status, stderr } = await run("node", "cli/edgecare.ts", "demo", "--state", served().state, "--recreate");
      expect(status, stderr).toBe(0);
      for (const { email, full_name, role, hospital } of STAFF) {
        const answer = await login(email);
        expect(answer.status, email).toBe(200);
        const { data } = (await ask("/auth/me", { token: answer.body.data.access_token })).body;
        expect(data).toMatchObject({ email, full_name, role });
        expect(data.hospital === null).toBe(hospital === 0);
      }
      // Earlier sessions have ended.
      expect((await ask("/auth/me", { token: admin })).status).toBe(401);
    });
  });
}
