import { Arg, Args, ArgsType, Ctx, FieldResolver, ID, Mutation, Query, Resolver, Root } from 'type-graphql'
import { mapPage } from '../../db/paging.js'
import { ResourceOrder } from '../../graphql/common.types.js'
import { connectionOf, listArgs } from '../../graphql/connection.js'
import type { RequestContext } from '../../graphql/context.js'
import { Policy } from '../../graphql/policy-directive.js'
import { toUser } from '../identity/identity.resolver.js'
import { User } from '../identity/identity.types.js'
import * as inputs from './keypair.inputs.js'
import type { KeypairRow } from './keypair.service.js'
import * as types from './keypair.types.js'

const { Keypair } = types
type Keypair = types.Keypair
const KeypairConnection = connectionOf(() => Keypair, 'Keypair', 'key pairs')
@ArgsType()
class KeypairArgs extends listArgs(
  () => inputs.KeypairFilter,
  () => ResourceOrder,
) {}

const toKeypair = (row: KeypairRow): Keypair => ({
  id: String(row.id),
  name: row.name,
  type: row.type === 'x509' ? 'X509' : 'SSH',
  publicKey: row.public_key,
  fingerprint: row.fingerprint,
  userId: row.user_id,
  createdAt: row.created_at,
})

@Resolver(() => Keypair)
export class KeypairResolver {
  @FieldResolver(() => User, { nullable: true })
  async user(@Root() keypair: Keypair, @Ctx() context: RequestContext): Promise<User | null> {
    const row = await context.users.load(keypair.userId)
    return row === null ? null : toUser(row)
  }

  @Policy('os_compute_api:os-keypairs:show')
  @Query(() => Keypair, { nullable: true, description: 'One key pair by name, null if unknown.' })
  async keypair(
    @Arg('name', () => String, { description: 'Name.' }) name: string,
    @Arg('userId', () => ID, { nullable: true, description: 'Owner; default the caller.' }) userId: string | null,
    @Ctx() { services, caller }: RequestContext,
  ): Promise<Keypair | null> {
    const row = await services.keypairs.keypair(caller, name, userId)
    return row === null ? null : toKeypair(row)
  }

  @Policy('os_compute_api:os-keypairs:index')
  @Query(() => KeypairConnection, { description: 'Key pairs of a user; absent orderBy: NAME ASC.' })
  async keypairs(@Args(() => KeypairArgs) args: KeypairArgs, @Ctx() { services, caller }: RequestContext) {
    return new KeypairConnection(mapPage(await services.keypairs.keypairs(caller, args), toKeypair))
  }

  @Policy('os_compute_api:os-keypairs:create')
  @Mutation(() => types.ImportKeypairPayload, {
    description: 'Store an existing public key or certificate. Errors: ALREADY_EXISTS, QUOTA_EXCEEDED.',
  })
  async importKeypair(
    @Arg('input', () => inputs.ImportKeypairInput, { description: 'Input.' }) input: inputs.ImportKeypairInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { keypair: toKeypair(await services.keypairs.import(caller, input)) }
  }

  @Policy('os_compute_api:os-keypairs:create')
  @Mutation(() => types.CreateKeypairPayload, {
    description:
      'Generate a key and show the private half once. Nova dropped this in 2.92; deployments may switch it off (systemInfo). Errors: ALREADY_EXISTS, QUOTA_EXCEEDED, NOT_IMPLEMENTED.',
  })
  async createKeypair(
    @Arg('input', () => inputs.CreateKeypairInput, { description: 'Input.' }) input: inputs.CreateKeypairInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    const { keypair, privateKey } = await services.keypairs.create(caller, input)
    return { keypair: toKeypair(keypair), privateKey: privateKey.reveal() }
  }

  @Policy('os_compute_api:os-keypairs:delete')
  @Mutation(() => types.DeleteKeypairPayload, { description: 'Delete; servers keep their copy.' })
  async deleteKeypair(
    @Arg('input', () => inputs.DeleteKeypairInput, { description: 'Input.' }) input: inputs.DeleteKeypairInput,
    @Ctx() { services, caller }: RequestContext,
  ) {
    return { deletedName: await services.keypairs.delete(caller, input) }
  }
}
