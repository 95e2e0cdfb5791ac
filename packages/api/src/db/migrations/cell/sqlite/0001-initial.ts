// Made 20261121075744 by make-migration. Never edit a landed migration.
import { Migration } from '@mikro-orm/migrations'

export class Migration0001 extends Migration {
  override up(): void {
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
    this.addSql(
      `create table \`compute_nodes\` (\`uuid\` text not null primary key, \`host\` text not null, \`hypervisor_hostname\` text not null, \`hypervisor_type\` text not null, \`hypervisor_version\` integer not null, \`host_ip\` text not null, \`report\` text not null, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(
      `create unique index \`compute_nodes_host_hypervisor_hostname_unique\` on \`compute_nodes\` (\`host\`, \`hypervisor_hostname\`)`,
    )
    this.addSql(
      `create table \`console_auth_tokens\` (\`token_hash\` text not null primary key, \`instance_uuid\` text not null, \`user_id\` text not null, \`project_id\` text not null, \`login_session_id\` text not null, \`console_type\` text not null, \`mode\` text not null, \`used_at\` bigint null, \`expires_at\` bigint not null, \`created_at\` bigint not null)`,
    )
    this.addSql(`create index \`console_auth_tokens_instance_uuid_index\` on \`console_auth_tokens\` (\`instance_uuid\`)`)
    this.addSql(`create index \`console_auth_tokens_expires_at_index\` on \`console_auth_tokens\` (\`expires_at\`)`)
    this.addSql(
      `create table \`instances\` (\`id\` integer not null primary key autoincrement, \`uuid\` text not null, \`project_id\` text not null, \`user_id\` text not null, \`display_name\` text not null, \`display_description\` text null, \`hostname\` text null, \`vm_state\` text not null, \`task_state\` text null, \`power_state\` integer not null, \`progress\` integer not null default 0, \`host\` text null, \`node\` text null, \`image_id\` text null, \`flavor_id\` text not null, \`flavor\` text not null, \`key_name\` text null, \`keypairs\` text not null, \`availability_zone\` text null, \`pinned_availability_zone\` text null, \`config_drive\` integer not null, \`disk_config\` text not null, \`metadata\` text not null, \`tags\` text not null, \`network_info\` text not null, \`locked\` integer not null default 0, \`locked_by\` text null, \`locked_reason\` text null, \`user_data\` text null, \`access_ip_v4\` text null, \`access_ip_v6\` text null, \`reservation_id\` text not null, \`launch_index\` integer not null, \`root_device_name\` text null, \`fault\` text null, \`operation_id\` text null, \`fence\` integer not null default 0, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null, \`launched_at\` bigint null, \`terminated_at\` bigint null, \`deleted_at\` bigint null)`,
    )
    this.addSql(`create unique index \`instances_uuid_unique\` on \`instances\` (\`uuid\`)`)
    this.addSql(
      `create index \`instances_deleted_at_project_id_created_at_uuid_index\` on \`instances\` (\`deleted_at\`, \`project_id\`, \`created_at\`, \`uuid\`)`,
    )
    this.addSql(`create index \`instances_deleted_at_created_at_uuid_index\` on \`instances\` (\`deleted_at\`, \`created_at\`, \`uuid\`)`)
    this.addSql(`create index \`instances_host_deleted_at_index\` on \`instances\` (\`host\`, \`deleted_at\`)`)
    this.addSql(
      `create table \`services\` (\`id\` text not null primary key, \`binary\` text not null, \`host\` text not null, \`disabled\` integer not null default 0, \`disabled_reason\` text null, \`forced_down\` integer not null default 0, \`version\` integer not null, \`run_id\` text null, \`last_seen_at\` bigint not null, \`generation\` integer not null default 1, \`created_at\` bigint not null, \`updated_at\` bigint not null)`,
    )
    this.addSql(`create unique index \`services_host_binary_unique\` on \`services\` (\`host\`, \`binary\`)`)
    this.addSql(
      `create table \`usage_audits\` (\`host\` text not null, \`period_start\` bigint not null, \`period_end\` bigint not null, \`state\` text not null, \`owner\` text not null, \`claimed_until\` bigint not null, \`servers\` integer not null, \`errors\` integer not null, \`message\` text not null, primary key (\`host\`, \`period_start\`, \`period_end\`))`,
    )
  }
}
