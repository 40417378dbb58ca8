// Schemas that routes of emergency access share.
import { plainText } from "../platform/text.ts";

/** Why an access is needed, or a notice delayed. */
export const EmergencyReason = plainText(20, 1000).openapi({
  description: "20 to 1,000 visible characters",
  example: "Unconscious after a fall; allergies and medication are needed",
});
