CREATE TABLE `vital_months` (
	`hospital_id` text NOT NULL,
	`month` integer NOT NULL,
	`patient_id` text NOT NULL,
	`file_key` text,
	`file_size` integer DEFAULT 0 NOT NULL,
	`days` blob,
	`stale_key` text,
	`stale_at` integer NOT NULL,
	PRIMARY KEY(`hospital_id`, `month`, `patient_id`)
) STRICT;
--> statement-breakpoint
CREATE INDEX `vital_months_stale` ON `vital_months` (`stale_at`) WHERE stale_key is not null;