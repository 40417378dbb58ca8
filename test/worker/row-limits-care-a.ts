import { newBookable } from "../appointment-steps.ts";
import { newWorld, uniqueText } from "../world.ts";
import { type Case, countRows, NEW_ID, post, seed, withEnv } from "./row-limit-cases.ts";

const DAY_MS = 86_400_000;
const span = () => ({
  from: new Date(Date.now() + DAY_MS).toISOString(),
  until: new Date(Date.now() + 2 * DAY_MS).toISOString(),
});

export const LIMIT_CASES: readonly Case[] = [
  {
    name: "POST /locations",
    limit: "locations",
    status: 201,
    arrange: async (max) => {
      const { hospitalId, manager } = await newWorld();
      const insert = `INSERT INTO locations (id, hospital_id, name, created_by, created_at, updated_at) SELECT ${NEW_ID}, ?2, 'L ' || n, 'x', 1, 1 FROM k`;
      await seed(max - 1, insert, hospitalId);
      return {
        add: (over) => post("/locations", manager, { name: uniqueText() }, withEnv(over)),
        count: () => countRows("locations WHERE hospital_id = ?", hospitalId),
      };
    },
  },
  {
    name: "POST /practitioners/{id}/availability/exceptions",
    limit: "scheduleExceptions",
    status: 201,
    arrange: async (max) => {
      const world = await newWorld();
      const practitionerId = await newBookable(world);
      const insert = `INSERT INTO schedule_exceptions (id, hospital_id, practitioner_id, kind, from_at, until_at, created_by, created_at)
        SELECT ${NEW_ID}, ?2, ?3, 'leave', 1, ?4, 'x', 1 FROM k`;
      await seed(max - 1, insert, world.hospitalId, practitionerId, Date.now() + DAY_MS);
      const path = `/practitioners/${practitionerId}/availability/exceptions`;
      return {
        add: (over) => post(path, world.manager, { kind: "leave", ...span() }, withEnv(over)),
        count: () => countRows("schedule_exceptions WHERE practitioner_id = ?", practitionerId),
      };
    },
  },
];
