DROP INDEX `devices_serial`;--> statement-breakpoint
ALTER TABLE `devices` ADD `owner_patient_id` text REFERENCES patients(id);--> statement-breakpoint
ALTER TABLE `devices` ADD `last_synced_at` integer;--> statement-breakpoint
CREATE INDEX `devices_of_hospital` ON `devices` (`hospital_id`) WHERE owner_patient_id is null;--> statement-breakpoint
CREATE INDEX `devices_owner` ON `devices` (`owner_patient_id`) WHERE owner_patient_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `devices_serial` ON `devices` (`hospital_id`,`serial_number`) WHERE serial_number is not null and owner_patient_id is null;