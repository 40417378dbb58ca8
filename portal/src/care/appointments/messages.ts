// Texts of appointments.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const appointments = defineMessages({
  en: {},
  hi: {},
});
