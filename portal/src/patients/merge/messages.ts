// Texts of duplicates and merges.
import { defineMessages } from "../../platform/messages/define-messages.ts";

export const merge = defineMessages({
  en: {},
  hi: {},
});
