// API schemas of devices, credentials and assignments, with examples, and the filters of the device list.
import { z } from "@hono/zod-openapi";
import { booleanParam, pageQuery } from "../http/pagination.ts";
import { EXAMPLES, Id, PatientRef, TimeInput, Timestamp } from "../http/router.ts";
import { DEVICE_KINDS } from "../platform/db/vocabulary.ts";
import { singleLine } from "../platform/text.ts";

export const DeviceKind = z.enum(DEVICE_KINDS);
export const deviceLabel = singleLine(120);
export const Device = z
  .object({
    device_id: Id,
    hospital_id: Id,
    kind: DeviceKind,
    name: z.string(),
    manufacturer: z.string().nullable(),
    model: z.string().nullable(),
    serial_number: z.string().nullable(),
    is_active: z.boolean(),
    is_patient_owned: z.boolean().openapi({ description: "Registered by the patient as their own" }),
    patient_id: Id.nullable().openapi({ description: "The assigned patient; null if none or not visible to the caller" }),
    last_synced_at: Timestamp.nullable().openapi({
      description: "When a person last sent samples of it; null for a device that sends by itself",
    }),
    created_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("Device");
export const exampleDevice = {
  device_id: EXAMPLES.device,
  hospital_id: EXAMPLES.hospital,
  kind: "ecg" as const,
  name: "ECG cart 2",
  manufacturer: null,
  model: null,
  serial_number: "SN-0042",
  is_active: true,
  is_patient_owned: false,
  patient_id: null,
  last_synced_at: null,
  created_at: EXAMPLES.time,
  version: 1,
};
export const Credential = z
  .object({
    credential_id: Id,
    device_id: Id,
    name: z.string(),
    created_at: Timestamp,
    expires_at: Timestamp.nullable(),
    last_used_at: Timestamp.nullable().openapi({ description: "Accurate to 5 minutes" }),
    revoked_at: Timestamp.nullable(),
  })
  .openapi("Credential");
export const exampleCredential = {
  credential_id: EXAMPLES.credential,
  device_id: EXAMPLES.device,
  name: "ward PC",
  created_at: EXAMPLES.time,
  expires_at: null,
};
export const NewCredential = Credential.omit({ last_used_at: true, revoked_at: true })
  .extend({ token: z.string().nullable().openapi({ description: "Null in replays of an Idempotency-Key" }) })
  .openapi("NewCredential");
export type NewCredential = z.infer<typeof NewCredential>;
export const Assignment = z
  .object({
    assignment_id: Id,
    device_id: Id,
    patient_id: Id,
    started_at: Timestamp,
    ended_at: Timestamp.nullable(),
  })
  .openapi("DeviceAssignment");
export type Assignment = z.infer<typeof Assignment>;
export const NewAssignment = z
  .strictObject({
    patient_id: PatientRef,
    started_at: TimeInput.optional().openapi({ description: "In the past 30 days; default now" }),
  })
  .openapi("NewDeviceAssignment");
export const exampleAssignment = {
  assignment_id: EXAMPLES.request,
  device_id: EXAMPLES.device,
  patient_id: EXAMPLES.patient,
  started_at: EXAMPLES.time,
  ended_at: null,
};

export const NewDevice = z
  .strictObject({
    kind: DeviceKind,
    name: deviceLabel,
    manufacturer: deviceLabel.nullable().default(null),
    model: deviceLabel.nullable().default(null),
    serial_number: deviceLabel.nullable().default(null),
    hospital_id: Id.optional(),
    patient_id: PatientRef.optional().openapi({
      description: "For patients with several records: the record whose own device it is. Staff assign a device afterwards",
    }),
  })
  .openapi("NewDevice");
export const DeviceChange = z
  .strictObject({
    name: deviceLabel.optional(),
    manufacturer: deviceLabel.nullable().optional(),
    model: deviceLabel.nullable().optional(),
    serial_number: deviceLabel.nullable().optional(),
    is_active: z.literal(true).optional().openapi({ description: "Reactivates the device, without an assignment" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("DeviceChange");
export const deviceQuery = z.strictObject({
  ...pageQuery,
  kind: DeviceKind.optional(),
  active: booleanParam.optional(),
  serial_number: deviceLabel.optional(),
  patient_id: Id.optional().openapi({ description: "Currently assigned to this patient", example: EXAMPLES.patient }),
  hospital_id: Id.optional().openapi({ example: EXAMPLES.hospital }),
});
