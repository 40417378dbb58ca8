// Schema of what one sender sent on one day, in the stored memory.
import { z } from "zod";

export const DayCountsSchema = z.object({
  day: z.int(),
  count: z.int(),
  // By UTC hour of receipt. Counts written before this field existed lack it.
  hours: z
    .array(z.int())
    .length(24)
    .default(() => new Array<number>(24).fill(0)),
  firstSeq: z.number().nullable(),
  lastSeq: z.number().nullable(),
});
