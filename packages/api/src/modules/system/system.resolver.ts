import { errorCodes } from '@kilonova/contract/errors'
import { Ctx, Query, Resolver } from 'type-graphql'
import { type ErrorCode, ErrorCodeInfo } from '../../graphql/common.types.js'
import type { RequestContext } from '../../graphql/context.js'
import { maxBulkServers } from '../servers/bulk-actions.js'
import { maxTags } from '../servers/server-labels.js'
import { SystemInfo } from './system.types.js'

@Resolver()
export class SystemResolver {
  @Query(() => [ErrorCodeInfo], { description: 'All error codes a client can meet, with their HTTP status.' })
  errorCodes(): ErrorCodeInfo[] {
    return Object.entries(errorCodes).map(([code, info]) => ({ code: code as ErrorCode, ...info }))
  }

  @Query(() => SystemInfo, { description: 'Version, capabilities, scheduler set-up.' })
  systemInfo(@Ctx() { services, schemaHash }: RequestContext): SystemInfo {
    const { config, schedulerSetup } = services
    return {
      version: services.version,
      novaMicroversion: '2.93',
      schemaHash,
      region: config.DEFAULT.region_name,
      capabilities: {
        consoleTypes: ['NOVNC', 'SERIAL'],
        hypervisorTypes: ['QEMU', 'FAKE'],
        adminPasswordShown: config.api.enable_instance_password,
        keypairGeneration: config.api.keypair_generation,
        softDeleteSeconds: 0,
        defaultAvailabilityZone: config.DEFAULT.default_availability_zone,
        defaultScheduleZone: config.DEFAULT.default_schedule_zone,
        maxPageSize: config.api.max_limit,
        maxBulkItems: maxBulkServers,
        maxUserDataBytes: 65535,
        maxServerTags: maxTags,
        consoleTokenSeconds: config.consoleauth.token_ttl,
        idempotencySeconds: 86400,
        eventRetentionSeconds: config.notifications.event_retention_seconds,
      },
      filters: schedulerSetup.filters.map((filter, position) => ({
        name: filter.name,
        description: filter.description,
        enabled: true,
        position,
        multiplier: null,
        runsOnRebuild: filter.runsOnRebuild,
      })),
      weighers: schedulerSetup.weighers.map(({ weigher, multiplier }) => ({
        name: weigher.name,
        description: weigher.description,
        enabled: multiplier !== 0,
        position: null,
        multiplier,
        runsOnRebuild: false,
      })),
    }
  }
}
