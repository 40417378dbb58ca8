CREATE TABLE `import_grants` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`bytes` integer NOT NULL,
	`reason_sealed` text NOT NULL,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`revoked_at` integer,
	`revoked_by` text,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `import_grants_hospital` ON `import_grants` (`hospital_id`,`created_at`);--> statement-breakpoint
DELETE FROM `counters` WHERE `scope` >= 'm:' AND `scope` < 'm;' AND `name` = 'bytes';--> statement-breakpoint
INSERT INTO `counters` (`scope`, `day`, `name`, `n`)
SELECT 'quota:h:' || `hospital_id`, 0, 'files', sum(`file_size` + coalesce(`metrics_size`, 0)) FROM `reports` GROUP BY `hospital_id`;
