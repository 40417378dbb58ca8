// Triggers of appointments: however they are written, times of one practitioner do not intersect. Run against the schema of the migrations.
import { readdirSync, readFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import { mulberry32 } from "../../cli/random.ts";

const MINUTE = 60_000;
const SLOTS = 60;
const OVERLAPS = `SELECT count(*) AS n FROM appointments a JOIN appointments b ON a.practitioner_id = b.practitioner_id AND a.id < b.id
  AND a.blocked_from < b.blocked_until AND b.blocked_from < a.blocked_until
  WHERE a.holds = 1 AND b.holds = 1 AND a.overbooked = 0 AND b.overbooked = 0
    AND NOT (a.status = 'proposed' AND a.expires_at <= max(a.updated_at, b.updated_at))
    AND NOT (b.status = 'proposed' AND b.expires_at <= max(a.updated_at, b.updated_at))`;

function newDatabase(without: readonly string[] = []): DatabaseSync {
  const db = new DatabaseSync(":memory:", { enableForeignKeyConstraints: false });
  for (const name of readdirSync("migrations")
    .filter((file) => file.endsWith(".sql"))
    .sort())
    db.exec(readFileSync(`migrations/${name}`, "utf8"));
  // biome-ignore lint/plugin: a name of this file.
  for (const trigger of without) db.exec(`DROP TRIGGER ${trigger}`);
  return db;
}

/** Random inserts, moves, cancellations, confirmations and returns of two practitioners, by writers whose clocks differ. */
function runRandomly(db: DatabaseSync, seed: number, steps: number): { refused: number; written: number } {
  const next = mulberry32(seed);
  const integer = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  const insert =
    db.prepare(`INSERT INTO appointments (id, hospital_id, patient_id, practitioner_id, status, holds, starts_at, ends_at,
    blocked_from, blocked_until, overbooked, expires_at, booked_by, booked_by_kind, created_at, updated_at)
    VALUES (?1, 'h', 'p', ?2, ?3, 1, ?4, ?5, ?4, ?5, ?6, ?7, 'u', 'staff', 1, ?8)`);
  const move =
    db.prepare(`UPDATE appointments SET starts_at = ?2, ends_at = ?3, blocked_from = ?2, blocked_until = ?3, updated_at = ?4
    WHERE id = ?1 AND status IN ('proposed', 'booked')`);
  const end = db.prepare(
    "UPDATE appointments SET status = 'cancelled', holds = 0, expires_at = NULL, updated_at = ?2 WHERE id = ?1",
  );
  const confirm = db.prepare(`UPDATE appointments SET status = 'booked', expires_at = NULL, updated_at = ?2
    WHERE id = ?1 AND status = 'proposed' AND expires_at > ?2`);
  const result = { refused: 0, written: 0 };
  let ids: string[] = [];
  for (let step = 0; step < steps; step++) {
    const now = step + integer(0, 60);
    const from = integer(0, SLOTS) * 5 * MINUTE;
    const until = from + integer(1, 6) * 5 * MINUTE;
    const id = ids[integer(0, Math.max(1, ids.length) - 1)] ?? "";
    const what = integer(0, 9);
    try {
      if (what < 5) {
        const isProposed = integer(0, 1) === 1;
        insert.run(
          String(step),
          integer(0, 1) === 1 ? "x" : "y",
          isProposed ? "proposed" : "booked",
          from,
          until,
          Number(integer(0, 9) === 0),
          isProposed ? now + integer(1, 100) : null,
          now,
        );
        ids = [...ids.slice(-200), String(step)];
      } else if (what < 7) move.run(id, from, until, now);
      else if (what < 8) end.run(id, now);
      else confirm.run(ids[Math.max(0, ids.length - integer(1, 40))] ?? "", now);
      result.written++;
    } catch (error) {
      expect(String(error)).toContain("appointment_overlap");
      result.refused++;
    }
  }
  return result;
}

// biome-ignore lint/plugin: a constant of this file.
const countOverlaps = (db: DatabaseSync) => Number(db.prepare(OVERLAPS).get()?.["n"]);

it.each([1, 2, 3])("keep the times of a practitioner apart (seed %i)", (seed) => {
  const db = newDatabase();
  const { refused, written } = runRandomly(db, seed, 10_000);
  expect(countOverlaps(db)).toBe(0);
  expect([refused > 1_000, written > 1_000]).toEqual([true, true]);
});

it.each(["appointment_overlap_insert", "appointment_overlap_move"])(
  "let times intersect without %s, which this test notices",
  (trigger) => {
    const db = newDatabase([trigger]);
    const seeds = [1, 2, 3, 4, 5];
    expect(
      seeds.some((seed) => {
        runRandomly(db, seed, 10_000);
        const overlaps = countOverlaps(db);
        db.exec("DELETE FROM appointments");
        return overlaps > 0;
      }),
    ).toBe(true);
  },
);

/** A proposal that expires at 100; a clock of 101 gives its time away, then a clock of 99 confirms it. */
function confirmLate(db: DatabaseSync): void {
  const insert =
    db.prepare(`INSERT INTO appointments (id, hospital_id, patient_id, practitioner_id, status, holds, starts_at, ends_at,
    blocked_from, blocked_until, expires_at, booked_by, booked_by_kind, created_at, updated_at)
    VALUES (?1, 'h', 'p', 'x', ?2, 1, 1000, 2000, 1000, 2000, ?3, 'u', 'patient', 1, ?4)`);
  insert.run("proposal", "proposed", 100, 1);
  insert.run("booking", "booked", null, 101);
  db.exec(
    "UPDATE appointments SET status = 'booked', expires_at = NULL, updated_at = 99 WHERE id = 'proposal' AND expires_at > 99",
  );
}

it("do not let a slower clock confirm a proposal whose time was given away", () => {
  expect(() => confirmLate(newDatabase())).toThrow("appointment_overlap");
  const db = newDatabase(["appointment_overlap_hold"]);
  confirmLate(db);
  expect(countOverlaps(db)).toBe(1);
});

it("let times meet, and offer what is given up to those who wait", () => {
  const db = newDatabase();
  const insertOne =
    db.prepare(`INSERT INTO appointments (id, hospital_id, patient_id, practitioner_id, status, holds, starts_at, ends_at,
    blocked_from, blocked_until, booked_by, booked_by_kind, created_at, updated_at)
    VALUES (?1, 'h', 'p', 'x', 'booked', 1, ?2, ?3, ?2, ?3, 'u', 'staff', 1, 1)`);
  const insert = (id: string, from: number, until: number) => insertOne.run(id, from, until);
  insert("a", 100, 200);
  insert("b", 200, 300);
  expect(() => insert("c", 199, 201)).toThrow("appointment_overlap");
  db.exec("UPDATE appointments SET status = 'cancelled', holds = 0, updated_at = 50 WHERE id = 'a'");
  expect(db.prepare("SELECT * FROM freed_slots").all()).toEqual([]);
  db.prepare(`INSERT INTO waiting_entries (id, hospital_id, patient_id, from_at, until_at, duration_minutes, days, state, created_by,
    created_at, updated_at) VALUES ('w', 'h', 'p', 0, 1000, 30, '{}', 'waiting', 'u', 1, 1)`).run();
  db.exec(
    "UPDATE appointments SET starts_at = 400, ends_at = 500, blocked_from = 400, blocked_until = 500, updated_at = 60 WHERE id = 'b'",
  );
  expect(db.prepare("SELECT appointment_id, from_at, until_at, freed_at FROM freed_slots").all()).toEqual([
    expect.objectContaining({ appointment_id: "b", from_at: 200, until_at: 300, freed_at: 60 }),
  ]);
});
