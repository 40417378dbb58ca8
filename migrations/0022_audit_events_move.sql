CREATE TABLE `legal_holds` (
	`hospital_id` text PRIMARY KEY NOT NULL,
	`held_from` integer NOT NULL,
	`reason_sealed` text NOT NULL,
	`set_at` integer NOT NULL,
	`set_by` text NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
-- The rows move into the objects of their logs and are deleted then (src/audit/move-old-events.ts).
DROP TRIGGER `audit_events_stay`;--> statement-breakpoint
DROP TRIGGER `audit_subjects_stay`;
