// Rows of schedules as the rules of open times read them.
import { z } from "zod";
import type { Schedule } from "./open-times.ts";

const Weekly = z.array(z.tuple([z.number(), z.number(), z.number()]));
export type ScheduleRow = Omit<Schedule, "weekly"> & { weekly: string };

export const toSchedule = (row: ScheduleRow): Schedule => ({ ...row, weekly: Weekly.parse(JSON.parse(row.weekly)) });
