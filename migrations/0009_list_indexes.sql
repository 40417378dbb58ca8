DROP INDEX `devices_hospital`;--> statement-breakpoint
CREATE INDEX `devices_hospital_created` ON `devices` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `devices_created` ON `devices` (`created_at`);--> statement-breakpoint
CREATE INDEX `alerts_open_raised` ON `alerts` (`raised_at`) WHERE state <> 'cleared';--> statement-breakpoint
CREATE INDEX `alerts_priority` ON `alerts` (`hospital_id`,`priority`,`raised_at`);--> statement-breakpoint
CREATE INDEX `alerts_rule` ON `alerts` (`hospital_id`,`rule`,`raised_at`);--> statement-breakpoint
CREATE INDEX `alerts_code` ON `alerts` (`hospital_id`,`code`,`raised_at`);--> statement-breakpoint
CREATE INDEX `alerts_ward` ON `alerts` (`ward_id`,`raised_at`) WHERE ward_id is not null;--> statement-breakpoint
CREATE INDEX `alerts_device` ON `alerts` (`device_id`,`raised_at`) WHERE device_id is not null;--> statement-breakpoint
CREATE INDEX `alerts_assigned` ON `alerts` (`assigned_to`,`raised_at`) WHERE assigned_to is not null;--> statement-breakpoint
CREATE INDEX `credentials_app` ON `credentials` (`hospital_id`,`created_at`) WHERE kind = 'app';--> statement-breakpoint
CREATE INDEX `credentials_app_created` ON `credentials` (`created_at`) WHERE kind = 'app';--> statement-breakpoint
CREATE INDEX `held_observations_received` ON `held_observations` (`received_at`);--> statement-breakpoint
CREATE INDEX `hospitals_created` ON `hospitals` (`created_at`);--> statement-breakpoint
CREATE INDEX `invitations_created` ON `invitations` (`created_at`);--> statement-breakpoint
CREATE INDEX `practitioners_created` ON `practitioners` (`created_at`);--> statement-breakpoint
CREATE INDEX `uploads_outcome_created` ON `uploads` (`outcome`,`created_at`) WHERE outcome <> 'stored';--> statement-breakpoint
CREATE INDEX `wards_hospital` ON `wards` (`hospital_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `wards_created` ON `wards` (`created_at`);