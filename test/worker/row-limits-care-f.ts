// Limits of exports of records.
import { env, newWorld } from "../world.ts";
import { type Case, countRows, NEW_ID, post, seed, withEnv } from "./row-limit-cases.ts";

const COLUMNS = "id, patient_id, hospital_id, requested_by, format, language, state, created_at, updated_at";

export const LIMIT_CASES: readonly Case[] = [
  {
    name: "POST /patients/{id}/export",
    limit: "openRecordExports",
    status: 202,
    arrange: async (max) => {
      const { hospitalId, patient, doctor } = await newWorld();
      const count = () => countRows("record_exports WHERE patient_id = ?", patient.id);
      const insert = `INSERT INTO record_exports (${COLUMNS}) SELECT ${NEW_ID}, ?2, ?3, 'x', 'json', 'en', 'queued', 1, 1 FROM k`;
      await seed(max - 1, insert, patient.id, hospitalId);
      const add = async (over?: Env) => {
        const response = await post(`/patients/${patient.id}/export`, doctor, { format: "json" }, withEnv(over));
        // Made behind the response; only those that are being made count.
        await env.DB.prepare("UPDATE record_exports SET state = 'queued' WHERE patient_id = ?").bind(patient.id).run();
        return response;
      };
      return { add, count };
    },
  },
  {
    name: "POST /patients/{id}/export, of a day",
    limit: "dailyRecordExports",
    status: 202,
    arrange: async (max) => {
      const { hospitalId, patient, doctor } = await newWorld();
      const count = () => countRows("record_exports WHERE hospital_id = ?", hospitalId);
      const insert = `INSERT INTO record_exports (${COLUMNS}) SELECT ${NEW_ID}, ?2, ?3, 'x', 'json', 'en', 'failed', ?4, ?4 FROM k`;
      await seed(max - 1, insert, patient.id, hospitalId, Date.now());
      return { add: (over) => post(`/patients/${patient.id}/export`, doctor, { format: "json" }, withEnv(over)), count };
    },
  },
];
