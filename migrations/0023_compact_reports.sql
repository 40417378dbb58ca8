-- Reports and uploads with a rowid: an entry of their indexes ends in it and not in an id of 36 bytes. Patient, digest and size of a stored
-- upload are those of its report, and are dropped where they are equal. `report_changes` refers to reports, so it is copied too.
CREATE TABLE `reports_new` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`kind` text NOT NULL,
	`status` text NOT NULL,
	`uploaded_by_kind` text NOT NULL,
	`uploaded_by` text NOT NULL,
	`encounter_id` text,
	`session_type` text,
	`confidence` real,
	`heart_rate` real,
	`effective_at` integer NOT NULL,
	`file_key` text NOT NULL,
	`file_name_sealed` text NOT NULL,
	`file_size` integer NOT NULL,
	`sha256` text NOT NULL,
	`metrics_key` text,
	`metrics_size` integer,
	`comment_sealed` text,
	`links_from` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT;
--> statement-breakpoint
INSERT INTO `reports_new` (`id`, `patient_id`, `hospital_id`, `kind`, `status`, `uploaded_by_kind`, `uploaded_by`, `encounter_id`, `session_type`, `confidence`, `heart_rate`, `effective_at`, `file_key`, `file_name_sealed`, `file_size`, `sha256`, `metrics_key`, `metrics_size`, `comment_sealed`, `links_from`, `created_at`, `updated_at`, `version`)
SELECT `id`, `patient_id`, `hospital_id`, `kind`, `status`, `uploaded_by_kind`, `uploaded_by`, `encounter_id`, `session_type`, `confidence`, `heart_rate`, `effective_at`, `file_key`, `file_name_sealed`, `file_size`, `sha256`, `metrics_key`, `metrics_size`, `comment_sealed`, `links_from`, `created_at`, `updated_at`, `version` FROM `reports` ORDER BY `created_at`, `id`;
--> statement-breakpoint
CREATE TABLE `report_changes_new` (
	`id` text PRIMARY KEY NOT NULL,
	`report_id` text NOT NULL,
	`what` text NOT NULL,
	`from_patient_id` text,
	`version` integer NOT NULL,
	`changed_by` text NOT NULL,
	`changed_at` integer NOT NULL,
	`detail_sealed` text NOT NULL,
	FOREIGN KEY (`report_id`) REFERENCES `reports_new`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`from_patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
INSERT INTO `report_changes_new` (`id`, `report_id`, `what`, `from_patient_id`, `version`, `changed_by`, `changed_at`, `detail_sealed`)
SELECT `id`, `report_id`, `what`, `from_patient_id`, `version`, `changed_by`, `changed_at`, `detail_sealed` FROM `report_changes`;
--> statement-breakpoint
CREATE TABLE `uploads_new` (
	`id` text PRIMARY KEY NOT NULL,
	`actor_kind` text NOT NULL,
	`actor_id` text NOT NULL,
	`hospital_id` text,
	`patient_id` text,
	`report_id` text,
	`kind` text,
	`outcome` text NOT NULL,
	`reason` text,
	`detail_sealed` text,
	`file_key` text,
	`incoming_key` text,
	`file_size` integer,
	`sha256` text,
	`request_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer
) STRICT;
--> statement-breakpoint
INSERT INTO `uploads_new` (`id`, `actor_kind`, `actor_id`, `hospital_id`, `patient_id`, `report_id`, `kind`, `outcome`, `reason`, `detail_sealed`, `file_key`, `incoming_key`, `file_size`, `sha256`, `request_id`, `created_at`, `expires_at`)
SELECT u.`id`, u.`actor_kind`, u.`actor_id`, u.`hospital_id`, CASE WHEN r.`id` IS NULL THEN u.`patient_id` END, u.`report_id`, u.`kind`, u.`outcome`, u.`reason`, u.`detail_sealed`, u.`file_key`, u.`incoming_key`, CASE WHEN r.`id` IS NULL THEN u.`file_size` END, CASE WHEN r.`id` IS NULL THEN u.`sha256` END, u.`request_id`, u.`created_at`, u.`expires_at`
FROM `uploads` u LEFT JOIN `reports` r ON r.`id` = u.`report_id` AND u.`outcome` = 'stored' AND u.`expires_at` IS NULL
  AND u.`file_size` IS r.`file_size` AND u.`sha256` IS r.`sha256`
ORDER BY u.`created_at`, u.`id`;
--> statement-breakpoint
DROP TABLE `report_changes`;--> statement-breakpoint
DROP TABLE `uploads`;--> statement-breakpoint
DROP TABLE `reports`;--> statement-breakpoint
ALTER TABLE `reports_new` RENAME TO `reports`;--> statement-breakpoint
ALTER TABLE `report_changes_new` RENAME TO `report_changes`;--> statement-breakpoint
ALTER TABLE `uploads_new` RENAME TO `uploads`;--> statement-breakpoint
CREATE INDEX `report_changes_report` ON `report_changes` (`report_id`,`changed_at`);--> statement-breakpoint
CREATE INDEX `report_changes_from` ON `report_changes` (`from_patient_id`,`changed_at`) WHERE from_patient_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `reports_same_file` ON `reports` (`sha256`,`patient_id`);--> statement-breakpoint
CREATE INDEX `reports_created` ON `reports` (`created_at`);--> statement-breakpoint
CREATE INDEX `reports_kind` ON `reports` (`kind`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_status` ON `reports` (`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_patient` ON `reports` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital` ON `reports` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_kind` ON `reports` (`hospital_id`,`kind`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_status` ON `reports` (`hospital_id`,`status`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_hospital_rate` ON `reports` (`hospital_id`,`heart_rate`) WHERE heart_rate is not null;--> statement-breakpoint
CREATE INDEX `reports_session` ON `reports` (`session_type`,`hospital_id`,`created_at`) WHERE session_type is not null;--> statement-breakpoint
CREATE INDEX `reports_hospital_effective` ON `reports` (`hospital_id`,`effective_at`);--> statement-breakpoint
CREATE INDEX `reports_effective` ON `reports` (`effective_at`);--> statement-breakpoint
CREATE INDEX `reports_uploader` ON `reports` (`uploaded_by`,`created_at`);--> statement-breakpoint
CREATE INDEX `reports_rate` ON `reports` (`heart_rate`) WHERE heart_rate is not null;--> statement-breakpoint
CREATE INDEX `reports_encounter` ON `reports` (`encounter_id`) WHERE encounter_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `reports_file_key` ON `reports` (`file_key`);--> statement-breakpoint
CREATE UNIQUE INDEX `reports_metrics_key` ON `reports` (`metrics_key`) WHERE metrics_key is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_incoming` ON `uploads` (`incoming_key`) WHERE incoming_key is not null;--> statement-breakpoint
CREATE INDEX `uploads_hospital` ON `uploads` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `uploads_created` ON `uploads` (`created_at`);--> statement-breakpoint
CREATE INDEX `uploads_outcome` ON `uploads` (`outcome`,`hospital_id`,`created_at`) WHERE outcome <> 'stored';--> statement-breakpoint
CREATE INDEX `uploads_outcome_created` ON `uploads` (`outcome`,`created_at`) WHERE outcome <> 'stored';--> statement-breakpoint
CREATE UNIQUE INDEX `uploads_file_key` ON `uploads` (`file_key`) WHERE file_key is not null;
