// Routes of the notes of an encounter.
import { createRouter } from "../../http/router.ts";

export const encounterNoteRoutes = createRouter();
