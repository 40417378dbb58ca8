-- History of patients' identity, and what is asked beside a claim code.
CREATE TABLE `patient_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`changed_by` text NOT NULL,
	`changed_by_kind` text NOT NULL,
	`changed_at` integer NOT NULL,
	`change_sealed` text NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `patient_changes_patient` ON `patient_changes` (`patient_id`,`changed_at`);--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `birth_date_mac` text;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `phone_mac` text;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `failed_attempts` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `last_failed_at` integer;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `ended_at` integer;--> statement-breakpoint
ALTER TABLE `patient_claim_codes` ADD `proof` text;--> statement-breakpoint
ALTER TABLE `patient_links` ADD `proof` text;--> statement-breakpoint
-- Older records get the tokens by which similar records are found (patients/reindex.ts).
UPDATE `hospitals` SET `search_reindex_after` = 0 WHERE EXISTS (SELECT 1 FROM `patients` WHERE `hospital_id` = `hospitals`.`id`);
