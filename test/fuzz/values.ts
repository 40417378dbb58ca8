// Values that fit a schema, with the meaning that their name has in this API: ids, times, codes and samples.
import fc from "fast-check";
import type { Json, Operation, Schema } from "./document.ts";

export type ValueContext = { operation: Operation; resolve: (schema: Schema) => Schema };

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Tags of resources that stay in their hospital: only their texts carry its marker. */
const MARKED_TAGS = ["Patient", "Location", "Device", "DetectedIssue", "DiagnosticReport", "DocumentReference", "Upload log"];
/** Published for tests. */
const ABHA = ["91-1234-5678-9012", "91 1234 5678 9020"];
const AADHAAR = ["9999 9999 0019", "9999 9999 0057", "999999990026"];
const VITALS: [string, string, number][] = [
  ["8867-4", "/min", 72],
  ["2708-6", "%", 97],
  ["8480-6", "mm[Hg]", 120],
  ["8462-4", "mm[Hg]", 80],
  ["9279-1", "/min", 16],
  ["8310-5", "Cel", 37],
  ["2339-0", "mg/dL", 100],
];
const CODES = ["heart_rate", "spo2", "systolic", "respiratory_rate", "temperature", ...VITALS.map(([code]) => code)];
const ID = /^(?!request_id|error_id|client_id).*_id$/;

const time = (min: number, max: number): fc.Arbitrary<Json> => fc.integer({ min, max }).map((ms) => `«time:${ms}»`);
const secret = (kind: string): fc.Arbitrary<Json> => fc.nat(15).map((n) => `«secret:${kind}:${n}»`);

/** Mostly an id that the sender may see; of what is deleted, one that no other request needs. */
function id(kind: string, { method }: Operation): fc.Arbitrary<Json> {
  const sources =
    method === "DELETE" ? ["spare", "spare", "spare", "strange"] : [...Array.from({ length: 8 }, () => "own"), "spare", "any"];
  return fc.tuple(fc.constantFrom(...sources), fc.nat(63)).map(([source, n]) => `«${source}:${kind}:${n}»`);
}

const sample: fc.Arbitrary<Json> = fc
  .record({
    vital: fc.constantFrom(...VITALS),
    factor: fc.constantFrom(1, 1, 1, 0.5, 1.5, 0, 3),
    effective_at: time(-10 * MINUTE, 0),
    seq: fc.option(fc.nat(100_000), { nil: undefined }),
  })
  .map(({ vital: [code, unit, value], factor, effective_at, seq }) => ({
    code,
    unit,
    value: value * factor,
    effective_at,
    ...(seq !== undefined && { seq }),
  }));

const wearableRow: fc.Arbitrary<Json> = fc
  .record({ timestamp: time(-DAY, 0), heart_rate: fc.integer({ min: 40, max: 150 }), spo2: fc.integer({ min: 85, max: 100 }) })
  .map((row) => ({ ...row, steps: 12 }));

const metricsText = fc
  .record({ heart_rate: fc.integer({ min: 20, max: 250 }), qt_interval_ms: fc.integer({ min: 200, max: 600 }) })
  .map((metrics): Json => JSON.stringify({ ...metrics, vendor: "«text»" }));

const word = fc.constantFrom("Asha", "वर्मा", "Ward 7", "left arm", "O'Neill", "மருத்துவர்", "two\nlines", "🫀");

/** A short text, half of the time with the hospital's marker. */
function text({ operation }: Operation): fc.Arbitrary<Json> {
  const isMarked = MARKED_TAGS.includes(operation.tags?.[0] ?? "");
  const mark = isMarked ? fc.constantFrom("", " «text»") : fc.constant("");
  return fc.tuple(word, mark, fc.constantFrom("", " «unique»")).map((parts) => parts.join(""));
}

/** @returns null if the name has no meaning of its own */
export function namedValue(context: ValueContext, name: string, schema: Schema): fc.Arbitrary<Json> | null {
  const { path, method } = context.operation;
  if (ID.test(name) && name !== "encounter_id") return id(name === "assigned_doctor_id" ? "user_id" : name, context.operation);
  if (name === "samples") return fc.array(sample, { minLength: 1, maxLength: 5 });
  if (name === "metrics") {
    if (path.endsWith("/wearables/sync")) return fc.array(wearableRow, { minLength: 1, maxLength: 5 });
    return schema.type === "string" ? metricsText : fc.constant({ heart_rate: 72 });
  }
  if (name === "code") {
    if (/claim/.test(path)) return secret("code");
    return fc.constantFrom(...CODES);
  }
  switch (name) {
    case "email":
      return fc.constantFrom(/login|token/.test(path) ? "«login»" : "«unique»@example.org", "«unique»@example.org");
    case "username":
      return path === "/api/token" ? fc.constant("«login»") : fc.constant("u«unique»");
    case "password":
    case "current_password":
      return fc.constantFrom("«password»", "«password»", "lanterns over seven hills");
    case "new_password":
      return fc.constantFrom("lanterns over seven hills", "«password»", "seven hills over lanterns");
    case "token":
      return secret("token");
    case "refresh_token":
    case "ticket":
    case "link":
    case "cursor":
      return secret(name);
    case "phone":
      return fc.constantFrom("+91 98765 43210", "020 5550 0100", null);
    case "aadhaar_number":
      return fc.constantFrom(...AADHAAR);
    case "abha_number":
      return fc.constantFrom(...ABHA, null);
    case "date_of_birth":
      return fc.constantFrom("1964-03-04", "2026-11-01", "1900-01-01", null);
    case "country":
      return fc.constantFrom("IN", "GB", null);
    case "time_zone":
      return fc.constantFrom("Asia/Kolkata", "UTC", "Europe/Berlin");
    case "languages":
      return fc.subarray(["en-IN", "hi-IN", "mr", "ta"]);
    case "conditions":
      return fc.subarray(["leads_off", "low_battery"]);
    case "if-match":
      return fc.constant('"«version»"');
    case "idempotency-key":
      return fc.constantFrom("key-«unique»", "key-of-everybody");
    case "patient_ids":
      return schema.type === "string"
        ? fc.array(fc.nat(63), { minLength: 1, maxLength: 3 }).map((list) => list.map((n) => `«own:patient_id:${n}»`).join(","))
        : fc.array(id("patient_id", context.operation), { minLength: 1, maxLength: 3 });
    case "range":
      return fc.constantFrom("bytes=0-9", "bytes=5-", "bytes=-5");
    case "items":
      return fc.constantFrom(JSON.stringify([{ patient_id: "«own:patient_id:0»", metrics: { heart_rate: 72 } }]));
    case "weekly":
      return fc.constantFrom(
        [[1, 540, 720]],
        [
          [2, 600, 780],
          [4, 600, 780],
        ],
      );
    case "start":
      return fc.integer({ min: 2 * 1_440, max: 20 * 1_440 }).map((minutes) => `«minute:${minutes}»`);
    case "until":
      return time(DAY, 20 * DAY);
    case "from":
      return time(-30 * DAY, -DAY);
    case "to":
      return time(-DAY, 0);
    case "expires_at":
      return time(DAY, 300 * DAY);
    case "effective_at":
    case "recorded_at":
    case "timestamp":
    case "sent_at":
      return time(-10 * MINUTE, 0);
    case "required_from":
      // A second step for everybody of a hospital would leave its principals nothing but to enrol.
      return path.endsWith("/factor-policy")
        ? time(300 * DAY, 330 * DAY).map((from) => ({ nurse: null, doctor: from, hospital_admin: null }))
        : null;
    case "is_active":
      // Deactivating what the set-up needs would leave nothing to look at.
      return method === "PATCH" ? fc.constant(true) : null;
    case "X-Content-SHA256":
      return fc.constant("«digest»");
    default:
      return null;
  }
}

function stringValue(context: ValueContext, schema: Schema, name: string): fc.Arbitrary<Json> {
  const { format, pattern, minLength = 0, maxLength = 60 } = schema;
  if (format === "uuid") return id(ID.test(name) ? name : "patient_id", context.operation);
  if (format === "date-time") return time(-DAY, 0);
  if (format === "date") return fc.constantFrom("1964-03-04", "2026-11-21");
  if (format === "email") return fc.constant("«unique»@example.org");
  if (format === "binary") return fc.constant("");
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const any = fc.string({ unit: "grapheme", minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) });
  if (maxLength < 12) return any;
  return fc.oneof({ arbitrary: text(context.operation), weight: 3 }, { arbitrary: any, weight: 1 });
}

function objectValue(context: ValueContext, schema: Schema): fc.Arbitrary<Json> {
  const members = Object.entries(schema.properties ?? {}).map(([name, inner]) => {
    const isRequired = schema.required?.includes(name) ?? false;
    const value = namedValue(context, name, inner) ?? schemaValue(context, inner, name);
    return (isRequired ? value : fc.option(value, { nil: undefined, freq: 1 })).map((chosen): [string, Json][] =>
      chosen === undefined ? [] : [[name, chosen]],
    );
  });
  const extra =
    typeof schema.additionalProperties === "object" && !schema.properties
      ? fc.dictionary(fc.constantFrom("smoker", "diet", "sleep"), schemaValue(context, schema.additionalProperties, ""))
      : fc.constant({});
  return fc.tuple(extra, ...members).map(([rest, ...lists]) => ({ ...rest, ...Object.fromEntries(lists.flat()) }));
}

/** A value that fits the schema. */
export function schemaValue(context: ValueContext, given: Schema, name: string): fc.Arbitrary<Json> {
  const schema = context.resolve(given);
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const options = schema.anyOf ?? schema.oneOf;
  if (options) return fc.oneof(...options.map((option) => schemaValue(context, option, name)));
  if (schema.allOf) {
    const parts = schema.allOf.map((part) => objectValue(context, context.resolve(part)));
    return fc.tuple(...parts).map((values): Json => Object.assign({}, ...values));
  }
  if (Array.isArray(schema.type)) {
    return fc.oneof(...schema.type.map((type) => schemaValue(context, { ...schema, type }, name)));
  }
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.integer({ min: schema.minimum ?? 0, max: Math.min(schema.maximum ?? 1_000, 2 ** 31 - 1) });
    case "number":
      return fc.double({ min: schema.minimum ?? 0, max: schema.maximum ?? 1_000, noNaN: true });
    case "string":
      return stringValue(context, schema, name);
    case "array": {
      const { minItems = 0, maxItems = 3 } = schema;
      const items = schemaValue(context, schema.items ?? {}, name.replace(/s$/, ""));
      return fc.array(items, { minLength: minItems, maxLength: Math.max(minItems, Math.min(maxItems, 3)) });
    }
    case "object":
      return objectValue(context, schema);
    default:
      return fc.constantFrom<Json>("text", 1, null);
  }
}
