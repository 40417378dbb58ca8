// Schemas that routes of emergency access share.
import { z } from "@hono/zod-openapi";

/** Why an access is needed, or a notice delayed. */
export const EmergencyReason = z.string().trim().min(20).max(1000).openapi({
  description: "20 to 1,000 characters",
  example: "Unconscious after a fall; allergies and medication are needed",
});
