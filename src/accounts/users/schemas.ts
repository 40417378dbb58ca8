// API schemas of user accounts.
import { z } from "@hono/zod-openapi";
import { booleanParam, pageQuery } from "../../http/pagination.ts";
import { EXAMPLES, Id, Timestamp, Uuid } from "../../http/router.ts";
import { ROLES, STAFF_ROLES } from "../../platform/db/schema.ts";
import { Email } from "../../platform/email.ts";
import { singleLine } from "../../platform/text.ts";
import { Username } from "../auth/login-names.ts";

export const FullName = singleLine(200).openapi({ example: "Asha Rao" });

export const User = z
  .object({
    user_id: Id,
    email: z.string(),
    username: z.string().nullable(),
    full_name: z.string(),
    is_admin: z.boolean(),
    is_active: z.boolean().openapi({ description: "For hospital administrators: the membership at their hospital" }),
    memberships: z.array(z.object({ hospital_id: Id, role: z.enum(STAFF_ROLES), is_active: z.boolean() })),
    created_at: Timestamp,
    version: z.number().int(),
  })
  .openapi("User");

export const exampleUser = {
  user_id: EXAMPLES.user,
  email: "asha@example.org",
  username: "asha.rao",
  full_name: "Asha Rao",
  is_admin: false,
  is_active: true,
  memberships: [{ hospital_id: EXAMPLES.hospital, role: "doctor" as const, is_active: true }],
  created_at: EXAMPLES.time,
  version: 1,
};

export const userQuery = z.strictObject({
  ...pageQuery,
  role: z.enum(ROLES).optional().openapi({ description: "`patient` is allowed for administrators only" }),
  is_active: booleanParam.optional(),
  hospital_id: Uuid.optional().openapi({ description: "For administrators; others see their own hospital" }),
  email: Email.optional().openapi({ description: "Exact address" }),
});
export type UserQuery = z.output<typeof userQuery>;

export const userParam = z.object({ user_id: Id.openapi({ example: EXAMPLES.user }) });

/** Absent fields stay unchanged. */
export const UserChange = z
  .strictObject({
    full_name: FullName.optional(),
    username: Username.nullable().optional(),
    email: Email.optional(),
    is_active: z.boolean().optional(),
    is_admin: z.boolean().optional(),
    role: z.enum(STAFF_ROLES).optional().openapi({ description: "Role at the hospital of the calling hospital administrator" }),
  })
  .refine((change) => Object.keys(change).length > 0, "At least one field is required")
  .openapi("UserChange");
export type UserChange = z.output<typeof UserChange>;
