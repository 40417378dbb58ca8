import { newWorld } from "../world.ts";
import { type Case, countRows, NEW_ID, post, seed, withEnv } from "./row-limit-cases.ts";

const SUBMISSION = "INSERT INTO intake_submissions (id, hospital_id, patient_id, source, state, answers_sealed, submitted_at)";
const answers = { chief_complaint: "Cough" };

export const LIMIT_CASES: readonly Case[] = [
  {
    name: "POST /intake-links",
    limit: "openIntakeLinks",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, nurse } = await newWorld();
      const insert = `INSERT INTO intake_links (id, hospital_id, token_hash, form_sealed, language, expires_at, created_by, created_at)
        SELECT ${NEW_ID}, ?2, ${NEW_ID}, 'x', 'en', ?3, 'x', 1 FROM k`;
      await seed(max - 1, insert, hospitalId, Date.now() + 86_400_000);
      return {
        add: (over) => post("/intake-links", nurse, { fields: ["first_name"] }, withEnv(over)),
        count: () => countRows("intake_links WHERE hospital_id = ?", hospitalId),
      };
    },
  },
  {
    name: "POST /intake-submissions",
    limit: "openSubmissions",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, nurse } = await newWorld();
      await seed(max - 1, `${SUBMISSION} SELECT ${NEW_ID}, ?2, NULL, 'staff', 'submitted', 'x', 1 FROM k`, hospitalId);
      return {
        add: (over) => post("/intake-submissions", nurse, { answers }, withEnv(over)),
        count: () => countRows("intake_submissions WHERE hospital_id = ?", hospitalId),
      };
    },
  },
  {
    name: "POST /intake-submissions (of a record)",
    limit: "patientSubmissions",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, nurse, patient } = await newWorld();
      await seed(max - 1, `${SUBMISSION} SELECT ${NEW_ID}, ?2, ?3, 'staff', 'submitted', 'x', 1 FROM k`, hospitalId, patient.id);
      return {
        add: (over) => post("/intake-submissions", nurse, { patient_id: patient.id, answers }, withEnv(over)),
        count: () => countRows("intake_submissions WHERE patient_id = ?", patient.id),
      };
    },
  },
];
