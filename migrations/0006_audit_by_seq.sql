DROP INDEX `audit_events_recorded`;--> statement-breakpoint
DROP INDEX `audit_events_hospital`;--> statement-breakpoint
DROP INDEX `audit_events_abroad`;--> statement-breakpoint
DROP INDEX `audit_events_actor`;--> statement-breakpoint
DROP INDEX `audit_events_event`;--> statement-breakpoint
DROP INDEX `audit_events_refused`;--> statement-breakpoint
CREATE INDEX `audit_events_hospital` ON `audit_events` (`hospital_id`);--> statement-breakpoint
CREATE INDEX `audit_events_abroad` ON `audit_events` (`actor_hospital_id`) WHERE actor_hospital_id is not null;--> statement-breakpoint
CREATE INDEX `audit_events_actor` ON `audit_events` (`actor_id`);--> statement-breakpoint
CREATE INDEX `audit_events_event` ON `audit_events` (`event`,`hospital_id`);--> statement-breakpoint
CREATE INDEX `audit_events_refused` ON `audit_events` (`outcome`,`hospital_id`) WHERE outcome <> 'success';