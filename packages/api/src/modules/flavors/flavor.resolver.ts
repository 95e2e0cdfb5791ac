import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Int, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { visibleProject } from '../../graphql/visible-project.js'
import { Project } from '../identity/identity.types.js'
import * as inputs from './flavor.inputs.js'
import { type FlavorRow, specsOf } from './flavor.service.js'
import * as types from './flavor.types.js'

const { Flavor, FlavorAccess } = types
type Flavor = types.Flavor

const FlavorConnection = connectionOf(() => Flavor, 'Flavor', 'flavors')
@ArgsType()
class FlavorArgs extends listArgs(
  () => inputs.FlavorFilter,
  () => inputs.FlavorOrder,
) {}

export const toFlavor = (row: FlavorRow): Flavor => ({
  id: row.id,
  name: row.name,
  description: row.description,
  vcpus: row.vcpus,
  ramMb: row.ram_mb,
  diskGb: row.disk_gb,
  ephemeralGb: row.ephemeral_gb,
  swapMb: row.swap_mb,
  rxtxFactor: row.rxtx_factor,
  isPublic: row.is_public === 1,
  disabled: row.disabled === 1,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
  generation: row.generation,
  extraSpecs: Object.entries(specsOf(row)).map(([key, value]) => ({ key, value })),
})

@Resolver(() => Flavor)
export class FlavorResolver {
  @Policy('os_compute_api:os-flavor-access', 'HIDE')
  @FieldResolver(() => [FlavorAccess], { nullable: true, description: 'Projects with access; null for a public flavor.' })
  async access(@Root() flavor: Flavor, @Ctx() context: RequestContext): Promise<types.FlavorAccess[] | null> {
    if (flavor.isPublic) return null
    const projects = (await context.flavorAccess.load(flavor.id)) ?? []
    return projects.map((projectId) => ({ flavorId: flavor.id, projectId }))
  }

  @Policy('os_compute_api:os-flavor-manage:update', 'HIDE')
  @FieldResolver(() => Int, { nullable: true, description: 'Servers built with it.' })
  async serverCount(@Root() flavor: Flavor, @Ctx() context: RequestContext): Promise<number | null> {
    return context.flavorServers.load(flavor.id)
  }

  @Query(() => Flavor, { nullable: true, description: 'One flavor, null if unknown or not visible.' })
  async flavor(
    @Arg('id', () => ID, { description: 'Flavor id.' }) id: string,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<Flavor | null> {
    const row = await services.flavors.flavor(caller, id)
    return row === null ? null : toFlavor(row)
  }

  @Query(() => FlavorConnection, { description: 'Public flavors and those the project has access to.' })
  async flavors(@Args(() => FlavorArgs) args: FlavorArgs, @Ctx() { services, caller }: RequestContext) {
    return new FlavorConnection(mapPage(await services.flavors.flavors(caller, args), toFlavor))
  }

  @Policy('os_compute_api:os-flavor-manage:create')
  @Mutation(() => types.CreateFlavorPayload, {
    description: 'Make a flavor. Errors: ALREADY_EXISTS (id or name), BAD_USER_INPUT (extra spec).',
  })
  async createFlavor(
    @Arg('input', () => inputs.CreateFlavorInput, { description: 'Input.' }) input: inputs.CreateFlavorInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.create(caller, input)) }
  }

  @Policy('os_compute_api:os-flavor-manage:update')
  @Mutation(() => types.UpdateFlavorPayload, { description: 'Change the description, the only mutable field.' })
  async updateFlavor(
    @Arg('input', () => inputs.UpdateFlavorInput, { description: 'Input.' }) input: inputs.UpdateFlavorInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.update(caller, input)) }
  }

  @Policy('os_compute_api:os-flavor-manage:delete')
  @Mutation(() => types.DeleteFlavorPayload, { description: 'Delete; existing servers keep their copy.' })
  async deleteFlavor(
    @Arg('input', () => inputs.DeleteFlavorInput, { description: 'Input.' }) input: inputs.DeleteFlavorInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { deletedId: await services.flavors.delete(caller, input) }
  }

  @Policy('os_compute_api:os-flavor-extra-specs:create')
  @Policy('os_compute_api:os-flavor-extra-specs:update')
  @Mutation(() => types.SetFlavorExtraSpecsPayload, {
    description: 'Write extra specs, keep the others; existing servers are not touched. Errors: BAD_USER_INPUT with the key.',
  })
  async setFlavorExtraSpecs(
    @Arg('input', () => inputs.SetFlavorExtraSpecsInput, { description: 'Input.' }) input: inputs.SetFlavorExtraSpecsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.setExtraSpecs(caller, input)) }
  }

  @Policy('os_compute_api:os-flavor-extra-specs:delete')
  @Mutation(() => types.DeleteFlavorExtraSpecsPayload, { description: 'Remove extra specs; keys are not validated.' })
  async deleteFlavorExtraSpecs(
    @Arg('input', () => inputs.DeleteFlavorExtraSpecsInput, { description: 'Input.' }) input: inputs.DeleteFlavorExtraSpecsInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.deleteExtraSpecs(caller, input)) }
  }

  @Policy('os_compute_api:os-flavor-access:add_tenant_access')
  @Mutation(() => types.AddFlavorAccessPayload, {
    description: 'Let a project use a private flavor. Errors: CONFLICT (public flavor), ALREADY_EXISTS, INVALID_REFERENCE (project).',
  })
  async addFlavorAccess(
    @Arg('input', () => inputs.AddFlavorAccessInput, { description: 'Input.' }) input: inputs.AddFlavorAccessInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.addAccess(caller, input)) }
  }

  @Policy('os_compute_api:os-flavor-access:remove_tenant_access')
  @Mutation(() => types.RemoveFlavorAccessPayload, {
    description: 'Take access away; existing servers stay. Errors: CONFLICT (public flavor).',
  })
  async removeFlavorAccess(
    @Arg('input', () => inputs.RemoveFlavorAccessInput, { description: 'Input.' }) input: inputs.RemoveFlavorAccessInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { flavor: toFlavor(await services.flavors.removeAccess(caller, input)) }
  }
}

@Resolver(() => FlavorAccess)
export class FlavorAccessResolver {
  @FieldResolver(() => Project, { nullable: true })
  project(@Root() access: types.FlavorAccess, @Ctx() context: RequestContext): Promise<Project | null> {
    return visibleProject(context, access.projectId)
  }
}
