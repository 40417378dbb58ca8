CREATE TABLE `documents` (
	`id` text PRIMARY KEY NOT NULL,
	`patient_id` text NOT NULL,
	`hospital_id` text NOT NULL,
	`series_id` text NOT NULL,
	`series_version` integer NOT NULL,
	`status` text NOT NULL,
	`type_code` text NOT NULL,
	`date_at` integer NOT NULL,
	`title_sealed` text NOT NULL,
	`author_sealed` text,
	`file_key` text NOT NULL,
	`file_name_sealed` text NOT NULL,
	`content_type` text NOT NULL,
	`file_size` integer NOT NULL,
	`sha256` text NOT NULL,
	`uploaded_by_kind` text NOT NULL,
	`uploaded_by` text NOT NULL,
	`reason_sealed` text,
	`ended_by` text,
	`ended_at` integer,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`patient_id`) REFERENCES `patients`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `documents_series` ON `documents` (`series_id`,`series_version`);--> statement-breakpoint
CREATE UNIQUE INDEX `documents_file_key` ON `documents` (`file_key`);--> statement-breakpoint
CREATE INDEX `documents_same_file` ON `documents` (`sha256`,`patient_id`);--> statement-breakpoint
CREATE INDEX `documents_patient` ON `documents` (`patient_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `documents_patient_date` ON `documents` (`patient_id`,`date_at`);--> statement-breakpoint
CREATE INDEX `documents_hospital` ON `documents` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `documents_created` ON `documents` (`created_at`);