// Who may begin an emergency access. The API enforces it; this only hides dead ends.
import type { Role } from "../accounts/session/use-session.ts";

export const isClinical = (role: Role): boolean => role === "nurse" || role === "doctor";
