// Texts of the clinic day: queue, screens, calendar addresses, video and payments.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const clinic = defineMessages({
  en: {},
  hi: {},
});
