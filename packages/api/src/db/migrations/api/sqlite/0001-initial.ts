// Made 20261121075744 by make-migration. Never edit a landed migration.
import { Migration } from '@mikro-orm/migrations'

export class Migration0001 extends Migration {
  override up(): void {
    this.addSql(
      `create table \`allocations\` (\`consumer_uuid\` text not null, \`provider_uuid\` text not null, \`resource_class\` text not null, \`used\` integer not null, primary key (\`consumer_uuid\`, \`provider_uuid\`, \`resource_class\`))`,
    )
    this.addSql(
      `create index \`allocations_provider_uuid_resource_class_index\` on \`allocations\` (\`provider_uuid\`, \`resource_class\`)`,
    )
    this.addSql(`create table \`leases\` (\`name\` text not null primary key, \`owner\` text not null, \`until\` bigint not null)`)
    this.addSql(
      `create table \`outbox\` (\`id\` integer not null primary key autoincrement, \`event_id\` text not null, \`event_type\` text not null, \`subject\` text not null, \`subject_id\` text not null, \`phase\` text null, \`priority\` text not null, \`project_id\` text null, \`user_id\` text null, \`request_id\` text null, \`operation_id\` text null, \`publisher_id\` text not null, \`occurred_at\` bigint not null, \`payload\` text not null, \`projection\` text null)`,
    )
    this.addSql(`create unique index \`outbox_event_id_unique\` on \`outbox\` (\`event_id\`)`)
    this.addSql(
      `create table \`sagas\` (\`id\` text not null primary key, \`kind\` text not null, \`operation_id\` text not null, \`server_id\` text null, \`project_id\` text null, \`request_id\` text null, \`traceparent\` text null, \`direction\` text not null, \`step\` integer not null, \`attempt\` integer not null, \`fence\` integer not null, \`state\` text not null, \`failure\` text null, \`waiting_for\` text null, \`waiting_since\` bigint null, \`cancel_requested\` integer not null default 0, \`tries\` integer not null default 0, \`wake_at\` bigint not null, \`deadline_at\` bigint null, \`lease_owner\` text null, \`lease_until\` bigint not null, \`row_version\` integer not null default 0, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create index \`sagas_server_id_index\` on \`sagas\` (\`server_id\`)`)
    this.addSql(`create index \`sagas_wake_at_index\` on \`sagas\` (\`wake_at\`)`)
    this.addSql(`create table \`settings\` (\`name\` text not null primary key, \`value\` text not null)`)
    this.addSql(
      `create table \`application_credentials\` (\`id\` text not null primary key, \`user_id\` text not null, \`project_id\` text not null, \`name\` text not null, \`description\` text null, \`secret_hash\` text not null, \`roles\` text not null, \`allowed_rules\` text null, \`expires_at\` bigint null, \`last_used_at\` bigint null, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create index \`application_credentials_project_id_index\` on \`application_credentials\` (\`project_id\`)`)
    this.addSql(
      `create unique index \`application_credentials_user_id_name_unique\` on \`application_credentials\` (\`user_id\`, \`name\`)`,
    )
    this.addSql(
      `create table \`audit_log\` (\`id\` integer not null primary key autoincrement, \`occurred_at\` bigint not null, \`request_id\` text not null, \`user_id\` text null, \`project_id\` text null, \`auth_method\` text null, \`application_credential_id\` text null, \`client_address\` text not null, \`field\` text not null, \`input\` text null, \`result\` text not null, \`error_code\` text null, \`target_ids\` text not null, \`operation_id\` text null)`,
    )
    this.addSql(`create index \`audit_log_project_id_occurred_at_index\` on \`audit_log\` (\`project_id\`, \`occurred_at\`)`)
    this.addSql(`create index \`audit_log_occurred_at_index\` on \`audit_log\` (\`occurred_at\`)`)
    this.addSql(
      `create table \`build_requests\` (\`instance_uuid\` text not null primary key, \`project_id\` text not null, \`instance\` text not null, \`vcpus\` integer not null, \`memory_mb\` integer not null, \`disk_gb\` integer not null default 0, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create index \`build_requests_project_id_index\` on \`build_requests\` (\`project_id\`)`)
    this.addSql(
      `create table \`cell_mappings\` (\`uuid\` text not null primary key, \`name\` text null, \`transport_url\` text not null, \`database_connection\` text not null, \`disabled\` integer not null default 0, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(
      `create table \`consumers\` (\`uuid\` text not null primary key, \`project_id\` text not null, \`user_id\` text not null, \`generation\` integer not null default 0, \`created_at\` bigint not null)`,
    )
    this.addSql(`create index \`consumers_project_id_index\` on \`consumers\` (\`project_id\`)`)
    this.addSql(
      `create table \`event_log\` (\`position\` integer not null primary key autoincrement, \`event_id\` text not null, \`event_type\` text not null, \`subject\` text not null, \`subject_id\` text not null, \`phase\` text null, \`priority\` text not null, \`project_id\` text null, \`user_id\` text null, \`request_id\` text null, \`operation_id\` text null, \`publisher_id\` text not null, \`occurred_at\` bigint not null, \`payload\` text not null)`,
    )
    this.addSql(`create unique index \`event_log_event_id_unique\` on \`event_log\` (\`event_id\`)`)
    this.addSql(`create index \`event_log_occurred_at_index\` on \`event_log\` (\`occurred_at\`)`)
    this.addSql(
      `create table \`flavors\` (\`id\` text not null primary key, \`name\` text not null, \`description\` text null, \`vcpus\` integer not null, \`ram_mb\` integer not null, \`disk_gb\` integer not null, \`ephemeral_gb\` integer not null, \`swap_mb\` integer not null, \`rxtx_factor\` double precision not null, \`is_public\` integer not null, \`disabled\` integer not null default 0, \`extra_specs\` text not null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint null)`,
    )
    this.addSql(`create unique index \`flavors_name_unique\` on \`flavors\` (\`name\`)`)
    this.addSql(
      `create table \`flavor_projects\` (\`flavor_id\` text not null, \`project_id\` text not null, primary key (\`flavor_id\`, \`project_id\`))`,
    )
    this.addSql(
      `create table \`host_mappings\` (\`host\` text not null primary key, \`cell_uuid\` text not null, \`created_at\` bigint not null)`,
    )
    this.addSql(
      `create table \`idempotency_keys\` (\`user_id\` text not null, \`project_id\` text not null, \`key\` text not null, \`mutation\` text not null, \`input_hash\` text not null, \`refs\` text not null, \`state\` text not null, \`sealed\` text null, \`created_at\` bigint not null, \`expires_at\` bigint not null, primary key (\`user_id\`, \`project_id\`, \`key\`))`,
    )
    this.addSql(`create index \`idempotency_keys_expires_at_index\` on \`idempotency_keys\` (\`expires_at\`)`)
    this.addSql(
      `create table \`images\` (\`id\` text not null primary key, \`name\` text null, \`status\` text not null, \`visibility\` text not null, \`protected\` integer not null default 0, \`hidden\` integer not null default 0, \`project_id\` text not null, \`tags\` text not null, \`properties\` text not null, \`min_ram_mb\` integer not null default 0, \`min_disk_gb\` integer not null default 0, \`disk_format\` text null, \`container_format\` text null, \`size_bytes\` bigint null, \`virtual_size_bytes\` bigint null, \`hash_value\` text null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create index \`images_project_id_index\` on \`images\` (\`project_id\`)`)
    this.addSql(
      `create table \`image_members\` (\`image_id\` text not null, \`project_id\` text not null, \`status\` text not null, \`created_at\` bigint not null, \`updated_at\` bigint not null, primary key (\`image_id\`, \`project_id\`))`,
    )
    this.addSql(`create index \`image_members_project_id_status_index\` on \`image_members\` (\`project_id\`, \`status\`)`)
    this.addSql(
      `create table \`image_uploads\` (\`id\` text not null primary key, \`image_id\` text not null, \`state\` text not null, \`size_bytes\` bigint null, \`received_bytes\` bigint not null default '0', \`checksum\` text null, \`error\` text null, \`operation_id\` text null, \`expires_at\` bigint not null, \`created_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`image_uploads_image_id_unique\` on \`image_uploads\` (\`image_id\`)`)
    this.addSql(
      `create table \`instance_mappings\` (\`instance_uuid\` text not null primary key, \`cell_uuid\` text null, \`project_id\` text not null, \`user_id\` text not null, \`queued_for_delete\` integer not null default 0, \`created_at\` bigint not null)`,
    )
    this.addSql(
      `create index \`instance_mappings_project_id_queued_for_delete_index\` on \`instance_mappings\` (\`project_id\`, \`queued_for_delete\`)`,
    )
    this.addSql(
      `create table \`inventories\` (\`provider_uuid\` text not null, \`resource_class\` text not null, \`total\` integer not null, \`reserved\` integer not null, \`min_unit\` integer not null, \`max_unit\` integer not null, \`step_size\` integer not null, \`allocation_ratio\` double precision not null, primary key (\`provider_uuid\`, \`resource_class\`))`,
    )
    this.addSql(
      `create table \`ip_allocations\` (\`subnet_id\` text not null, \`ip_address\` text not null, \`port_id\` text not null, primary key (\`subnet_id\`, \`ip_address\`))`,
    )
    this.addSql(`create index \`ip_allocations_port_id_index\` on \`ip_allocations\` (\`port_id\`)`)
    this.addSql(
      `create table \`keypairs\` (\`id\` integer not null primary key autoincrement, \`user_id\` text not null, \`name\` text not null, \`type\` text not null, \`public_key\` text not null, \`fingerprint\` text not null, \`created_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`keypairs_user_id_name_unique\` on \`keypairs\` (\`user_id\`, \`name\`)`)
    this.addSql(
      `create table \`networks\` (\`id\` text not null primary key, \`name\` text not null, \`description\` text null, \`status\` text not null, \`admin_state_up\` integer not null default 1, \`shared\` integer not null default 0, \`external\` integer not null default 0, \`mtu\` integer not null, \`network_type\` text not null, \`project_id\` text not null, \`tags\` text not null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(
      `create table \`operations\` (\`id\` text not null primary key, \`request_id\` text not null, \`kind\` text not null, \`state\` text not null, \`progress\` integer not null default 0, \`project_id\` text not null, \`user_id\` text null, \`server_id\` text null, \`image_id\` text null, \`parent_id\` text null, \`error\` text null, \`trace\` text null, \`created_at\` bigint not null, \`started_at\` bigint null, \`updated_at\` bigint not null, \`finished_at\` bigint null)`,
    )
    this.addSql(`create index \`operations_project_id_created_at_index\` on \`operations\` (\`project_id\`, \`created_at\`)`)
    this.addSql(`create index \`operations_server_id_created_at_index\` on \`operations\` (\`server_id\`, \`created_at\`)`)
    this.addSql(`create index \`operations_parent_id_index\` on \`operations\` (\`parent_id\`)`)
    this.addSql(
      `create table \`operation_steps\` (\`operation_id\` text not null, \`key\` text not null, \`name\` text not null, \`host\` text null, \`started_at\` bigint not null, \`finished_at\` bigint null, \`result\` text null, \`message\` text null, \`details\` text null, primary key (\`operation_id\`, \`key\`))`,
    )
    this.addSql(
      `create table \`ports\` (\`id\` text not null primary key, \`network_id\` text not null, \`project_id\` text not null, \`mac_address\` text not null, \`device_id\` text null, \`device_owner\` text null, \`host\` text null, \`tag\` text null, \`position\` integer not null, \`status\` text not null, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`ports_mac_address_unique\` on \`ports\` (\`mac_address\`)`)
    this.addSql(`create unique index \`ports_device_id_position_unique\` on \`ports\` (\`device_id\`, \`position\`)`)
    this.addSql(
      `create table \`projects\` (\`id\` text not null primary key, \`name\` text not null, \`description\` text null, \`enabled\` integer not null default 1, \`tags\` text not null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`projects_name_unique\` on \`projects\` (\`name\`)`)
    this.addSql(
      `create table \`project_limits\` (\`project_id\` text not null, \`resource_name\` text not null, \`resource_limit\` integer not null, primary key (\`project_id\`, \`resource_name\`))`,
    )
    this.addSql(
      `create table \`project_user_quotas\` (\`project_id\` text not null, \`user_id\` text not null, \`resource\` text not null, \`hard_limit\` integer not null, primary key (\`project_id\`, \`user_id\`, \`resource\`))`,
    )
    this.addSql(`create index \`project_user_quotas_user_id_index\` on \`project_user_quotas\` (\`user_id\`)`)
    this.addSql(
      `create table \`provider_traits\` (\`provider_uuid\` text not null, \`trait\` text not null, primary key (\`provider_uuid\`, \`trait\`))`,
    )
    this.addSql(
      `create table \`quotas\` (\`project_id\` text not null, \`resource\` text not null, \`hard_limit\` integer not null, primary key (\`project_id\`, \`resource\`))`,
    )
    this.addSql(
      `create table \`quota_classes\` (\`class_name\` text not null, \`resource\` text not null, \`hard_limit\` integer not null, primary key (\`class_name\`, \`resource\`))`,
    )
    this.addSql(`create table \`quota_generations\` (\`owner\` text not null primary key, \`generation\` integer not null)`)
    this.addSql(`create table \`registered_limits\` (\`resource_name\` text not null primary key, \`default_limit\` integer not null)`)
    this.addSql(
      `create table \`request_specs\` (\`instance_uuid\` text not null primary key, \`spec\` text not null, \`created_at\` bigint not null)`,
    )
    this.addSql(
      `create table \`resource_providers\` (\`uuid\` text not null primary key, \`name\` text not null, \`generation\` integer not null default 0, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`resource_providers_name_unique\` on \`resource_providers\` (\`name\`)`)
    this.addSql(
      `create table \`rights_changes\` (\`version\` integer not null primary key autoincrement, \`kind\` text not null, \`subject_id\` text not null, \`changed_at\` bigint not null)`,
    )
    this.addSql(`create index \`rights_changes_changed_at_index\` on \`rights_changes\` (\`changed_at\`)`)
    this.addSql(
      `create table \`role_assignments\` (\`user_id\` text not null, \`project_id\` text not null, \`role\` text not null, \`created_at\` bigint not null, primary key (\`user_id\`, \`project_id\`, \`role\`))`,
    )
    this.addSql(`create index \`role_assignments_project_id_index\` on \`role_assignments\` (\`project_id\`)`)
    this.addSql(
      `create table \`sessions\` (\`id\` text not null primary key, \`user_id\` text not null, \`project_id\` text null, \`access_hash\` text not null, \`access_expires_at\` bigint not null, \`refresh_hash\` text not null, \`previous_refresh_hash\` text null, \`rotated_at\` bigint not null, \`refresh_expires_at\` bigint not null, \`created_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`sessions_access_hash_unique\` on \`sessions\` (\`access_hash\`)`)
    this.addSql(`create unique index \`sessions_refresh_hash_unique\` on \`sessions\` (\`refresh_hash\`)`)
    this.addSql(`create index \`sessions_user_id_index\` on \`sessions\` (\`user_id\`)`)
    this.addSql(`create index \`sessions_previous_refresh_hash_index\` on \`sessions\` (\`previous_refresh_hash\`)`)
    this.addSql(
      `create table \`subnets\` (\`id\` text not null primary key, \`network_id\` text not null, \`name\` text not null, \`cidr\` text not null, \`ip_version\` integer not null, \`gateway_ip\` text null, \`dhcp_enabled\` integer not null default 1, \`dns_servers\` text not null, \`pool_start\` text not null, \`pool_end\` text not null, \`project_id\` text not null, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create index \`subnets_network_id_index\` on \`subnets\` (\`network_id\`)`)
    this.addSql(
      `create table \`users\` (\`id\` text not null primary key, \`name\` text not null, \`password_hash\` text null, \`password_changed_at\` bigint null, \`email\` text null, \`description\` text null, \`enabled\` integer not null default 1, \`default_project_id\` text null, \`last_login_at\` bigint null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`users_name_unique\` on \`users\` (\`name\`)`)
  }
}
