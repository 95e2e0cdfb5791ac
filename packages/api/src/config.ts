/** Options of the control plane, in Nova's groups and with Nova's names and defaults where Nova has them. */
import { z } from 'zod'
import { readAuditPeriod } from './modules/quotas/audit-period.js'
import { quotaDrivers } from './modules/quotas/quota.limits.js'

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
    /** Tells of every server once in a period, by an instance.exists event, for those who bill. */
    instance_usage_audit: z.boolean().default(false),
    instance_usage_audit_period: z
      .string()
      .default('month')
      .refine((text) => readAuditPeriod(text) !== null, 'hour, day, month or year, with @n to begin later: month@2'),
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
    /** Whether createKeypair makes keys; else only public keys made elsewhere can be imported. */
    keypair_generation: z.boolean().default(true),
    dhcp_domain: z.string().default('novalocal'),
    /** Address under which hosts fetch images; absent: the one an API process has told. */
    internal_url: z.url().nullable().default(null),
    /** Addresses under which browsers reach the cloud; an Origin must be one of them. Empty: the address it listens on. */
    public_urls: z.array(z.url()).default([]),
    /** Addresses or networks of proxies in front, whose X-Forwarded-For and X-Forwarded-Proto are believed. */
    trusted_proxies: z.array(z.string()).default([]),
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
    /** Days after which a password must have been changed; null: never. */
    password_expires_days: z.number().int().positive().nullable().default(null),
  }),
  /** Days that the record of who did what is kept. */
  audit: z.strictObject({ retention_days: z.number().int().positive().default(365) }),
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
    /** Where limits come from: own tables, nowhere, or the unified limits of the identity service. */
    driver: z.enum(quotaDrivers).default('nova.quota.DbQuotaDriver'),
    instances: limit(10),
    cores: limit(20),
    ram: limit(51200),
    metadata_items: limit(128),
    key_pairs: limit(100),
    /** Counts again beside the written rows, so that parallel requests cannot go above a limit together. */
    recheck_quota: z.boolean().default(true),
    /** Nova's default is false; counting from placement is right with a cell down. Unified limits always count there. */
    count_usage_from_placement: z.boolean().default(true),
  }),
  database: z.strictObject({
    /** PostgreSQL, such as postgres://user:password@host/kilonova: the databases are NAME_api, NAME_cell0 and NAME_cell1. Absent: SQLite. */
    connection: z.string().nullable().default(null),
    /** A file that holds it, so that the password is in no option file. */
    connection_file: z.string().nullable().default(null),
  }),
  consoleauth: z.strictObject({ token_ttl: z.number().int().positive().max(600).default(60) }),
  notifications: z.strictObject({ event_retention_seconds: z.number().int().positive().default(604800) }),
  image_store: z.strictObject({
    max_size_gb: z.number().int().positive().default(1024),
    upload_seconds: z.number().int().positive().max(3600).default(3600),
  }),
}

export type ApiConfig = { [G in keyof typeof apiOptions]: z.infer<(typeof apiOptions)[G]> }
