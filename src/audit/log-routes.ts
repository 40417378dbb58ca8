// Routes of an audit log as a whole: export, checkpoints, proofs, retention and legal holds.
import { createRoute, z } from "@hono/zod-openapi";
import { PROBLEM_KINDS } from "../../verifier/source.ts";
import {
  BEARER_AUTH,
  createRouter,
  EXAMPLES,
  Id,
  jsonRequestBody,
  jsonResponse,
  ok,
  problemResponses,
  TimeInput,
  Timestamp,
  Uuid,
} from "../http/router.ts";
import { multiLine } from "../platform/text.ts";
import { exportAuditEvents, MAX_EXPORTED_EVENTS } from "./export-audit-events.ts";
import { getCheckpoint, getProof } from "./proofs.ts";
import { endLegalHold, getRetention, setLegalHold } from "./retention.ts";
import { auditFilters, logQuery } from "./schemas.ts";
import { verifyLogPart } from "./verify-log.ts";

const tags = ["AuditEvent"];
const base64 = z.string().openapi({ description: "base64" });
const HASH = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
const ORIGIN = `edgecare/audit/${EXAMPLES.hospital}`;

const signedTree = {
  hospital_id: z.string().nullable().openapi({ description: "Hospital of the log; null for the log of no hospital" }),
  size: z.int().min(0).openapi({ description: "Events in the log" }),
  root_hash: base64,
  checkpoint: z.string().openapi({ description: "Signed note (C2SP tlog-checkpoint)" }),
  verifier_key: z.string().openapi({ description: "C2SP vkey of the signature" }),
};
const exampleTree = {
  hospital_id: EXAMPLES.hospital,
  size: 4712,
  root_hash: HASH,
  checkpoint: `${ORIGIN}\n4712\n${HASH}\n\n\u2014 ${ORIGIN} AAAAAA==\n`,
  verifier_key: `${ORIGIN}+00000000+AQAA`,
};
const Checkpoint = z.object(signedTree).openapi("AuditCheckpoint");

const Proof = z
  .object({
    event_id: Id,
    index: z.int().min(0),
    ...signedTree,
    leaf: base64.openapi({ description: "base64 of the leaf, canonical JSON that names no patient" }),
    hashes: z.array(z.string()).openapi({ description: "Inclusion proof from the leaf's sibling up (RFC 9162), base64" }),
    subject: z
      .object({ patient_id: Id, salt: z.string() })
      .nullable()
      .openapi({ description: "For patients: `subjects` of the leaf contains base64url(SHA-256(salt || patient_id))" }),
    opened: z
      .object({
        detail: z.record(z.string(), z.unknown()).nullable(),
        entity: z.object({ type: z.string(), id: z.string() }).nullable(),
        ip: z.string().nullable(),
        secret: z.string(),
      })
      .nullable()
      .openapi({
        description: "For administrators: `hidden` of the leaf is base64url(SHA-256(secret || canonical JSON of the rest))",
      }),
  })
  .openapi("AuditProof");
const exampleProof = {
  event_id: EXAMPLES.request,
  index: 4711,
  ...exampleTree,
  leaf: "eyJ2IjoxfQ==",
  hashes: [HASH],
  subject: null,
  opened: {
    detail: { via: "link" },
    entity: { type: "report", id: EXAMPLES.report },
    ip: "203.0.113.7",
    secret: "AAAAAAAAAAAAAAAAAAAAAA",
  },
};

const Verification = z
  .object({
    hospital_id: z.string().nullable(),
    is_intact: z.boolean(),
    problem: z
      .object({
        seq: z
          .int()
          .nullable()
          .openapi({ description: "The first event that is not as it was; null if it is none in particular" }),
        kind: z.enum(PROBLEM_KINDS),
        detail: z.string(),
      })
      .nullable(),
    checked: z
      .object({
        events: z.int().min(0),
        segments: z.int().min(0),
        checkpoints: z.int().min(0),
        first_seq: z.int().min(0),
        end_seq: z.int().min(0),
        open_events: z.int().min(0),
      })
      .openapi({ description: "What this part checked; `end_seq` is exclusive, `open_events` are in no segment yet" }),
    pruned_up_to: z.int().nullable(),
    next_cursor: z.string().nullable().openapi({ description: "The next part; null after the last one, or at a problem" }),
  })
  .openapi("AuditVerification");
const exampleVerification = {
  hospital_id: EXAMPLES.hospital,
  is_intact: true,
  problem: null,
  checked: { events: 4712, segments: 2, checkpoints: 3, first_seq: 0, end_seq: 4712, open_events: 12 },
  pruned_up_to: null,
  next_cursor: null,
};

const LegalHold = z
  .object({
    reason: z.string(),
    recorded_from: Timestamp.nullable().openapi({ description: "Events recorded since then are kept; null: all" }),
    set_at: Timestamp,
    set_by: Id,
  })
  .openapi("LegalHold");
const exampleHold = { reason: "Proceedings 4 C 12/26", recorded_from: null, set_at: EXAMPLES.time, set_by: EXAMPLES.user };
const NewLegalHold = z
  .strictObject({ reason: multiLine(500).trim().min(1), recorded_from: TimeInput.nullish() })
  .openapi("NewLegalHold");

const Retention = z
  .object({
    hospital_id: z.string().nullable(),
    retention_years: z.int().min(1),
    size: z.int().min(0).openapi({ description: "Events that the log ever had" }),
    pruned_up_to: z.int().nullable().openapi({ description: "Events with a lower `seq` were deleted; null: none was" }),
    segments_to_reseal: z.int().min(0).openapi({
      description: "Segments sealed under a former key of `AUDIT_KEYS`; they are sealed again in the background",
    }),
    legal_hold: LegalHold.nullable(),
  })
  .openapi("AuditRetention");
const exampleRetention = {
  hospital_id: EXAMPLES.hospital,
  retention_years: 6,
  size: 4712,
  pruned_up_to: null,
  segments_to_reseal: 0,
  legal_hold: exampleHold,
};

const hospitalParam = z.object({ hospital_id: Uuid.openapi({ example: EXAMPLES.hospital }) });
const EndedHold = z.object({ hospital_id: Id, legal_hold: z.null() });

const csv = { schema: z.string(), example: "id,log,seq\r\n" };
const ndjson = { schema: z.string(), example: '{"resourceType":"AuditEvent"}\n' };

export const auditLogRoutes = createRouter()
  .openapi(
    createRoute({
      method: "get",
      path: "/audit-events/export",
      tags,
      summary: "Export audit events",
      description: `The events that the list shows the caller, newest first, up to ${MAX_EXPORTED_EVENTS.toLocaleString("en")}: as CSV, or as FHIR R4 AuditEvent resources, one per line. A file that ends without a transfer error is complete; if reading fails the transfer is aborted. With more events the last line says so (NDJSON: an OperationOutcome), and then the transfer is aborted.`,
      security: BEARER_AUTH,
      request: { query: z.strictObject({ format: z.enum(["csv", "ndjson"]).default("csv"), ...auditFilters }) },
      responses: {
        200: { description: "The file", content: { "text/csv": csv, "application/fhir+ndjson": ndjson } },
        ...problemResponses(401, 403),
      },
    }),
    async (c) => exportAuditEvents(c.env, c.get("call"), c.req.valid("query")),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/audit-events/checkpoint",
      tags,
      summary: "Get a checkpoint",
      description:
        "A signed statement of the log's size and root hash. Who keeps it can show later that the log was not rewritten.",
      security: BEARER_AUTH,
      request: { query: logQuery },
      responses: { 200: jsonResponse(Checkpoint, "The newest checkpoint", exampleTree), ...problemResponses(401, 403, 404) },
    }),
    async (c) => ok(c, await getCheckpoint(c.env, c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/audit-events/verify",
      tags,
      summary: "Verify a log",
      description:
        "Checks the next part of a log: first its checkpoints, then its events. Ask with `next_cursor` until it is null. Names the first event that was changed.",
      security: BEARER_AUTH,
      request: { query: logQuery.extend({ cursor: z.string().max(200).optional() }) },
      responses: {
        200: jsonResponse(Verification, "What was checked, or the first problem", exampleVerification),
        ...problemResponses(400, 401, 403, 404),
      },
    }),
    async (c) => ok(c, await verifyLogPart(c.env, c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/audit-events/retention",
      tags,
      summary: "Get the retention of a log",
      security: BEARER_AUTH,
      request: { query: logQuery },
      responses: {
        200: jsonResponse(Retention, "Retention and legal hold", exampleRetention),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getRetention(c.env, c.get("call"), c.req.valid("query"))),
  )
  .openapi(
    createRoute({
      method: "put",
      path: "/hospitals/{hospital_id}/legal-hold",
      tags,
      summary: "Set a legal hold",
      description:
        "The hospital's audit events recorded since `recorded_from` (not in the future; default: all) are kept whatever their age, until the hold ends.",
      security: BEARER_AUTH,
      request: { params: hospitalParam, body: jsonRequestBody(NewLegalHold, { reason: "Proceedings 4 C 12/26" }) },
      responses: {
        200: jsonResponse(LegalHold, "The hold", exampleHold),
        ...problemResponses(401, 403, 404, 409, 413, 415, 429),
      },
    }),
    async (c) => ok(c, await setLegalHold(c.env, c.get("call"), c.req.valid("param").hospital_id, c.req.valid("json"))),
  )
  .openapi(
    createRoute({
      method: "delete",
      path: "/hospitals/{hospital_id}/legal-hold",
      tags,
      summary: "End a legal hold",
      security: BEARER_AUTH,
      request: { params: hospitalParam },
      responses: {
        200: jsonResponse(EndedHold, "Ended, or there was none", { hospital_id: EXAMPLES.hospital, legal_hold: null }),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => {
      const { hospital_id } = c.req.valid("param");
      await endLegalHold(c.env, c.get("call"), hospital_id);
      return ok(c, { hospital_id, legal_hold: null });
    },
  )
  .openapi(
    createRoute({
      method: "get",
      path: "/audit-events/{event_id}/proof",
      tags,
      summary: "Get the proof of an audit event",
      description: "Shows that the log has the event. Patients get proofs of events in their own log.",
      security: BEARER_AUTH,
      request: { params: z.object({ event_id: Id.openapi({ example: EXAMPLES.request }) }), query: logQuery },
      responses: {
        200: jsonResponse(Proof, "Leaf, inclusion proof and checkpoint", exampleProof),
        ...problemResponses(401, 403, 404),
      },
    }),
    async (c) => ok(c, await getProof(c.env, c.get("call"), c.req.valid("param").event_id, c.req.valid("query"))),
  );
