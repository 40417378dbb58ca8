// Every audit event that the source names has a purpose of use.
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AUDIT_EVENT_NAMES, PURPOSES, purposeOf } from "../../src/access/purposes.ts";
import { LETTER_KINDS, NOTIFICATION_KINDS, WEBHOOK_EVENTS } from "../../src/notifications/kinds.ts";

const read = (file: string) => readFileSync(file, "utf8");
const sources = globSync("src/**/*.ts").map((file) => ({ file, text: read(file) }));

/** Columns by table, as the schema declares them. */
const columns = new Map(
  read("src/platform/db/schema.ts")
    .split("sqliteTable(")
    .slice(1)
    .map((text) => {
      const [table = "", ...names] = [...text.matchAll(/"(\w+)"/g)].map(([, name = ""]) => name);
      return [table, new Set(names)];
    }),
);

/** Texts of the shape of an event's name that are something else. */
const NOT_EVENTS: Readonly<Record<string, readonly string[]>> = {
  "operations of idempotency keys": ["password_reset.create", "report.direct", "report.upload"],
  "contexts of sealed and hashed values": ["alerts.why", "observations.held", "patients.search", "user.email", "user.username"],
  "positions in a request": ["c.header", "clock.received", "sample.at"],
  "an event of observation sets": ["until"],
  "a setting of a patient's object": ["memory.damaged"],
  "stores in the certificate of an erasure, and the form of their names": [
    "kv.hints",
    "object.files",
    "object.rows",
    "table.column",
  ],
  "kinds of notifications, letters and webhook events": [
    ...Object.keys(NOTIFICATION_KINDS),
    ...LETTER_KINDS,
    "phone.code",
    ...WEBHOOK_EVENTS,
  ].filter((kind) => !AUDIT_EVENT_NAMES.includes(kind)),
  "packages, hosts and positions of messages": ["ipaddr.js", "push.example.com", "proof.use"],
  "examples of login names": ["asha.rao", "ravi.kumar"],
};
const isNoEvent = new Set(Object.values(NOT_EVENTS).flat());

function isColumn(name: string): boolean {
  const [table = "", column = ""] = name.split(".");
  return table.length === 1 || (columns.get(table)?.has(column) ?? false);
}

/** Names of events in a text: literals like `"report.read"`, and the one name without a point. */
function findEventNames(text: string): string[] {
  const literals = [...text.matchAll(/["'`]([a-z_]+(?:\.[a-z_]+)+)["'`]/g)].map(([, name = ""]) => name);
  const plain = [...text.matchAll(/\bevent: "([a-z_]+)"/g)].map(([, name = ""]) => name);
  const isFile = (name: string) => /\.(bin|csv|json|md|ndjson|pdf|ts)$/.test(name);
  return [...literals.filter((name) => !isFile(name) && !isColumn(name)), ...plain].filter((name) => !isNoEvent.has(name));
}

const unknownIn = (text: string) => findEventNames(text).filter((name) => !AUDIT_EVENT_NAMES.includes(name));

describe("the purpose of an event", () => {
  it("exists for every event that the source names", () => {
    const unknown = sources.flatMap(({ file, text }) => unknownIn(text).map((name) => `${file}: ${name}`));
    expect(unknown).toEqual([]);
    expect(new Set(sources.flatMap(({ text }) => findEventNames(text))).size).toBeGreaterThan(100);
  });

  it("is found missing for a new event, whatever function takes its name", () => {
    expect(unknownIn('recordAuditEvent(db, actor, now, { event: "consent.give", action: "C" })')).toEqual(["consent.give"]);
    expect(unknownIn('patientEvent(access, "patient.whisper", "R")')).toEqual(["patient.whisper"]);
    expect(unknownIn('{ event: "restart" }')).toEqual(["restart"]);
    expect(unknownIn('patientEvent(access, "patient.read", "R"); sql`wards.name`')).toEqual([]);
  });

  it("exists for the names that are built at run time", () => {
    const built = sources.flatMap(({ text }) =>
      [...text.matchAll(/(?:, |event: .*|\? )`([a-z_]+\.)\$\{/g)].map(([, thing = ""]) => thing),
    );
    const events = built.filter((thing) => thing.length > 2);
    expect(new Set(events)).toEqual(new Set(["alert.", "consent.", "hospital.", "report."]));
    const ends = ["acknowledge", "assign", "snooze", "resolve"].map((kind) => `alert.${kind}`);
    const answers = ["grant", "deny", "revoke"].map((step) => `consent.${step}`);
    const names = [
      ...ends,
      ...answers,
      "hospital.reactivate",
      "hospital.deactivate",
      "report.entered_in_error",
      "report.restored",
    ];
    expect(names.filter((name) => !AUDIT_EVENT_NAMES.includes(name))).toEqual([]);
  });

  it("is the same for the begin of a change as for its end", () => {
    const begins = AUDIT_EVENT_NAMES.filter((name) => name.endsWith("_begin"));
    expect(begins.length).toBeGreaterThan(9);
    expect(begins).toEqual(
      expect.arrayContaining(["acknowledge", "assign", "snooze", "resolve"].map((kind) => `alert.${kind}_begin`)),
    );
    for (const event of begins) {
      expect(AUDIT_EVENT_NAMES).toContain(event.replace(/_begin$/, ""));
      expect(purposeOf({ kind: "user" }, { event })).toBe(purposeOf({ kind: "user" }, { event: event.replace(/_begin$/, "") }));
    }
  });

  it.each([
    ["a nurse's read", "user", { event: "patient.read", role: "nurse", basis: "staff" }, "TREAT"],
    ["a patient's own record", "user", { event: "patient.read", role: "patient", basis: "self" }, "PATRQT"],
    ["a patient's own list, without a basis", "user", { event: "report.list", role: "patient" }, "PATRQT"],
    ["an administrator of the platform", "user", { event: "patient.read", role: "admin", basis: "admin" }, "HSYSADMIN"],
    ["a new account", "user", { event: "user.create", role: "hospital_admin" }, "HSYSADMIN"],
    ["the audit log", "user", { event: "audit.read", role: "hospital_admin" }, "HSYSADMIN"],
    ["a ward", "user", { event: "ward.update", role: "hospital_admin" }, "HOPERAT"],
    ["a device's samples", "device", { event: "observation.ingest", role: "device", basis: "device" }, "TREAT"],
    ["a summary of the service", "system", { event: "access.summary" }, "HSYSADMIN"],
    ["a failed login", "anonymous", { event: "login.failed" }, "HSYSADMIN"],
    ["a given purpose", "user", { event: "patient.read", role: "nurse", purpose: "BTG" }, "BTG"],
    ["a refused record", "user", { event: "access.denied", role: "nurse", detail: { action: "patient:read" } }, "TREAT"],
    ["a refused account", "user", { event: "access.denied", role: "nurse", detail: { action: "user:create" } }, "HSYSADMIN"],
  ] as const)("of %s", (_, kind, event, purpose) => {
    expect(purposeOf({ kind }, event)).toBe(purpose);
  });

  it("is one of the codes of PurposeOfUse", () => {
    const found = new Set(AUDIT_EVENT_NAMES.map((event) => purposeOf({ kind: "user" }, { event })));
    for (const purpose of found) expect(Object.keys(PURPOSES)).toContain(purpose);
  });
});
