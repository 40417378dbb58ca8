CREATE TABLE `ceremonies` (
	`id` text PRIMARY KEY NOT NULL,
	`kind` text NOT NULL,
	`user_id` text,
	`challenge` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `ceremonies_user` ON `ceremonies` (`user_id`,`created_at`) WHERE user_id is not null;--> statement-breakpoint
CREATE INDEX `ceremonies_expiry` ON `ceremonies` (`expires_at`);--> statement-breakpoint
CREATE TABLE `deliveries` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text,
	`hospital_id` text,
	`channel` text NOT NULL,
	`target_id` text NOT NULL,
	`kind` text NOT NULL,
	`priority` text NOT NULL,
	`refs` text NOT NULL,
	`status` text DEFAULT 'waiting' NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`next_attempt_at` integer,
	`leased_until` integer,
	`answer_status` integer,
	`answer_sealed` text,
	`body_sealed` text,
	`body_has_details` integer DEFAULT 0 NOT NULL,
	`created_at` integer NOT NULL,
	`attempted_at` integer,
	`settled_at` integer
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `deliveries_due` ON `deliveries` (`next_attempt_at`) WHERE next_attempt_at is not null;--> statement-breakpoint
CREATE INDEX `deliveries_hospital` ON `deliveries` (`hospital_id`,`id`) WHERE hospital_id is not null;--> statement-breakpoint
CREATE INDEX `deliveries_target` ON `deliveries` (`target_id`,`id`);--> statement-breakpoint
CREATE INDEX `deliveries_details` ON `deliveries` (`target_id`) WHERE body_has_details = 1;--> statement-breakpoint
CREATE TABLE `email_links` (
	`id` text PRIMARY KEY NOT NULL,
	`token_hash` text NOT NULL,
	`user_id` text NOT NULL,
	`purpose` text NOT NULL,
	`email_index` text NOT NULL,
	`address_sealed` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `email_links_token` ON `email_links` (`token_hash`);--> statement-breakpoint
CREATE INDEX `email_links_user` ON `email_links` (`user_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `email_links_expiry` ON `email_links` (`expires_at`);--> statement-breakpoint
CREATE INDEX `email_links_address` ON `email_links` (`email_index`);--> statement-breakpoint
CREATE TABLE `escalation_settings` (
	`scope_id` text PRIMARY KEY NOT NULL,
	`scope` text NOT NULL,
	`hospital_id` text NOT NULL,
	`settings` text NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	`updated_by` text NOT NULL,
	`updated_at` integer NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `factor_policies` (
	`hospital_id` text NOT NULL,
	`role` text NOT NULL,
	`required_from` integer NOT NULL,
	`set_by` text NOT NULL,
	`set_at` integer NOT NULL,
	PRIMARY KEY(`hospital_id`, `role`),
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `notification_choices` (
	`user_id` text NOT NULL,
	`kind` text NOT NULL,
	`channel` text NOT NULL,
	`is_on` integer NOT NULL,
	PRIMARY KEY(`user_id`, `kind`, `channel`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `notification_settings` (
	`user_id` text PRIMARY KEY NOT NULL,
	`language` text DEFAULT 'en' NOT NULL,
	`time_zone` text,
	`quiet_from` integer,
	`quiet_until` integer,
	`phone_sealed` text,
	`phone_verified_at` integer,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `notifications` (
	`user_id` text NOT NULL,
	`id` text NOT NULL,
	`hospital_id` text,
	`kind` text NOT NULL,
	`priority` text NOT NULL,
	`refs` text NOT NULL,
	`created_at` integer NOT NULL,
	`read_at` integer,
	PRIMARY KEY(`user_id`, `id`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `notifications_unread` ON `notifications` (`user_id`,`id`) WHERE read_at is null;--> statement-breakpoint
CREATE INDEX `notifications_event` ON `notifications` (`id`);--> statement-breakpoint
CREATE TABLE `passkeys` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`credential_id` text NOT NULL,
	`public_key` text NOT NULL,
	`counter` integer NOT NULL,
	`transports` text NOT NULL,
	`is_backed_up` integer NOT NULL,
	`name_sealed` text NOT NULL,
	`created_at` integer NOT NULL,
	`last_used_at` integer,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `passkeys_credential` ON `passkeys` (`credential_id`);--> statement-breakpoint
CREATE INDEX `passkeys_user` ON `passkeys` (`user_id`);--> statement-breakpoint
CREATE TABLE `phone_codes` (
	`user_id` text PRIMARY KEY NOT NULL,
	`id` text NOT NULL,
	`phone_sealed` text NOT NULL,
	`phone_index` text NOT NULL,
	`created_at` integer NOT NULL,
	`expires_at` integer NOT NULL,
	`used_at` integer,
	`attempts` integer DEFAULT 0 NOT NULL,
	`sent_count` integer NOT NULL,
	`window_started_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `phone_codes_id` ON `phone_codes` (`id`);--> statement-breakpoint
CREATE INDEX `phone_codes_window` ON `phone_codes` (`window_started_at`);--> statement-breakpoint
CREATE INDEX `phone_codes_expiry` ON `phone_codes` (`expires_at`);--> statement-breakpoint
CREATE TABLE `push_subscriptions` (
	`id` text PRIMARY KEY NOT NULL,
	`user_id` text NOT NULL,
	`endpoint_index` text NOT NULL,
	`subscription_sealed` text NOT NULL,
	`created_at` integer NOT NULL,
	`renewed_at` integer NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `push_subscriptions_endpoint` ON `push_subscriptions` (`endpoint_index`);--> statement-breakpoint
CREATE INDEX `push_subscriptions_user` ON `push_subscriptions` (`user_id`);--> statement-breakpoint
CREATE TABLE `recovery_codes` (
	`user_id` text NOT NULL,
	`code_hash` text NOT NULL,
	`created_at` integer NOT NULL,
	`used_at` integer,
	PRIMARY KEY(`user_id`, `code_hash`),
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `required_channels` (
	`hospital_id` text NOT NULL,
	`role` text NOT NULL,
	`channel` text NOT NULL,
	`set_by` text NOT NULL,
	`set_at` integer NOT NULL,
	PRIMARY KEY(`hospital_id`, `role`, `channel`),
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `totp_factors` (
	`user_id` text PRIMARY KEY NOT NULL,
	`secret_sealed` text NOT NULL,
	`created_at` integer NOT NULL,
	`confirmed_at` integer,
	`last_step` integer DEFAULT 0 NOT NULL,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `ward_staff` (
	`ward_id` text NOT NULL,
	`user_id` text NOT NULL,
	`added_by` text NOT NULL,
	`added_at` integer NOT NULL,
	PRIMARY KEY(`ward_id`, `user_id`),
	FOREIGN KEY (`ward_id`) REFERENCES `wards`(`id`) ON UPDATE no action ON DELETE no action,
	FOREIGN KEY (`user_id`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `ward_staff_user` ON `ward_staff` (`user_id`);--> statement-breakpoint
CREATE TABLE `webhooks` (
	`id` text PRIMARY KEY NOT NULL,
	`hospital_id` text NOT NULL,
	`url_sealed` text NOT NULL,
	`description_sealed` text,
	`events` text NOT NULL,
	`secrets_sealed` text NOT NULL,
	`include_data` integer DEFAULT 0 NOT NULL,
	`active` integer DEFAULT 1 NOT NULL,
	`failing_since` integer,
	`disabled_at` integer,
	`disabled_reason` text,
	`created_by` text NOT NULL,
	`created_at` integer NOT NULL,
	`updated_at` integer NOT NULL,
	`version` integer DEFAULT 1 NOT NULL,
	FOREIGN KEY (`hospital_id`) REFERENCES `hospitals`(`id`) ON UPDATE no action ON DELETE no action
) STRICT, WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `webhooks_hospital` ON `webhooks` (`hospital_id`,`created_at`);--> statement-breakpoint
ALTER TABLE `alerts` ADD `escalates_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `authenticated_at` integer;--> statement-breakpoint
ALTER TABLE `sessions` ADD `amr` text DEFAULT 'pwd' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `email_verified_at` integer;--> statement-breakpoint
CREATE TRIGGER `changed_escalation_insert_ward` AFTER INSERT ON `escalation_settings` WHEN NEW.scope = 'ward' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = NEW.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_escalation_insert_hospital` AFTER INSERT ON `escalation_settings` WHEN NEW.scope = 'hospital' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE hospital_id = NEW.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_escalation_update_ward` AFTER UPDATE ON `escalation_settings` WHEN NEW.scope = 'ward' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = NEW.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_escalation_update_hospital` AFTER UPDATE ON `escalation_settings` WHEN NEW.scope = 'hospital' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE hospital_id = NEW.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_escalation_delete_ward` AFTER DELETE ON `escalation_settings` WHEN OLD.scope = 'ward' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE ward_id = OLD.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_escalation_delete_hospital` AFTER DELETE ON `escalation_settings` WHEN OLD.scope = 'hospital' BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) SELECT DISTINCT 'monitor:' || x, 'monitor', x, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER) FROM (SELECT id AS x FROM patients WHERE hospital_id = OLD.scope_id AND (monitoring <> 'off' OR EXISTS (SELECT 1 FROM device_assignments WHERE patient_id = patients.id) OR EXISTS (SELECT 1 FROM monitoring_settings WHERE patient_id = patients.id))) WHERE true ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_factor_policy_insert` AFTER INSERT ON `factor_policies` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) VALUES ('feed:' || NEW.hospital_id, 'feed', NEW.hospital_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)) ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_factor_policy_update` AFTER UPDATE ON `factor_policies` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) VALUES ('feed:' || NEW.hospital_id, 'feed', NEW.hospital_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)) ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_factor_policy_delete` AFTER DELETE ON `factor_policies` BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) VALUES ('feed:' || OLD.hospital_id, 'feed', OLD.hospital_id, CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)) ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
--> statement-breakpoint
CREATE TRIGGER `changed_session_methods` AFTER UPDATE OF amr ON `sessions` WHEN NEW.amr <> OLD.amr BEGIN INSERT INTO outbox (id, topic, payload, created_at, due_at) VALUES ('feed:' || coalesce(NEW.hospital_id, 'none'), 'feed', coalesce(NEW.hospital_id, 'none'), CAST(unixepoch('subsec') * 1000 AS INTEGER), CAST(unixepoch('subsec') * 1000 AS INTEGER)) ON CONFLICT (id) DO UPDATE SET changes = changes + 1, due_at = excluded.due_at, done_at = NULL; END;
