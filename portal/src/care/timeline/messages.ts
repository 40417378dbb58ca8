// Texts of the timeline of a patient.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const timeline = defineMessages({
  en: {},
  hi: {},
});
