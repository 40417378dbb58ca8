// Texts of the dashboard.
import { defineMessages } from "../platform/messages/define-messages.ts";

export const analytics = defineMessages({
  en: {},
  hi: {},
});
