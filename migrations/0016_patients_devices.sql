DROP INDEX `devices_serial`;--> statement-breakpoint
ALTER TABLE `devices` ADD `owner_patient_id` text REFERENCES patients(id);--> statement-breakpoint
ALTER TABLE `devices` ADD `last_synced_at` integer;--> statement-breakpoint
CREATE INDEX `devices_of_hospital` ON `devices` (`hospital_id`) WHERE owner_patient_id is null;--> statement-breakpoint
CREATE INDEX `devices_owner` ON `devices` (`owner_patient_id`) WHERE owner_patient_id is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `devices_serial` ON `devices` (`hospital_id`,`serial_number`) WHERE serial_number is not null and owner_patient_id is null;--> statement-breakpoint
CREATE INDEX `devices_serial_number` ON `devices` (`hospital_id`,`serial_number`) WHERE serial_number is not null;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `state` text DEFAULT 'held' NOT NULL;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `filed_patient_id` text;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `resolution_id` text;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `note_sealed` text;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `resolved_by` text;--> statement-breakpoint
ALTER TABLE `held_observations` ADD `resolved_at` integer;--> statement-breakpoint
CREATE INDEX `held_observations_state` ON `held_observations` (`hospital_id`,`state`,`received_at`);--> statement-breakpoint
CREATE INDEX `held_observations_device` ON `held_observations` (`device_id`,`state`,`received_at`);--> statement-breakpoint
CREATE INDEX `held_observations_resolution` ON `held_observations` (`resolution_id`) WHERE resolution_id is not null;