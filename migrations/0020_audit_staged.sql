CREATE TABLE `audit_staged` (
	`id` text PRIMARY KEY NOT NULL,
	`event` text NOT NULL,
	`subjects` text NOT NULL,
	`parked_at` integer
) STRICT, WITHOUT ROWID;
