// Texts of exports of reports and records.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const exports = defineMessages({
  en: {},
  hi: {},
});
