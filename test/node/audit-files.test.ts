// Audit events in files: CSV that no spreadsheet runs, and FHIR R4 AuditEvent resources.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toCsvRecord } from "../../src/audit/csv.ts";
import { CSV_HEADER, type ExportedEvent, toCsvLine } from "../../src/audit/exported-event.ts";
import { toFhirAuditEvent } from "../../src/audit/fhir-audit-event.ts";

const ORIGIN = "https://clinic.example.org";
const ID = "0198c0de-0000-7000-8000-00000000000";
const EVENT: ExportedEvent = {
  id: `${ID}1`,
  seq: 41,
  log: `${ID}2`,
  recorded: "2026-11-30T04:00:00.123Z",
  event: "report.read",
  action: "R",
  outcome: "success",
  reason: null,
  actor: { kind: "user", id: `${ID}3`, role: "doctor", name: null },
  hospital_id: `${ID}2`,
  actor_hospital_id: null,
  basis: "care_team",
  purpose: "TREAT",
  entity: { type: "report", id: `${ID}4` },
  request_id: "req-1",
  ip: "203.0.113.7",
  detail: { via: "link", count: 2, ids: ["a", "b"], none: null, empty: "" },
  patient_ids: [`${ID}5`, `${ID}6`],
};

/** Reads RFC 4180 text by its grammar, independently of the writer. */
function parseCsv(text: string): string[][] {
  const records: string[][] = [];
  let rest = text;
  while (rest !== "") {
    const record: string[] = [];
    for (;;) {
      const [field = "", quoted] = /^(?:"((?:[^"]|"")*)"|[^",\r\n]*)/.exec(rest) ?? [];
      record.push(quoted === undefined ? field : quoted.replaceAll('""', '"'));
      rest = rest.slice(field.length);
      if (!rest.startsWith(",")) break;
      rest = rest.slice(1);
    }
    if (!rest.startsWith("\r\n")) throw new Error("a record does not end with CRLF");
    rest = rest.slice(2);
    records.push(record);
  }
  return records;
}

describe("CSV", () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(..."=+-@\t\r\n\0,\"'＝a ") }));

  it("can be read back, and no cell begins as a formula does", () => {
    fc.assert(
      fc.property(fc.array(text, { minLength: 2, maxLength: 6 }), (values) => {
        const [read = [], ...more] = parseCsv(toCsvRecord(values));
        expect(more).toEqual([]);
        expect(read.length).toBe(values.length);
        for (const [i, cell] of read.entries()) {
          expect(cell).not.toMatch(/^[=+\-@\t\r\0＝]/);
          expect([values[i], `'${values[i]}`]).toContain(cell);
        }
      }),
    );
  });

  it("quotes what would end a field, and prefixes formulas", () => {
    expect(toCsvRecord(["=1+1", "+1", "-1", "@x", "\tx", "\rx"])).toBe(`'=1+1,'+1,'-1,'@x,'\tx,"'\rx"\r\n`);
    expect(toCsvRecord(['a "b"', "c,d", null, -5])).toBe('"a ""b""","c,d",,-5\r\n');
  });

  it("has a cell per column of the header", () => {
    const [header = [], row = []] = parseCsv(CSV_HEADER + toCsvLine(EVENT));
    expect(row.length).toBe(header.length);
    const cells = Object.fromEntries(header.map((name, i) => [name, row[i]]));
    expect(cells).toMatchObject({
      seq: "41",
      actor_role: "doctor",
      entity_type: "report",
      patient_ids: `${ID}5 ${ID}6`,
      reason: "",
    });
    expect(JSON.parse(cells.detail ?? "")).toEqual(EVENT.detail);
  });
});

/** Elements and cardinalities of http://hl7.org/fhir/R4/auditevent.html, as far as a resource of ours may use them. */
const Text = z.string().min(1);
const Coding = z.strictObject({
  system: z.url().optional(),
  code: z.string().regex(/^[^\s]+(\s[^\s]+)*$/),
  display: Text.optional(),
});
const Concept = z.strictObject({ coding: z.array(Coding).min(1).optional(), text: Text.optional() });
const Reference = z.strictObject({
  reference: z
    .string()
    .regex(/^[A-Z][A-Za-z]+\/[A-Za-z0-9.-]{1,64}$/)
    .optional(),
  type: Text.optional(),
  identifier: z.strictObject({ system: Text.optional(), value: Text }).optional(),
  display: Text.optional(),
});
const Resource = z.strictObject({
  resourceType: z.literal("AuditEvent"),
  id: z.string().regex(/^[A-Za-z0-9.-]{1,64}$/),
  type: Coding,
  subtype: z.array(Coding).min(1),
  action: z.enum(["C", "R", "U", "D", "E"]),
  recorded: z.iso.datetime(),
  outcome: z.enum(["0", "4", "8", "12"]),
  outcomeDesc: Text.optional(),
  purposeOfEvent: z.array(Concept).min(1).optional(),
  agent: z
    .array(
      z.strictObject({
        type: Concept.optional(),
        role: z.array(Concept).min(1).optional(),
        who: Reference.optional(),
        requestor: z.boolean(),
        network: z.strictObject({ address: Text, type: z.enum(["1", "2", "3", "4", "5"]) }).optional(),
      }),
    )
    .min(1),
  source: z.strictObject({ site: Text.optional(), observer: Reference, type: z.array(Coding).min(1).optional() }),
  entity: z.array(
    z.strictObject({
      what: Reference,
      type: Coding,
      role: Coding.optional(),
      detail: z
        .array(z.strictObject({ type: Text, valueString: Text }))
        .min(1)
        .optional(),
    }),
  ),
});

describe("FHIR AuditEvent", () => {
  it("says who did what, why, to which patients", () => {
    const resource = Resource.parse(toFhirAuditEvent(EVENT, ORIGIN));
    expect(resource).toMatchObject({ action: "R", outcome: "0", recorded: EVENT.recorded, type: { code: "rest" } });
    expect(resource.subtype.map(({ code }) => code)).toEqual(["read", "report.read"]);
    expect(resource.purposeOfEvent?.[0]?.coding).toEqual([
      { system: "http://terminology.hl7.org/CodeSystem/v3-ActReason", code: "TREAT", display: "treatment" },
    ]);
    expect(resource.agent[0]).toMatchObject({ requestor: true, who: { identifier: { value: `urn:uuid:${ID}3` } } });
    const patients = resource.entity.filter(({ role }) => role?.code === "1");
    expect(patients.map(({ what }) => what.reference)).toEqual([`Patient/${ID}5`, `Patient/${ID}6`]);
    expect(resource.entity.map(({ what }) => what.reference)).toContain(`DiagnosticReport/${ID}4`);
    expect(resource.entity.at(-1)?.detail).toContainEqual({ type: "ids", valueString: '["a","b"]' });
  });

  it("is a valid resource for every kind of event", () => {
    const optional = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
    const name = fc.constantFrom("login.failed", "audit.export", "report.read", "bootstrap", "access.denied");
    const generated = fc.record({
      id: fc.uuid({ version: 7 }),
      seq: fc.nat(),
      log: optional(fc.uuid()),
      recorded: fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }).map((date) => date.toISOString()),
      event: name,
      action: fc.constantFrom("C" as const, "R" as const, "U" as const, "D" as const, "E" as const),
      outcome: fc.constantFrom("success" as const, "denied" as const, "failed" as const),
      reason: optional(fc.constantFrom("forbidden", "not_found")),
      actor: fc.record({
        kind: fc.constantFrom("user", "device", "app", "system", "anonymous"),
        id: optional(fc.oneof(fc.uuid(), fc.constant("key_abc"))),
        role: optional(fc.constantFrom("patient", "nurse", "device")),
        name: fc.constant(null),
      }),
      hospital_id: optional(fc.uuid()),
      actor_hospital_id: optional(fc.uuid()),
      basis: optional(fc.constant("staff")),
      purpose: optional(fc.constantFrom("TREAT", "BTG", "HSYSADMIN", "something new")),
      entity: optional(fc.record({ type: fc.constantFrom("patient", "report", "alert"), id: fc.uuid() })),
      request_id: fc.uuid(),
      ip: optional(fc.ipV4()),
      detail: optional(fc.dictionary(fc.string({ minLength: 1 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 })),
      patient_ids: fc.uniqueArray(fc.uuid(), { maxLength: 3 }),
    });
    fc.assert(fc.property(generated, (event) => void Resource.parse(toFhirAuditEvent(event, ORIGIN))));
  });

  it("names purposes by v3-ActReason", () => {
    const codeOf = (purpose: string) => toFhirAuditEvent({ ...EVENT, purpose }, ORIGIN).purposeOfEvent?.[0]?.coding?.[0]?.code;
    expect(["TREAT", "BTG", "HSYSADMIN", "unknown"].map(codeOf)).toEqual(["TREAT", "BTG", "HSYSADMIN", undefined]);
  });
});
