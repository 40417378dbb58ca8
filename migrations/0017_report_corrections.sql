CREATE TABLE `report_changes` (
	`id` text PRIMARY KEY NOT NULL,
	`report_id` text NOT NULL,
	`what` text NOT NULL,
	`from_patient_id` text,
	`version` integer NOT NULL,
	`changed_by` text NOT NULL,
	`changed_at` integer NOT NULL,
	`detail_sealed` text NOT NULL,
	FOREIGN KEY (`report_id`) REFERENCES `reports`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`from_patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `report_changes_report` ON `report_changes` (`report_id`,`changed_at`);--> statement-breakpoint
CREATE INDEX `report_changes_from` ON `report_changes` (`from_patient_id`,`changed_at`) WHERE from_patient_id is not null;--> statement-breakpoint
ALTER TABLE `reports` ADD `comment_sealed` text;--> statement-breakpoint
ALTER TABLE `reports` ADD `links_from` integer;