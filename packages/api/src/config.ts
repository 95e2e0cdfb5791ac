/** Options of the control plane, in Nova's groups and with Nova's names and defaults where Nova has them. */
import { z } from 'zod'

const seconds = (byDefault: number) => z.number().int().nonnegative().default(byDefault)
const limit = (byDefault: number) => z.number().int().min(-1).max(2147483647).default(byDefault)

export const apiOptions = {
  DEFAULT: z.strictObject({
    log_level: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
    default_availability_zone: z.string().default('nova'),
    default_schedule_zone: z.string().nullable().default(null),
    password_length: z.number().int().min(8).max(128).default(12),
    service_down_time: seconds(60),
    report_interval: seconds(10),
    instance_build_timeout: seconds(1800),
    shutdown_timeout: seconds(60),
    sync_power_state_interval: z.number().int().default(600),
    force_config_drive: z.boolean().default(false),
    /** Redis, such as redis://:password@host:6379. Absent: everything runs in one process. */
    transport_url: z.string().nullable().default(null),
    transport_url_file: z.string().nullable().default(null),
    /** Seconds that requests under way have to end when a process is stopped. */
    graceful_shutdown_timeout: seconds(60),
    region_name: z.string().default('RegionOne'),
  }),
  api: z.strictObject({
    max_limit: z.number().int().positive().default(1000),
    enable_instance_password: z.boolean().default(true),
    dhcp_domain: z.string().default('novalocal'),
    /** Address under which hosts fetch images; absent: the one an API process has told. */
    internal_url: z.url().nullable().default(null),
    /** Addresses under which browsers reach the cloud; an Origin must be one of them. Empty: the address it listens on. */
    public_urls: z.array(z.url()).default([]),
    max_depth: z.number().int().positive().default(12),
    max_aliases: z.number().int().positive().default(30),
    max_directives: z.number().int().positive().default(50),
    max_tokens: z.number().int().positive().default(5000),
    /** A list of 1000 servers with 20 fields costs about 21,000. */
    max_cost: z.number().int().positive().default(60000),
    cell_timeout: seconds(60),
  }),
  identity: z.strictObject({
    access_token_seconds: z.number().int().positive().default(900),
    refresh_token_seconds: z.number().int().positive().default(1209600),
    login_attempts: z.number().int().positive().default(10),
    login_window_seconds: z.number().int().positive().default(60),
  }),
  oslo_policy: z.strictObject({ policy_file: z.string().nullable().default(null) }),
  scheduler: z.strictObject({
    max_attempts: z.number().int().positive().default(3),
    discover_hosts_in_cells_interval: z.number().default(2),
  }),
  filter_scheduler: z.strictObject({
    enabled_filters: z.array(z.string()).default(['ComputeFilter', 'AvailabilityZoneFilter', 'ImagePropertiesFilter']),
    host_subset_size: z.number().int().positive().default(1),
    ram_weight_multiplier: z.number().default(1),
    cpu_weight_multiplier: z.number().default(1),
    disk_weight_multiplier: z.number().default(1),
  }),
  quota: z.strictObject({
    instances: limit(10),
    cores: limit(20),
    ram: limit(51200),
    metadata_items: limit(128),
    key_pairs: limit(100),
    recheck_quota: z.boolean().default(true),
  }),
  database: z.strictObject({
    /** PostgreSQL, such as postgres://user:password@host/kilonova: the databases are NAME_api, NAME_cell0 and NAME_cell1. Absent: SQLite. */
    connection: z.string().nullable().default(null),
    /** A file that holds it, so that the password is in no option file. */
    connection_file: z.string().nullable().default(null),
  }),
  vnc: z.strictObject({
    /** Address under which browsers reach the console proxy, where it is not that of the dashboard. */
    novncproxy_base_url: z.url().nullable().default(null),
  }),
  consoleauth: z.strictObject({ token_ttl: z.number().int().positive().max(600).default(60) }),
  notifications: z.strictObject({ event_retention_seconds: z.number().int().positive().default(604800) }),
  image_store: z.strictObject({
    max_size_gb: z.number().int().positive().default(1024),
    upload_seconds: z.number().int().positive().max(3600).default(3600),
  }),
}

export type ApiConfig = { [G in keyof typeof apiOptions]: z.infer<(typeof apiOptions)[G]> }
