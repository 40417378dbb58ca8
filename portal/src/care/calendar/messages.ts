// Texts of the calendar of appointments.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const calendar = defineMessages({
  en: {},
  hi: {},
});
