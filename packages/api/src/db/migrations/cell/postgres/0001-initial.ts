// Made 20261121075744 by make-migration. Never edit a landed migration.
import { Migration } from '@mikro-orm/migrations'

export class Migration0001 extends Migration {
  override up(): void {
    this.addSql(
      `create table "leases" ("name" varchar(255) not null, "owner" varchar(255) not null, "until" bigint not null, primary key ("name"))`,
    )
    this.addSql(
      `create table "outbox" ("id" bigserial primary key, "event_id" varchar(64) not null, "event_type" varchar(255) not null, "subject" varchar(255) not null, "subject_id" varchar(255) not null, "phase" varchar(255) null, "priority" varchar(255) not null, "project_id" varchar(64) null, "user_id" varchar(64) null, "request_id" varchar(64) null, "operation_id" varchar(64) null, "publisher_id" varchar(255) not null, "occurred_at" bigint not null, "payload" text not null, "projection" text null)`,
    )
    this.addSql(`alter table "outbox" add constraint "outbox_event_id_unique" unique ("event_id")`)
    this.addSql(
      `create table "sagas" ("id" varchar(64) not null, "kind" varchar(255) not null, "operation_id" varchar(64) not null, "server_id" varchar(64) null, "project_id" varchar(64) null, "request_id" varchar(64) null, "traceparent" varchar(255) null, "direction" varchar(255) not null, "step" int not null, "attempt" int not null, "fence" int not null, "state" text not null, "failure" text null, "waiting_for" varchar(255) null, "waiting_since" bigint null, "cancel_requested" int not null default 0, "tries" int not null default 0, "wake_at" bigint not null, "deadline_at" bigint null, "lease_owner" varchar(255) null, "lease_until" bigint not null, "row_version" int not null default 0, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`create index "sagas_server_id_index" on "sagas" ("server_id")`)
    this.addSql(`create index "sagas_wake_at_index" on "sagas" ("wake_at")`)
    this.addSql(
      `create table "compute_nodes" ("uuid" varchar(64) not null, "host" varchar(255) not null, "hypervisor_hostname" varchar(255) not null, "hypervisor_type" varchar(255) not null, "hypervisor_version" int not null, "host_ip" varchar(255) not null, "report" text not null, "created_at" bigint not null, "updated_at" bigint not null, primary key ("uuid"))`,
    )
    this.addSql(
      `alter table "compute_nodes" add constraint "compute_nodes_host_hypervisor_hostname_unique" unique ("host", "hypervisor_hostname")`,
    )
    this.addSql(
      `create table "console_auth_tokens" ("token_hash" varchar(255) not null, "instance_uuid" varchar(64) not null, "user_id" varchar(64) not null, "project_id" varchar(64) not null, "login_session_id" varchar(64) not null, "console_type" varchar(255) not null, "mode" varchar(255) not null, "used_at" bigint null, "expires_at" bigint not null, "created_at" bigint not null, primary key ("token_hash"))`,
    )
    this.addSql(`create index "console_auth_tokens_instance_uuid_index" on "console_auth_tokens" ("instance_uuid")`)
    this.addSql(`create index "console_auth_tokens_expires_at_index" on "console_auth_tokens" ("expires_at")`)
    this.addSql(
      `create table "instances" ("id" bigserial primary key, "uuid" varchar(64) not null, "project_id" varchar(64) not null, "user_id" varchar(64) not null, "display_name" varchar(255) not null, "display_description" text null, "hostname" varchar(255) null, "vm_state" varchar(255) not null, "task_state" varchar(255) null, "power_state" int not null, "progress" int not null default 0, "host" varchar(255) null, "node" varchar(255) null, "image_id" varchar(64) null, "flavor_id" varchar(255) not null, "flavor" text not null, "key_name" varchar(255) null, "keypairs" text not null, "availability_zone" varchar(255) null, "pinned_availability_zone" varchar(255) null, "config_drive" int not null, "disk_config" varchar(255) not null, "metadata" text not null, "tags" text not null, "network_info" text not null, "locked" int not null default 0, "locked_by" varchar(255) null, "locked_reason" varchar(255) null, "user_data" text null, "access_ip_v4" varchar(255) null, "access_ip_v6" varchar(255) null, "reservation_id" varchar(255) not null, "launch_index" int not null, "root_device_name" varchar(255) null, "fault" text null, "operation_id" varchar(64) null, "fence" int not null default 0, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, "launched_at" bigint null, "terminated_at" bigint null, "deleted_at" bigint null)`,
    )
    this.addSql(`alter table "instances" add constraint "instances_uuid_unique" unique ("uuid")`)
    this.addSql(
      `create index "instances_deleted_at_project_id_created_at_uuid_index" on "instances" ("deleted_at", "project_id", "created_at", "uuid")`,
    )
    this.addSql(`create index "instances_deleted_at_created_at_uuid_index" on "instances" ("deleted_at", "created_at", "uuid")`)
    this.addSql(`create index "instances_host_deleted_at_index" on "instances" ("host", "deleted_at")`)
    this.addSql(
      `create table "services" ("id" varchar(64) not null, "binary" varchar(255) not null, "host" varchar(255) not null, "disabled" int not null default 0, "disabled_reason" varchar(255) null, "forced_down" int not null default 0, "version" int not null, "run_id" varchar(64) null, "last_seen_at" bigint not null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "services" add constraint "services_host_binary_unique" unique ("host", "binary")`)
    this.addSql(
      `create table "usage_audits" ("host" varchar(255) not null, "period_start" bigint not null, "period_end" bigint not null, "state" varchar(255) not null, "owner" varchar(255) not null, "claimed_until" bigint not null, "servers" int not null, "errors" int not null, "message" varchar(255) not null, primary key ("host", "period_start", "period_end"))`,
    )
  }
}
