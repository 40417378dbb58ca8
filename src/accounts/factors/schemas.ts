// Request and response schemas of second factors, and the bounds of what browsers send for a passkey.
import { z } from "@hono/zod-openapi";
import { EXAMPLES, Id, Timestamp } from "../../http/router.ts";
import { singleLine } from "../../platform/text.ts";
import { METHODS } from "./factors.ts";

/** A code of an authenticator app, or a recovery code. */
export const SecondStepCode = z
  .string()
  .min(6)
  .max(32)
  .openapi({ description: "Six digits of the authenticator app, or a recovery code", example: "123456" });

/** At most 1,023 bytes (WebAuthn, section 5.8.3). */
const CredentialId = z.string().min(1).max(1364);
const base64Url = (max: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(max);
const TRANSPORTS = ["ble", "cable", "hybrid", "internal", "nfc", "smart-card", "usb"] as const;
const credentialFields = {
  id: CredentialId,
  rawId: CredentialId,
  type: z.literal("public-key"),
  authenticatorAttachment: z.enum(["platform", "cross-platform"]).optional(),
  clientExtensionResults: z.object({}).openapi({ description: "Ignored" }),
};

export const PasskeyAssertion = z
  .object({
    ...credentialFields,
    response: z.object({
      clientDataJSON: base64Url(4_096),
      authenticatorData: base64Url(2_048),
      signature: base64Url(1_024),
      userHandle: base64Url(128).optional(),
    }),
  })
  .openapi("PasskeyAssertion", { description: "AuthenticationResponseJSON of WebAuthn Level 3" });
export type PasskeyAssertion = z.output<typeof PasskeyAssertion>;

export const PasskeyRegistration = z
  .object({
    ...credentialFields,
    response: z.object({
      clientDataJSON: base64Url(4_096),
      attestationObject: base64Url(16_384),
      transports: z.array(z.enum(TRANSPORTS)).max(10).optional(),
    }),
  })
  .openapi("PasskeyRegistration", { description: "RegistrationResponseJSON of WebAuthn Level 3" });
export type PasskeyRegistration = z.output<typeof PasskeyRegistration>;

export const PasskeyName = singleLine(100);

/** Options that the browser needs as they are; their members are those of WebAuthn. */
export const WebAuthnOptions = z
  .object({ challenge: z.string() })
  .loose()
  .openapi("WebAuthnOptions", { description: "Pass it to startRegistration() or startAuthentication() unchanged" });
export const exampleOptions = { challenge: "MDE5M2E1YjA…", rpId: "localhost", userVerification: "required", timeout: 300_000 };

export const Passkey = z
  .object({
    passkey_id: Id,
    name: z.string(),
    is_backed_up: z.boolean().openapi({ description: "Synchronized between the person's devices" }),
    created_at: Timestamp,
    last_used_at: Timestamp.nullable(),
  })
  .openapi("Passkey");
export const examplePasskey = {
  passkey_id: EXAMPLES.credential,
  name: "Phone of Asha",
  is_backed_up: true,
  created_at: EXAMPLES.time,
  last_used_at: null,
};

export const RecoveryCodes = z.array(z.string()).openapi({ description: "Ten codes, each valid once; shown only now" });
export const exampleCodes = ["k3v7q-m2xap", "p5dzt-w6hne"];

export const SecondFactors = z
  .object({
    totp: z.object({ created_at: Timestamp }).nullable(),
    passkeys: z.array(Passkey),
    recovery_codes_left: z.number().int(),
    second_step_required_from: Timestamp.nullable().openapi({ description: "Set by the acting hospital for the caller's role" }),
  })
  .openapi("SecondFactors");

export const MethodName = z.enum(METHODS);

/** Requires exactly one of the fields. */
export function hasOneOf<T extends z.ZodObject>(schema: T, fields: readonly (keyof z.output<T> & string)[]) {
  return schema.refine((body) => fields.filter((field) => body[field] !== undefined).length === 1, {
    message: `Exactly one of ${fields.join(", ")} is required`,
    path: [fields[0] ?? ""],
  });
}

const exampleCredential = {
  id: "AQIDBAUGBwgJCgsMDQ4PEA",
  rawId: "AQIDBAUGBwgJCgsMDQ4PEA",
  type: "public-key" as const,
  clientExtensionResults: {},
};
export const exampleAssertion = {
  ...exampleCredential,
  response: { clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0", authenticatorData: "SZYN5Y", signature: "MEUCIQ" },
};
export const exampleRegistration = {
  ...exampleCredential,
  response: { clientDataJSON: "eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0", attestationObject: "o2NmbXRkbm9uZQ" },
};
