// The real database: strict tables, and list queries that use an index instead of a full scan.
import { beforeAll, describe, expect, it } from "vitest";
import { clearCachedReads } from "../../src/access/cached-read.ts";
import { DOCUMENT_REQUEST_STATES } from "../../src/platform/db/vocabulary.ts";
import { API, env, newPatient, newWorld, type Person, sendRequest, type World } from "../world.ts";

let world: World;
let open: World;
beforeAll(async () => {
  [world, open] = await Promise.all([newWorld(), newWorld("hospital")]);
  for (let i = 0; i < 3; i++) await newPatient(world.hospitalId, world.nurse);
});

describe("tables", () => {
  it("are STRICT, and WITHOUT ROWID except for the order of the audit log, rows of 1 KB and tables of many indexes", async () => {
    const withRowid = ["audit_events", "vital_months", "reports", "uploads"];
    const { results } = await env.DB.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'").all<{
      name: string;
      sql: string;
    }>();
    const ours = results.filter(({ name }) => !/^(sqlite_|_cf_|d1_)/.test(name));
    expect(ours.length).toBeGreaterThan(15);
    for (const { name, sql } of ours) {
      const options = sql.slice(sql.lastIndexOf(")")).toUpperCase();
      expect(options, name).toContain("STRICT");
      expect(options.includes("WITHOUT ROWID"), name).toBe(!withRowid.includes(name));
    }
    await expect(env.DB.prepare("UPDATE hospitals SET created_at = 'yesterday'").run()).rejects.toThrow(/cannot store TEXT/);
  });

  it("hold every foreign key, and D1 enforces them", async () => {
    const { results } = await env.DB.prepare("PRAGMA foreign_key_check").all();
    expect(results).toEqual([]);
    const orphan = env.DB.prepare(
      "INSERT INTO care_team (patient_id, user_id, added_by, started_at) VALUES ('nobody', 'nobody', 'test', 1)",
    );
    await expect(orphan.run()).rejects.toThrow("FOREIGN KEY");
  });
});

type Prepared = { sql: string; values: unknown[] };

/** The statements of one request, with their bound values. */
async function statementsOf(path: string, as: Person): Promise<Prepared[]> {
  const seen: Prepared[] = [];
  const DB = new Proxy(env.DB, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (name !== "prepare") return typeof value === "function" ? value.bind(target) : value;
      return (sql: string) => {
        // biome-ignore lint/plugin: passes on statements of the code under test.
        const statement = target.prepare(sql);
        return new Proxy(statement, {
          get(inner, method) {
            const member: unknown = Reflect.get(inner, method);
            if (method !== "bind") return typeof member === "function" ? member.bind(inner) : member;
            return (...values: unknown[]) => {
              seen.push({ sql, values });
              return inner.bind(...values);
            };
          },
        });
      };
    },
  });
  const response = await sendRequest(API + path, { as, env: { ...env, DB } });
  expect(response.status, path).toBe(200);
  await response.arrayBuffer();
  return seen;
}

async function plan({ sql, values }: Prepared): Promise<string[]> {
  // biome-ignore lint/plugin: explains statements of the code under test.
  const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
    .bind(...values)
    .all<{ detail: string }>();
  return results.map(({ detail }) => detail);
}

const PATHS = [
  "/patients",
  "/patients?sort=number",
  "/patients?sort=-updated",
  "/patients?monitoring=ward",
  "/patients?offset=2",
  "/reports",
  "/reports?kind=ecg",
  "/reports?status=final",
  "/reports?kind=ecg&status=final",
  "/reports?session_type=a",
  "/reports?from=2026-01-01T00:00:00Z",
  "/reports?heart_rate_min=40&heart_rate_max=60",
  "/ecg/reports",
  "/reports/stats",
  "/uploads",
  "/audit-events",
  "/audit-events?from=2026-01-01T00:00:00Z&to=2099-01-01T00:00:00Z",
  "/audit-events?event=patient.read",
  "/audit-events?outcome=denied",
  "/audit-events?actor_id=nobody",
  "/audit-events?abroad=true",
  ...["", "direction=in", "direction=out"].flatMap((direction) =>
    ["", ...DOCUMENT_REQUEST_STATES.map((state) => `&status=${state}`)].map(
      (status) => `/document-requests?${direction}${status}`,
    ),
  ),
];
/** A full scan of a table, not of a subquery's result. `q` and `c` are document requests and their consents. */
const SCANS = /^SCAN (patients|reports|uploads|counters|patient_links|care_team|sessions|users|q|c)\b/;

describe("plans", () => {
  it("of lists and statistics search by index and scan no table, for everybody but administrators", async () => {
    let searched = 0;
    for (const as of [world.nurse, world.doctor, world.self, world.manager, open.doctor]) {
      for (const path of [...PATHS, `/reports?patient_id=${world.patient.id}`]) {
        if (path === "/uploads" && ["patient", "doctor"].includes(as.role)) continue;
        if (path.startsWith("/audit-events") && ["nurse", "doctor"].includes(as.role)) continue;
        for (const statement of await statementsOf(path, as)) {
          const steps = await plan(statement);
          expect(
            steps.filter((step) => SCANS.test(step)),
            `${as.role} ${path}\n${statement.sql}\n${steps.join("\n")}`,
          ).toEqual([]);
          searched += steps.filter((step) => /^SEARCH (patients|reports) USING/.test(step)).length;
        }
      }
    }
    expect(searched).toBeGreaterThan(50);
  });

  it("of document requests in a state search for the state, and of one direction are not sorted", async () => {
    for (const [as, query, step] of [
      [
        world.nurse,
        "direction=out&status=fulfilled",
        "SEARCH q USING INDEX document_requests_hospital_status (hospital_id=? AND status=?)",
      ],
      [
        world.nurse,
        "direction=in&status=fulfilled",
        "SEARCH q USING INDEX document_requests_asked_status (asked_hospital_id=? AND status=?)",
      ],
      [world.admin, "status=fulfilled", "SEARCH q USING INDEX document_requests_status (status=?)"],
      [world.admin, "", "SCAN q USING INDEX document_requests_created"],
    ] as const) {
      const statements = await statementsOf(`/document-requests?${query}`, as);
      const page = statements.find(({ sql }) => sql.includes("ORDER BY q.created_at DESC"));
      const steps = page ? await plan(page) : [];
      expect(steps, query).toContain(step);
      expect(steps, query).not.toContain("USE TEMP B-TREE FOR ORDER BY");
    }
  });

  it("of administrators' lists walk an index, never the whole rows", async () => {
    for (const path of ["/patients", "/patients?sort=updated", "/reports", "/admin/reports"]) {
      for (const statement of await statementsOf(path, world.admin)) {
        const steps = await plan(statement);
        for (const step of steps.filter((s) => /^SCAN (patients|reports)\b/.test(s)))
          expect(step, path).toMatch(/USING (COVERING )?INDEX/);
      }
    }
  });

  it("are checked effectively: without the hospital the scan is found (the known-bad twin)", async () => {
    const bad = await plan({ sql: "SELECT id, clinical_sealed FROM patients WHERE monitoring = ?", values: ["off"] });
    expect(bad.some((step) => SCANS.test(step))).toBe(true);
  });

  it("rows read by a page do not grow with the patients of other hospitals", async () => {
    const rowsRead = async () => {
      clearCachedReads();
      let rows = 0;
      for (const { sql, values } of await statementsOf("/patients?limit=2", open.nurse)) {
        if (!/^SELECT/i.test(sql)) continue;
        // biome-ignore lint/plugin: repeats statements of the code under test.
        const { meta } = await env.DB.prepare(sql)
          .bind(...values)
          .all();
        rows += meta.rows_read;
      }
      return rows;
    };
    const before = await rowsRead();
    for (let i = 0; i < 30; i++) await newPatient(world.hospitalId, world.nurse);
    expect(await rowsRead()).toBe(before);
  });
});
