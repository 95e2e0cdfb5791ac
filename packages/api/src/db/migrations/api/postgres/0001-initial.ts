// Made 20261121075744 by make-migration. Never edit a landed migration.
import { Migration } from '@mikro-orm/migrations'

export class Migration0001 extends Migration {
  override up(): void {
    this.addSql(
      `create table "allocations" ("consumer_uuid" varchar(64) not null, "provider_uuid" varchar(64) not null, "resource_class" varchar(255) not null, "used" int not null, primary key ("consumer_uuid", "provider_uuid", "resource_class"))`,
    )
    this.addSql(`create index "allocations_provider_uuid_resource_class_index" on "allocations" ("provider_uuid", "resource_class")`)
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
    this.addSql(`create table "settings" ("name" varchar(255) not null, "value" text not null, primary key ("name"))`)
    this.addSql(
      `create table "application_credentials" ("id" varchar(64) not null, "user_id" varchar(64) not null, "project_id" varchar(64) not null, "name" varchar(255) not null, "description" text null, "secret_hash" varchar(255) not null, "roles" text not null, "allowed_rules" text null, "expires_at" bigint null, "last_used_at" bigint null, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`create index "application_credentials_project_id_index" on "application_credentials" ("project_id")`)
    this.addSql(
      `alter table "application_credentials" add constraint "application_credentials_user_id_name_unique" unique ("user_id", "name")`,
    )
    this.addSql(
      `create table "audit_log" ("id" bigserial primary key, "occurred_at" bigint not null, "request_id" varchar(64) not null, "user_id" varchar(64) null, "project_id" varchar(64) null, "auth_method" varchar(255) null, "application_credential_id" varchar(64) null, "client_address" varchar(255) not null, "field" varchar(255) not null, "input" text null, "result" varchar(255) not null, "error_code" varchar(255) null, "target_ids" text not null, "operation_id" varchar(64) null)`,
    )
    this.addSql(`create index "audit_log_project_id_occurred_at_index" on "audit_log" ("project_id", "occurred_at")`)
    this.addSql(`create index "audit_log_occurred_at_index" on "audit_log" ("occurred_at")`)
    this.addSql(
      `create table "build_requests" ("instance_uuid" varchar(64) not null, "project_id" varchar(64) not null, "instance" text not null, "vcpus" int not null, "memory_mb" int not null, "disk_gb" int not null default 0, "created_at" bigint not null, "updated_at" bigint not null, primary key ("instance_uuid"))`,
    )
    this.addSql(`create index "build_requests_project_id_index" on "build_requests" ("project_id")`)
    this.addSql(
      `create table "cell_mappings" ("uuid" varchar(64) not null, "name" varchar(255) null, "transport_url" text not null, "database_connection" text not null, "disabled" int not null default 0, "created_at" bigint not null, "updated_at" bigint not null, primary key ("uuid"))`,
    )
    this.addSql(
      `create table "consumers" ("uuid" varchar(64) not null, "project_id" varchar(64) not null, "user_id" varchar(64) not null, "generation" int not null default 0, "created_at" bigint not null, primary key ("uuid"))`,
    )
    this.addSql(`create index "consumers_project_id_index" on "consumers" ("project_id")`)
    this.addSql(
      `create table "event_log" ("position" bigserial primary key, "event_id" varchar(64) not null, "event_type" varchar(255) not null, "subject" varchar(255) not null, "subject_id" varchar(255) not null, "phase" varchar(255) null, "priority" varchar(255) not null, "project_id" varchar(64) null, "user_id" varchar(64) null, "request_id" varchar(64) null, "operation_id" varchar(64) null, "publisher_id" varchar(255) not null, "occurred_at" bigint not null, "payload" text not null)`,
    )
    this.addSql(`alter table "event_log" add constraint "event_log_event_id_unique" unique ("event_id")`)
    this.addSql(`create index "event_log_occurred_at_index" on "event_log" ("occurred_at")`)
    this.addSql(
      `create table "flavors" ("id" varchar(255) not null, "name" varchar(255) not null, "description" text null, "vcpus" int not null, "ram_mb" int not null, "disk_gb" int not null, "ephemeral_gb" int not null, "swap_mb" int not null, "rxtx_factor" double precision not null, "is_public" int not null, "disabled" int not null default 0, "extra_specs" text not null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint null, primary key ("id"))`,
    )
    this.addSql(`alter table "flavors" add constraint "flavors_name_unique" unique ("name")`)
    this.addSql(
      `create table "flavor_projects" ("flavor_id" varchar(255) not null, "project_id" varchar(64) not null, primary key ("flavor_id", "project_id"))`,
    )
    this.addSql(
      `create table "host_mappings" ("host" varchar(255) not null, "cell_uuid" varchar(64) not null, "created_at" bigint not null, primary key ("host"))`,
    )
    this.addSql(
      `create table "idempotency_keys" ("user_id" varchar(64) not null, "project_id" varchar(64) not null, "key" varchar(255) not null, "mutation" varchar(255) not null, "input_hash" varchar(255) not null, "refs" text not null, "state" varchar(255) not null, "sealed" text null, "created_at" bigint not null, "expires_at" bigint not null, primary key ("user_id", "project_id", "key"))`,
    )
    this.addSql(`create index "idempotency_keys_expires_at_index" on "idempotency_keys" ("expires_at")`)
    this.addSql(
      `create table "images" ("id" varchar(64) not null, "name" varchar(255) null, "status" varchar(255) not null, "visibility" varchar(255) not null, "protected" int not null default 0, "hidden" int not null default 0, "project_id" varchar(64) not null, "tags" text not null, "properties" text not null, "min_ram_mb" int not null default 0, "min_disk_gb" int not null default 0, "disk_format" varchar(255) null, "container_format" varchar(255) null, "size_bytes" bigint null, "virtual_size_bytes" bigint null, "hash_value" varchar(255) null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`create index "images_project_id_index" on "images" ("project_id")`)
    this.addSql(
      `create table "image_members" ("image_id" varchar(64) not null, "project_id" varchar(64) not null, "status" varchar(255) not null, "created_at" bigint not null, "updated_at" bigint not null, primary key ("image_id", "project_id"))`,
    )
    this.addSql(`create index "image_members_project_id_status_index" on "image_members" ("project_id", "status")`)
    this.addSql(
      `create table "image_uploads" ("id" varchar(64) not null, "image_id" varchar(64) not null, "state" varchar(255) not null, "size_bytes" bigint null, "received_bytes" bigint not null default '0', "checksum" varchar(255) null, "error" text null, "operation_id" varchar(64) null, "expires_at" bigint not null, "created_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "image_uploads" add constraint "image_uploads_image_id_unique" unique ("image_id")`)
    this.addSql(
      `create table "instance_mappings" ("instance_uuid" varchar(64) not null, "cell_uuid" varchar(64) null, "project_id" varchar(64) not null, "user_id" varchar(64) not null, "queued_for_delete" int not null default 0, "created_at" bigint not null, primary key ("instance_uuid"))`,
    )
    this.addSql(
      `create index "instance_mappings_project_id_queued_for_delete_index" on "instance_mappings" ("project_id", "queued_for_delete")`,
    )
    this.addSql(
      `create table "inventories" ("provider_uuid" varchar(64) not null, "resource_class" varchar(255) not null, "total" int not null, "reserved" int not null, "min_unit" int not null, "max_unit" int not null, "step_size" int not null, "allocation_ratio" double precision not null, primary key ("provider_uuid", "resource_class"))`,
    )
    this.addSql(
      `create table "ip_allocations" ("subnet_id" varchar(64) not null, "ip_address" varchar(255) not null, "port_id" varchar(64) not null, primary key ("subnet_id", "ip_address"))`,
    )
    this.addSql(`create index "ip_allocations_port_id_index" on "ip_allocations" ("port_id")`)
    this.addSql(
      `create table "keypairs" ("id" bigserial primary key, "user_id" varchar(64) not null, "name" varchar(255) not null, "type" varchar(255) not null, "public_key" text not null, "fingerprint" varchar(255) not null, "created_at" bigint not null)`,
    )
    this.addSql(`alter table "keypairs" add constraint "keypairs_user_id_name_unique" unique ("user_id", "name")`)
    this.addSql(
      `create table "networks" ("id" varchar(64) not null, "name" varchar(255) not null, "description" text null, "status" varchar(255) not null, "admin_state_up" int not null default 1, "shared" int not null default 0, "external" int not null default 0, "mtu" int not null, "network_type" varchar(255) not null, "project_id" varchar(64) not null, "tags" text not null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(
      `create table "operations" ("id" varchar(64) not null, "request_id" varchar(64) not null, "kind" varchar(255) not null, "state" varchar(255) not null, "progress" int not null default 0, "project_id" varchar(64) not null, "user_id" varchar(64) null, "server_id" varchar(64) null, "image_id" varchar(64) null, "parent_id" varchar(64) null, "error" text null, "trace" text null, "created_at" bigint not null, "started_at" bigint null, "updated_at" bigint not null, "finished_at" bigint null, primary key ("id"))`,
    )
    this.addSql(`create index "operations_project_id_created_at_index" on "operations" ("project_id", "created_at")`)
    this.addSql(`create index "operations_server_id_created_at_index" on "operations" ("server_id", "created_at")`)
    this.addSql(`create index "operations_parent_id_index" on "operations" ("parent_id")`)
    this.addSql(
      `create table "operation_steps" ("operation_id" varchar(64) not null, "key" varchar(255) not null, "name" varchar(255) not null, "host" varchar(255) null, "started_at" bigint not null, "finished_at" bigint null, "result" varchar(255) null, "message" text null, "details" text null, primary key ("operation_id", "key"))`,
    )
    this.addSql(
      `create table "ports" ("id" varchar(64) not null, "network_id" varchar(64) not null, "project_id" varchar(64) not null, "mac_address" varchar(255) not null, "device_id" varchar(64) null, "device_owner" varchar(255) null, "host" varchar(255) null, "tag" varchar(255) null, "position" int not null, "status" varchar(255) not null, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "ports" add constraint "ports_mac_address_unique" unique ("mac_address")`)
    this.addSql(`alter table "ports" add constraint "ports_device_id_position_unique" unique ("device_id", "position")`)
    this.addSql(
      `create table "projects" ("id" varchar(64) not null, "name" varchar(255) not null, "description" text null, "enabled" int not null default 1, "tags" text not null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "projects" add constraint "projects_name_unique" unique ("name")`)
    this.addSql(
      `create table "project_limits" ("project_id" varchar(64) not null, "resource_name" varchar(255) not null, "resource_limit" int not null, primary key ("project_id", "resource_name"))`,
    )
    this.addSql(
      `create table "project_user_quotas" ("project_id" varchar(64) not null, "user_id" varchar(64) not null, "resource" varchar(255) not null, "hard_limit" int not null, primary key ("project_id", "user_id", "resource"))`,
    )
    this.addSql(`create index "project_user_quotas_user_id_index" on "project_user_quotas" ("user_id")`)
    this.addSql(
      `create table "provider_traits" ("provider_uuid" varchar(64) not null, "trait" varchar(255) not null, primary key ("provider_uuid", "trait"))`,
    )
    this.addSql(
      `create table "quotas" ("project_id" varchar(64) not null, "resource" varchar(255) not null, "hard_limit" int not null, primary key ("project_id", "resource"))`,
    )
    this.addSql(
      `create table "quota_classes" ("class_name" varchar(255) not null, "resource" varchar(255) not null, "hard_limit" int not null, primary key ("class_name", "resource"))`,
    )
    this.addSql(`create table "quota_generations" ("owner" varchar(255) not null, "generation" int not null, primary key ("owner"))`)
    this.addSql(
      `create table "registered_limits" ("resource_name" varchar(255) not null, "default_limit" int not null, primary key ("resource_name"))`,
    )
    this.addSql(
      `create table "request_specs" ("instance_uuid" varchar(64) not null, "spec" text not null, "created_at" bigint not null, primary key ("instance_uuid"))`,
    )
    this.addSql(
      `create table "resource_providers" ("uuid" varchar(64) not null, "name" varchar(255) not null, "generation" int not null default 0, "created_at" bigint not null, "updated_at" bigint not null, primary key ("uuid"))`,
    )
    this.addSql(`alter table "resource_providers" add constraint "resource_providers_name_unique" unique ("name")`)
    this.addSql(
      `create table "rights_changes" ("version" bigserial primary key, "kind" varchar(255) not null, "subject_id" varchar(64) not null, "changed_at" bigint not null)`,
    )
    this.addSql(`create index "rights_changes_changed_at_index" on "rights_changes" ("changed_at")`)
    this.addSql(
      `create table "role_assignments" ("user_id" varchar(64) not null, "project_id" varchar(64) not null, "role" varchar(255) not null, "created_at" bigint not null, primary key ("user_id", "project_id", "role"))`,
    )
    this.addSql(`create index "role_assignments_project_id_index" on "role_assignments" ("project_id")`)
    this.addSql(
      `create table "sessions" ("id" varchar(64) not null, "user_id" varchar(64) not null, "project_id" varchar(64) null, "access_hash" varchar(255) not null, "access_expires_at" bigint not null, "refresh_hash" varchar(255) not null, "previous_refresh_hash" varchar(255) null, "rotated_at" bigint not null, "refresh_expires_at" bigint not null, "created_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "sessions" add constraint "sessions_access_hash_unique" unique ("access_hash")`)
    this.addSql(`alter table "sessions" add constraint "sessions_refresh_hash_unique" unique ("refresh_hash")`)
    this.addSql(`create index "sessions_user_id_index" on "sessions" ("user_id")`)
    this.addSql(`create index "sessions_previous_refresh_hash_index" on "sessions" ("previous_refresh_hash")`)
    this.addSql(
      `create table "subnets" ("id" varchar(64) not null, "network_id" varchar(64) not null, "name" varchar(255) not null, "cidr" varchar(255) not null, "ip_version" int not null, "gateway_ip" varchar(255) null, "dhcp_enabled" int not null default 1, "dns_servers" text not null, "pool_start" varchar(255) not null, "pool_end" varchar(255) not null, "project_id" varchar(64) not null, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`create index "subnets_network_id_index" on "subnets" ("network_id")`)
    this.addSql(
      `create table "users" ("id" varchar(64) not null, "name" varchar(255) not null, "password_hash" text null, "password_changed_at" bigint null, "email" varchar(255) null, "description" text null, "enabled" int not null default 1, "default_project_id" varchar(64) null, "last_login_at" bigint null, "generation" int not null default 1, "created_at" bigint not null, "updated_at" bigint not null, primary key ("id"))`,
    )
    this.addSql(`alter table "users" add constraint "users_name_unique" unique ("name")`)
  }
}
