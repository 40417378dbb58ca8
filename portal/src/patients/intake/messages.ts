// Texts of intake forms and their review.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const intake = defineMessages({
  en: {},
  hi: {},
});
