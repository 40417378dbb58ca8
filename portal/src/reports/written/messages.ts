// Texts of reports that doctors write and sign.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const writtenReports = defineMessages({
  en: {},
  hi: {},
});
