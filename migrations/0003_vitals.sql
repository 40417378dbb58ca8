CREATE TABLE `alert_events` (
	`alert_id` text NOT NULL,
	`n` integer NOT NULL,
	`what` text NOT NULL,
	`at` integer NOT NULL,
	`by` text,
	`detail` text,
	`comment_sealed` text,
	PRIMARY KEY(`alert_id`, `n`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `alert_rules` (
	`scope_id` text NOT NULL,
	`scope` text NOT NULL,
	`code` text NOT NULL,
	`hospital_id` text NOT NULL,
	`limits` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`scope_id`, `code`),
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `alert_rules_hospital` ON `alert_rules` (`hospital_id`,`scope`);--> statement-breakpoint
CREATE TABLE `alerts` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`ward_id` text,
	`rule` text NOT NULL,
	`code` text,
	`device_id` text,
	`priority` text NOT NULL,
	`state` text NOT NULL,
	`why` text NOT NULL,
	`raised_at` integer NOT NULL,
	`acknowledged_at` integer,
	`acknowledged_by` text,
	`assigned_to` text,
	`tier` integer DEFAULT 0 NOT NULL,
	`snoozed_until` integer,
	`recovered_at` integer,
	`cleared_at` integer,
	`updated_at` integer NOT NULL,
	`version` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `alerts_hospital` ON `alerts` (`hospital_id`,`raised_at`);--> statement-breakpoint
CREATE INDEX `alerts_patient` ON `alerts` (`patient_id`,`raised_at`);--> statement-breakpoint
CREATE INDEX `alerts_open` ON `alerts` (`hospital_id`,`raised_at`) WHERE state <> 'cleared';--> statement-breakpoint
CREATE TABLE `device_claim_codes` (
	`code_hash` text PRIMARY KEY NOT NULL,
	`device_id` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`device_id`) REFERENCES `devices`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `device_claim_codes_device` ON `device_claim_codes` (`device_id`);--> statement-breakpoint
CREATE INDEX `device_claim_codes_expiry` ON `device_claim_codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `held_observations` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`device_id` text NOT NULL,
	`reason` text NOT NULL,
	`count` integer NOT NULL,
	`items_sealed` text NOT NULL,
	`received_at` integer NOT NULL
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `held_observations_hospital` ON `held_observations` (`hospital_id`,`received_at`);--> statement-breakpoint
CREATE TABLE `monitoring_settings` (
	`patient_id` text PRIMARY KEY NOT NULL,
	`spo2_scale` integer DEFAULT 1 NOT NULL,
	`pregnant` integer DEFAULT 0 NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `vital_hours` (
	`hospital_id` text NOT NULL,
	`hour` integer NOT NULL,
	`patient_id` text NOT NULL,
	`stats` text NOT NULL,
	`version` integer NOT NULL,
	PRIMARY KEY(`hospital_id`, `hour`, `patient_id`)
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
ALTER TABLE `outbox` ADD `changes` integer DEFAULT 1 NOT NULL;